import Glibc
import RadiusCore

/// The sockets and the clock of a simulated NAS.
struct SimulatorLoop {
    private var nas: SimulatedNAS
    private let authentication: DatagramSocket
    private let accounting: DatagramSocket
    private let dynamicAuthorization: DatagramSocket
    private let server: Peer
    private let isJSON: Bool
    private var refusals = 0

    /// `local`: the address to send from and to take requests on; nil: any.
    init(
        nas: SimulatedNAS, server: IPAddress, authPort: UInt16, acctPort: UInt16, coaPort: UInt16, local: IPAddress?, isJSON: Bool
    ) throws(CommandFailure) {
        self.nas = nas
        self.server = Peer(server, port: authPort)
        self.isJSON = isJSON
        authentication = try Self.client(Peer(server, port: authPort), local)
        accounting = try Self.client(Peer(server, port: acctPort), local)
        do { dynamicAuthorization = try DatagramSocket(port: coaPort, on: local) } catch {
            throw CommandFailure(
                .usage, "cannot take CoA on port \(coaPort): \(error.text)",
                next: "Stop the program that holds it (`ss -lunp`), or give --coa-port 0 for any free port.")
        }
    }

    private static func client(_ peer: Peer, _ local: IPAddress?) throws(CommandFailure) -> DatagramSocket {
        do { return try DatagramSocket(to: peer, from: local) } catch {
            throw CommandFailure(
                .unreachable, "cannot send to \(peer.text): \(error.text)",
                next: "Is there a route to it, and is --bind an address of this machine?")
        }
    }

    /// Runs until all sessions are over.
    mutating func run() throws(CommandFailure) {
        Interruption.watch()
        show(
            SimulatorEvent(.listening, nil, [.init("coa_port", .number(dynamicAuthorization.port)), .init("server", .string(server.text))]))
        perform(nas.start(now: Clock.milliseconds()))
        while !nas.isFinished {
            let now = Clock.milliseconds()
            if Interruption.happened { perform(nas.close(SimulatedSession.Cause.nasRequest, now: now)) }
            let wait = min(200, max(0, (nas.deadline ?? now + 200) - now))
            if DatagramSocket.wait(for: [authentication.fd, accounting.fd, dynamicAuthorization.fd], milliseconds: wait) { receive() }
            perform(nas.tick(now: Clock.milliseconds()))
        }
        try finish()
    }

    private mutating func receive() {
        // Bounded, so that a flood does not starve the clock.
        for _ in 0..<256 {
            var arrived = false
            if let datagram = next(authentication) {
                arrived = true
                perform(nas.received(datagram.octets, on: .authentication, now: Clock.milliseconds()))
            }
            if let datagram = next(accounting) {
                arrived = true
                perform(nas.received(datagram.octets, on: .accounting, now: Clock.milliseconds()))
            }
            if let datagram = next(dynamicAuthorization) {
                arrived = true
                perform(nas.requested(datagram.octets, now: Clock.milliseconds(), wall: Clock.wall()), to: datagram.peer)
            }
            if !arrived { return }
        }
    }

    private mutating func next(_ socket: DatagramSocket) -> (octets: [UInt8], peer: Peer)? {
        do { return try socket.receive() } catch {
            // The peer's machine says that nothing listens; the retransmission finds out whether that is still so.
            refusals += 1
            return nil
        }
    }

    private mutating func perform(_ actions: [SimulatedNAS.Action], to peer: Peer? = nil) {
        for action in actions {
            switch action {
            case .event(let event): show(event)
            case .reply(let octets): if let peer { dynamicAuthorization.send(octets, to: peer) }
            case .send(.authentication, let octets): transmit(octets, authentication)
            case .send(.accounting, let octets): transmit(octets, accounting)
            }
        }
    }

    private mutating func transmit(_ octets: [UInt8], _ socket: DatagramSocket) {
        do { try socket.send(octets) } catch {
            // As good as lost on the way; an earlier refusal shows here, too, and costs one datagram.
            refusals += 1
        }
    }

    private func show(_ event: SimulatorEvent) {
        Terminal.out(isJSON ? event.json(time: Clock.wall()) : event.text)
    }

    private func finish() throws(CommandFailure) {
        let closed = nas.sessions.count { $0.state == .closed }
        show(
            SimulatorEvent(
                .summary, nil,
                [
                    .init("sessions", .number(nas.sessions.count)), .init("closed", .number(closed)),
                    .init("rejected", .number(nas.rejectedCount)), .init("unanswered", .number(nas.unansweredCount)),
                ]))
        if closed == nas.sessions.count { return }
        if nas.replyCount == 0 {
            throw CommandFailure(
                .unreachable, refusals > 0 ? "nothing listens at \(server.text)" : "no answer from \(server.text)",
                next: "`lastmile radius test \(server.text) --secret ...` lists the likely causes.")
        }
        if nas.rejectedCount == nas.sessions.count {
            throw CommandFailure(.denied, "every login was rejected", next: "`lastmile auth-log list` tells why.")
        }
        throw CommandFailure(.failed, "\(nas.sessions.count - closed) of \(nas.sessions.count) sessions did not run from login to Stop")
    }
}
