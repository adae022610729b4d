internal import CLinux

/// What tells a session, and the place that it is at, from others of the same subscriber.
///
/// Made without allocation of an Access-Request or Accounting-Request, and of the rows that accounting has become: of the same session both
/// are equal.
public struct SessionTrace: Sendable, BitwiseCopyable, Equatable {
    /// Of NAS and Acct-Session-Id; 0 while there is none.
    public var session: UInt64 = 0
    /// Of Calling-Station-Id: a hardware address by its value, however it is spelled; 0 without one.
    public var station: UInt64 = 0
    /// Of NAS and NAS-Port; 0 without a port, or where it is 0.
    public var port: UInt64 = 0

    /// - Parameters:
    ///   - request: whose lengths are right.
    ///   - nas: `aaa.nas.id`.
    ///   - peer: where the request came from, which stands in where it names no NAS.
    init(_ request: RequestAttributes, nas: Int64, peer: InlineArray<16, UInt8>) {
        var parts = Parts()
        parts.walk(request)
        var named = SessionHash(nas)
        named.add(request.packet, parts.identifier)
        if parts.identifier.isEmpty, parts.address.isEmpty {
            withUnsafeBytes(of: peer) { named.add($0) }
        } else {
            named.add(request.packet, parts.address)
        }
        if !parts.session.isEmpty { session = named.with(request.packet, parts.session) }
        if parts.hasPort(request.packet) { port = named.with(request.packet, parts.port) }
        if let calling = request.first(.callingStationID) { station = Self.station(request.packet, calling) }
    }

    /// - Parameters:
    ///   - key: of `aaa.session.session_key`, as `SessionKey` writes it.
    ///   - nas: `aaa.nas.id`.
    ///   - callingStation: of the row.
    public init(key: [UInt8], nas: Int64, callingStation: [UInt8]) {
        var parts: [ArraySlice<UInt8>] = []
        var place = 0
        while place < key.count, parts.count < 5 {
            let end = min(key.count, place + 1 + Int(key[place]))
            parts.append(key[place + 1..<end])
            place = end
        }
        callingStation.withUnsafeBufferPointer { octets in
            if let start = octets.baseAddress { station = Self.station(start, 0..<octets.count) }
        }
        guard parts.count == 5 else { return }
        var named = SessionHash(nas)
        parts[0].withUnsafeBytes { named.add($0) }
        parts[1].withUnsafeBytes { named.add($0) }
        if !parts[2].isEmpty { session = parts[2].withUnsafeBytes { named.with($0) } }
        if parts[4].count == 4, parts[4].contains(where: { $0 != 0 }) { port = parts[4].withUnsafeBytes { named.with($0) } }
    }

    /// Whether a session of the one can only be there when that of the other is gone.
    ///
    /// Where both tell a station, it decides: controllers and gateways have one port for many.
    func isSamePlace(as other: SessionTrace) -> Bool {
        if session != 0, session == other.session { return true }
        if station != 0, other.station != 0 { return station == other.station }
        return port != 0 && port == other.port
    }

    /// Takes over what `newer` tells; not every record of a session tells all.
    mutating func learn(_ newer: SessionTrace) {
        if newer.session != 0 { session = newer.session }
        if newer.station != 0 { station = newer.station }
        if newer.port != 0 { port = newer.port }
    }

    private static func station(_ packet: UnsafePointer<UInt8>, _ range: Range<Int>) -> UInt64 {
        if let address = HardwareAddress(station: packet, range) { return address.value }
        let told = BoundOctets.trimmed(packet, range, .mac)
        // 00-00-00-00-00-00 is what stands where the NAS knows none.
        guard told.contains(where: { !isNothing(packet[$0]) }) else { return 0 }
        // No hardware address has the highest bit.
        return SessionHash(0).with(packet, told) | 1 << 63
    }

    /// Zeros, and what may stand between them.
    private static func isNothing(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "0"), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: " "): true
        default: false
        }
    }

    /// Where the attributes lie in the packet; empty ones are absent.
    private struct Parts {
        var identifier = 0..<0
        var address = 0..<0
        var session = 0..<0
        var port = 0..<0

        mutating func walk(_ request: RequestAttributes) {
            var ipv6 = 0..<0
            var offset = PacketHeader.count
            while offset < request.count {
                let length = Int(request.packet[offset &+ 1])
                let value = offset &+ 2..<offset &+ length
                switch request.packet[offset] {
                case AttributeNumber.nasIdentifier where identifier.isEmpty: identifier = value
                case AttributeNumber.nasIPAddress where address.isEmpty && value.count == 4: address = value
                case AttributeNumber.nasIPv6Address where ipv6.isEmpty && value.count == 16: ipv6 = value
                case AttributeNumber.acctSessionID where session.isEmpty: session = value
                case AttributeNumber.nasPort where port.isEmpty && value.count == 4: port = value
                default: break
                }
                offset &+= length
            }
            if address.isEmpty { address = ipv6 }
        }

        func hasPort(_ packet: UnsafePointer<UInt8>) -> Bool {
            port.contains { packet[$0] != 0 }
        }
    }
}

/// FNV-1a over parts that do not run into each other.
struct SessionHash {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    init(_ number: Int64) {
        withUnsafeBytes(of: number) { add($0) }
    }

    mutating func add(_ octets: UnsafeRawBufferPointer) {
        for octet in octets { take(octet) }
        take(UInt8(truncatingIfNeeded: octets.count))
    }

    mutating func add(_ packet: UnsafePointer<UInt8>, _ range: Range<Int>) {
        add(UnsafeRawBufferPointer(start: packet + range.lowerBound, count: range.count))
    }

    /// With one part more; never 0.
    func with(_ octets: UnsafeRawBufferPointer) -> UInt64 {
        var more = self
        more.add(octets)
        return more.state == 0 ? 1 : more.state
    }

    func with(_ packet: UnsafePointer<UInt8>, _ range: Range<Int>) -> UInt64 {
        with(UnsafeRawBufferPointer(start: packet + range.lowerBound, count: range.count))
    }

    private mutating func take(_ octet: UInt8) { state = (state ^ UInt64(octet)) &* 0x0000_0100_0000_01b3 }
}
