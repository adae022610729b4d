import Synchronization

/// Sequence numbers for SIM cards (3GPP TS 33.102 §6.3, annex C.1.1.3): 43 bits that grow, tenths of a second since 1970, and 5 bits that
/// tell the node. So they need no store, do not repeat after a restart, and nodes do not get in each other's way.
///
/// A card that has another idea says so (§6.3.5); what it says is kept in memory, and after a restart it says it again. Any thread may call.
public final class SIMSequences: Sendable {
    private struct Entry {
        /// The last one that was used, or that a card said.
        var last: UInt64
        /// The card is so far behind that it does not believe the clock: it is counted up from where it stands.
        var countsUp = false
    }

    private struct Memory {
        var recent: [Int64: Entry] = [:]
        var older: [Int64: Entry] = [:]
    }

    static let nodeBits: UInt64 = 5
    private static let limit: UInt64 = 1 << 43

    private let node: UInt64
    private let capacity: Int
    private let memory = Mutex(Memory())

    /// - Parameters:
    ///   - node: the node's name; nodes with the same five bits of its digest may make a card ask for a second attempt, no more.
    ///   - capacity: subscribers whose last number is remembered, half of them at least.
    init(node: [UInt8], capacity: Int = 131_072) {
        self.node = UInt64(KeyedDigests.sha1(node)[0] & 31)
        self.capacity = max(2, capacity)
    }

    /// The next sequence number.
    ///
    /// - Parameters:
    ///   - subscriber: whose card.
    ///   - now: tenths of a second since 1970.
    /// - Returns: six octets; nil when the card's numbers are used up.
    func next(for subscriber: Int64, now: UInt64) -> [UInt8]? {
        memory.withLock { memory -> [UInt8]? in
            var entry = memory.recent[subscriber] ?? memory.older[subscriber] ?? Entry(last: 0)
            let next = entry.countsUp ? entry.last + 1 : max(now, entry.last + 1)
            guard next < Self.limit else { return nil }
            entry.last = next
            remember(entry, of: subscriber, &memory)
            return Self.octets(next << Self.nodeBits | node)
        }
    }

    /// Takes the highest number that a card has accepted, which it has proven; six octets.
    func resynchronize(_ subscriber: Int64, to sequence: [UInt8], now: UInt64) {
        let last = sequence.reduce(0) { $0 << 8 | UInt64($1) } >> Self.nodeBits
        memory.withLock { remember(Entry(last: last, countsUp: last < now), of: subscriber, &$0) }
    }

    /// Two generations: when the younger is full, the older goes.
    private func remember(_ entry: Entry, of subscriber: Int64, _ memory: inout Memory) {
        if memory.recent.count >= capacity / 2, memory.recent[subscriber] == nil {
            memory.older = memory.recent
            memory.recent = [:]
        }
        memory.recent[subscriber] = entry
    }

    /// Subscribers that are remembered.
    var count: Int { memory.withLock { $0.recent.count + $0.older.count } }

    private static func octets(_ number: UInt64) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: number >> UInt64((5 - $0) * 8)) }
    }
}
