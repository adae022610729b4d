import CLinux
import Glibc

/// One socket's way out: the batch being gathered, and the replies that wait for their mark. One thread.
struct ReplyPort: ~Copyable {
    let fd: Int32
    private let counters: WorkerCounters
    private var batch = DatagramArena()
    private var held: HeldReplies

    /// - Parameters:
    ///   - fd: of the socket.
    ///   - counters: of the worker.
    ///   - entries: replies that may wait, of 128 octets on average.
    init(fd: Int32, counters: WorkerCounters, held entries: Int) {
        held = HeldReplies(entries: entries, octets: max(entries * 128, PacketHeader.maximumLength * 2))
        self.fd = fd
        self.counters = counters
    }

    /// Whether one more reply can wait.
    var canHold: Bool { held.hasRoom }
    var holdsReplies: Bool { !held.isEmpty }
    /// The mark that the oldest held reply waits for.
    var nextMark: UInt64? { held.nextMark }

    /// A slot of the batch, addressed back to where `request` came from.
    mutating func slot(answering request: lm_datagram) -> lm_datagram {
        if batch.isFull { flush() }
        var reply = batch.slots[batch.count]
        reply.count = 0
        reply.peer = request.peer
        reply.local = request.local
        reply.interface_index = request.interface_index
        return reply
    }

    /// Lets the reply, which stands in the slot that `slot` gave last, leave with the batch.
    mutating func send(_ reply: lm_datagram) {
        batch.slots[batch.count] = reply
        batch.count += 1
    }

    /// Keeps a copy of the reply back; `canHold` must be true.
    mutating func hold(_ reply: lm_datagram, until mark: UInt64, token: ReplyToken) {
        held.hold(reply, until: mark, token: token)
    }

    /// Moves every held reply whose mark is at most `mark` into the batch and the cache.
    ///
    /// - Returns: how many.
    mutating func release(through mark: UInt64, into cache: inout ReplyCache) -> Int {
        var released = 0
        while true {
            if batch.isFull { flush() }
            guard let token = held.release(through: mark, into: &batch.slots[batch.count]) else { return released }
            let reply = batch.slots[batch.count]
            cache.store(token, reply.bytes, count: Int(reply.count))
            batch.count += 1
            released += 1
        }
    }

    /// Hands the batch to the kernel.
    mutating func flush() {
        guard batch.count > 0 else { return }
        if lm_send(fd, batch.slots, UInt32(batch.count)) < Int32(batch.count) { counters.add(.sendFailures) }
        batch.count = 0
    }
}
