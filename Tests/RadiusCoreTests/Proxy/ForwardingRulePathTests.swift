import Glibc
import Support
import Testing

@testable import RadiusCore

/// Policy rules that forward, over the server's own sockets, to scripted home servers.
@Suite struct ForwardingRulePathTests {
    /// Two partners: realm 1 has the names of `partner.example`, realm 2 is chosen by rules alone, realm 3 stays here.
    private static func plan(_ named: ScriptedHomeServer, _ ruled: ScriptedHomeServer) throws -> ProxyPlan {
        let servers = [named.row(id: 1, usesStatusServer: false), ruled.row(id: 2, usesStatusServer: false)]
        let pools = servers.map { HomeServerPool(id: $0.id, tenant: 1, name: "pool\($0.id)", kind: .failover, servers: [$0]) }
        let realms = try [
            #require(
                Realm(
                    id: 1, tenant: 1, name: "named", kind: .suffix, text: "partner.example", accessPool: pools[0], accountingPool: pools[0])
            ),
            #require(
                Realm(
                    id: 2, tenant: 1, name: "ruled", kind: .rule, text: "", accessPool: pools[1], accountingPool: pools[1], strips: true)),
            #require(Realm(id: 3, tenant: 1, name: "here", kind: .rule, text: "", accessPool: nil)),
        ]
        return ProxyPlan(servers: servers, realms: realms)
    }

    private static func put(_ rules: [PolicyRule], into host: TestServer) throws {
        let old = host.store.snapshot
        let (forwarding, faults) = PolicyCompiler.compile(rules, at: .arrival, dictionary: old.dictionary)
        let (program, others) = PolicyCompiler.compile(rules, dictionary: old.dictionary)
        try #require(faults.isEmpty && others.isEmpty)
        host.store.publish(
            Snapshot(
                clients: old.clients, subscribers: old.subscribers, profiles: old.profiles, policies: old.policies,
                programs: program.map { [1: $0] } ?? [:], forwarding: forwarding.map { [1: $0] } ?? [:], proxy: old.proxy,
                dictionary: old.dictionary))
    }

    private static func rule(_ condition: String, to realm: Int64, id: Int64 = 1) -> PolicyRule {
        RuleDesk.rule(condition, id: id) { $0.forwardsTo = realm }
    }

    private static let onPort9: [UInt8] = [AttributeNumber.nasPort, 6, 0, 0, 0, 9]

    private static func name(_ request: [UInt8]?) -> String? {
        request.flatMap { ScriptedHomeServer.values(AttributeNumber.userName, in: $0).first }.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func aLoginGoesWhereARuleSaysWhateverItsName() throws {
        let (named, ruled) = (try ScriptedHomeServer(), try ScriptedHomeServer())
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")], plan: try Self.plan(named, ruled))
        try Self.put([Self.rule(#"NAS-Port == 9 and nas.name == "loopback""#, to: 2)], into: host)
        let nas = try TestNAS(to: host.server.authenticationPort)
        // A subscriber of our own, one of another partner, and one of nobody.
        for (identifier, user) in [(1, "nemo"), (2, "a@partner.example"), (3, "nobody@home.example")] as [(UInt8, String)] {
            nas.send(TestPacket.access(identifier, user: user, extra: Self.onPort9))
            let request = try #require(ruled.receive())
            #expect(Self.name(request) == String(user.prefix { $0 != "@" }))
            ruled.send(ScriptedHomeServer.reply(.accessAccept, to: request, extra: ScriptedHomeServer.attribute(18, Array("ruled".utf8))))
            let reply = nas.receive()
            #expect(reply.first == 2 && TestPacket.isSigned(reply))
            #expect(ScriptedHomeServer.values(18, in: reply) == [Array("ruled".utf8)])
        }
        // Elsewhere names decide.
        #expect(nas.exchange(TestPacket.access(4)).first == 2)
        nas.send(TestPacket.access(5, user: "a@partner.example"))
        let request = try #require(named.receive())
        named.send(ScriptedHomeServer.reply(.accessReject, to: request))
        #expect(nas.receive().first == 3)
        #expect(host.count(.proxied) == 4)
        #expect(ruled.receive(waitMilliseconds: 0) == nil)
    }

    @Test func aRealmWithoutAPoolHasItAnsweredHere() throws {
        let (named, ruled) = (try ScriptedHomeServer(), try ScriptedHomeServer())
        let host = try TestServer(
            subscribers: [TestServer.subscriber("nemo@partner.example")],
            profiles: [TestServer.plan(), PolicyDesk.profile(2, "night", 7, 3)], plan: try Self.plan(named, ruled))
        let here = Self.rule("NAS-Port == 9", to: 3)
        let night = RuleDesk.rule("NAS-Port == 9", id: 2) { $0.profile = 2 }
        try Self.put([here, night], into: host)
        let nas = try TestNAS(to: host.server.authenticationPort)
        let reply = nas.exchange(TestPacket.access(1, user: "nemo@partner.example", extra: Self.onPort9))
        let lines = try AttributeDecoder.decode(reply.span, dictionary: host.store.snapshot.dictionary).map { "\($0.name) = \($0.value)" }
        // The rules about proven log-ins have their say.
        #expect(reply.first == 2 && lines.contains("Mikrotik-Rate-Limit = 3M/7M"), "\(lines)")
        #expect(host.count(.proxied) == 0)
    }

    @Test func otherRulesOfTheTenantDoNotTouchAForwardedLogin() throws {
        let (named, ruled) = (try ScriptedHomeServer(), try ScriptedHomeServer())
        let host = try TestServer(subscribers: [], plan: try Self.plan(named, ruled))
        try Self.put([Self.rule("has NAS-Port", to: 2), RuleDesk.rule("", id: 2) { $0.outcome = .reject }], into: host)
        let nas = try TestNAS(to: host.server.authenticationPort)
        nas.send(TestPacket.access(1, user: "a", extra: Self.onPort9))
        ruled.send(ScriptedHomeServer.reply(.accessAccept, to: try #require(ruled.receive())))
        #expect(nas.receive().first == 2)
    }

    @Test func aConversationStaysWithTheServerThatGaveTheState() throws {
        let (named, ruled) = (try ScriptedHomeServer(), try ScriptedHomeServer())
        let host = try TestServer(subscribers: [], plan: try Self.plan(named, ruled))
        try Self.put([Self.rule("has EAP-Message", to: 2)], into: host)
        let nas = try TestNAS(to: host.server.authenticationPort)
        let message = ScriptedHomeServer.attribute(79, [2, 1, 0, 6, 1, 97])
        nas.send(TestPacket.access(1, user: "a@partner.example", password: nil, extra: message))
        let state = ScriptedHomeServer.attribute(24, [4, 2])
        ruled.send(
            ScriptedHomeServer.reply(
                .accessChallenge, to: try #require(ruled.receive()), extra: state + ScriptedHomeServer.attribute(79, [1, 2, 0, 6, 4, 0])))
        #expect(nas.receive().first == 11)
        nas.send(TestPacket.access(2, user: "a@partner.example", password: nil, extra: message + state))
        let next = try #require(ruled.receive())
        #expect(ScriptedHomeServer.values(24, in: next) == [[4, 2]])
        ruled.send(ScriptedHomeServer.reply(.accessReject, to: next, extra: ScriptedHomeServer.attribute(79, [4, 2, 0, 4])))
        #expect(nas.receive().first == 3)
    }

    @Test func accountingGoesByTheSameRules() throws {
        let (named, ruled) = (try ScriptedHomeServer(), try ScriptedHomeServer())
        let host = try TestServer(subscribers: [], plan: try Self.plan(named, ruled))
        try Self.put(
            [
                Self.rule(#"nas.name == "loopback" and User-Name == "nemo""#, to: 2),
                Self.rule(#"User-Name == "kept@partner.example""#, to: 3, id: 2),
            ], into: host)
        let environment = host.server.environment
        let forwarder = AccountingForwarder(journal: environment.journal, store: host.store, proxy: try #require(environment.proxy))
        forwarder.start()
        defer {
            forwarder.stop()
            #expect(eventually { forwarder.hasEnded })
        }
        let nas = try TestNAS(to: host.server.accountingPort)
        for (identifier, user) in [(1, "kept@partner.example"), (2, "nemo"), (3, "a@partner.example"), (4, "other")] as [(UInt8, String)] {
            #expect(nas.exchange(TestPacket.accounting(identifier, status: 1, session: "s\(identifier)", user: user)).first == 5)
        }
        let byRule = try #require(ruled.receive())
        #expect(Self.name(byRule) == "nemo")
        ruled.send(ScriptedHomeServer.reply(.accountingResponse, to: byRule, sign: false))
        let byName = try #require(named.receive())
        #expect(Self.name(byName) == "a@partner.example")
        named.send(ScriptedHomeServer.reply(.accountingResponse, to: byName, sign: false))
        #expect(eventually { forwarder.statistics.position == 4 })
        #expect(forwarder.statistics.acknowledged == 2)
    }
}
