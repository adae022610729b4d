import CLinux
import Support
import Synchronization
import Testing

@testable import RadiusCore

/// The port on loopback, with whoever is handed the requests played by the test.
@Suite struct DynamicAuthorizationPortTests {
    /// A port for `servers`, and what it handed out.
    private final class Desk: Sendable {
        let proxy: ProxyService
        let port: DynamicAuthorizationPort
        private let seen = Mutex<[RelayedRequest]>([])

        init(_ servers: [HomeServer], settings: DynamicAuthorizationPort.Settings = .init()) throws {
            let realms = try servers.map { try RelayDesk.realm(.suffix, "r\($0.id).example", $0) }
            let snapshot = try TestServer.snapshot([], [], [], AccessPolicy(), ProxyPlan(servers: servers, realms: realms))
            proxy = try ProxyService(store: SnapshotStore(snapshot))
            port = try DynamicAuthorizationPort(address: RelayDesk.loopback, port: 0, proxy: proxy, settings: settings)
            port.start { [weak self] request in self?.seen.withLock { $0.append(request) } }
        }

        deinit {
            port.stop()
            proxy.shutdown()
        }

        var handedOut: [RelayedRequest] { seen.withLock { $0 } }

        /// The `number`th request from 0.
        func request(_ number: Int = 0) throws -> RelayedRequest {
            try eventuallyBlocking { handedOut.count > number }
            return handedOut[number]
        }

        func count(_ counter: HomeServerCounter, of server: Int64 = 1) -> UInt64 {
            proxy.reports.first { $0.server.id == server }?.meter[counter] ?? 0
        }

        /// Waits until something is counted once.
        func counts(_ counter: HomeServerCounter) throws { try eventuallyBlocking { count(counter) == 1 } }
    }

    /// Whether `reply` is signed and answers `packet`.
    private static func isAnswer(_ reply: [UInt8], to packet: [UInt8]) -> Bool {
        guard reply.count >= 20, reply[1] == packet[1] else { return false }
        let authenticator = digest16(packet[4..<20])
        let isSigned = ResponseAuthenticator.verify(reply.span, requestAuthenticator: authenticator, secret: RelayDesk.secret)
        guard isSigned, reply.count >= 38, reply[20] == 80 else { return isSigned && packet[20] != 80 }
        return MessageAuthenticator.verify(reply.span, attributeOffset: 20, authenticator: authenticator, secret: RelayDesk.secret)
    }

    @Test(
        arguments: [
            (RelayOutcome.acknowledged(attributes: [101, 6, 0, 0, 0, 201]), 41, [0, 0, 0, 201], HomeServerCounter.coaACKs),
            (.refusedByNAS(.sessionContextNotRemovable), 42, [0, 0, 1, 248], .coaNAKs), (.unanswered, 42, [0, 0, 1, 249], .coaTimeouts),
            (.notFound, 42, [0, 0, 1, 247], .coaNotFound), (.refused(.requestNotRoutable), 42, [0, 0, 1, 246], .coaRefused),
        ] as [(RelayOutcome, UInt8, [UInt8], HomeServerCounter)])
    func answersAsItIsTold(outcome: RelayOutcome, code: UInt8, cause: [UInt8], counter: HomeServerCounter) throws {
        let desk = try Desk([RelayDesk.server(1, requiresMessageAuthenticator: true)])
        let home = try TestNAS(to: desk.port.port)
        let states = [[1, 2], [3]].flatMap { ScriptedHomeServer.attribute(33, $0) }
        let packet = RelayDesk.packet(RelayDesk.session("S-1") + states)
        home.send(packet)
        let request = try desk.request()
        #expect(request.kind == .disconnect)
        #expect(request.servers.map(\.id) == [1])
        desk.port.answer(request, outcome)
        let reply = home.receive()
        #expect(reply.first == code)
        #expect(Self.isAnswer(reply, to: packet))
        #expect(ScriptedHomeServer.values(33, in: reply) == [[1, 2], [3]])
        #expect(ScriptedHomeServer.values(101, in: reply) == [cause])
        #expect(desk.count(.disconnectRequests) == 1)
        #expect(desk.count(counter) == 1)
    }

    @Test func aRepetitionGetsTheSameAnswerAndDoesNothing() throws {
        let desk = try Desk([RelayDesk.server(1)])
        let home = try TestNAS(to: desk.port.port)
        let packet = RelayDesk.packet(RelayDesk.session("S-1"), kind: .coa, isSigned: false)
        home.send(packet)
        let request = try desk.request()
        home.send(packet)
        try desk.counts(.coaRepetitions)
        desk.port.answer(request, .acknowledged(attributes: []))
        let reply = home.receive()
        #expect(reply.first == 44)
        #expect(home.exchange(packet) == reply)
        #expect(desk.handedOut.count == 1)
        #expect(desk.count(.coaRequests) == 1)
        #expect(desk.count(.coaRepetitions) == 2)
        // The same octets from elsewhere are another request.
        let other = try TestNAS(to: desk.port.port)
        other.send(packet)
        _ = try desk.request(1)
    }

    @Test func whatDoesNotVerifyIsDroppedAndCounted() throws {
        let desk = try Desk([RelayDesk.server(1, requiresMessageAuthenticator: true)])
        let home = try TestNAS(to: desk.port.port)
        let session = RelayDesk.session("S-1")
        home.send(RelayDesk.packet(session, secret: SharedSecret(Array("somebody-else's".utf8))))
        try desk.counts(.coaBadAuthenticator)
        home.send(RelayDesk.packet(session, isSigned: false))
        try desk.counts(.coaMessageAuthenticatorMissing)
        home.send(RelayDesk.packet(session, timestamp: RelayDesk.now - 400))
        try desk.counts(.coaStale)
        home.send([40, 1, 0, 19])
        try desk.counts(.coaMalformed)
        // A code that is none of this port.
        home.send(TestPacket.access(1))
        try eventuallyBlocking { desk.count(.coaMalformed) == 2 }
        // The next answer is that to the next request: nothing was said to all of these.
        let packet = RelayDesk.packet(session)
        home.send(packet)
        desk.port.answer(try desk.request(), .notFound)
        #expect(Self.isAnswer(home.receive(), to: packet))
        #expect(desk.handedOut.count == 1)
        #expect(desk.port.unknownSources == 0)
    }

    @Test(arguments: [
        RelayDesk.server(1, address: IPAddress(ipv4: 0x7f00_0002)),
        // Everybody knows their secrets.
        RelayDesk.server(1, transport: .tls), RelayDesk.server(1, transport: .dtls),
    ])
    func strangersAreDropped(server: HomeServer) throws {
        let desk = try Desk([server])
        let home = try TestNAS(to: desk.port.port)
        home.send(RelayDesk.packet(RelayDesk.session("S-1"), secret: server.secret))
        try eventuallyBlocking { desk.port.unknownSources == 1 }
        #expect(desk.handedOut.isEmpty)
    }

    @Test func theSecretTellsServersOfOneAddressApart() throws {
        let other = SharedSecret(Array("of-the-other-partner".utf8))
        let desk = try Desk([RelayDesk.server(1, secret: other), RelayDesk.server(2), RelayDesk.server(3, tenant: 2)])
        let home = try TestNAS(to: desk.port.port)
        home.send(RelayDesk.packet(RelayDesk.session("S-1")))
        let request = try desk.request()
        #expect(request.servers.map(\.id) == [2, 3])
        #expect(request.tenants == [1, 2])
        #expect(desk.count(.coaBadAuthenticator) == 0)
    }

    @Test func tooManyInWorkAreRefused() throws {
        var settings = DynamicAuthorizationPort.Settings()
        settings.outstandingPerAddress = 2
        let desk = try Desk([RelayDesk.server(1)], settings: settings)
        let home = try TestNAS(to: desk.port.port)
        for number: UInt8 in 1...2 { home.send(RelayDesk.packet(RelayDesk.session("S-1"), identifier: number)) }
        _ = try desk.request(1)
        let third = RelayDesk.packet(RelayDesk.session("S-1"), identifier: 3)
        let refusal = home.exchange(third)
        #expect(refusal.prefix(2) == [42, 3])
        #expect(ScriptedHomeServer.values(101, in: refusal) == [[0, 0, 1, 250]])
        #expect(desk.count(.coaRefused) == 1)
        // One that has its answer makes room, also for what was refused before.
        desk.port.answer(try desk.request(0), .notFound)
        _ = home.receive()
        home.send(third)
        _ = try desk.request(2)
    }

    @Test func answersAreForgottenInTheEnd() {
        var limits = DynamicAuthorizationPort.Settings()
        (limits.remembered, limits.rememberSeconds, limits.outstanding) = (4, 10, 3)
        var memory = RelayMemory(limits)
        func key(_ number: UInt8) -> RelayMemory.Key {
            .init(address: RelayDesk.loopback, port: 1, identifier: number, authenticator: [])
        }
        let second: UInt64 = 1_000_000_000
        func answer(_ number: UInt8, at now: UInt64) {
            let admission = memory.admit(key(number), at: now)
            #expect(admission == .new)
            memory.conclude(key(number), [number], at: now)
        }
        answer(1, at: 100 * second)
        var admission = memory.admit(key(1), at: 105 * second)
        #expect(admission == .answered([1]))
        // Two at least of the last four.
        for number: UInt8 in 2...5 { answer(number, at: 105 * second) }
        for number: UInt8 in 4...5 {
            admission = memory.admit(key(number), at: 105 * second)
            #expect(admission == .answered([number]))
        }
        admission = memory.admit(key(5), at: 200 * second)
        #expect(admission == .new)
        admission = memory.admit(key(5), at: 200 * second)
        #expect(admission == .inWork)
    }

    @Test func allAddressesTogetherAreBounded() {
        var limits = DynamicAuthorizationPort.Settings()
        limits.outstanding = 2
        var memory = RelayMemory(limits)
        var admissions: [RelayMemory.Admission] = []
        for number: UInt32 in 1...3 {
            let address = IPAddress(ipv4: 0x7f00_0000 + number)
            admissions.append(memory.admit(.init(address: address, port: 1, identifier: 0, authenticator: []), at: 1))
        }
        #expect(admissions == [.new, .new, .full])
    }

    @Test func aPortInUseIsSaidToBe() throws {
        let desk = try Desk([RelayDesk.server(1)])
        let error = try #require(throws: ServerError.self) {
            _ = try DynamicAuthorizationPort(address: RelayDesk.loopback, port: desk.port.port, proxy: desk.proxy)
        }
        #expect(error.description.contains("radius.coa_port"))
    }
}
