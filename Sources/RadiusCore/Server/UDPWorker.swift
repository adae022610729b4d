import CLinux
import Glibc

/// One thread of the server: its own two sockets, its own state, one batch loop.
///
/// Replies that must wait (for the journal, for the reject delay) are held here and leave through the same socket.
struct UDPWorker: ~Copyable {
    private let authenticationFD: Int32
    private let accountingFD: Int32
    private let wakeFD: Int32
    private let environment: ServerEnvironment
    private let counters: WorkerCounters
    private var path: PacketPath
    private let received = DatagramArena()
    private var authenticationReplies = DatagramArena()
    private var accountingReplies = DatagramArena()
    private var awaitingJournal = HeldReplies(entries: 1 << 16, octets: 8 << 20)
    private var awaitingDelay = HeldReplies(entries: 1 << 16, octets: 8 << 20)

    init(
        authenticationFD: Int32, accountingFD: Int32, environment: ServerEnvironment, counters: WorkerCounters,
        events: AuthEventRing, completions: ParkedCompletions
    ) {
        self.authenticationFD = authenticationFD
        self.accountingFD = accountingFD
        wakeFD = completions.eventFD
        self.environment = environment
        self.counters = counters
        path = PacketPath(environment: environment, counters: counters, events: events, completions: completions)
    }

    /// Serves until `isStopping` says otherwise, then lets what is held go out.
    mutating func run(isStopping: () -> Bool) {
        environment.journal.addListener(eventFD: wakeFD)
        while !isStopping() {
            _ = turn(timeoutMilliseconds: timeout)
        }
        drain()
    }

    /// Answers what has arrived before the stop, waits for the journal, and sends delayed rejects at once.
    private mutating func drain() {
        for _ in 0..<100 where turn(timeoutMilliseconds: 0) || !awaitingJournal.isEmpty {
            _ = turn(timeoutMilliseconds: awaitingJournal.isEmpty ? 0 : 20)
        }
        release(&awaitingDelay, through: .max, &authenticationReplies, authenticationFD)
        flush(&authenticationReplies, authenticationFD)
    }

    /// - Returns: whether anything arrived.
    private mutating func turn(timeoutMilliseconds: Int32) -> Bool {
        let descriptors = InlineArray<3, Int32>([authenticationFD, accountingFD, wakeFD])
        let readable = descriptors.span.withUnsafeBufferPointer { lm_wait($0.baseAddress, 3, timeoutMilliseconds) }
        path.beginBatch()
        if readable > 0 && readable & 1 != 0 { serveAuthentication() }
        if readable > 0 && readable & 2 != 0 { serveAccounting() }
        if readable > 0 && readable & 4 != 0 {
            lm_eventfd_drain(wakeFD)
            completeParked()
        }
        release(&awaitingJournal, through: environment.journal.durableSequence, &accountingReplies, accountingFD)
        release(&awaitingDelay, through: lm_monotonic_nanoseconds(), &authenticationReplies, authenticationFD)
        flush(&authenticationReplies, authenticationFD)
        flush(&accountingReplies, accountingFD)
        return readable > 0 && readable & 3 != 0
    }

    /// Sleeps until the next delayed reject at the latest; half a second bounds the notice of a stop.
    private var timeout: Int32 {
        guard let due = awaitingDelay.nextMark else { return 500 }
        let now = lm_monotonic_nanoseconds()
        return due <= now ? 0 : Int32(min(500, (due - now) / 1_000_000 + 1))
    }

    private mutating func serveAuthentication() {
        let count = lm_receive(authenticationFD, received.slots, UInt32(LM_BATCH))
        guard count > 0 else { return }
        for position in 0..<Int(count) {
            answer(received.slots[position], on: .authentication, parked: nil)
        }
    }

    private mutating func serveAccounting() {
        let count = lm_receive(accountingFD, received.slots, UInt32(LM_BATCH))
        guard count > 0 else { return }
        for position in 0..<Int(count) {
            guard awaitingJournal.hasRoom else {
                counters.add(.heldFull)
                continue
            }
            answer(received.slots[position], on: .accounting, parked: nil)
        }
    }

    private mutating func completeParked() {
        for request in path.completions.drain() {
            answer(request.datagram, on: .authentication, parked: request)
        }
    }

    private mutating func answer(_ datagram: lm_datagram, on service: Service, parked: ParkedRequest?) {
        if authenticationReplies.isFull { flush(&authenticationReplies, authenticationFD) }
        if accountingReplies.isFull { flush(&accountingReplies, accountingFD) }
        var reply = service == .authentication
            ? authenticationReplies.slots[authenticationReplies.count] : accountingReplies.slots[accountingReplies.count]
        reply.count = 0
        reply.peer = datagram.peer
        reply.local = datagram.local
        reply.interface_index = datagram.interface_index
        var token = ReplyToken.none
        let disposition = if let parked {
            path.resume(parked, reply: &reply, token: &token)
        } else {
            path.handle(datagram, on: service, reply: &reply, token: &token)
        }
        dispose(disposition, reply, token, service)
    }

    private mutating func dispose(_ disposition: Disposition, _ reply: lm_datagram, _ token: ReplyToken, _ service: Service) {
        switch disposition {
        case .drop, .parked:
            return
        case .holdUntilDurable(let sequence):
            awaitingJournal.hold(reply, until: sequence, token: token)
        case .delay where environment.settings.rejectDelayMilliseconds > 0 && awaitingDelay.hasRoom:
            let wait = UInt64(environment.settings.rejectDelayMilliseconds) * 1_000_000
            awaitingDelay.hold(reply, until: lm_monotonic_nanoseconds() + wait, token: token)
        case .send, .delay:
            path.cache.store(token, reply.bytes, count: Int(reply.count))
            if service == .authentication {
                authenticationReplies.slots[authenticationReplies.count] = reply
                authenticationReplies.count += 1
            } else {
                accountingReplies.slots[accountingReplies.count] = reply
                accountingReplies.count += 1
            }
        }
    }

    private mutating func release(
        _ held: inout HeldReplies, through mark: UInt64, _ batch: inout DatagramArena, _ fd: Int32
    ) {
        while true {
            if batch.isFull { flush(&batch, fd) }
            guard let token = held.release(through: mark, into: &batch.slots[batch.count]) else { return }
            let reply = batch.slots[batch.count]
            path.cache.store(token, reply.bytes, count: Int(reply.count))
            if fd == accountingFD { counters.add(.accountingResponses) }
            batch.count += 1
        }
    }

    private func flush(_ batch: inout DatagramArena, _ fd: Int32) {
        guard batch.count > 0 else { return }
        if lm_send(fd, batch.slots, UInt32(batch.count)) < Int32(batch.count) { counters.add(.sendFailures) }
        batch.count = 0
    }
}

extension PacketPath {
    /// Goes on with a request whose slow check has ended. The client may be gone by now; then nobody is answered.
    mutating func resume(_ parked: ParkedRequest, reply: inout lm_datagram, token: inout ReplyToken) -> Disposition {
        token = parked.token
        guard let client = snapshot.clients.find(Self.address(of: parked.datagram)) else { return .drop }
        let packet = parked.octets.span
        do {
            try index.fill(from: packet)
        } catch {
            counters.add(error)
            return .drop
        }
        return access(packet, parked.datagram, from: client, reply: &reply, token: token, slow: parked.outcome)
    }
}
