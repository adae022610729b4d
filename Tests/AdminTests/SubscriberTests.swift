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
            #expect(made.header("location") == "/api/v1/subscribers/\(made.id)")
            #expect(made.etag == "\"1\"")
            let read = try await fixture.get("/api/v1/subscribers/alice")
            #expect(read.body == made.body)
            #expect(read["profile"] == "home50")
            #expect(read["profile_id"]?.integer == profile.id)
            #expect(read["delegated_ipv6_prefix"] == "2001:db8:1::/48")
            #expect(read["has_password"] == true)
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
}
