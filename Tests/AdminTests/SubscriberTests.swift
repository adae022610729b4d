import Admin
import Testing

@Suite struct SubscriberTests {
    @Test func livesFromCreationToDeletion() async throws {
        try await AdminFixture.run { fixture in
            let profile = try await fixture.post("/api/v1/profiles", ["name": "home50", "download": "50M", "upload": 10_000_000])
            #expect(profile.status == 201)
            #expect(profile["download"] == 50_000_000)
            let made = try await fixture.post(
                "/api/v1/subscribers",
                [
                    "username": "alice", "password": "wonderland", "profile": "home50", "static_ipv4": "192.0.2.7",
                    "delegated_ipv6_prefix": "2001:DB8:1::/48", "attributes": [["name": "Filter-Id", "value": "gold"]],
                    "filters": ["a", "b"],
                ])
            #expect(made.status == 201, "\(made.text)")
            #expect(made.header("location") == "/api/v1/subscribers/id:\(made.id)")
            #expect(made.etag == "\"1\"")
            let read = try await fixture.get("/api/v1/subscribers/alice")
            #expect(read.body == made.body)
            #expect(read["profile"] == "home50")
            #expect(read["profile_id"]?.integer == profile.id)
            #expect(read["delegated_ipv6_prefix"] == "2001:db8:1::/48")
            #expect(read["has_password"] == true && read["has_sim"] == false)
            #expect(read["filters"] == ["a", "b"])
            let changed = try await fixture.patch(
                "/api/v1/subscribers/\(made.id)", ["status": "suspended", "static_ipv4": .null], match: "\"1\"")
            #expect(changed.status == 200)
            #expect(changed["status"] == "suspended")
            #expect(changed["static_ipv4"] == .null)
            #expect(changed["filters"] == ["a", "b"])
            #expect(changed.etag == "\"2\"")
            let deleted = try await fixture.delete("/api/v1/subscribers/alice", match: "\"2\"")
            #expect(deleted.status == 204)
            #expect(try await fixture.get("/api/v1/subscribers/alice").status == 404)
        }
    }

    @Test func aSIMCredentialIsCheckedSealedAndNeverTold() async throws {
        try await AdminFixture.run { fixture in
            let (key, constant) = ("465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf")
            let card = "\(key):\(constant)"
            let made = try await fixture.post("/api/v1/subscribers", ["username": "001010000000001", "sim_credential": .string(card)])
            #expect(made.status == 201 && made["has_sim"] == true && made["has_password"] == false, "\(made.text)")
            let path = "/api/v1/subscribers/\(made.id)"
            let wrong = try await fixture.patch(path, ["sim_credential": .string("\(key):op=\(key.dropLast())z")])
            #expect(wrong.status == 422 && wrong.text.contains("OPc, behind the first colon"), "\(wrong.text)")
            let operatorValue = try await fixture.patch(path, ["sim_credential": .string("\(key):op=\(constant):8000")])
            #expect(operatorValue.status == 200, "\(operatorValue.text)")
            let audit = try await fixture.get("/api/v1/audit?resource=subscriber")
            for reply in [made, wrong, operatorValue, audit] { #expect(!reply.text.contains(key) && !reply.text.contains(constant)) }
            let stored = try await fixture.sql("SELECT position(convert_to('\(key)', 'UTF8') IN sim_credential)::text FROM aaa.subscriber")
            #expect(stored == "0")
            let removed = try await fixture.patch(path, ["sim_credential": .null])
            #expect(removed["has_sim"] == false)
        }
    }
}
