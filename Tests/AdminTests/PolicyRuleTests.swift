import Admin
import Testing

@Suite struct PolicyRuleTests {
    private static func body(_ name: String, _ condition: String = "", _ more: [(String, JSON)] = []) -> JSON {
        .object(
            [.init("name", .string(name)), .init("priority", 10), .init("condition", .string(condition))] + more.map { .init($0.0, $0.1) })
    }

    @Test func storesARuleWithAllItsParts() async throws {
        try await AdminFixture.run { fixture in
            _ = try await fixture.post("/api/v1/profiles", ["name": "night"])
            let made = try await fixture.post(
                "/api/v1/policy-rules",
                Self.body(
                    "late", "time.of_day in 22:00..06:00",
                    [
                        ("profile", "night"), ("set_attributes", [["name": "Class", "value": "x"]]), ("remove_attributes", ["Filter-Id"]),
                        ("require_methods", ["chap"]), ("outcome", "stop"),
                    ]))
            #expect(made.status == 201, "\(made.text)")
            let got = try await fixture.get("/api/v1/policy-rules/late")
            #expect(got["condition"]?.text == "time.of_day in 22:00..06:00" && got["outcome"]?.text == "stop")
            #expect(try await fixture.delete("/api/v1/policy-rules/late").status == 204)
            #expect(
                try await fixture.sql("SELECT string_agg(kind, ',' ORDER BY id) FROM aaa.change WHERE kind = 'policy_rule'")
                    == "policy_rule,policy_rule")
        }
    }

    @Test func storesNothingThatTheCompilerRefuses() async throws {
        try await AdminFixture.run { fixture in
            let wrong = try await fixture.post("/api/v1/policy-rules", Self.body("bad", "wrong == 1"))
            #expect(wrong.status == 422 && wrong.faults == ["/condition condition"])
            #expect(wrong["errors"]?[0]?["detail"]?.text?.contains("line 1, column 1") == true)
            #expect(try await fixture.post("/api/v1/policy-rules", Self.body("good", "NAS-Port == 1")).status == 201)
            let changed = try await fixture.patch("/api/v1/policy-rules/good", ["condition": "wrong"])
            #expect(changed.status == 422)
            #expect(try await fixture.get("/api/v1/policy-rules/good")["condition"]?.text == "NAS-Port == 1")
            #expect(try await fixture.get("/api/v1/policy-rules").rows.count == 1)
        }
    }

    @Test func listsRulesAsTheyAreLookedAt() async throws {
        try await AdminFixture.run { fixture in
            for (name, priority) in [("late", 30), ("second", 10), ("early", 5), ("third", 10)] {
                let made = try await fixture.post(
                    "/api/v1/policy-rules",
                    ["name": .string(name), "priority": .number("\(priority)"), "condition": .string("User-Name == \"\(name)\"")])
                #expect(made.status == 201, "\(made.text)")
            }
            let rows = try await fixture.get("/api/v1/policy-rules").rows
            #expect(rows.map { $0["name"]?.text } == ["early", "second", "third", "late"])
        }
    }

    @Test func storesVersionsOfTLS() async throws {
        try await AdminFixture.run { fixture in
            let made = try await fixture.post(
                "/api/v1/policy-rules", Self.body("old", "NAS-Port == 1", [("tls_versions", ["1.2", "1.3"])]))
            #expect(made.status == 201, "\(made.text)")
            #expect(try await fixture.patch("/api/v1/policy-rules/old", ["tls_versions": ["1.2"]]).status == 200)
            let got = try await fixture.get("/api/v1/policy-rules/old")
            #expect(got["tls_versions"]?.elements?.map(\.text) == ["1.2"])
            let twice = try await fixture.patch(
                "/api/v1/policy-rules/old", ["tls_versions": ["1.2", "1.3", "1.2"], "require_methods": ["pap", "pap"]])
            #expect(twice.status == 422 && twice.faults.sorted() == ["/require_methods unique", "/tls_versions unique"], "\(twice.text)")
            let wrong = try await fixture.patch("/api/v1/policy-rules/old", ["tls_versions": [1]])
            #expect(wrong.status == 422 && wrong.faults.count == 1 && wrong.faults[0].hasPrefix("/tls_versions"), "\(wrong.faults)")
        }
    }

    @Test func namesTheOtherRuleThatAChangePutsOutOfReach() async throws {
        try await AdminFixture.run { fixture in
            try await fixture.script(
                "INSERT INTO aaa.policy_rule (tenant_id, name, priority, condition) SELECT id, 'other', 20, 'wrong' FROM tenancy.tenant WHERE name = 'north'"
            )
            let made = try await fixture.post("/api/v1/policy-rules", Self.body("first"))
            #expect(made.status == 422 && made.faults == [" condition"])
            #expect(made["errors"]?[0]?["detail"]?.text?.contains("the rule other") == true)
            // Another tenant's rules are its own.
            #expect(try await fixture.post("/api/v1/policy-rules", Self.body("first"), tenant: "south").status == 201)
        }
    }

    /// It was stored by a version that took it.
    @Test func onlyTheRuleThatIsSavedIsRefusedForAReservedAttribute() async throws {
        try await AdminFixture.run { fixture in
            try await fixture.script(
                """
                INSERT INTO aaa.policy_rule (tenant_id, name, priority, remove_attributes)
                SELECT id, 'old', 20, '{Connect-Info}' FROM tenancy.tenant WHERE name = 'north'
                """)
            let made = try await fixture.post("/api/v1/policy-rules", Self.body("first", "NAS-Port == 1"))
            #expect(made.status == 201, "\(made.text)")
            let kept = try await fixture.patch("/api/v1/policy-rules/old", ["priority": 30])
            #expect(kept.status == 422 && kept.faults == ["/remove_attributes reserved"], "\(kept.text)")
            #expect(try await fixture.patch("/api/v1/policy-rules/old", ["remove_attributes": []]).status == 200)
        }
    }

    @Test func aRealmThatARuleForwardsToStays() async throws {
        try await AdminFixture.run { fixture in
            for name in ["partner", "other"] {
                #expect(try await fixture.post("/api/v1/realms", ["name": .string(name), "kind": "rule"]).status == 201)
            }
            let made = try await fixture.post("/api/v1/policy-rules", Self.body("away", "NAS-Port == 1", [("forward_to", "partner")]))
            #expect(made.status == 201, "\(made.text)")
            let kept = try await fixture.delete("/api/v1/realms/partner")
            #expect(kept.status == 409 && kept["detail"]?.text?.contains("a policy-rule") == true, "\(kept.text)")
            let wrong = try await fixture.post("/api/v1/policy-rules", Self.body("none", "NAS-Port == 2", [("forward_to", "nobody")]))
            #expect(wrong.status == 422 && wrong.faults.count == 1 && wrong.faults[0].hasPrefix("/forward_to"), "\(wrong.faults)")
            #expect(try await fixture.patch("/api/v1/policy-rules/away", ["forward_to": .null]).status == 200)
            #expect(try await fixture.delete("/api/v1/realms/partner").status == 204)
        }
    }

    @Test func triesALogin() async throws {
        try await AdminFixture.run { fixture in
            let body: JSON = [
                "username": "alice", "attributes": [["name": "NAS-Port", "value": 9]], "at": "2026-01-31T12:34:56Z",
            ]
            let reply = try await fixture.post("/api/v1/policy-rules/test", body)
            #expect(reply.status == 200, "\(reply.text)")
            #expect(fixture.services.calls.last?.hasSuffix("alice [\"NAS-Port=9\"] 1769862896") == true)
            let refused = try await fixture.post("/api/v1/policy-rules/test", ["nas": 1, "when": "now", "at": "yesterday"])
            let named = try await fixture.post("/api/v1/policy-rules/test", ["packet": "01", "method": "eap-tls"])
            #expect(named.status == 200, "\(named.text)")
            let both = try await fixture.post(
                "/api/v1/policy-rules/test", ["packet": "01", "attributes": [["name": "NAS-Port", "value": 9]]])
            #expect(both.faults == ["/packet rival"], "\(both.text)")
            #expect(refused.status == 422)
            #expect(refused.faults == ["/at timestamp", "/nas type", "/username required", "/when unknown"])
        }
    }
}
