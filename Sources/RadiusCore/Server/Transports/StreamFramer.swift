/// Cuts what a stream brings into packets by their Length (RFC 6613 §2.6.4). How the octets were divided on their way makes no difference.
///
/// Holds what is left over; whoever appends bounds it.
struct StreamFramer {
    /// No packet can begin like that; nothing behind it can be trusted.
    struct BadLength: Error, Equatable {
        /// As it stands in the packet.
        let length: Int
    }

    private var octets: [UInt8] = []
    private var start = 0

    /// Octets that wait.
    var count: Int { octets.count - start }
    /// Code of the next packet; nil when nothing waits.
    var code: UInt8? { count > 0 ? octets[start] : nil }

    mutating func append(_ more: Span<UInt8>) {
        guard !more.isEmpty else { return }
        if start > 0 {
            octets.removeFirst(start)
            start = 0
        }
        more.withUnsafeBufferPointer { octets.append(contentsOf: $0) }
    }

    /// Octets of the next packet; nil while it is not complete.
    ///
    /// - Throws: `BadLength` outside 20...4096, as soon as the length is there.
    func next() throws(BadLength) -> Int? {
        guard count >= 4 else { return nil }
        let length = Int(octets[start + 2]) << 8 | Int(octets[start + 3])
        guard length >= PacketHeader.count, length <= PacketHeader.maximumLength else { throw BadLength(length: length) }
        return count >= length ? length : nil
    }

    /// Moves the next `length` octets to `packet`.
    mutating func take(_ length: Int, into packet: UnsafeMutablePointer<UInt8>) {
        octets.withUnsafeBufferPointer { buffer in
            guard let from = buffer.baseAddress else { return }
            packet.update(from: from + start, count: length)
        }
        start += length
        if start == octets.count { removeAll() }
    }

    mutating func removeAll() {
        octets.removeAll(keepingCapacity: octets.capacity <= PacketHeader.maximumLength)
        start = 0
    }
}
