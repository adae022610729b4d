/// Which attributes may cross between a NAS and a home server (RFC 2607 §7), and which stand in their place. Immutable.
///
/// With nothing allowed, all but the removed ones pass; else only the allowed ones that are not removed. What the protocol itself lives on
/// always passes: names, passwords and their answers, EAP, State, keys, and the accounting that identifies a session.
public struct AttributeFilter: Sendable {
    /// Attributes of one kind that are put into a packet instead of what it has of them.
    private struct Setting {
        let key: UInt64
        var texts: [AttributeText] = []
        /// Whole attributes, one behind the other.
        var octets: [UInt8] = []
    }

    private var allowed: Set<UInt64> = []
    private var removed: Set<UInt64> = []
    private var allowsSome = false
    private var settings: [Setting] = [] {
        didSet {
            replaced = Set(settings.map(\.key))
            added = settings.flatMap(\.octets)
        }
    }
    private var replaced: Set<UInt64> = []

    /// What is put into a packet instead of what it has of the same attributes: whole attributes, one behind the other.
    public private(set) var added: [UInt8] = []

    /// Lets everything pass.
    public init() {}

    public var passesAll: Bool { !allowsSome && removed.isEmpty && settings.isEmpty }

    /// Of packets into which nothing is put: what would stand in its place passes as the rest does.
    var withoutAdditions: AttributeFilter {
        var filter = self
        filter.settings = []
        return filter
    }

    /// What of `added` stands for attributes that `packet` has.
    func replacements(in packet: Span<UInt8>, _ dictionary: RadiusDictionary) -> [UInt8] {
        var met: Set<UInt64> = []
        var cursor = AttributeCursor(PacketHeader.count..<packet.count)
        while let attribute = cursor.next(in: packet) {
            met.insert(Self.key(0, attribute.type))
            guard attribute.type == VendorAttribute.type, let vendor = VendorAttribute(attribute.range, in: packet) else { continue }
            var members = vendor.members(dictionary.vendor(vendor.vendor)?.format ?? VendorFormat())
            while let member = members.next(in: packet) { met.insert(Self.key(vendor.vendor, member.type)) }
        }
        return settings.filter { met.contains($0.key) }.flatMap(\.octets)
    }

    /// - Parameters:
    ///   - allow: names of attributes, `Vendor-Specific` for all of all vendors, or `vendor:NAME` for all of one; empty allows all.
    ///   - remove: the same of what must not pass.
    ///   - set: attributes to be had whatever the packet has of them, each as `Name = value`.
    ///   - dictionary: knows the names.
    ///   - problems: is told which names nobody knows, and what cannot be removed or set. An unknown name in `allow` allows nothing.
    public init(allow: [String], remove: [String], set: [String] = [], dictionary: RadiusDictionary, problems: inout [String]) {
        allowsSome = !allow.isEmpty
        for name in allow { if let key = Self.key(name, dictionary, &problems) { allowed.insert(key) } }
        for name in remove {
            guard let key = Self.key(name, dictionary, &problems) else { continue }
            if Self.alwaysPasses(UInt32(key >> 32), UInt32(truncatingIfNeeded: key)) {
                problems.append("\(name) is what a log-in or a session lives on, and always passes")
            } else {
                removed.insert(key)
            }
        }
        for line in set { add(line, dictionary, &problems) }
    }

    private mutating func add(_ line: String, _ dictionary: RadiusDictionary, _ problems: inout [String]) {
        do throws(AttributeTextError) {
            let pair = try AttributeText(line: line)
            // A tag may stand behind a colon.
            let name = pair.name.split(separator: ":", maxSplits: 1).first.map { String($0) } ?? ""
            let unnamed = AttributePath(unnamed: name)
            let attribute = dictionary.attribute(named: name) ?? unnamed.flatMap { dictionary.attribute(at: $0) }
            if let attribute, AttributeEncoder.needsKeys(attribute) {
                return problems.append("\(name) is hidden by a secret, and cannot be set")
            }
            _ = try AttributeEncoder.encode([pair], dictionary: dictionary)
            guard let path = unnamed ?? attribute?.path, let number = path.numbers.first, path.numbers.count == 1,
                path.base == (path.vendor == 0 ? 0 : VendorAttribute.type)
            else { return problems.append("\(name) cannot be set by itself; name the attribute that holds it") }
            guard !Self.isLifeline(path.vendor, number) else {
                return problems.append("\(name) is what a log-in or a session lives on, and cannot be set")
            }
            guard !Self.isWholeOnly(path.vendor, dictionary) else {
                return problems.append("\(name) cannot be set: values of its vendor may go on in another attribute")
            }
            let key = Self.key(path.vendor, number)
            let place = settings.firstIndex { $0.key == key }
            var setting = place.map { settings[$0] } ?? Setting(key: key)
            let others = added.count - setting.octets.count
            setting.texts.append(pair)
            // Together: rules of NAS-Filter-Rule are joined (RFC 4849 §2).
            setting.octets = try AttributeEncoder.encode(setting.texts, dictionary: dictionary)
            guard others + setting.octets.count <= Self.addedLimit else {
                return problems.append("\(name) is too much: what is set may have \(Self.addedLimit) octets in all")
            }
            if let place { settings[place] = setting } else { settings.append(setting) }
        } catch {
            problems.append(error.description)
        }
    }

    private static let addedLimit = 1024

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
        if isWholeOnly(attribute.path.vendor, dictionary), let vendor = dictionary.vendor(attribute.path.vendor) {
            problems.append("\(name) cannot be filtered by itself; of its vendor only vendor:\(vendor.name) can, as a whole")
            return nil
        }
        return key(attribute.path.vendor, attribute.path.numbers.first ?? 0)
    }

    /// Whether members of the vendor's attributes are not told apart, since one may go on in the next attribute.
    private static func isWholeOnly(_ vendor: UInt32, _ dictionary: RadiusDictionary) -> Bool {
        dictionary.vendor(vendor)?.format.hasContinuation == true
    }

    private static let everything = UInt32.max
    private static func key(_ vendor: UInt32, _ number: UInt32) -> UInt64 { UInt64(vendor) << 32 | UInt64(number) }

    /// User-Name, User-Password, CHAP-Password, State, Proxy-State, Acct-Status-Type, Acct-Delay-Time, Acct-Session-Id, CHAP-Challenge,
    /// EAP-Message, Message-Authenticator.
    private static let lifelines: [UInt8] = [1, 2, 3, 24, 33, 40, 41, 44, 60, 79, 80]
    private static let microsoft: UInt32 = 311
    /// RFC 2548: responses, errors, challenge, success, and the keys.
    private static let microsoftLifelines: [UInt32] = [1, 2, 11, 16, 17, 25, 26]

    private static func isLifeline(_ vendor: UInt32, _ number: UInt32) -> Bool {
        if vendor == 0 { return UInt8(exactly: number).map { lifelines.contains($0) || $0 == VendorAttribute.type } ?? true }
        return vendor == microsoft && microsoftLifelines.contains(number)
    }

    /// Whether no filter holds the attribute back.
    private static func alwaysPasses(_ vendor: UInt32, _ number: UInt32) -> Bool {
        vendor == 0 ? lifelines.contains { UInt32($0) == number } : vendor == microsoft && microsoftLifelines.contains(number)
    }

    /// Whether a standard attribute passes; for Vendor-Specific (26) ask for each vendor's.
    func passes(_ type: UInt8) -> Bool {
        if passesAll || Self.lifelines.contains(type) { return true }
        let key = Self.key(0, UInt32(type))
        return !removed.contains(key) && !replaced.contains(key) && (!allowsSome || allowed.contains(key))
    }

    /// Whether the attribute `number` of `vendor` passes; nil asks for octets that are not known to be attributes.
    func passes(vendor: UInt32, _ number: UInt32?) -> Bool {
        if passesAll { return true }
        if vendor == Self.microsoft, let number, Self.microsoftLifelines.contains(number) { return true }
        let keys = [Self.key(0, 26), Self.key(vendor, Self.everything)] + (number.map { [Self.key(vendor, $0)] } ?? [])
        return keys.allSatisfy { !removed.contains($0) && !replaced.contains($0) }
            && (!allowsSome || keys.contains { allowed.contains($0) })
    }

    /// Whether something is said about single attributes of `vendor`, so that octets that cannot be told apart may hold one of them.
    func namesMembers(of vendor: UInt32) -> Bool {
        let isMember = { (key: UInt64) in key >> 32 == UInt64(vendor) && key != Self.key(vendor, Self.everything) }
        return allowed.contains(where: isMember) || removed.contains(where: isMember) || replaced.contains(where: isMember)
    }
}
