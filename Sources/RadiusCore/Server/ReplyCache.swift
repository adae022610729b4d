import CLinux
import Glibc

/// Replies already sent, so that a retransmission gets the same octets again (RFC 5080 §2.2.2).
///
/// Bounded by octets, never by refusing new work: the oldest replies give way first. One thread.
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
    }

    private struct Entry: BitwiseCopyable {
        var key: Key
        var start: UInt64
        var seconds: UInt32
        var stamp: UInt32
        var count: UInt16
        var isUsed: Bool
    }

    /// A reply is kept this long (RFC 5080 §2.2.2 names 5 to 30 seconds).
    static let keepSeconds: UInt32 = 30
    private static let ways = 8

    private let entries: UnsafeMutablePointer<Entry>
    private let setMask: Int
    private let octets: UnsafeMutablePointer<UInt8>
    private let octetLimit: Int
    private var nextOctet: UInt64 = 0

    /// - Parameter memoryOctets: half goes to the table, half to the replies.
    init(memoryOctets: Int) {
        var sets = 64
        while sets * 2 * Self.ways * MemoryLayout<Entry>.stride <= memoryOctets / 2 { sets *= 2 }
        setMask = sets - 1
        entries = .allocate(capacity: sets * Self.ways)
        memset(entries, 0, sets * Self.ways * MemoryLayout<Entry>.stride)
        octetLimit = max(memoryOctets / 2, 4 * PacketHeader.maximumLength)
        octets = .allocate(capacity: octetLimit)
    }

    deinit {
        entries.deallocate()
        octets.deallocate()
    }

    /// Looks `key` up and, when it is new, reserves its place. A different authenticator from the same source purges the old entry.
    ///
    /// - Parameters:
    ///   - key: of the request.
    ///   - nowSeconds: monotonic clock.
    ///   - reply: receives the cached reply; 4096 octets.
    /// - Returns: what the request turns out to be.
    mutating func admit(_ key: Key, nowSeconds: UInt32, reply: UnsafeMutablePointer<UInt8>) -> Lookup {
        let base = set(of: key) * Self.ways
        var place = base
        var placeAge: UInt32 = 0
        for slot in base..<base + Self.ways {
            let age = nowSeconds &- entries[slot].seconds
            guard entries[slot].isUsed, age <= Self.keepSeconds else {
                (place, placeAge) = (slot, .max)
                continue
            }
            if entries[slot].key.sameSource(as: key) {
                if let found = repeated(slot, key, reply) { return found }
                (place, placeAge) = (slot, .max)
                break
            }
            if age >= placeAge { (place, placeAge) = (slot, age) }
        }
        let stamp = entries[place].stamp &+ 1
        entries[place] = Entry(key: key, start: 0, seconds: nowSeconds, stamp: stamp, count: 0, isUsed: true)
        return .fresh(ReplyToken(slot: UInt32(place), stamp: stamp))
    }

    /// Keeps `reply` for the request that `token` was given for.
    mutating func store(_ token: ReplyToken, _ reply: UnsafePointer<UInt8>, count: Int) {
        guard let slot = slot(of: token) else { return }
        entries[slot].start = nextOctet
        entries[slot].count = UInt16(count)
        for offset in 0..<count { octets[(Int(nextOctet) + offset) % octetLimit] = reply[offset] }
        nextOctet += UInt64(count)
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

    private func repeated(_ slot: Int, _ key: Key, _ reply: UnsafeMutablePointer<UInt8>) -> Lookup? {
        let entry = entries[slot]
        guard entry.key.authenticatorHigh == key.authenticatorHigh, entry.key.authenticatorLow == key.authenticatorLow else { return nil }
        guard entry.count > 0 else { return .inWork }
        guard nextOctet - entry.start <= UInt64(octetLimit) else { return nil }
        for offset in 0..<Int(entry.count) { reply[offset] = octets[(Int(entry.start) + offset) % octetLimit] }
        return .answered(Int(entry.count))
    }

    private func set(of key: Key) -> Int {
        var hash = key.address.low ^ key.address.high &* 0x9e37_79b9_7f4a_7c15
        hash ^= UInt64(key.port) << 16 | UInt64(key.identifier) << 8 | UInt64(key.code)
        hash = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        return Int(truncatingIfNeeded: hash ^ hash >> 32) & setMask
    }
}
