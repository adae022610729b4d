import Glibc

/// An IPv4 or IPv6 address as 128 bits; IPv4 stands as `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2), as dual-stack sockets give it.
public struct IPAddress: Hashable, Sendable, BitwiseCopyable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Parameter value: the address in host order.
    public init(ipv4 value: UInt32) {
        high = 0
        low = 0xffff_0000_0000 | UInt64(value)
    }

    /// - Parameter octets: 16 octets in network order.
    public init(octets: UnsafeRawBufferPointer) {
        precondition(octets.count == 16)
        high = UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        low = UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// Parses dotted or colon notation; nil for anything else, scope identifiers included.
    public init?(text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var octets = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &octets) == 1 {
            self.init(ipv4: octets[..<4].reduce(0) { $0 << 8 | UInt32($1) })
            return
        }
        guard inet_pton(AF_INET6, text, &octets) == 1 else { return nil }
        self = octets.withUnsafeBytes { IPAddress(octets: $0) }
    }

    /// The address as people write it (RFC 5952).
    public var text: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let octets = octets
        if ipv4 != nil {
            inet_ntop(AF_INET, Array(octets[12...]), &buffer, socklen_t(buffer.count))
        } else {
            inet_ntop(AF_INET6, octets, &buffer, socklen_t(buffer.count))
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The 16 octets in network order.
    public var octets: [UInt8] {
        [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64($0))) } }
    }

    /// - Parameter octets: in network order.
    public init(octets: InlineArray<16, UInt8>) {
        self = octets.span.withUnsafeBytes { IPAddress(octets: $0) }
    }

    /// The IPv4 address in host order, when it is one.
    public var ipv4: UInt32? {
        high == 0 && low >> 32 == 0xffff ? UInt32(truncatingIfNeeded: low) : nil
    }

    /// The address with all but its first `length` bits cleared; 0...128.
    public func masked(to length: Int) -> IPAddress {
        if length >= 128 { return self }
        if length >= 64 {
            return IPAddress(high: high, low: length == 64 ? 0 : low & (UInt64.max << UInt64(128 - length)))
        }
        return IPAddress(high: length == 0 ? 0 : high & (UInt64.max << UInt64(64 - length)), low: 0)
    }
}
