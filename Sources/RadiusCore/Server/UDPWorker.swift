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
        for position in 0..<max(0, Int(count)) {
            let request = received.slots[position]
            var reply = authentication.slot(answering: request)
            var token = ReplyToken.none
            let disposition = path.handle(request, on: .authentication, reply: &reply, token: &token)
            disposeAuthentication(disposition, reply, token)
        }
    }

    private mutating func completeParked() {
        for request in path.completions.drain() {
            var reply = authentication.slot(answering: request.datagram)
            let disposition = path.resume(request, reply: &reply)
            disposeAuthentication(disposition, reply, request.token)
        }
    }

    private mutating func disposeAuthentication(_ disposition: Disposition, _ reply: lm_datagram, _ token: ReplyToken) {
        switch disposition {
        case .delay where delays():
            let wait = UInt64(environment.settings.rejectDelayMilliseconds) * 1_000_000
            authentication.hold(reply, until: lm_monotonic_nanoseconds() + wait, token: token)
        case .send, .delay:
            path.cache.store(token, reply.bytes, count: Int(reply.count))
            authentication.send(reply)
        case .drop, .parked, .holdUntilDurable:
            break
        }
    }

    /// Whether a Reject is held back: at once instead when too many wait already, which a flood of wrong passwords brings about.
    private func delays() -> Bool {
        guard environment.settings.rejectDelayMilliseconds > 0 else { return false }
        if authentication.canHold { return true }
        counters.add(.rejectsUndelayed)
        return false
    }

    private mutating func serveAccounting() {
        let count = lm_receive(accounting.fd, received.slots, UInt32(LM_BATCH))
        path.received(Int(count), from: accounting.fd, on: .accounting)
        for position in 0..<max(0, Int(count)) {
            guard accounting.canHold else {
                counters.add(.heldFull)
                continue
            }
            let request = received.slots[position]
            var reply = accounting.slot(answering: request)
            var token = ReplyToken.none
            switch path.handle(request, on: .accounting, reply: &reply, token: &token) {
            case .holdUntilDurable(let sequence):
                accounting.hold(reply, until: sequence, token: token)
            case .send, .delay:
                path.cache.store(token, reply.bytes, count: Int(reply.count))
                accounting.send(reply)
            case .drop, .parked:
                break
            }
        }
    }
}

extension PacketPath {
    /// Goes on with a request whose slow check has ended. The client may be gone by now; then nobody is answered.
    mutating func resume(_ parked: ParkedRequest, reply: inout lm_datagram) -> Disposition {
        guard !parked.isExpired else {
            counters.add(.parkedExpired)
            cache.forget(parked.token)
            return .drop
        }
        guard let client = snapshot.clients.find(Self.address(of: parked.datagram)) else { return .drop }
        let octets = parked.octets
        let packet = octets.span
        do {
            try index.fill(from: packet)
        } catch {
            counters.add(error)
            return .drop
        }
        return access(packet, parked.datagram, from: client, reply: &reply, token: parked.token, slow: parked.outcome)
    }
}
