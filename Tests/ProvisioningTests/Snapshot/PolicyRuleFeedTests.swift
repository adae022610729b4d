import Database
import Provisioning
import RadiusCore
import Support
import Testing

@Suite struct PolicyRuleFeedTests {
    private static func explain(_ desk: SnapshotDesk, at seconds: Int64 = 0, port: String = "9") -> Explanation? {
        let snapshot = desk.feed.store.snapshot
        let request = try? PolicyRequest(
            userName: "alice", attributes: [AttributeText(name: "NAS-Port", value: port)], dictionary: snapshot.dictionary,
            method: .eapTLS, seconds: seconds)
        return snapshot.clients.find(tenant: desk.tenant, name: "core1").flatMap {
            Explanation(userName: "alice", tenant: desk.tenant, client: $0, in: snapshot, request: request)
        }
    }

    private static func insert(_ desk: SnapshotDesk, _ columns: String, _ values: String) async throws -> Int64 {
        try await desk.sql(
            "INSERT INTO aaa.policy_rule (tenant_id, name, priority, \(columns)) VALUES ($1, 'r', 10, \(values)) RETURNING id",
            [.int(desk.tenant)])
    }

    @Test func aRuleComesChangesAndGoes() async throws {
        try await SnapshotDesk.with { desk in
            let (home, night) = (try await desk.profile("home50"), try await desk.profile("night", download: 8_000_000))
            try await desk.nas()
            try await desk.subscriber("alice", profile: home)
            try await desk.follow()
            let rule = try await Self.insert(
                desk, "condition, profile_id, set_attributes, remove_attributes",
                "'NAS-Port == 9', \(night), '[{\"name\":\"Session-Timeout\",\"value\":\"60\"}]', '{Acct-Interim-Interval}'")
            try await eventually { Self.explain(desk)?.profile?.name == "night" }
            #expect(Self.explain(desk)?.lines == ["Mikrotik-Rate-Limit = 10M/8M", "Session-Timeout = 60"])
            #expect(Self.explain(desk, port: "8")?.profile?.name == "home50")
            try await desk.sql(
                "UPDATE aaa.policy_rule SET outcome = 'reject', message = 'no', profile_id = NULL, set_attributes = '[]', remove_attributes = '{}' WHERE id = $1",
                [.int(rule)])
            try await eventually { Self.explain(desk)?.reason == .policyRejected }
            try await desk.sql("UPDATE aaa.policy_rule SET enabled = false WHERE id = $1", [.int(rule)])
            try await eventually { Self.explain(desk)?.reason == .accepted }
            #expect(desk.feed.state.problems.isEmpty && desk.feed.state.loads == 1)
        }
    }

    @Test func theTenantsZoneDecidesAboutTheHour() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            _ = try await Self.insert(desk, "condition, outcome", "'time.of_day in 22:00..22:59', 'reject'")
            try await desk.follow()
            // 2024-03-30 20:30 UTC.
            #expect(Self.explain(desk, at: 1_711_830_600)?.reason == .accepted)
            try await desk.sql("UPDATE tenancy.tenant SET time_zone = 'Europe/Kyiv' WHERE id = $1", [.int(desk.tenant)])
            try await eventually { Self.explain(desk, at: 1_711_830_600)?.reason == .policyRejected }
            try await desk.sql("UPDATE tenancy.tenant SET time_zone = 'Mars/Olympus' WHERE id = $1", [.int(desk.tenant)])
            try await eventually { desk.feed.state.problems.contains { $0.contains("Mars/Olympus") } }
        }
    }

    @Test func aRuleForwardsWhileItsRealmIsInForce() async throws {
        try await SnapshotDesk.with { desk in
            func report() throws -> ForwardingReport? {
                let snapshot = desk.feed.store.snapshot
                let port = AttributeText(name: "NAS-Port", value: "9")
                let request = try PolicyRequest(userName: "alice", attributes: [port], dictionary: snapshot.dictionary, seconds: 0)
                return snapshot.clients.find(tenant: desk.tenant, name: "core1").map { ForwardingReport(request, $0, in: snapshot) }
            }
            try await desk.nas()
            let pool = try await desk.sql(
                "INSERT INTO aaa.home_server_pool (tenant_id, name, servers) VALUES ($1, 'pool', '{gone}') RETURNING id",
                [.int(desk.tenant)])
            var realms: [Int64] = []
            // Of the kind rule there may be several.
            for name in ["first", "second"] {
                realms.append(
                    try await desk.sql(
                        "INSERT INTO aaa.realm (tenant_id, name, kind, pool_id) VALUES ($1, $2, 'rule', $3) RETURNING id",
                        [.int(desk.tenant), .text(name), .int(pool)]))
            }
            let rule = try await Self.insert(desk, "condition, forward_to_id", "'NAS-Port == 9', \(realms[0])")
            try await desk.follow()
            let first = try #require(try report())
            #expect(first.rule == "r" && first.realm?.name == "first" && first.isForwarded)
            try await desk.sql("UPDATE aaa.policy_rule SET forward_to_id = $2 WHERE id = $1", [.int(rule), .int(realms[1])])
            try await eventually { try report()?.realm?.name == "second" }
            try await desk.sql("UPDATE aaa.realm SET enabled = false WHERE id = $1", [.int(realms[1])])
            try await eventually { try report()?.realm == nil }
            #expect(try report()?.rules.lines.map(\.detail) == ["is passed over: its realm is switched off"])
            try await desk.sql("DELETE FROM aaa.policy_rule WHERE id = $1", [.int(rule)])
            try await eventually { try report()?.rules.lines.isEmpty == true }
            #expect(desk.feed.state.problems.isEmpty && desk.feed.state.loads == 1)
        }
    }

    @Test func aRuleAboutVersionsOfTLSComesChangesAndGoes() async throws {
        try await SnapshotDesk.with { desk in
            func details() -> [String] { Self.explain(desk)?.rules.lines.map { String($0.detail.prefix { $0 != "," }) } ?? [] }
            try await desk.nas()
            try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            let rule = try await Self.insert(desk, "condition, tls_versions", "'NAS-Port == 9', '{1.2}'")
            try await desk.follow()
            #expect(details() == ["has EAP speak TLS 1.2 only"])
            try await desk.sql("UPDATE aaa.policy_rule SET tls_versions = '{1.2,1.3}' WHERE id = $1", [.int(rule)])
            try await eventually { details() == ["has EAP speak TLS 1.2 or 1.3 only"] }
            #expect(desk.feed.state.problems.isEmpty && desk.feed.state.loads == 1)
            try await desk.sql("UPDATE aaa.policy_rule SET tls_versions = '{1.1}' WHERE id = $1", [.int(rule)])
            try await eventually {
                details().isEmpty && desk.feed.state.problems.contains { $0.contains("there is no version “1.1” of TLS here") }
            }
            try await desk.sql("DELETE FROM aaa.policy_rule WHERE id = $1", [.int(rule)])
            try await eventually { desk.feed.state.problems.isEmpty }
        }
    }

    @Test func aRuleThatDoesNotCompileIsLeftOutAndTold() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            _ = try await Self.insert(desk, "condition, outcome", "'NAS-Prot == 9', 'reject'")
            try await desk.follow()
            #expect(Self.explain(desk)?.reason == .accepted)
            #expect(desk.feed.state.problems.contains { $0.contains("did you mean NAS-Port?") && $0.contains("line 1, column 1") })
        }
    }
}
