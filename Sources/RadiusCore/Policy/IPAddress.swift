public import Glibc

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
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(ipv4: UInt32(bigEndian: four.s_addr))
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self = withUnsafeBytes(of: six) { IPAddress(octets: $0) }
    }

    /// The address as people write it (RFC 5952).
    public var text: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if let ipv4 {
            var four = in_addr(s_addr: ipv4.bigEndian)
            inet_ntop(AF_INET, &four, &buffer, socklen_t(buffer.count))
        } else {
            var six = socketAddress
            inet_ntop(AF_INET6, &six, &buffer, socklen_t(buffer.count))
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The 16 octets in network order.
    public var octets: [UInt8] {
        withUnsafeBytes(of: socketAddress) { Array($0) }
    }

    /// The address as sockets take it.
    public var socketAddress: in6_addr {
        var address = in6_addr()
        withUnsafeMutableBytes(of: &address) { octets in
            octets.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
            octets.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return address
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
