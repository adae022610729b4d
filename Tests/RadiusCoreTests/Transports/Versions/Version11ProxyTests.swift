import CLinux
import Glibc
import Support
import Testing

@testable import RadiusCore

/// Between NAS and home servers of which some speak RADIUS/1.1 and some do not.
@Suite struct Version11ProxyTests {
    private static let name = ScriptedHomeServer.attribute(1, Array("nemo@partner.example".utf8))

    private static func plan(_ servers: [HomeServer], strips: Bool = false) throws -> ProxyPlan {
        let pool = HomeServerPool(id: 1, tenant: 1, name: "partners", kind: .failover, servers: servers)
        let realm = try #require(
            Realm(
                id: 1, tenant: 1, name: "partner", kind: .suffix, text: "partner.example", accessPool: pool, accountingPool: pool,
                strips: strips))
        return ProxyPlan(servers: servers, realms: [realm])
    }

    private static func meter(_ environment: ServerEnvironment, _ id: Int64 = 1) -> HomeServerMeter? {
        environment.proxy?.reports.first { $0.server.id == id }?.meter
    }

    /// A UDP server that asks home servers over TLS, once its connection is there.
    private static func proxy(_ authority: TestAuthority, _ plan: ProxyPlan) throws -> TestServer {
        let context = try authority.client()
        return try TestServer(subscribers: [], plan: plan, homeServerTLS: { _ in context })
    }

    private static func isOpen(_ server: TestServer, _ version: RadiusVersions, _ id: Int64 = 1) -> Bool {
        eventually { meter(server.server.environment, id)?.version == version }
    }

    private static func stop(_ forwarder: AccountingForwarder) {
        forwarder.stop()
        #expect(eventually { forwarder.hasEnded })
    }

    /// Answers the next record that reaches a home server by a packet of that code.
    private static func answer(_ home: ScriptedTLSServer, _ code: UInt8, _ extra: [UInt8] = []) throws {
        let request = try #require(try home.receive())
        #expect(request[0] == 4)
        let states = ScriptedHomeServer.values(33, in: request).flatMap { ScriptedHomeServer.attribute(33, $0) }
        home.send(TokenTests.packet(code, extra + states, token: Array(request[4..<8])))
    }

    @Test func ourOwnServerBehindItSpeaks11() async throws {
        try await TestAuthority.withPair { authority in
            let home = try StreamHost(authority, tls: { $0.applicationProtocols = ["radius/1.1"] })
            let row = HomeServer(
                id: 1, tenant: 1, name: "home", address: IPAddress(ipv4: 0x7f00_0001), transport: .tls, accessPort: home.tlsPort,
                secret: ScriptedHomeServer.secret, tlsName: "radius.example.net")
            let server = try Self.proxy(authority, try Self.plan([row], strips: true))
            #expect(Self.isOpen(server, .v11))
            let nas = try TestNAS(to: server.server.authenticationPort)
            #expect(TestPacket.isSigned(nas.exchange(TestPacket.access(1, user: "nemo@partner.example"))))
            #expect(nas.exchange(TestPacket.access(2, user: "nemo@partner.example", password: "wrong")).prefix(2) == [3, 2])
            // Its challenge is the Request Authenticator, which does not travel.
            let response = CHAP.response(
                identifier: 5, challenge: TestPacket.authenticator.span, password: Array("arctangent".utf8).span)
            let chap = ScriptedHomeServer.attribute(3, octets(response))
            #expect(nas.exchange(TestPacket.access(3, user: "nemo@partner.example", password: nil, extra: chap)).prefix(2) == [2, 3])
            #expect(home.count(.accessAccepts) == 2 && home.count(.accessRejects) == 1)
            let meter = try #require(Self.meter(server.server.environment))
            #expect(meter[.accepts] == 2 && meter[.proxyStateMissing] == 0 && meter[.unmatched] == 0)
        }
    }

    @Test func keysOfAHomeServerWith11AreHiddenForTheNAS() async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedTLSServer(authority, versions: .v11)
            let server = try Self.proxy(authority, try Self.plan([home.row()]))
            try home.accept()
            #expect(Self.isOpen(server, .v11))
            let nas = try TestNAS(to: server.server.authenticationPort)
            nas.send(TestPacket.access(7, user: "nemo@partner.example", extra: ScriptedHomeServer.attribute(33, [4, 2])))
            let request = try #require(try home.receive())
            #expect(request[0] == 1 && request[1] == 0 && request[8..<20].allSatisfy { $0 == 0 })
            #expect(ScriptedHomeServer.values(2, in: request) == [Array("arctangent".utf8)])
            #expect(ScriptedHomeServer.values(80, in: request).isEmpty)
            let key = (0..<32).map { UInt8($0) }
            let states = ScriptedHomeServer.values(33, in: request).flatMap { ScriptedHomeServer.attribute(33, $0) }
            let parts: [(UInt8, [UInt8])] = [
                (26, [0, 0, 1, 55, 16, 34] + key), (69, [3] + key), (26, [0, 0, 2, 17, 214, 8] + Array("tunnel".utf8)),
            ]
            let extra = parts.flatMap { ScriptedHomeServer.attribute($0, $1) } + states
            let token = Array(request[4..<8])
            // To nothing that waits; then malformed; then the reply, and once more.
            home.send(TokenTests.packet(2, extra, token: [token[0] ^ 1] + token[1...]))
            home.send(TokenTests.packet(2, [1, 9], token: token))
            home.send(TokenTests.packet(2, extra, token: token))
            home.send(TokenTests.packet(2, extra, token: token))
            let reply = nas.receive()
            #expect(reply.prefix(2) == [2, 7] && TestPacket.isSigned(reply))
            #expect(ScriptedHomeServer.values(33, in: reply) == [[4, 2]])
            let vendors = ScriptedHomeServer.values(26, in: reply)
            let tunnel = try #require(ScriptedHomeServer.values(69, in: reply).first)
            #expect(tunnel[0] == 3 && vendors.count == 2)
            for hidden in [Array(vendors[0][6...]), Array(tunnel[1...])] {
                let clear = try filling(64) {
                    try SaltEncryption.reveal(hidden.span, authenticator: TestPacket.authenticator, secret: TestServer.secret, into: &$0)
                }
                #expect(clear == key)
            }
            let ascend = Array(vendors[1][6...])
            let secret = try filling(16) {
                try AscendSecret.reveal(
                    ascend.span, requestAuthenticator: TestPacket.authenticator, secret: TestServer.secret, into: &$0)
            }
            #expect(secret == Array("tunnel".utf8))
            let meter = try #require(Self.meter(server.server.environment))
            #expect(await eventually { meter[.unmatched] == 2 && meter[.malformed] == 1 })
            #expect(meter[.accepts] == 1 && meter[.proxyStateMissing] == 0)
        }
    }

    @Test func aReplyTooLongForRADIUS10IsNotHeldAgainstItsServer() async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedTLSServer(authority, versions: .v11)
            let server = try Self.proxy(authority, try Self.plan([home.row()]))
            try home.accept()
            #expect(Self.isOpen(server, .v11))
            let nas = try TestNAS(to: server.server.authenticationPort)
            nas.send(TestPacket.access(7, user: "nemo@partner.example"))
            let request = try #require(try home.receive())
            let states = ScriptedHomeServer.values(33, in: request).flatMap { ScriptedHomeServer.attribute(33, $0) }
            let filler = (0..<16).flatMap { _ in ScriptedHomeServer.attribute(18, [UInt8](repeating: 65, count: 251)) }
            let rest = [UInt8](repeating: 65, count: 26 - states.count)
            let longest = TokenTests.packet(
                2, filler + ScriptedHomeServer.attribute(18, rest) + states, token: Array(request[4..<8]))
            #expect(longest.count == 4096)
            home.send(longest)
            #expect(nas.receive().prefix(2) == [3, 7])
            #expect(server.count(.proxyUnusable) == 1)
            let meter = try #require(Self.meter(server.server.environment))
            #expect(meter[.malformed] == 0 && meter[.timeouts] == 0 && meter.state == .alive)
        }
    }

    /// As after SIGHUP; here into one that knows nothing, so that it tells.
    @Test func anOpenConnectionTakesUpAnotherDictionary() async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedTLSServer(authority, versions: .v11)
            let server = try Self.proxy(authority, try Self.plan([home.row()]))
            try home.accept()
            #expect(Self.isOpen(server, .v11))
            let nas = try TestNAS(to: server.server.authenticationPort)
            nas.send(TestPacket.access(7, user: "nemo@partner.example"))
            let first = try #require(try home.receive())
            #expect(ScriptedHomeServer.values(2, in: first) == [Array("arctangent".utf8)])
            let old = server.store.snapshot
            server.store.publish(
                Snapshot(
                    clients: old.clients, subscribers: old.subscribers, profiles: old.profiles, policies: old.policies, proxy: old.proxy,
                    dictionary: try RadiusDictionary.load(paths: [])))
            nas.send(TestPacket.access(8, user: "nemo@partner.example"))
            let second = try #require(try home.receive())
            #expect(second[4..<8] != first[4..<8])
            #expect(ScriptedHomeServer.values(2, in: second).map(\.count) == [16])
        }
    }

    /// 404 holds for every home server, and always. 501, or no cause at all, says less.
    @Test(arguments: [UInt8(148), 245, 0])
    func aRecordIsGivenUpAfterSomeAttemptsOnlyWhereNobodyWouldTakeIt(cause: UInt8) async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedTLSServer(authority, versions: .v11)
            let server = try Self.proxy(authority, try Self.plan([home.row()]))
            try home.accept()
            #expect(Self.isOpen(server, .v11))
            var settings = AccountingForwarder.Settings()
            settings.retryMilliseconds = 10
            let environment = server.server.environment
            let forwarder = AccountingForwarder(
                settings, journal: environment.journal, store: server.store, proxy: try #require(environment.proxy))
            forwarder.start()
            defer { Self.stop(forwarder) }
            let nas = try TestNAS(to: server.server.accountingPort)
            #expect(nas.exchange(TestPacket.accounting(1, status: 1, session: "s1", user: "nemo@partner.example")).first == 5)
            let error = cause == 0 ? [] : ScriptedHomeServer.attribute(101, [0, 0, 1, cause])
            for _ in 0..<settings.declineLimit { try Self.answer(home, 52, error) }
            if cause == 148 {
                #expect(await eventually { forwarder.statistics.declined == 1 && forwarder.statistics.waiting == 0 })
            } else {
                try Self.answer(home, 5)
                #expect(await eventually { forwarder.statistics.acknowledged == 1 && forwarder.statistics.waiting == 0 })
            }
            #expect(await eventually { forwarder.statistics.position == 1 })
            let statistics = forwarder.statistics
            #expect(statistics.acknowledged + statistics.declined == 1 && statistics.expired == 0)
            #expect(statistics.failures == (cause == 148 ? 0 : 4) && statistics.forwarded == (cause == 148 ? 4 : 5))
        }
    }

    @Test func aNASWith11ReachesAHomeServerWithout() async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedHomeServer()
            let host = try StreamHost(
                authority, plan: try Self.plan([home.row()]), tls: { $0.applicationProtocols = ["radius/1.1"] })
            let peer = try StreamPeer(to: host.tlsPort, try authority.client { $0.applicationProtocols = ["radius/1.1"] })
            #expect(peer.handshake())
            let password = ScriptedHomeServer.attribute(2, Array("let me in".utf8))
            peer.send(TokenTests.packet(1, Self.name + password + ScriptedHomeServer.attribute(33, [9]), token: [1, 2, 3, 4]))
            let request = try #require(home.receive())
            let authenticator = digest16(request[4..<20])
            let isSigned = MessageAuthenticator.verify(
                request.span, attributeOffset: 20, authenticator: authenticator, secret: ScriptedHomeServer.secret)
            #expect(request[20] == 80 && isSigned)
            let hidden = try #require(ScriptedHomeServer.values(2, in: request).first)
            let clear = try filling(128) {
                try UserPassword.reveal(hidden.span, requestAuthenticator: authenticator, secret: ScriptedHomeServer.secret, into: &$0)
            }
            #expect(clear == Array("let me in".utf8))
            let key = (0..<32).map { UInt8($0) }
            let salted = filling(64) {
                SaltEncryption.hide(key.span, salt: 0x8001, authenticator: authenticator, secret: ScriptedHomeServer.secret, into: &$0)
            }
            let extra = ScriptedHomeServer.attribute(26, [0, 0, 1, 55, 16, UInt8(salted.count + 2)] + salted)
            home.send(ScriptedHomeServer.reply(.accessAccept, to: request, extra: extra))
            let reply = peer.receive()
            let attributes = ScriptedHomeServer.attribute(26, [0, 0, 1, 55, 16, 34] + key) + ScriptedHomeServer.attribute(33, [9])
            #expect(Array(reply.prefix(8)) == [2, 0, 0, UInt8(20 + attributes.count), 1, 2, 3, 4])
            #expect(Array(reply.dropFirst(20)) == attributes)
        }
    }

    @Test func aHomeServerThatKnowsOnly10IsAskedSo() async throws {
        try await TestAuthority.withPair { authority in
            for versions in [RadiusVersions.v10, []] {
                let home = try ScriptedTLSServer(authority, versions: versions)
                let server = try Self.proxy(authority, try Self.plan([home.row()]))
                try home.accept()
                #expect(Self.isOpen(server, .v10))
                let nas = try TestNAS(to: server.server.authenticationPort)
                nas.send(TestPacket.access(7, user: "nemo@partner.example"))
                let request = try #require(try home.receive())
                #expect(request[20] == 80)
                home.send(ScriptedHomeServer.reply(.accessAccept, to: request, secret: StreamPeer.radsec))
                #expect(nas.receive().prefix(2) == [2, 7])
            }
        }
    }

    @Test func aHomeServerThatMustSpeak11AndDoesNotIsNotAsked() async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedTLSServer(authority, versions: [])
            let server = try Self.proxy(authority, try Self.plan([home.row(versions: .v11)]))
            try home.accept()
            // It is told why, though it may not understand, and no more.
            #expect(try home.receive() == TokenPacket.versionDemanded)
            #expect(try home.receive() == nil && home.tls?.state == .closed)
            let meter = try #require(Self.meter(server.server.environment))
            #expect(await eventually { meter[.connectionFailures] >= 1 })
            let nas = try TestNAS(to: server.server.authenticationPort)
            nas.send(TestPacket.access(7, user: "nemo@partner.example"))
            #expect(await eventually { server.count(.proxyNoServer) == 1 })
        }
    }

    /// 506 speaks of the server: another may do. 404 speaks of the request.
    @Test(arguments: [(UInt8(250), true), (148, false)])
    func whatAProtocolErrorMeansForTheNextHop(cause: UInt8, isForAnother: Bool) async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedTLSServer(authority, versions: .v11)
            let second = try ScriptedHomeServer()
            let context = try authority.client()
            let host = try StreamHost(
                authority, plan: try Self.plan([home.row(id: 1), second.row(id: 2)]),
                tls: { $0.applicationProtocols = ["radius/1.1"] }, homeServerTLS: { _ in context })
            try home.accept()
            #expect(await eventually { Self.meter(host.environment)?.version == .v11 })
            let peer = try StreamPeer(to: host.tlsPort, try authority.client { $0.applicationProtocols = ["radius/1.1"] })
            #expect(peer.handshake())
            let password = ScriptedHomeServer.attribute(2, Array("let me in".utf8))
            peer.send(TokenTests.packet(1, Self.name + password + ScriptedHomeServer.attribute(33, [9]), token: [1, 2, 3, 4]))
            let request = try #require(try home.receive())
            let states = ScriptedHomeServer.values(33, in: request).flatMap { ScriptedHomeServer.attribute(33, $0) }
            let error = ScriptedHomeServer.attribute(101, [0, 0, 1, cause])
            home.send(TokenTests.packet(52, error + states, token: Array(request[4..<8])))
            if isForAnother {
                let next = try #require(second.receive())
                second.send(ScriptedHomeServer.reply(.accessReject, to: next))
                #expect(peer.receive().first == 3)
            } else {
                let expected = TokenPacket.protocolError(
                    token: 0x0102_0304, .invalidRequest, proxyStates: ScriptedHomeServer.attribute(33, [9]))
                #expect(peer.receive() == expected)
                #expect(second.receive(waitMilliseconds: 0) == nil)
                #expect(host.streams.counters.reduce(0) { $0 + $1[AccessReason.proxyDeclined] } == 1)
            }
            #expect(Self.meter(host.environment)?[.protocolErrors] == 1)
        }
    }

    @Test func aNASIsToldWhenNoHomeServerIsThere() async throws {
        try await TestAuthority.withPair { authority in
            let nobody = HomeServer(
                id: 1, tenant: 1, name: "home", address: IPAddress(ipv4: 0x7f00_0001), transport: .tls, accessPort: 1,
                secret: ScriptedHomeServer.secret)
            let host = try StreamHost(authority, plan: try Self.plan([nobody]), tls: { $0.applicationProtocols = ["radius/1.1"] })
            let peer = try StreamPeer(to: host.tlsPort, try authority.client { $0.applicationProtocols = ["radius/1.1"] })
            #expect(peer.handshake())
            let password = ScriptedHomeServer.attribute(2, Array("let me in".utf8))
            let reply = peer.exchange(TokenTests.packet(1, Self.name + password, token: [1, 2, 3, 4]))
            #expect(reply == TokenPacket.protocolError(token: 0x0102_0304, .requestNotRoutable))
            #expect(host.count(.proxyUnanswered) == 1 && host.count(.protocolErrors) == 1)
        }
    }
}
