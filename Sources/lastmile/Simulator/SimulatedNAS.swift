import RadiusCore

/// A NAS without sockets or clock: datagrams and time go in, datagrams and events come out.
struct SimulatedNAS {
    enum Port: Hashable {
        case authentication, accounting
    }

    enum Action {
        case send(Port, [UInt8])
        /// Back to whoever sent the CoA or Disconnect request.
        case reply([UInt8])
        case event(SimulatorEvent)
    }

    /// A request that waits for its reply.
    struct InFlight {
        let packet: ClientPacket
        let session: Int
        let record: SimulatedSession.Record?
        var sentAt: Int
        var retries = 0
    }

    /// A request that waits for a free identifier.
    struct Queued {
        let session: Int
        let action: SimulatedSession.Action
    }

    let plan: SimulatorPlan
    let dictionary: RadiusDictionary
    var sessions: [SimulatedSession]
    private var inFlight: [Port: [UInt8: InFlight]] = [.authentication: [:], .accounting: [:]]
    private var nextIdentifier: [Port: UInt8] = [:]
    private var queue: [Port: [Queued]] = [:]
    private var queueHeads: [Port: Int] = [:]
    private var endsAt: Int?
    private var isClosing = false
    /// Replies to CoA and Disconnect requests, so that a repetition gets the same one.
    var answered: [(key: [UInt8], reply: [UInt8])] = []
    private(set) var rejectedCount = 0
    private(set) var unansweredCount = 0
    private(set) var replyCount = 0

    init(plan: SimulatorPlan, dictionary: RadiusDictionary) {
        self.plan = plan
        self.dictionary = dictionary
        sessions = plan.userNames.indices.map { SimulatedSession(number: $0, plan: plan) }
    }

    /// All sessions are over and nothing waits.
    var isFinished: Bool { sessions.allSatisfy(\.isOver) && inFlight.values.allSatisfy(\.isEmpty) && queueIsEmpty }

    private var queueIsEmpty: Bool { queue.allSatisfy { queueHeads[$0.key, default: 0] >= $0.value.count } }

    /// Logs all sessions in.
    mutating func start(now: Int) -> [Action] {
        endsAt = plan.duration.map { now + $0 }
        for index in sessions.indices { enqueue(index, sessions[index].begin()) }
        return pump(now)
    }

    /// Ends all sessions with a Stop.
    mutating func close(_ cause: UInt32, now: Int) -> [Action] {
        guard !isClosing else { return [] }
        isClosing = true
        endsAt = nil
        queue[.authentication] = []
        queueHeads[.authentication] = 0
        inFlight[.authentication] = [:]
        for index in sessions.indices {
            if let action = sessions[index].end(cause, now: now) { enqueue(index, action) } else { sessions[index].abandon() }
        }
        return pump(now)
    }

    /// Does what is due: interims, session timeouts, retransmissions, the end.
    mutating func tick(now: Int) -> [Action] {
        if let endsAt, now >= endsAt { return close(SimulatedSession.Cause.userRequest, now: now) }
        for index in sessions.indices {
            guard let due = sessions[index].deadline, due <= now else { continue }
            if let action = sessions[index].tick(now: now) { enqueue(index, action) }
        }
        return retransmit(now) + pump(now)
    }

    /// The next moment at which `tick` has something to do.
    var deadline: Int? {
        let requests = inFlight.values.joined().map { $0.value.sentAt + plan.timeout }
        return (requests + sessions.compactMap(\.deadline) + [endsAt].compactMap { $0 }).min()
    }

    // MARK: requests

    mutating func enqueue(_ session: Int, _ action: SimulatedSession.Action) {
        queue[action == .authenticate ? .authentication : .accounting, default: []].append(Queued(session: session, action: action))
    }

    /// Sends what the window has room for.
    mutating func pump(_ now: Int) -> [Action] {
        var actions: [Action] = []
        for port in [Port.authentication, .accounting] {
            while inFlight[port, default: [:]].count < plan.window, let next = dequeue(port) {
                guard let (packet, record) = request(next, identifier: identifier(port), now: now) else {
                    sessions[next.session].unanswered()
                    continue
                }
                inFlight[port, default: [:]][packet.identifier] = InFlight(
                    packet: packet, session: next.session, record: record, sentAt: now)
                actions.append(.send(port, packet.octets))
            }
        }
        return actions
    }

    private mutating func dequeue(_ port: Port) -> Queued? {
        let head = queueHeads[port, default: 0]
        guard let waiting = queue[port], head < waiting.count else {
            queue[port] = []
            queueHeads[port] = 0
            return nil
        }
        queueHeads[port] = head + 1
        return waiting[head]
    }

    private mutating func identifier(_ port: Port) -> UInt8 {
        var identifier = nextIdentifier[port, default: 0]
        while inFlight[port, default: [:]][identifier] != nil { identifier &+= 1 }
        nextIdentifier[port] = identifier &+ 1
        return identifier
    }

    private mutating func retransmit(_ now: Int) -> [Action] {
        var actions: [Action] = []
        for port in [Port.authentication, .accounting] {
            for (identifier, waiting) in inFlight[port, default: [:]] where now - waiting.sentAt >= plan.timeout {
                var request = waiting
                if request.retries < (isClosing ? min(2, plan.retries) : plan.retries) {
                    request.retries += 1
                    request.sentAt = now
                    inFlight[port, default: [:]][identifier] = request
                    actions.append(.send(port, request.packet.octets))
                } else {
                    inFlight[port, default: [:]][identifier] = nil
                    unansweredCount += 1
                    sessions[request.session].unanswered()
                    let what = request.record.map { "\($0.status)" } ?? "login"
                    actions.append(.event(SimulatorEvent(.unanswered, sessions[request.session], [.init("request", .string(what))])))
                }
            }
        }
        return actions
    }

    // MARK: replies

    /// Takes a datagram that arrived on the port from which logins or accounting are sent.
    mutating func received(_ datagram: [UInt8], on port: Port, now: Int) -> [Action] {
        guard datagram.count >= PacketHeader.count, let request = inFlight[port]?[datagram[1]] else { return [] }
        let verdict: ReplyVerdict
        do { verdict = try request.packet.verify(datagram.span, secret: plan.secret) } catch {
            let failure = RadiusExchange.unverified(error, Peer(IPAddress(ipv4: 0), port: 0))
            return [.event(SimulatorEvent(.dropped, sessions[request.session], [.init("reason", .string(failure.next))]))]
        }
        inFlight[port, default: [:]][datagram[1]] = nil
        replyCount += 1
        let attributes = Array(datagram[PacketHeader.count..<verdict.length])
        let events = request.record.map { acknowledged($0, request.session) } ?? answeredLogin(verdict, attributes, request.session, now)
        return events + pump(now)
    }

    private mutating func answeredLogin(_ verdict: ReplyVerdict, _ attributes: [UInt8], _ index: Int, _ now: Int) -> [Action] {
        guard verdict.code == .accessAccept else {
            rejectedCount += 1
            sessions[index].rejected()
            return [.event(SimulatorEvent(.rejected, sessions[index], [SimulatorEvent.attributes(attributes, dictionary)]))]
        }
        guard let action = sessions[index].accepted(attributes, now: now) else { return [] }
        enqueue(index, action)
        let address = IPAddress(ipv4: sessions[index].framedIPv4).text
        let members = [JSONValue.Member("framed_ip", .string(address)), SimulatorEvent.attributes(attributes, dictionary)]
        return [.event(SimulatorEvent(.accepted, sessions[index], members))]
    }

    private mutating func acknowledged(_ record: SimulatedSession.Record, _ index: Int) -> [Action] {
        sessions[index].acknowledged(record.status)
        let counters: [JSONValue.Member] = [
            .init("seconds", .number(record.seconds)), .init("upload_octets", .number(record.inputOctets)),
            .init("download_octets", .number(record.outputOctets)),
        ]
        switch record.status {
        case .start: return [.event(SimulatorEvent(.online, sessions[index]))]
        case .interim: return [.event(SimulatorEvent(.interim, sessions[index], counters))]
        case .stop:
            let cause = record.cause.map { [JSONValue.Member("terminate_cause", .number($0))] } ?? []
            return [.event(SimulatorEvent(.closed, sessions[index], counters + cause))]
        }
    }
}
