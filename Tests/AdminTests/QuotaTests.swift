import Admin
import Database
import Testing

@Suite struct QuotaTests {
    /// A threshold that has fired would act otherwise without an event.
    @Test func whatAThresholdDoesCannotBeChanged() async throws {
        try await AdminFixture.run { fixture in
            #expect(try await fixture.post("/api/v1/quotas", ["name": "fair", "octets": "5G"]).status == 201)
            for name in ["slow", "slower"] { #expect(try await fixture.post("/api/v1/profiles", ["name": .string(name)]).status == 201) }
            let made = try await fixture.post(
                "/api/v1/quota-thresholds", ["quota": "fair", "percent": 80, "action": "throttle", "profile": "slow"])
            #expect(made.status == 201, "\(made.text)")
            let twin = try await fixture.post(
                "/api/v1/quota-thresholds", ["quota": "fair", "percent": 80, "action": "throttle", "profile": "slow"])
            #expect(twin.status == 409 && twin.text.contains("with this quota, percent and action\""), "\(twin.text)")
            #expect(!twin.text.contains("it is taken"), "\(twin.text)")
            let path = "/api/v1/quota-thresholds/\(try #require(made["id"]?.integer))"
            for change: JSON in [["percent": 90], ["action": "block"]] {
                let refused = try await fixture.patch(path, change)
                #expect(refused.status == 422 && refused.text.contains("only given when it is created"), "\(refused.text)")
            }
            let slower = try await fixture.patch(path, ["profile": "slower"])
            #expect(slower.status == 200, "\(slower.text)")
        }
    }

    @Test func whatNASesKeepOfAQuotaIsOffUnlessAskedFor() async throws {
        try await AdminFixture.run { fixture in
            let made = try await fixture.post("/api/v1/quotas", ["name": "fair", "octets": "5G"])
            #expect(made.status == 201 && made["nas_limits"] == false && made["nas_margin_percent"] == 10, "\(made.text)")
            let path = "/api/v1/quotas/fair"
            let changed = try await fixture.patch(path, ["nas_limits": true, "nas_margin_percent": 100])
            #expect(changed.status == 200 && changed["nas_limits"] == true && changed["nas_margin_percent"] == 100, "\(changed.text)")
            for percent in [0, 101] {
                let refused = try await fixture.patch(path, ["nas_margin_percent": .number("\(percent)")])
                #expect(refused.status == 422 && refused.text.contains("nas_margin_percent"), "\(refused.text)")
            }
        }
    }

    @Test func aTopUpCanBeEndedAndAnnotatedButNotHaveLessThanWasUsed() async throws {
        try await AdminFixture.run { fixture in
            #expect(try await fixture.post("/api/v1/subscribers", ["username": "alice"]).status == 201)
            let past = try await fixture.post(
                "/api/v1/quota-top-ups", ["subscriber": "alice", "octets": 1000, "expires_at": "2020-01-01T00:00:00Z"])
            #expect(past.status == 422 && past.text.contains("that is past already"), "\(past.text)")
            let made = try await fixture.post("/api/v1/quota-top-ups", ["subscriber": "alice", "octets": 1000])
            let id = try #require(made["id"]?.integer)
            try await fixture.pool.run { connection in
                try connection.script(
                    """
                    BEGIN; SET LOCAL ROLE lastmile_system;
                    UPDATE aaa.quota_top_up SET used_octets = 400, created_at = now() - interval '30 days'; COMMIT
                    """)
            }
            let path = "/api/v1/quota-top-ups/\(id)"
            let less = try await fixture.patch(path, ["octets": 399])
            #expect(less.status == 422 && less.text.contains("400 octets of it are used"), "\(less.text)")
            #expect(try await fixture.patch(path, ["octets": 400]).status == 200)
            let yesterday = try await fixture.pool.run { connection in
                try connection.queryOne("SELECT aaa.rfc3339(now() - interval '1 day')")?.string(0) ?? ""
            }
            #expect(try await fixture.patch(path, ["expires_at": .string(yesterday)]).status == 200)
            let noted = try await fixture.patch(path, ["note": "ended by hand"])
            #expect(noted.status == 200 && noted["note"] == "ended by hand", "\(noted.text)")
        }
    }
}
