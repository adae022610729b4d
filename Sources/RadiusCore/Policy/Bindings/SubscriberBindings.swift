/// What a subscriber is bound to, and how often it may be online, as the compiler hands it to the index.
public struct SubscriberBindings: Sendable {
    public private(set) var mac = BindingMode.ignore
    public private(set) var line = BindingMode.ignore
    /// What is empty is filled by the first login.
    public private(set) var bindsOnFirstUse = false
    /// Sessions at once, instead of what the profile says; nil leaves it to that, and 0 is no limit.
    public var sessionLimit: UInt16?
    /// Whether the oldest gives way, likewise.
    public var replacesSessions: Bool?
    /// What could not be read; nothing matches it.
    public private(set) var problems: [String] = []
    private var values: [(kind: BindingKind, octets: [UInt8])] = []
    private var demanded: UInt8 = 0
    private var room = SubscriberBindings.largest - BoundTo.headCount

    /// - Parameters:
    ///   - mac: what becomes of other stations.
    ///   - line: what becomes of other lines: circuits, remote ids and ports.
    ///   - bindsOnFirstUse: whether a first login fills what is empty.
    public init(mac: BindingMode, line: BindingMode, bindsOnFirstUse: Bool) {
        self.mac = mac
        self.line = line
        self.bindsOnFirstUse = bindsOnFirstUse
    }

    /// Adds one that may log in, as the operator wrote it.
    public mutating func allow(_ kind: BindingKind, _ text: String) {
        demanded |= kind.bit
        if let fault = Self.fault(of: text, kind) {
            problems.append("it is bound to \(text), but \(fault)")
        } else if let octets = Self.octets(text, kind) {
            guard room >= octets.count + 2 else { return problems.append("it is bound to \(text), for which there is no room") }
            room -= octets.count + 2
            values.append((kind, octets))
        }
    }

    /// Whether all of it finds room in a record.
    public static func fit(_ texts: [(kind: BindingKind, text: String)]) -> Bool {
        texts.reduce(BoundTo.headCount) { $0 + 2 + (octets($1.text, $1.kind)?.count ?? 0) } <= largest
    }

    /// Why `text` names no such thing; nil when it does.
    public static func fault(of text: String, _ kind: BindingKind) -> String? {
        if let octets = octets(text, kind) { return octets.count <= 253 ? nil : "no attribute holds more than 253 octets" }
        guard kind != .mac else { return "a hardware address is expected, such as 00:53:00:12:34:56" }
        return text.hasPrefix("0x") ? "0x and pairs of hexadecimal digits are expected" : "there is nothing in it but white space"
    }

    private static func octets(_ text: String, _ kind: BindingKind) -> [UInt8]? {
        guard kind == .mac else { return BoundOctets.octets(text, kind) }
        guard let address = HardwareAddress(station: text) else { return nil }
        return (0..<6).map { UInt8(truncatingIfNeeded: address.value >> UInt64(40 - 8 * $0)) }
    }

    /// What binds a line to the octets that one of its attributes had.
    public static func text(_ octets: [UInt8]) -> String { BoundOctets.text(octets) }

    /// The octets of a NAS-Port-Id that count.
    public static func portID(_ octets: [UInt8]) -> [UInt8] { BoundOctets.trimmed(octets, .port) }

    /// What binds a station to a Calling-Station-Id; nil where that has no hardware address.
    public static func text(callingStation octets: [UInt8]) -> String? {
        let address = octets.withUnsafeBufferPointer { octets in
            octets.baseAddress.flatMap { HardwareAddress(station: $0, 0..<octets.count) }
        }
        return address.map { address in address.text.span.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
    }

    /// Octets of `encoded` at most.
    public static let largest = 1024

    /// What a record holds: `BoundTo` reads it. Empty where nobody looks.
    public var encoded: [UInt8] {
        guard mac != .ignore || line != .ignore || sessionLimit != nil || replacesSessions != nil else { return [] }
        var awaited: UInt8 = 0
        if bindsOnFirstUse, demanded & BindingKind.mac.bit == 0 { awaited |= BoundTo.awaitsMAC }
        if bindsOnFirstUse, demanded & ~BindingKind.mac.bit == 0 { awaited |= BoundTo.awaitsLine }
        var octets: [UInt8] = [0, 0, mac.rawValue | line.rawValue << 4, demanded, awaited]
        octets.append(sessionLimit.map { UInt8(min($0, SessionLimit.largest)) } ?? BoundTo.nothing)
        octets.append(replacesSessions.map { $0 ? 1 : 0 } ?? BoundTo.nothing)
        for value in values { octets += [value.kind.rawValue, UInt8(value.octets.count)] + value.octets }
        (octets[0], octets[1]) = (UInt8(truncatingIfNeeded: octets.count), UInt8(truncatingIfNeeded: octets.count >> 8))
        return octets
    }
}

/// What a subscriber is bound to, as a view on its record.
///
/// The octets: how many there are (two, little-endian), modes, the kinds that are demanded, what is awaited, the limit of sessions, whether
/// the oldest gives way; then for each value its kind, its length and its octets.
struct BoundTo: BitwiseCopyable {
    static let headCount = 7
    /// The profile decides.
    static let nothing: UInt8 = 255
    static let awaitsMAC: UInt8 = 1
    static let awaitsLine: UInt8 = 2

    private let base: UnsafeRawPointer

    init(_ base: UnsafeRawPointer) { self.base = base }

    private func octet(_ position: Int) -> UInt8 { base.load(fromByteOffset: position, as: UInt8.self) }

    /// Octets of all of it.
    var count: Int { Int(octet(0)) | Int(octet(1)) << 8 }
    var mac: BindingMode { BindingMode(rawValue: octet(2) & 15) ?? .enforce }
    var line: BindingMode { BindingMode(rawValue: octet(2) >> 4) ?? .enforce }
    /// The first login binds it.
    var awaitsMAC: Bool { octet(4) & Self.awaitsMAC != 0 }
    var awaitsLine: Bool { octet(4) & Self.awaitsLine != 0 }

    /// The subscriber's own limit of sessions, and whether the oldest gives way; nil where the profile decides.
    var sessionLimit: (count: UInt16?, replaces: Bool?) {
        (octet(5) == Self.nothing ? nil : UInt16(octet(5)), octet(6) == Self.nothing ? nil : octet(6) == 1)
    }

    /// A login has to tell one of those that are bound.
    func demands(_ kind: BindingKind) -> Bool { octet(3) & kind.bit != 0 }

    /// Whether `value` is among those of its kind.
    func has(_ kind: BindingKind, _ value: UnsafeRawBufferPointer) -> Bool {
        var isThere = false
        forEach(kind) { if SubscriberShard.equal($0, value) { isThere = true } }
        return isThere
    }

    @inline(__always)
    func forEach(_ kind: BindingKind, _ body: (UnsafeRawBufferPointer) -> Void) {
        var place = Self.headCount
        let end = count
        while place &+ 2 <= end {
            let length = Int(octet(place &+ 1))
            if octet(place) == kind.rawValue { body(UnsafeRawBufferPointer(start: base + place + 2, count: length)) }
            place &+= 2 &+ length
        }
    }
}
