import Admin
import Testing

@Suite struct SessionTests {
    /// alice has an open and a closed session, bob a stale one.
    static func fill(_ fixture: AdminFixture) async throws {
        _ = try await fixture.post("/api/v1/nas", ["name": "core1", "address": "192.0.2.1", "secret": "s"])
        _ = try await fixture.post("/api/v1/subscribers", ["username": "alice"])
        try await fixture.script(
            """
            RESET ROLE;
            SELECT aaa.ensure_partitions('session_history', 'month', '2026-01-01Z', '2026-02-01Z');
            SELECT aaa.ensure_partitions('auth_log', 'day', '2026-01-01Z', '2026-01-03Z');
            SET LOCAL ROLE lastmile_system;
            INSERT INTO aaa.session_header (id, tenant_id, nas_id, session_key, subscriber_id, username, acct_session_id, framed_ipv4,
                delegated_ipv6_prefix, calling_station_id, started_at, updated_at, upload_octets, download_octets)
            SELECT 1, t.id, n.id, '\\x01', s.id, 'alice', 'a1', '100.64.0.5', '2001:db8:5::/56', 'AA-BB-CC-00-11-22', now(), now(), 1,
                9007199254740993
            FROM tenancy.tenant t, aaa.nas n, aaa.subscriber s WHERE t.name = 'north';
            INSERT INTO aaa.session_header (id, tenant_id, nas_id, session_key, username, acct_session_id, calling_station_id, started_at, updated_at)
            SELECT 2, t.id, n.id, '\\x02', 'bob', 'b1', 'port 7', now() - interval '2 days', now() - interval '1 day'
            FROM tenancy.tenant t, aaa.nas n WHERE t.name = 'north';
            INSERT INTO aaa.session_history (id, tenant_id, nas_id, session_key, subscriber_id, username, acct_session_id, framed_ipv4,
                started_at, updated_at, stopped_at, ended_by)
            SELECT 3, t.id, n.id, '\\x03', s.id, 'alice', 'a0', '100.64.0.6', '2026-01-01Z', '2026-01-02Z', '2026-01-02Z', 'stop'
            FROM tenancy.tenant t, aaa.nas n, aaa.subscriber s WHERE t.name = 'north';
            INSERT INTO aaa.auth_log (tenant_id, at, nas_id, username, outcome, reason, method, duration_microseconds)
            SELECT t.id, v.at::timestamptz, n.id, v.username, v.outcome, v.reason, 'pap', 10 FROM tenancy.tenant t, aaa.nas n,
                (VALUES ('2026-01-01Z', 'alice', 'accept', 'accepted'), ('2026-01-02Z', 'alice', 'reject', 'wrong password'),
                    ('2026-01-02Z', 'eve', 'reject', 'unknown user')) v (at, username, outcome, reason) WHERE t.name = 'north';
            INSERT INTO aaa.usage_day (tenant_id, subscriber_id, day, download_octets)
            SELECT t.id, s.id, v.day::date, v.octets FROM tenancy.tenant t, aaa.subscriber s, (VALUES ('2026-01-01', 5), ('2026-01-02', 7)) v (day, octets)
            WHERE t.name = 'north';
            """)
    }

    @Test func findsSessionsByWhatPeopleKnow() async throws {
        try await AdminFixture.run { fixture in
            try await Self.fill(fixture)
            let expectations: [(query: String, ids: [String])] = [
                ("", ["3", "2", "1"]), ("user=alice", ["3", "1"]), ("nas=core1&user=bob", ["2"]), ("nas=other", []), ("state=open", ["1"]),
                ("state=stale", ["2"]), ("state=closed", ["3"]), ("state=open&state=stale", ["2", "1"]), ("ip=100.64.0.5", ["1"]),
                ("ip=2001:db8:5::77", ["1"]), ("mac=aabb.cc00.1122", ["1"]), ("mac=AABBCC001122", ["1"]), ("since=1h", ["1"]),
                ("subscriber=alice&state=closed", ["3"]), ("framed_ipv4[within]=100.64.0.0/10", ["3", "1"]),
            ]
            for (query, ids) in expectations {
                let reply = try await fixture.get("/api/v1/sessions?" + query)
                #expect(reply.column("id") == ids, "\(query) \(reply.text)")
            }
            #expect(try await fixture.get("/api/v1/sessions?mac=aabb").faults == ["mac mac"])
            let one = try await fixture.get("/api/v1/sessions/1")
            #expect(one["mac"] == "aa:bb:cc:00:11:22")
            #expect(one["download_octets"] == .number("9007199254740993"))
            #expect(one["nas"] == "core1")
            #expect(one["state"] == "open")
            #expect(try await fixture.get("/api/v1/sessions/2")["mac"] == .null)
            #expect(try await fixture.get("/api/v1/sessions/1", tenant: "south").status == 404)
        }
    }

    @Test func readsTheLogAndTheUsage() async throws {
        try await AdminFixture.run { fixture in
            try await Self.fill(fixture)
            #expect(try await fixture.get("/api/v1/auth-log").column("username") == ["eve", "alice", "alice"])
            #expect(try await fixture.get("/api/v1/auth-log?outcome=reject&user=alice").column("reason") == ["wrong password"])
            #expect(try await fixture.get("/api/v1/auth-log?since=2026-01-01T12:00:00%2B02:00&nas=core1").rows.count == 2)
            #expect(try await fixture.get("/api/v1/auth-log?reason[contains]=UNKNOWN").column("username") == ["eve"])
            let first = try await fixture.get("/api/v1/auth-log?limit=2")
            let second = try await fixture.get("/api/v1/auth-log?limit=2&cursor=" + (first["page"]?["next"]?.text ?? ""))
            #expect(second.column("outcome") == ["accept"])
            let usage = try await fixture.get("/api/v1/usage?subscriber=alice&limit=1")
            #expect(usage.column("day") == ["2026-01-02"])
            #expect(usage.rows[0]["id"] == nil)
            let older = try await fixture.get("/api/v1/usage?subscriber=alice&limit=1&cursor=" + (usage["page"]?["next"]?.text ?? ""))
            #expect(older.column("download_octets") == ["5"])
            #expect(try await fixture.get("/api/v1/usage?since=2026-01-02").rows.count == 1)
            #expect(try await fixture.post("/api/v1/auth-log", [:]).status == 405)
        }
    }

    @Test func asksTheNetworkSide() async throws {
        try await AdminFixture.run { fixture in
            try await Self.fill(fixture)
            _ = try await fixture.post("/api/v1/profiles", ["name": "gold"])
            let north = try #require(try await fixture.sql("SELECT id::text FROM tenancy.tenant WHERE name = 'north'"))
            let profile = try #require(try await fixture.sql("SELECT id::text FROM aaa.profile"))
            #expect(try await fixture.post("/api/v1/sessions/1/disconnect").json == ["outcome": "ack"])
            #expect(try await fixture.post("/api/v1/sessions/1/coa").status == 200)
            #expect(try await fixture.post("/api/v1/subscribers/alice/disconnect")["sessions"]?[0]?["outcome"]?["outcome"] == "ack")
            #expect(try await fixture.post("/api/v1/subscribers/alice/explain?nas=core1").status == 200)
            #expect(try await fixture.post("/api/v1/profiles/gold/apply").status == 200)
            let changed = try await fixture.patch("/api/v1/profiles/gold?apply=true", ["download": "5M"])
            #expect(changed["applied"] == ["outcome": "ack"])
            #expect(changed["download"] == 5_000_000)
            #expect(
                fixture.services.calls == [
                    "disconnect \(north) 1 operator", "coa \(north) 1 operator", "disconnect \(north) 1 operator",
                    "explain \(north) alice core1",
                    "apply \(north) \(profile) operator", "apply \(north) \(profile) operator",
                ])
            #expect(try await fixture.post("/api/v1/sessions/77/disconnect").status == 404)
            #expect(try await fixture.post("/api/v1/sessions/1/disconnect", tenant: "south").status == 404)
            #expect(fixture.services.calls.count == 6)
        }
    }

    @Test func tellsWhyTheNetworkSideDidNot() async throws {
        try await AdminFixture.run { fixture in
            try await Self.fill(fixture)
            let expectations: [(ServiceFailure, Int, String)] = [
                (.notFound("the session"), 404, "not_found"), (.conflict("closed"), 409, "conflict"),
                (.unavailable("no socket"), 503, "unavailable"),
                (.refused("no CoA"), 422, "refused"),
            ]
            for (failure, status, code) in expectations {
                fixture.services.fail(with: failure)
                let reply = try await fixture.post("/api/v1/sessions/1/coa")
                #expect(reply.status == status)
                #expect(reply.code == code)
            }
            let several = try await fixture.post("/api/v1/subscribers/alice/disconnect")
            #expect(several.status == 200)
            #expect(several["sessions"]?[0]?["error"]?["code"] == "refused")
        }
    }
}
