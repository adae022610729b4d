import CLinux
import Glibc

/// The way out of one socket, or of many connections: the batch being gathered, and the replies that wait for their mark. One thread.
struct ReplyPort: ~Copyable {
    /// -1 where connections take the replies.
    let fd: Int32
    private let connections: StreamConnections?
    private let counters: WorkerCounters
    private var batch = DatagramArena()
    /// Slots of the batch that are held back, and empty.
    private var leftOut = 0
    private var held: HeldReplies
    /// Whether replies of one length to one peer leave as one message, which the kernel cuts; 0 for good once it refused.
    private var sendsRuns: Int32

    /// - Parameters:
    ///   - fd: of the socket.
    ///   - counters: of the worker.
    ///   - entries: replies that may wait, of 128 octets on average.
    init(fd: Int32, counters: WorkerCounters, held entries: Int) {
        held = Self.room(entries)
        self.fd = fd
        connections = nil
        self.counters = counters
        sendsRuns = lm_sends_runs(fd)
    }

    /// A port whose replies go to the connection that each request came on.
    init(connections: StreamConnections, counters: WorkerCounters, held entries: Int) {
        held = Self.room(entries)
        fd = -1
        self.connections = connections
        self.counters = counters
        sendsRuns = 0
    }

    private static func room(_ entries: Int) -> HeldReplies {
        // Room is judged by the largest size, for a whole batch at once.
        let least = 2 * (Int(LM_BATCH) + 1) * PacketHeader.maximumLength
        return HeldReplies(entries: entries, octets: max(entries * 128, least))
    }

    /// Whether one more reply can wait, besides `others` that will.
    func canHold(beside others: Int = 0) -> Bool { held.hasRoom(for: others &+ 1) }
    var holdsReplies: Bool { !held.isEmpty }
    /// The mark that the oldest held reply waits for.
    var nextMark: UInt64? { held.nextMark }

    /// The next free slot of the batch, addressed back to where `request` came from.
    ///
    /// It stays free until `add`. The memory stays in its place until `flush`, which this does when the batch is full.
    mutating func slot(answering request: UnsafePointer<lm_datagram>) -> UnsafeMutablePointer<lm_datagram> {
        if batch.isFull { flush() }
        let reply = batch.slots + batch.count
        reply.pointee.count = 0
        reply.pointee.peer = request.pointee.peer
        reply.pointee.local = request.pointee.local
        reply.pointee.interface_index = request.pointee.interface_index
        return reply
    }

    /// Lets what stands in the slot that `slot` gave last leave with the batch.
    mutating func add() { batch.count &+= 1 }

    /// Keeps a copy of the reply back, and leaves it out of the batch; `canHold` must be true.
    mutating func hold(_ reply: UnsafeMutablePointer<lm_datagram>, until mark: UInt64, token: ReplyToken) {
        held.hold(reply.pointee, until: mark, token: token)
        leaveOut(reply)
    }

    /// Leaves a reply that was added out of the batch.
    mutating func leaveOut(_ reply: UnsafeMutablePointer<lm_datagram>) {
        reply.pointee.count = 0
        leftOut += 1
    }

    /// Moves every held reply whose mark is at most `mark` into the batch and the cache.
    ///
    /// - Returns: how many.
    mutating func release(through mark: UInt64, into cache: inout ReplyCache) -> Int {
        var released = 0
        while true {
            if batch.isFull { flush() }
            guard let token = held.release(through: mark, into: &batch.slots[batch.count]) else { return released }
            let reply = batch.slots + batch.count
            cache.store(token, reply.pointee.bytes, count: Int(reply.pointee.count))
            batch.count += 1
            released += 1
        }
    }

    /// Hands the batch to the kernel, or to the connections.
    mutating func flush() {
        guard batch.count > 0 else { return }
        if let connections {
            let lost = connections.deliver(batch.slots, count: batch.count)
            if lost > 0 { counters.add(.sendFailures, UInt64(lost)) }
            batch.count = 0
            leftOut = 0
            return
        }
        let sentRuns = sendsRuns
        let sent = lm_send_runs(fd, batch.slots, UInt32(batch.count), &sendsRuns)
        if sent < Int32(batch.count - leftOut) { counters.add(.sendFailures) }
        if sendsRuns != sentRuns { counters.add(.replyRunsRefused) }
        batch.count = 0
        leftOut = 0
    }
}
