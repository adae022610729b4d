import Support
import Testing

@testable import RadiusCore

/// Rules on the packet path, over the server's own sockets.
@Suite struct RuleServerTests {
    private static func host(_ rules: PolicyRule...) throws -> TestServer {
        let host = try TestServer(
            subscribers: [TestServer.subscriber("nemo")], profiles: [TestServer.plan(), PolicyDesk.profile(2, "night", 7, 3)])
        try put(rules, into: host)
        return host
    }

    private static func put(_ rules: [PolicyRule], into host: TestServer) throws {
        let old = host.store.snapshot
        let (program, faults) = PolicyCompiler.compile(rules, dictionary: old.dictionary)
        try #require(faults.isEmpty)
        host.store.publish(
            Snapshot(
                clients: old.clients, subscribers: old.subscribers, profiles: old.profiles, policies: old.policies,
                programs: program.map { [1: $0] } ?? [:], dictionary: old.dictionary))
    }

    private static func lines(_ reply: [UInt8], _ host: TestServer) throws -> [String] {
        try AttributeDecoder.decode(reply.span, dictionary: host.store.snapshot.dictionary)
            .filter { $0.name != "Message-Authenticator" }.map { "\($0.taggedName) = \($0.value)" }
    }

    @Test func anAcceptHasTheProfileAndTheAttributesThatRulesGive() throws {
        let rule = RuleDesk.rule(#"nas.name == "loopback" and NAS-Port == 9"#) { rule in
            rule.profile = 2
            rule.set = [ReplyAttribute(name: "Acct-Interim-Interval", value: "120")]
            rule.add = [ReplyAttribute(name: "Filter-Id", value: "night")]
        }
        let host = try Self.host(rule)
        let nas = try TestNAS(to: host.server.authenticationPort)
        let night = nas.exchange(TestPacket.access(1, extra: [AttributeNumber.nasPort, 6, 0, 0, 0, 9, 33, 3, 7]))
        #expect(TestPacket.isSigned(night))
        #expect(
            try Self.lines(night, host) == [
                "Mikrotik-Rate-Limit = 3M/7M", "Acct-Interim-Interval = 120", "Filter-Id = night", "Proxy-State = 0x07",
            ])
        let day = nas.exchange(TestPacket.access(2))
        #expect(try Self.lines(day, host) == ["Mikrotik-Rate-Limit = 10M/50M", "Acct-Interim-Interval = 600"])
        try Self.put([], into: host)
        let after = nas.exchange(TestPacket.access(3, extra: [AttributeNumber.nasPort, 6, 0, 0, 0, 9]))
        #expect(try Self.lines(after, host) == ["Mikrotik-Rate-Limit = 10M/50M", "Acct-Interim-Interval = 600"])
    }

    @Test func aRuleAsksForTheHuntgroupOfTheNASThatSent() throws {
        func client(_ id: Int64, _ address: UInt32, _ huntgroup: String) -> NASClient {
            NASClient(
                id: id, tenant: 1, name: "nas\(id)", huntgroup: huntgroup, network: IPAddress(ipv4: address), prefixLength: 128,
                secret: TestServer.secret, vendor: .mikrotik)
        }
        let host = try TestServer(
            client: client(1, 0x7f00_0002, "city"), subscribers: [TestServer.subscriber("nemo")],
            others: [client(2, 0x7f00_0003, "sea"), client(3, 0x7f00_0004, "")])
        let rules = [
            RuleDesk.rule(#"nas.huntgroup == "city""#) { $0.add = [ReplyAttribute(name: "Filter-Id", value: "of-the-city")] },
            RuleDesk.rule("not has nas.huntgroup", id: 2) { $0.add = [ReplyAttribute(name: "Filter-Id", value: "of-none")] },
        ]
        try Self.put(rules, into: host)
        let filters = try ["127.0.0.2", "127.0.0.3", "127.0.0.4"].map { address in
            let nas = try Gateway(from: address, to: "127.0.0.1", port: host.server.authenticationPort)
            nas.send(TestPacket.access())
            return try Self.lines(nas.receive(), host).filter { $0.hasPrefix("Filter-Id") }
        }
        #expect(filters == [["Filter-Id = of-the-city"], [], ["Filter-Id = of-none"]])
    }

    @Test func aRejectSaysWhatTheRuleSaysAndIsCountedByItsReason() throws {
        let host = try Self.host(
            RuleDesk.rule("NAS-Port == 9") { rule in
                rule.outcome = .reject
                rule.message = "Port 9 is closed."
            })
        let nas = try TestNAS(to: host.server.authenticationPort)
        let wrong = nas.exchange(TestPacket.access(1, password: "wrong", extra: [AttributeNumber.nasPort, 6, 0, 0, 0, 9]))
        #expect(try Self.lines(wrong, host) == [])
        let reply = nas.exchange(TestPacket.access(2, extra: [AttributeNumber.nasPort, 6, 0, 0, 0, 9]))
        #expect(reply.first == 3 && TestPacket.isSigned(reply))
        #expect(try Self.lines(reply, host) == ["Reply-Message = Port 9 is closed."])
        #expect(host.count(.policyRejected as AccessReason) == 1)
    }

    @Test func aDemandedMethodIsTheOnlyOneThatGetsIn() async throws {
        let host = try Self.host(RuleDesk.rule("") { $0.methods = ["eap-md5"] })
        #expect(try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.access(1)).first == 3)
        #expect(host.count(.policyMethod as AccessReason) == 1)
        let md5 = EAPOLTest(
            port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", method: "MD5", user: "nemo", password: "arctangent",
            expectsKeys: false)
        let outcome = try await md5.run()
        #expect(outcome.isSuccess, "\(outcome.transcript)")
    }

    @Test func rulesOfOneTenantDoNotTouchAnother() throws {
        let host = try Self.host()
        let old = host.store.snapshot
        let (program, _) = PolicyCompiler.compile([RuleDesk.rule("") { $0.outcome = .reject }], dictionary: old.dictionary)
        host.store.publish(
            Snapshot(
                clients: old.clients, subscribers: old.subscribers, profiles: old.profiles, policies: old.policies,
                programs: program.map { [2: $0] } ?? [:], dictionary: old.dictionary))
        #expect(try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.access(1)).first == 2)
    }
}
