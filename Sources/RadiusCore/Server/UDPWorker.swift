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

    /// - Returns: whether anything arrived.
    private mutating func turn(timeoutMilliseconds: Int32) -> Bool {
        let descriptors: InlineArray<3, Int32> = [authentication.fd, accounting.fd, wakeFD]
        let readable = descriptors.span.withUnsafeBufferPointer { lm_wait($0.baseAddress, 3, timeoutMilliseconds) }
        path.beginBatch()
        if readable > 0 {
            if readable & 1 != 0 { serveAuthentication() }
            if readable & 2 != 0 { serveAccounting() }
            if readable & 4 != 0 {
                lm_eventfd_drain(wakeFD)
                completeParked()
            }
        }
        let durable = accounting.release(through: environment.journal.durableSequence, into: &path.cache)
        for _ in 0..<durable { counters.add(.accountingResponses) }
        _ = authentication.release(through: lm_monotonic_nanoseconds(), into: &path.cache)
        authentication.flush()
        accounting.flush()
        return readable > 0 && readable & 3 != 0
    }

    /// Sleeps until the next delayed reject at the latest; half a second bounds the notice of a stop.
    private var timeout: Int32 {
        guard let due = authentication.nextMark else { return 500 }
        let now = lm_monotonic_nanoseconds()
        return due <= now ? 0 : Int32(min(500, (due - now) / 1_000_000 + 1))
    }

    private mutating func serveAuthentication() {
        let count = lm_receive(authentication.fd, received.slots, UInt32(LM_BATCH))
        path.received(Int(count), from: authentication.fd, on: .authentication)
        guard count > 0 else { return }
        path.serve(UnsafeBufferPointer(start: received.slots, count: Int(count)), on: .authentication, to: &authentication)
    }

    private mutating func completeParked() {
        for request in path.completions.drain() { path.resume(request, to: &authentication) }
    }

    private mutating func serveAccounting() {
        let count = lm_receive(accounting.fd, received.slots, UInt32(LM_BATCH))
        path.received(Int(count), from: accounting.fd, on: .accounting)
        guard count > 0 else { return }
        path.serve(UnsafeBufferPointer(start: received.slots, count: Int(count)), on: .accounting, to: &accounting)
    }
}
