/// Octets that wait for a peer to take them, first in, first out. Whoever appends bounds it.
struct OutputQueue {
    private var octets: [UInt8] = []
    private var start = 0
    /// An empty queue keeps no more memory than this.
    private static let keptCapacity = 8192

    var count: Int { octets.count - start }
    var isEmpty: Bool { start == octets.count }

    mutating func append(_ more: UnsafeBufferPointer<UInt8>) { octets.append(contentsOf: more) }

    mutating func append(_ more: [UInt8]) { octets += more }

    /// Removes the first `count` octets.
    mutating func removeFirst(_ count: Int) {
        start += count
        if start == octets.count {
            octets.removeAll(keepingCapacity: octets.capacity <= Self.keptCapacity)
            start = 0
        } else if start >= 65_536 {
            octets.removeFirst(start)
            start = 0
        }
    }

    /// Takes at most `limit` octets out.
    mutating func take(limit: Int) -> [UInt8] {
        let taken = Array(octets[start..<start + min(limit, count)])
        removeFirst(taken.count)
        return taken
    }

    /// Runs `body` on all that waits.
    func withOctets<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        octets.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[start...])) }
    }

    mutating func removeAll() {
        octets = []
        start = 0
    }
}
