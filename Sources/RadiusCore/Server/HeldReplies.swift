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
    private let entryLimit: Int
    private let octets: UnsafeMutablePointer<UInt8>
    private let octetLimit: Int
    private var first: UInt64 = 0
    private var next: UInt64 = 0
    private var firstOctet: UInt64 = 0
    private var nextOctet: UInt64 = 0

    init(entries entryLimit: Int, octets octetLimit: Int) {
        self.entryLimit = entryLimit
        self.octetLimit = octetLimit
        entries = .allocate(capacity: entryLimit)
        octets = .allocate(capacity: octetLimit)
    }

    deinit {
        entries.deallocate()
        octets.deallocate()
    }

    var count: Int { Int(next - first) }
    var isEmpty: Bool { next == first }

    /// Whether a reply of the largest size can be held.
    var hasRoom: Bool { count < entryLimit && octetLimit - Int(nextOctet - firstOctet) >= PacketHeader.maximumLength }

    /// The mark that the oldest reply waits for.
    var nextMark: UInt64? { isEmpty ? nil : entries[Int(first) % entryLimit].mark }

    /// Copies the reply in `datagram`; `hasRoom` must hold.
    mutating func hold(_ datagram: lm_datagram, until mark: UInt64, token: ReplyToken) {
        precondition(hasRoom)
        entries[Int(next) % entryLimit] = Held(mark: mark, datagram: datagram, start: nextOctet, token: token)
        for offset in 0..<Int(datagram.count) {
            octets[(Int(nextOctet) + offset) % octetLimit] = datagram.bytes[offset]
        }
        nextOctet += UInt64(datagram.count)
        next += 1
    }

    /// Takes the oldest reply whose mark is at most `mark` into `slot`.
    ///
    /// - Returns: its token, or nil when nothing is due.
    mutating func release(through mark: UInt64, into slot: inout lm_datagram) -> ReplyToken? {
        guard !isEmpty else { return nil }
        let held = entries[Int(first) % entryLimit]
        guard held.mark <= mark else { return nil }
        let bytes = slot.bytes
        slot = held.datagram
        slot.bytes = bytes
        for offset in 0..<Int(held.datagram.count) {
            bytes?[offset] = octets[(Int(held.start) + offset) % octetLimit]
        }
        firstOctet = held.start + UInt64(held.datagram.count)
        first += 1
        return held.token
    }
}
