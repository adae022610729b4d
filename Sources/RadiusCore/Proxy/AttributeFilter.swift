/// Which attributes may cross between a NAS and a home server (RFC 2607 §7). Immutable.
///
/// With nothing allowed, all but the removed ones pass; else only the allowed ones that are not removed. What the protocol itself lives on
/// always passes: names, passwords and their answers, EAP, State, keys, and the accounting that identifies a session.
public struct AttributeFilter: Sendable {
    private var allowed: Set<UInt64> = []
    private var removed: Set<UInt64> = []
    private var allowsSome = false

    /// Lets everything pass.
    public init() {}

    public var passesAll: Bool { !allowsSome && removed.isEmpty }

    /// - Parameters:
    ///   - allow: names of attributes, `Vendor-Specific` for all of all vendors, or `vendor:NAME` for all of one; empty allows all.
    ///   - remove: the same of what must not pass.
    ///   - dictionary: knows the names.
    ///   - problems: is told which names nobody knows. An unknown name in `allow` allows nothing.
    public init(allow: [String], remove: [String], dictionary: RadiusDictionary, problems: inout [String]) {
        allowsSome = !allow.isEmpty
        for name in allow { if let key = Self.key(name, dictionary, &problems) { allowed.insert(key) } }
        for name in remove { if let key = Self.key(name, dictionary, &problems) { removed.insert(key) } }
    }

    private static func key(_ name: String, _ dictionary: RadiusDictionary, _ problems: inout [String]) -> UInt64? {
        if name.lowercased().hasPrefix("vendor:") {
            if let vendor = dictionary.vendor(named: String(name.dropFirst(7))) { return key(vendor.number, everything) }
            problems.append("there is no vendor \(name.dropFirst(7))")
            return nil
        }
        guard let attribute = dictionary.attribute(named: name) else {
            problems.append("there is no attribute \(name)")
            return nil
        }
        guard !attribute.isVirtual, attribute.path.vendor == 0 || attribute.path.base == 26 else {
            problems.append("\(name) cannot be filtered by itself; name the attribute that holds it")
            return nil
        }
        return key(attribute.path.vendor, attribute.path.numbers.first ?? 0)
    }

    private static let everything = UInt32.max
    private static func key(_ vendor: UInt32, _ number: UInt32) -> UInt64 { UInt64(vendor) << 32 | UInt64(number) }

    /// User-Name, User-Password, CHAP-Password, Reply-Message, State, Proxy-State, Acct-Status-Type, Acct-Delay-Time, Acct-Session-Id,
    /// CHAP-Challenge, EAP-Message, Message-Authenticator.
    private static let lifelines: [UInt8] = [1, 2, 3, 18, 24, 33, 40, 41, 44, 60, 79, 80]
    private static let microsoft: UInt32 = 311
    /// RFC 2548: responses, errors, challenge, success, and the keys.
    private static let microsoftLifelines: [UInt32] = [1, 2, 11, 16, 17, 25, 26]

    /// Whether a standard attribute passes; for Vendor-Specific (26) ask for each vendor's.
    func passes(_ type: UInt8) -> Bool {
        if passesAll || Self.lifelines.contains(type) { return true }
        let key = Self.key(0, UInt32(type))
        return !removed.contains(key) && (!allowsSome || allowed.contains(key))
    }

    /// Whether the attribute `number` of `vendor` passes; nil asks for octets that are not known to be attributes.
    func passes(vendor: UInt32, _ number: UInt32?) -> Bool {
        if passesAll { return true }
        if vendor == Self.microsoft, let number, Self.microsoftLifelines.contains(number) { return true }
        let keys = [Self.key(0, 26), Self.key(vendor, Self.everything)] + (number.map { [Self.key(vendor, $0)] } ?? [])
        return keys.allSatisfy { !removed.contains($0) } && (!allowsSome || keys.contains { allowed.contains($0) })
    }
}
