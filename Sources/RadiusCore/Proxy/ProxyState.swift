/// The Proxy-State that this node adds (RFC 2865 §5.33): its mark, by which it knows a request that comes round, and a number.
struct ProxyState: Equatable {
    /// Octets of the attribute's value.
    static let count = 16
    /// Proxies that a request may have passed before; more are a loop that somebody else does not see.
    static let hopLimit = 12

    /// Of this process; random.
    let mark: UInt64
    let number: UInt64

    var octets: [UInt8] {
        [mark, number].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) } }
    }

    /// Whether a request has been here before, or has come through too many proxies.
    static func isLooping(_ packet: Span<UInt8>, mark: UInt64) -> Bool {
        var hops = 0
        var cursor = AttributeCursor(PacketHeader.count..<packet.count)
        while let attribute = cursor.next(in: packet) {
            guard attribute.type == UInt32(AttributeNumber.proxyState) else { continue }
            hops += 1
            if attribute.range.count == count, self.mark(in: packet, at: attribute.range.lowerBound) == mark { return true }
        }
        return hops >= hopLimit
    }

    /// Whether the last Proxy-State of a reply is this one, as it must be: whoever answers copies all of them in order.
    func isLast(in reply: Span<UInt8>) -> Bool {
        var last: Range<Int>?
        var cursor = AttributeCursor(PacketHeader.count..<reply.count)
        while let attribute = cursor.next(in: reply) {
            if attribute.type == UInt32(AttributeNumber.proxyState) { last = attribute.range }
        }
        guard let last, last.count == Self.count else { return false }
        let wanted = octets
        return (0..<Self.count).allSatisfy { reply[last.lowerBound + $0] == wanted[$0] }
    }

    private static func mark(in packet: Span<UInt8>, at offset: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 << 8 | UInt64(packet[offset + $1]) }
    }
}
