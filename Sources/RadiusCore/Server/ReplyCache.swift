internal import CLinux
import Glibc

/// Replies already sent, so that a retransmission gets the same octets again (RFC 5080 §2.2.2).
///
/// Bounded by octets, never by refusing new work: the oldest replies give way first. One thread. A fresh request reads one word of
/// tags and writes one cache line.
struct ReplyCache: ~Copyable {
    /// What a request that verified turns out to be.
    enum Lookup {
        /// Not seen lately; the token names the place for its reply.
        case fresh(ReplyToken)
        /// Being worked on: drop.
        case inWork
        /// Answered: the reply was copied, and this is its count.
        case answered(Int)
    }

    /// A request is a duplicate when all of this is equal.
    struct Key: BitwiseCopyable {
        var address: IPAddress
        var port: UInt16
        var identifier: UInt8
        var code: UInt8
        var authenticatorHigh: UInt64
        var authenticatorLow: UInt64

        func sameSource(as other: Key) -> Bool {
            address == other.address && port == other.port && identifier == other.identifier && code == other.code
        }

        /// Of the source, not of the authenticator: another request of the same source takes the place of the one before.
        var hash: UInt64 {
            var hash = address.low ^ address.high &* 0x9e37_79b9_7f4a_7c15
            hash ^= UInt64(port) << 16 | UInt64(identifier) << 8 | UInt64(code)
            hash = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
            return hash ^ hash >> 32
        }
    }

    private struct Entry: BitwiseCopyable {
        var key: Key
        var start: UInt64
        var seconds: UInt32
        var stamp: UInt32
        var count: UInt16
        var isUsed: Bool
    }

    /// Eight places that share a part of the hash.
    private struct Set: BitwiseCopyable {
        /// An octet of each place's hash, never 0; 0 for a place that is free.
        var tags: UInt64
        /// The place that is given next, in turn; so the one that was given longest ago.
        var next: UInt64
    }

    /// A reply is kept this long (RFC 5080 §2.2.2 names 5 to 30 seconds).
    static let keepSeconds: UInt32 = 30
    private static let ways = 8
    private static let everyLow: UInt64 = 0x0101_0101_0101_0101
    private static let everyHigh: UInt64 = 0x8080_8080_8080_8080

    private let sets: UnsafeMutablePointer<Set>
    private let entries: UnsafeMutablePointer<Entry>
    private let setMask: Int
    private let octets: UnsafeMutablePointer<UInt8>
    private let octetMask: UInt64
    private var nextOctet: UInt64 = 0

    /// - Parameter memoryOctets: half goes to the table, half to the replies.
    init(memoryOctets: Int) {
        var count = 64
        while count * 2 * Self.ways * MemoryLayout<Entry>.stride <= memoryOctets / 2 { count *= 2 }
        setMask = count - 1
        let size = count * Self.ways * MemoryLayout<Entry>.stride
        guard let table = aligned_alloc(64, size) else { fatalError("no memory for the reply cache") }
        memset(table, 0, size)
        entries = table.bindMemory(to: Entry.self, capacity: count * Self.ways)
        sets = .allocate(capacity: count)
        sets.initialize(repeating: Set(tags: 0, next: 0), count: count)
        var limit = 4 * PacketHeader.maximumLength
        while limit * 2 <= memoryOctets / 2 { limit *= 2 }
        octetMask = UInt64(limit - 1)
        octets = .allocate(capacity: limit)
    }

    deinit {
        free(entries)
        sets.deallocate()
        octets.deallocate()
    }

    /// Has what `admit` reads and writes first brought nearer.
    func prefetch(_ hash: UInt64) { lm_prefetch(sets + set(hash)) }

    /// Has the entry brought nearer that `admit` will most likely write; some time after `prefetch`.
    func prefetchEntry(_ hash: UInt64) {
        let set = set(hash)
        lm_prefetch(entries + (set &* Self.ways &+ Int(truncatingIfNeeded: sets[set].next & 7)))
    }

    /// Looks `key` up and, when it is new, reserves its place. A different authenticator from the same source purges the old entry.
    ///
    /// - Parameters:
    ///   - key: of the request.
    ///   - nowSeconds: monotonic clock.
    ///   - reply: receives the cached reply; 4096 octets.
    /// - Returns: what the request turns out to be.
    mutating func admit(_ key: Key, nowSeconds: UInt32, reply: UnsafeMutablePointer<UInt8>) -> Lookup {
        admit(key, hash: key.hash, nowSeconds: nowSeconds, reply: reply)
    }

    /// The same with the key's hash, where that is known already.
    mutating func admit(_ key: Key, hash: UInt64, nowSeconds: UInt32, reply: UnsafeMutablePointer<UInt8>) -> Lookup {
        let set = set(hash)
        let tag = Self.tag(hash)
        // The lowest octet that is equal is found exactly; a higher one may be named wrongly, which the key then shows.
        let different = sets[set].tags ^ Self.everyLow &* tag
        var candidates = (different &- Self.everyLow) & ~different & Self.everyHigh
        while candidates != 0 {
            let place = set &* Self.ways &+ candidates.trailingZeroBitCount &>> 3
            if entries[place].isUsed, entries[place].key.sameSource(as: key) {
                if nowSeconds &- entries[place].seconds <= Self.keepSeconds, let found = repeated(place, key, reply) { return found }
                return .fresh(take(place, key, nowSeconds))
            }
            candidates &= candidates &- 1
        }
        let way = sets[set].next & 7
        sets[set].next &+= 1
        let shift = way &* 8
        sets[set].tags = sets[set].tags & ~(0xff &<< shift) | tag &<< shift
        return .fresh(take(set &* Self.ways &+ Int(truncatingIfNeeded: way), key, nowSeconds))
    }

    private func take(_ place: Int, _ key: Key, _ nowSeconds: UInt32) -> ReplyToken {
        let stamp = entries[place].stamp &+ 1
        entries[place] = Entry(key: key, start: 0, seconds: nowSeconds, stamp: stamp, count: 0, isUsed: true)
        return ReplyToken(slot: UInt32(truncatingIfNeeded: place), stamp: stamp)
    }

    /// Keeps `reply` for the request that `token` was given for.
    mutating func store(_ token: ReplyToken, _ reply: UnsafePointer<UInt8>, count: Int) {
        guard let slot = slot(of: token), count <= PacketHeader.maximumLength else { return }
        // A reply lies in one piece: what does not fit before the end begins at the start.
        let room = Int(truncatingIfNeeded: octetMask &+ 1 &- (nextOctet & octetMask))
        if room < count { nextOctet &+= UInt64(truncatingIfNeeded: room) }
        entries[slot].start = nextOctet
        entries[slot].count = UInt16(truncatingIfNeeded: count)
        memcpy(octets + Int(truncatingIfNeeded: nextOctet & octetMask), reply, count)
        nextOctet &+= UInt64(truncatingIfNeeded: count)
    }

    /// Lets a retransmission be treated as new, for a request that could not be answered.
    mutating func forget(_ token: ReplyToken) {
        if let slot = slot(of: token) { entries[slot].isUsed = false }
    }

    private func slot(of token: ReplyToken) -> Int? {
        guard token.slot != .max else { return nil }
        let slot = Int(token.slot)
        return entries[slot].isUsed && entries[slot].stamp == token.stamp ? slot : nil
    }

    private func repeated(_ place: Int, _ key: Key, _ reply: UnsafeMutablePointer<UInt8>) -> Lookup? {
        let entry = entries + place
        guard entry.pointee.key.authenticatorHigh == key.authenticatorHigh, entry.pointee.key.authenticatorLow == key.authenticatorLow
        else { return nil }
        let count = Int(entry.pointee.count)
        guard count > 0 else { return .inWork }
        let start = entry.pointee.start
        guard nextOctet &- start <= octetMask &+ 1 else { return nil }
        memcpy(reply, octets + Int(truncatingIfNeeded: start & octetMask), count)
        return .answered(count)
    }

    private func set(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & setMask }

    private static func tag(_ hash: UInt64) -> UInt64 { max(1, hash &>> 56) }
}
