import CLinux
import Glibc

/// A cached reply's place, so that it can be filled in later; stale once the place was reused.
struct ReplyToken: BitwiseCopyable {
    var slot: UInt32 = .max
    var stamp: UInt32 = 0

    /// Names no place.
    static let none = ReplyToken()
}

/// Replies that are signed and wait for something that only grows: the journal's durable sequence, or the clock.
///
/// First in, first out: marks must not fall. Memory is fixed at creation. One thread.
struct HeldReplies: ~Copyable {
    private struct Held {
        var mark: UInt64
        var datagram: lm_datagram
        var start: UInt64
        var token: ReplyToken
    }

    private let entries: UnsafeMutablePointer<Held>
    private let entryMask: UInt64
    private let octets: UnsafeMutablePointer<UInt8>
    private let octetMask: UInt64
    private var first: UInt64 = 0
    private var next: UInt64 = 0
    private var firstOctet: UInt64 = 0
    private var nextOctet: UInt64 = 0

    /// - Parameters:
    ///   - entries: replies, rounded up to a power of two.
    ///   - octets: of all replies, at least 8192, rounded up to a power of two.
    init(entries: Int, octets: Int) {
        let entryLimit = Self.powerOfTwo(atLeast: entries)
        let octetLimit = Self.powerOfTwo(atLeast: max(octets, 2 * PacketHeader.maximumLength))
        entryMask = UInt64(entryLimit - 1)
        octetMask = UInt64(octetLimit - 1)
        self.entries = .allocate(capacity: entryLimit)
        self.octets = .allocate(capacity: octetLimit)
    }

    private static func powerOfTwo(atLeast least: Int) -> Int {
        var power = 1
        while power < least { power *= 2 }
        return power
    }

    deinit {
        entries.deallocate()
        octets.deallocate()
    }

    var count: Int { Int(next - first) }
    var isEmpty: Bool { next == first }

    /// Whether `replies` more of the largest size can be held.
    func hasRoom(for replies: Int = 1) -> Bool {
        let wanted = UInt64(truncatingIfNeeded: (replies &+ 1) &* PacketHeader.maximumLength)
        return next &- first &+ UInt64(truncatingIfNeeded: replies) <= entryMask &+ 1
            && nextOctet &- firstOctet &+ wanted <= octetMask &+ 1
    }

    /// The mark that the oldest reply waits for.
    var nextMark: UInt64? { isEmpty ? nil : entries[Int(first & entryMask)].mark }

    /// Copies the reply in `datagram`; `hasRoom` must hold.
    mutating func hold(_ datagram: lm_datagram, until mark: UInt64, token: ReplyToken) {
        precondition(hasRoom())
        let count = UInt64(datagram.count)
        // A reply lies in one piece: what does not fit before the end begins at the start.
        let room = octetMask &+ 1 &- (nextOctet & octetMask)
        if room < count { nextOctet &+= room }
        entries[Int(next & entryMask)] = Held(mark: mark, datagram: datagram, start: nextOctet, token: token)
        memcpy(octets + Int(nextOctet & octetMask), datagram.bytes, Int(count))
        nextOctet &+= count
        next &+= 1
    }

    /// Begins again at the start, so that no more memory is touched than replies wait at a time.
    private mutating func restart() {
        (first, next, firstOctet, nextOctet) = (0, 0, 0, 0)
    }

    /// Takes the oldest reply whose mark is at most `mark` into `slot`.
    ///
    /// - Returns: its token, or nil when nothing is due.
    mutating func release(through mark: UInt64, into slot: inout lm_datagram) -> ReplyToken? {
        guard !isEmpty else { return nil }
        let held = entries + Int(first & entryMask)
        guard held.pointee.mark <= mark, let bytes = slot.bytes else { return nil }
        slot = held.pointee.datagram
        slot.bytes = bytes
        memcpy(bytes, octets + Int(held.pointee.start & octetMask), Int(slot.count))
        let token = held.pointee.token
        firstOctet = held.pointee.start &+ UInt64(slot.count)
        first &+= 1
        if isEmpty { restart() }
        return token
    }
}
