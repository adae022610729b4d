import Glibc
import Support
import Testing

@testable import RadiusCore

/// Accounting from a NAS into the journal, and from there to a scripted home server until it acknowledges.
@Suite struct ForwardedAccountingTests {
    private static func server(_ home: ScriptedHomeServer) throws -> TestServer {
        let row = home.row(responseMilliseconds: 200, usesStatusServer: false, zombieSeconds: 600)
        let pool = HomeServerPool(id: 1, tenant: 1, name: "partners", kind: .failover, servers: [row])
        let realm = try #require(
            Realm(id: 1, tenant: 1, name: "partner", kind: .suffix, text: "partner.example", accessPool: nil, accountingPool: pool))
        return try TestServer(subscribers: [], plan: ProxyPlan(servers: [row], realms: [realm]))
    }

    private static func forwarder(_ server: TestServer, waiting: Int = 16_384) throws -> AccountingForwarder {
        var settings = AccountingForwarder.Settings()
        settings.waiting = waiting
        settings.retryMilliseconds = 50
        let environment = server.server.environment
        return AccountingForwarder(
            settings, journal: environment.journal, store: server.store, proxy: try #require(environment.proxy))
    }

    private static func stop(_ forwarder: AccountingForwarder) {
        forwarder.stop()
        #expect(eventually { forwarder.hasEnded })
    }

    /// The next Accounting-Request that reaches the home server.
    private static func record(_ home: ScriptedHomeServer) throws -> [UInt8] {
        let packet = try #require(home.receive())
        #expect(packet[0] == 4)
        let isSigned = RequestAuthenticator.verify(packet.span, secret: ScriptedHomeServer.secret)
        #expect(isSigned)
        return packet
    }

    /// Acknowledges `request` and whatever comes behind it until `isDone`: an attempt may be over before its answer is there.
    ///
    /// - Returns: what came last.
    @discardableResult
    private static func acknowledge(_ home: ScriptedHomeServer, _ request: [UInt8], until isDone: () -> Bool) throws -> [UInt8] {
        var latest = request
        try eventuallyBlocking {
            home.send(ScriptedHomeServer.reply(.accountingResponse, to: latest, sign: false))
            if let next = home.receive(waitMilliseconds: 100) { latest = next }
            return isDone()
        }
        return latest
    }

    private static func session(_ packet: [UInt8]) -> String {
        String(decoding: ScriptedHomeServer.values(AttributeNumber.acctSessionID, in: packet).first ?? [], as: UTF8.self)
    }

    private static func proxyStates(_ packet: [UInt8]) -> [[UInt8]] {
        ScriptedHomeServer.values(AttributeNumber.proxyState, in: packet)
    }

    @Test func answersTheNASAndForwardsUntilAcknowledged() throws {
        let home = try ScriptedHomeServer()
        let server = try Self.server(home)
        let forwarder = try Self.forwarder(server)
        forwarder.start()
        defer { Self.stop(forwarder) }
        let nas = try TestNAS(to: server.server.accountingPort)
        // The home server is silent; the NAS does not notice.
        #expect(nas.exchange(TestPacket.accounting(1, status: 1, session: "s1", user: "a@partner.example")).first == 5)
        #expect(nas.exchange(TestPacket.accounting(2, status: 1, session: "local", user: "nemo")).first == 5)
        let first = try Self.record(home)
        #expect(Self.session(first) == "s1")
        #expect(eventually { forwarder.statistics.failures >= 1 })
        #expect(forwarder.statistics.waiting == 1)
        var request = try Self.record(home)
        // The repetition of the first attempt, then the next attempt.
        while Self.proxyStates(request) == Self.proxyStates(first) { request = try Self.record(home) }
        #expect(Self.session(request) == "s1")
        try Self.acknowledge(home, request, until: { forwarder.statistics.acknowledged == 1 })
        #expect(eventually { forwarder.statistics.waiting == 0 })
        #expect(eventually { forwarder.statistics.position == 2 })
    }

    @Test func goesOnWhereItEndedBefore() throws {
        let home = try ScriptedHomeServer()
        let server = try Self.server(home)
        let nas = try TestNAS(to: server.server.accountingPort)
        let first = try Self.forwarder(server)
        first.start()
        #expect(nas.exchange(TestPacket.accounting(1, status: 1, session: "s1", user: "a@partner.example")).first == 5)
        try Self.acknowledge(home, try Self.record(home), until: { first.statistics.acknowledged == 1 })
        #expect(nas.exchange(TestPacket.accounting(2, status: 2, session: "s2", user: "a@partner.example")).first == 5)
        var request = try Self.record(home)
        // An attempt at the first one may have come behind its answer.
        while Self.session(request) == "s1" { request = try Self.record(home) }
        Self.stop(first)
        while home.receive(waitMilliseconds: 0) != nil {}
        // What was never acknowledged comes again; what was does not.
        let second = try Self.forwarder(server)
        second.start()
        defer { Self.stop(second) }
        request = try Self.record(home)
        #expect(Self.session(request) == "s2")
        let last = try Self.acknowledge(home, request, until: { second.statistics.acknowledged == 1 })
        #expect(Self.session(last) == "s2")
    }

    @Test func givesUpARecordThatIsTooLargeToPassOn() throws {
        let home = try ScriptedHomeServer()
        let server = try Self.server(home)
        let forwarder = try Self.forwarder(server)
        forwarder.start()
        defer { Self.stop(forwarder) }
        let nas = try TestNAS(to: server.server.accountingPort)
        // 4090 octets; the proxy's own Proxy-State does not fit behind them.
        var packet = TestPacket.build(.accountingRequest, 1, sign: false) { writer in
            writer.append(AttributeNumber.acctStatusType, 1)
            writer.append(AttributeNumber.userName, Array("a@partner.example".utf8).span)
            writer.append(AttributeNumber.acctSessionID, Array("s1".utf8).span)
            for _ in 0..<15 { writer.append(25, [UInt8](repeating: 7, count: 253).span) }
            writer.append(25, [UInt8](repeating: 7, count: 214).span)
        }
        #expect(packet.count == 4090)
        var span = packet.mutableSpan
        RequestAuthenticator.sign(&span, secret: TestServer.secret)
        #expect(nas.exchange(packet).first == 5)
        #expect(eventually { forwarder.statistics.position == 1 })
        #expect(forwarder.statistics.expired == 1)
        #expect(forwarder.statistics.failures == 0)
        #expect(home.receive(waitMilliseconds: 0) == nil)
    }

    @Test func letsNoRealmHoldUpAnother() throws {
        let (silent, other) = (try ScriptedHomeServer(), try ScriptedHomeServer())
        let rows = [silent.row(id: 1, responseMilliseconds: 200, usesStatusServer: false, zombieSeconds: 600), other.row(id: 2)]
        let realms = try rows.map { row in
            let pool = HomeServerPool(id: row.id, tenant: 1, name: "pool\(row.id)", kind: .failover, servers: [row])
            return try #require(
                Realm(
                    id: row.id, tenant: 1, name: "realm\(row.id)", kind: .suffix, text: "realm\(row.id)", accessPool: nil,
                    accountingPool: pool))
        }
        let server = try TestServer(subscribers: [], plan: ProxyPlan(servers: rows, realms: realms))
        let forwarder = try Self.forwarder(server, waiting: 4)
        forwarder.start()
        defer { Self.stop(forwarder) }
        let nas = try TestNAS(to: server.server.accountingPort)
        for number: UInt8 in 1...6 {
            #expect(nas.exchange(TestPacket.accounting(number, status: 1, session: "s\(number)", user: "a@realm1")).first == 5)
        }
        #expect(nas.exchange(TestPacket.accounting(7, status: 1, session: "s7", user: "a@realm2")).first == 5)
        let request = try Self.record(other)
        #expect(Self.session(request) == "s7")
        other.send(ScriptedHomeServer.reply(.accountingResponse, to: request, sign: false))
        #expect(eventually { forwarder.statistics.acknowledged == 1 && forwarder.statistics.waiting == 6 })
        #expect(forwarder.statistics.position == 0)
        // It answers again: what had stayed in the journal comes as well.
        var sessions: Set<String> = []
        try eventuallyBlocking {
            if let next = silent.receive(waitMilliseconds: 100) {
                sessions.insert(Self.session(next))
                silent.send(ScriptedHomeServer.reply(.accountingResponse, to: next, sign: false))
            }
            return forwarder.statistics.acknowledged == 7
        }
        #expect(sessions == ["s1", "s2", "s3", "s4", "s5", "s6"])
        #expect(eventually { forwarder.statistics.waiting == 0 && forwarder.statistics.position == 7 })
        #expect(forwarder.statistics.lost == 0)
    }

    @Test func sendsNoHistoryToARealmThatIsNew() throws {
        let home = try ScriptedHomeServer()
        let server = try Self.server(home)
        let nas = try TestNAS(to: server.server.accountingPort)
        #expect(nas.exchange(TestPacket.accounting(1, status: 1, session: "before", user: "a@partner.example")).first == 5)
        let forwarder = try Self.forwarder(server)
        forwarder.start()
        defer { Self.stop(forwarder) }
        #expect(eventually { forwarder.statistics.position >= 1 })
        #expect(nas.exchange(TestPacket.accounting(2, status: 1, session: "after", user: "a@partner.example")).first == 5)
        #expect(Self.session(try Self.record(home)) == "after")
    }
}
