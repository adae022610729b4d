import Admin
import Testing

@Suite struct AccessTests {
    private static func bearer(_ token: String) -> [(name: String, value: String)] {
        [("Authorization", "Bearer " + token)]
    }

    @Test func refusesWhoeverHasNoToken() async throws {
        try await AdminFixture.run { fixture in
            for value in [
                "", "Bearer", "Bearer wrong", "Basic b3BlcmF0b3I6eA==", "Bearer a b", "Bearer " + AdminFixture.operatorToken + "x",
            ] {
                let reply = try await fixture.send("GET", "/api/v1/subscribers", headers: [("Authorization", value)])
                #expect(reply.status == 401, "\(value)")
                #expect(reply.header("www-authenticate")?.hasPrefix("Bearer") == true)
                #expect(reply.code == "unauthorized")
            }
        }
    }

    @Test func givesTokensTheirScopesOnly() async throws {
        try await AdminFixture.run { fixture in
            let made = try await fixture.post("/api/v1/tokens", ["name": "reader", "scopes": ["aaa:read"]])
            #expect(made.status == 201, "\(made.text)")
            let token = try #require(made["token"]?.text)
            #expect(token.hasPrefix("lmt_"))
            #expect(try await fixture.get("/api/v1/tokens/reader")["token"] == nil)
            #expect(try await fixture.send("GET", "/api/v1/subscribers", headers: Self.bearer(token)).status == 200)
            let refused = try await fixture.send("POST", "/api/v1/subscribers", Array("{}".utf8), headers: Self.bearer(token))
            #expect(refused.status == 403)
            #expect(refused.header("www-authenticate")?.contains("scope=\"aaa:write\"") == true)
            #expect(try await fixture.send("GET", "/api/v1/tokens", headers: Self.bearer(token)).status == 403)
            #expect(try await fixture.send("GET", "/api/v1/tenants", headers: Self.bearer(token)).status == 403)
            #expect(try await fixture.get("/api/v1/tokens/reader")["last_used_at"]?.text != nil)
            _ = try await fixture.delete("/api/v1/tokens/reader")
            #expect(try await fixture.send("GET", "/api/v1/subscribers", headers: Self.bearer(token)).status == 401)
        }
    }

    @Test func refusesExpiredTokensAndThoseOfAnotherTenant() async throws {
        try await AdminFixture.run { fixture in
            let made = try await fixture.post("/api/v1/tokens", ["name": "all", "scopes": ["*"]], tenant: "south")
            let token = try #require(made["token"]?.text)
            _ = try await fixture.send("POST", "/api/v1/profiles", JSON.object([.init("name", "s")]).bytes, headers: Self.bearer(token))
            #expect(try await fixture.get("/api/v1/profiles").rows.isEmpty)
            #expect(try await fixture.get("/api/v1/profiles", tenant: "south").column("name") == ["s"])
            #expect(try await fixture.get("/api/v1/audit?resource=profile", tenant: "south").column("actor") == ["token:all"])
            #expect(try await fixture.send("GET", "/api/v1/profiles", tenant: "north", headers: Self.bearer(token)).status == 403)
            #expect(try await fixture.send("GET", "/api/v1/tenants", headers: Self.bearer(token)).status == 403)
            let expired = try await fixture.patch("/api/v1/tokens/all", ["expires_at": "2020-01-01T00:00:00Z"], tenant: "south")
            #expect(expired.status == 200, "\(expired.text)")
            #expect(try await fixture.send("GET", "/api/v1/profiles", headers: Self.bearer(token)).status == 401)
        }
    }

    @Test func letsNobodyHandOutMoreThanTheyHave() async throws {
        try await AdminFixture.run { fixture in
            let made = try await fixture.post("/api/v1/tokens", ["name": "maker", "scopes": ["identity:write", "aaa:read"]])
            let token = try #require(made["token"]?.text)
            let body: JSON = ["name": "more", "scopes": ["aaa:read", "aaa:write", "*"]]
            let reply = try await fixture.send("POST", "/api/v1/tokens", body.bytes, headers: Self.bearer(token))
            #expect(reply.status == 422)
            #expect(reply.faults == ["/scopes/1 forbidden", "/scopes/2 forbidden"])
            #expect(try await fixture.post("/api/v1/tokens", ["name": "odd", "scopes": ["money:read"]]).faults == ["/scopes/0 format"])
        }
    }

    @Test func keepsTenantsApart() async throws {
        try await AdminFixture.run { fixture in
            let north = try await fixture.post("/api/v1/subscribers", ["username": "alice", "full_name": "Alice North"])
            let south = try await fixture.post("/api/v1/subscribers", ["username": "alice", "full_name": "Alice South"], tenant: "south")
            #expect(north.status == 201)
            #expect(south.status == 201)
            #expect(try await fixture.get("/api/v1/subscribers/alice", tenant: "south")["full_name"] == "Alice South")
            #expect(try await fixture.get("/api/v1/subscribers").column("full_name") == ["Alice North"])
            #expect(try await fixture.get("/api/v1/subscribers/\(south.id)").status == 404)
            #expect(try await fixture.patch("/api/v1/subscribers/\(south.id)", ["notes": "x"]).status == 404)
            #expect(try await fixture.delete("/api/v1/subscribers/\(south.id)").status == 404)
            _ = try await fixture.post("/api/v1/profiles", ["name": "home"])
            #expect(
                try await fixture.patch("/api/v1/subscribers/alice", ["profile": "home"], tenant: "south").faults == ["/profile not_found"])
            #expect(try await fixture.get("/api/v1/audit?resource=subscriber").rows.count == 1)
            #expect(try await fixture.get("/api/v1/subscribers", tenant: "west").status == 404)
        }
    }

    @Test func startsWithoutAnyTenant() async throws {
        try await AdminFixture.run { fixture in
            try await fixture.script("RESET ROLE; DELETE FROM tenancy.tenant")
            #expect(try await fixture.get("/api/v1/subscribers").code == "conflict")
            let made = try await fixture.post("/api/v1/tenants", ["name": "first", "time_zone": "Europe/Kyiv"])
            #expect(made.status == 201, "\(made.text)")
            #expect(try await fixture.get("/api/v1/subscribers").status == 200)
            #expect(try await fixture.get("/api/v1/audit").column("resource_name") == ["first"])
            #expect(try await fixture.patch("/api/v1/tenants/first", ["title": "First"])["version"] == 2)
            #expect(try await fixture.delete("/api/v1/tenants/first").status == 204)
        }
    }

    @Test func neverTellsASecret() async throws {
        try await AdminFixture.run { fixture in
            let secrets = [
                "correct-horse-battery", "8846F7EAEE8FB117AD06BDD830B7586C", "$2b$12$abcdefghijklmnopqrstuv", "radius-shared-secret",
            ]
            var replies = [
                try await fixture.post(
                    "/api/v1/subscribers", ["username": "a", "password": .string(secrets[0])], headers: [("Idempotency-Key", "s")]),
                try await fixture.post("/api/v1/subscribers", ["username": "b", "password_nt": .string(secrets[1])]),
                try await fixture.post("/api/v1/subscribers", ["username": "c", "password_hash": .string(secrets[2])]),
                try await fixture.post("/api/v1/nas", ["name": "n", "address": "192.0.2.1", "secret": .string(secrets[3])]),
            ]
            #expect(replies.map(\.status) == [201, 201, 201, 201])
            #expect(replies[0..<3].map { $0["password_kind"] } == ["clear", "nt", "hash"])
            replies.append(try await fixture.patch("/api/v1/subscribers/b", ["password": .string(secrets[0])]))
            #expect(replies[4]["password_kind"] == "clear")
            replies.append(try await fixture.patch("/api/v1/subscribers/a?dry_run=true", ["password": .string(secrets[0])]))
            let long = String(repeating: secrets[0], count: 20)
            replies.append(try await fixture.post("/api/v1/subscribers", ["username": "d", "password": .string(long)]))
            for path in ["/api/v1/subscribers", "/api/v1/nas", "/api/v1/audit", "/api/v1/subscribers/a", "/api/v1/nas/n"] {
                replies.append(try await fixture.get(path))
            }
            for reply in replies { for secret in secrets { #expect(!reply.text.contains(secret)) } }
            let audit = try await fixture.get("/api/v1/audit?resource=subscriber&action=create&resource_name=a").rows
            #expect(audit[0]["after"]?["password"] == "***")
            let kept = try await fixture.sql(
                "SELECT string_agg(t, '') FROM (SELECT a::text t FROM lastmile.audit a UNION ALL SELECT k::text || convert_from(body, 'UTF8') FROM lastmile.idempotency_key k) x"
            )
            for secret in secrets { #expect(kept?.contains(secret) == false) }
            let stored = try await fixture.sql("SELECT encode(password, 'hex') FROM aaa.subscriber WHERE username = 'a'")
            #expect(stored == secrets[0].utf8.map { String($0 ^ 0x5A, radix: 16) }.map { $0.count == 1 ? "0" + $0 : $0 }.joined())
            let removed = try await fixture.patch("/api/v1/subscribers/a", ["password": .null])
            #expect(removed["has_password"] == false)
        }
    }
}
