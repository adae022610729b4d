import CLinux
import Glibc

/// One thread of the server: its own two sockets, its own state, one batch loop.
///
/// Replies that must wait (for the journal, for the reject delay) are held here and leave through the same socket.
struct UDPWorker: ~Copyable {
    private let environment: ServerEnvironment
    private let counters: WorkerCounters
    private let wakeFD: Int32
    private var path: PacketPath
    private let received = DatagramArena()
    private var authentication: ReplyPort
    private var accounting: ReplyPort
    /// The last turn brought so much that the next begins without asking what is readable.
    private var isBusy = false
    private var unaskedTurns = 0
    /// What was readable when it was asked last, without the wake-ups.
    private var busySockets: Int32 = 0

    init(
        authenticationFD: Int32, accountingFD: Int32, environment: ServerEnvironment, counters: WorkerCounters,
        events: AuthEventRing, completions: ParkedCompletions
    ) {
        self.environment = environment
        self.counters = counters
        wakeFD = completions.eventFD
        let held = environment.settings.heldReplies
        authentication = ReplyPort(fd: authenticationFD, counters: counters, held: held)
        accounting = ReplyPort(fd: accountingFD, counters: counters, held: held)
        path = PacketPath(environment: environment, counters: counters, events: events, completions: completions)
    }

    /// Serves until `isStopping` says otherwise, then lets what is held go out.
    mutating func run(isStopping: () -> Bool) {
        environment.journal.addListener(eventFD: wakeFD)
        while !isStopping() {
            let wait = timeout
            _ = turn(timeoutMilliseconds: wait)
        }
        drain()
        environment.journal.removeListener(eventFD: wakeFD)
    }

    /// A flood, a dead disk or a long queue of slow checks holds up the stop no longer than this.
    private static let drainNanoseconds: UInt64 = 8_000_000_000

    /// Answers what arrived before the stop, waits for journal and slow checks, and sends delayed rejects at once.
    private mutating func drain() {
        let deadline = lm_monotonic_nanoseconds() + Self.drainNanoseconds
        while lm_monotonic_nanoseconds() < deadline {
            let waits = accounting.holdsReplies || path.completions.isExpecting
            guard turn(timeoutMilliseconds: waits ? 20 : 0) || waits else { break }
        }
        _ = authentication.release(through: .max, into: &path.cache)
        authentication.flush()
    }

    /// Receives, answers and sends once.
    ///
    /// - Returns: whether anything arrived.
    private mutating func turn(timeoutMilliseconds: Int32) -> Bool {
        let readable = wait(timeoutMilliseconds)
        path.beginBatch()
        var received = 0
        if readable & 1 != 0 { received += serveAuthentication() }
        if readable & 2 != 0 { received += serveAccounting() }
        if readable & 4 != 0 {
            lm_eventfd_drain(wakeFD)
            completeParked()
        }
        isBusy = received >= Self.busyCount
        let durable = accounting.release(through: environment.journal.durableSequence, into: &path.cache)
        if durable > 0 { counters.add(.accountingResponses, UInt64(durable)) }
        if authentication.holdsReplies { _ = authentication.release(through: lm_monotonic_nanoseconds(), into: &path.cache) }
        authentication.flush()
        accounting.flush()
        return received > 0
    }

    /// Datagrams of one turn after which more are expected at once.
    private static let busyCount = 8
    /// Turns without asking, at most: what is parked or journalled waits for them.
    private static let busyTurns = 8

    /// Waits until something is readable, or while there is much to do, goes on with the sockets that were readable last.
    private mutating func wait(_ timeoutMilliseconds: Int32) -> Int32 {
        if isBusy, unaskedTurns < Self.busyTurns {
            unaskedTurns += 1
            return busySockets
        }
        unaskedTurns = 0
        let descriptors: InlineArray<3, Int32> = [authentication.fd, accounting.fd, wakeFD]
        let readable = descriptors.span.withUnsafeBufferPointer { lm_wait($0.baseAddress, 3, isBusy ? 0 : timeoutMilliseconds) }
        busySockets = max(0, readable) & 3
        return max(0, readable)
    }

    /// Sleeps until the next delayed reject at the latest; half a second bounds the notice of a stop.
    private var timeout: Int32 {
        guard let due = authentication.nextMark else { return 500 }
        let now = lm_monotonic_nanoseconds()
        return due <= now ? 0 : Int32(min(500, (due - now) / 1_000_000 + 1))
    }

    private mutating func serveAuthentication() -> Int {
        let count = Int(lm_receive(authentication.fd, received.slots, UInt32(LM_BATCH)))
        path.received(count, from: authentication.fd, on: .authentication)
        guard count > 0 else { return 0 }
        path.serve(UnsafeBufferPointer(start: received.slots, count: count), on: .authentication, to: &authentication)
        return count
    }

    private mutating func completeParked() {
        for request in path.completions.drain() { path.resume(request, to: &authentication) }
    }

    private mutating func serveAccounting() -> Int {
        let count = Int(lm_receive(accounting.fd, received.slots, UInt32(LM_BATCH)))
        path.received(count, from: accounting.fd, on: .accounting)
        guard count > 0 else { return 0 }
        path.serve(UnsafeBufferPointer(start: received.slots, count: count), on: .accounting, to: &accounting)
        return count
    }
}
