import Admin
import Database
import Testing

@Suite struct WriteTests {
    @Test func namesAllFaultsAtOnce() async throws {
        try await AdminFixture.run { fixture in
            let reply = try await fixture.post(
                "/api/v1/subscribers",
                [
                    "username": " bob ", "password": "a", "password_nt": "xyz", "status": "nice", "profile": "none",
                    "static_ipv4": "2001:db8::1",
                    "ipv6_prefix": "2001:db8::1/48", "vlan": 5000, "routes": ["10.0.0.0/8", "x"],
                    "attributes": [["name": "Nope", "value": "1"]], "id": 5, "colour": "red", "created_at": "2026-01-01", "notes": 7,
                ])
            #expect(reply.status == 422)
            #expect(
                reply.faults == [
                    "/attributes/0 attribute", "/colour unknown", "/created_at read_only", "/id read_only", "/ipv6_prefix prefix",
                    "/notes type",
                    "/password_nt length", "/profile not_found", "/routes/1 format", "/static_ipv4 family", "/status choice",
                    "/username format",
                    "/vlan range",
                ])
            #expect(try await fixture.sql("SELECT count(*)::text FROM aaa.subscriber") == "0")
        }
    }

    @Test func refusesNamesWithBlanksAroundThemAndZonesThatThereAreNot() async throws {
        try await AdminFixture.run { fixture in
            for name in ["  fair", "fair ", "\u{a0}fair"] {
                let refused = try await fixture.post("/api/v1/quotas", ["name": .string(name), "octets": "5G"])
                #expect(refused.faults == ["/name format"], "\(refused.text)")
            }
            #expect(try await fixture.post("/api/v1/quotas", ["name": "fair use", "octets": "5G"]).status == 201)
            let made = try await fixture.post("/api/v1/tenants", ["name": "west", "time_zone": "Europe/Kiew"])
            #expect(made.faults == ["/time_zone format"], "\(made.text)")
            let changed = try await fixture.patch("/api/v1/tenants/north", ["time_zone": "UTC+5"])
            #expect(changed.faults == ["/time_zone format"], "\(changed.text)")
        }
    }

    @Test(arguments: [("rule", "x"), ("null", "x"), ("default", "x"), ("suffix", "")])
    func namesTheRealmThatItsKindDoesNotHave(kind: String, realm: String) async throws {
        try await AdminFixture.run { fixture in
            let refused = try await fixture.post("/api/v1/realms", ["name": "r", "kind": .string(kind), "realm": .string(realm)])
            #expect(refused.faults == ["/realm kind"], "\(refused.text)")
        }
    }

    @Test func tellsWhichValueIsTaken() async throws {
        try await AdminFixture.run { fixture in
            _ = try await fixture.post("/api/v1/nas", ["name": "core1", "address": "192.0.2.0/24", "secret": "s"])
            let sameName = try await fixture.post("/api/v1/nas", ["name": "core1", "address": "192.0.3.0/24", "secret": "s"])
            #expect(sameName.status == 409)
            #expect(sameName.faults == ["/name unique"])
            let sameAddress = try await fixture.post(
                "/api/v1/nas", ["name": "core2", "address": "192.0.2.0/24", "secret": "s"], tenant: "south")
            #expect(sameAddress.faults == ["/address unique"])
            #expect(!sameAddress.text.contains("core1"))
            #expect(sameAddress.status == 409 && sameAddress["detail"]?.text?.contains("nas_identifier") == true, "\(sameAddress.text)")
            // NAS-Identifier tells several at one address apart, whatever their tenants.
            let second: JSON = ["name": "core2", "address": "192.0.2.0/24", "nas_identifier": "ap-2", "secret": "s"]
            #expect(try await fixture.post("/api/v1/nas", second, tenant: "south").status == 201)
            let third: JSON = ["name": "core3", "address": "192.0.2.0/24", "nas_identifier": "ap-2", "secret": "s"]
            #expect(try await fixture.post("/api/v1/nas", third).faults == ["/address unique"])
            _ = try await fixture.post("/api/v1/subscribers", ["username": "alice"])
            let lock: JSON = ["subscriber": "alice", "reason": "fraud", "level": "captive"]
            #expect(try await fixture.post("/api/v1/locks", lock).status == 201)
            // Neither value is taken by itself, so no member is blamed.
            let again = try await fixture.post("/api/v1/locks", lock)
            #expect(again.status == 409 && again.faults.isEmpty, "\(again.text)")
            #expect(again["detail"]?.text == "there is another lock with this subscriber and reason", "\(again.text)")
        }
    }

    /// PostgreSQL ends the connection while it stores, or while it takes the change over for good.
    @Test(arguments: [(false, "unavailable"), (true, "outcome_unknown")])
    func aConnectionLostOnTheWayTellsWhetherItMayHaveBeenDone(isDeferred: Bool, code: String) async throws {
        try await AdminFixture.run { fixture in
            let rest = isDeferred ? "DEFERRABLE INITIALLY DEFERRED" : ""
            try await fixture.pool.run { connection in
                try connection.script(
                    """
                    CREATE FUNCTION aaa.hang_up() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
                    BEGIN
                        PERFORM pg_terminate_backend(pg_backend_pid());
                        PERFORM pg_sleep(60);
                        RETURN NULL;
                    END $$;
                    CREATE CONSTRAINT TRIGGER hang_up AFTER INSERT ON aaa.profile \(rest) FOR EACH ROW EXECUTE FUNCTION aaa.hang_up()
                    """)
            }
            let reply = try await fixture.post("/api/v1/profiles", ["name": "home"])
            #expect(reply.status == 503 && reply.code == code, "\(reply.text)")
            #expect((reply.header("retry-after") == nil) == isDeferred)
            #expect(try await fixture.sql("SELECT count(*)::text FROM aaa.profile") == "0")
        }
    }

    @Test func keepsWhatIsInUse() async throws {
        try await AdminFixture.run { fixture in
            _ = try await fixture.post("/api/v1/profiles", ["name": "home"])
            _ = try await fixture.post("/api/v1/subscribers", ["username": "alice", "profile": "home"])
            let reply = try await fixture.delete("/api/v1/profiles/home")
            #expect(reply.status == 409)
            #expect(reply["detail"]?.text?.contains("subscriber") == true)
            #expect(try await fixture.delete("/api/v1/tenants/north").status == 409)
        }
    }

    @Test func letsOneOfTwoWritersWin() async throws {
        try await AdminFixture.run { fixture in
            let made = try await fixture.post("/api/v1/subscribers", ["username": "alice"])
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<8 {
                    group.addTask {
                        try await fixture.patch("/api/v1/subscribers/alice", ["notes": .string("\(index)")], match: made.etag).status
                    }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.sorted() == [200] + [Int](repeating: 412, count: 7))
            let stale = try await fixture.patch("/api/v1/subscribers/alice", ["notes": "x"], match: "\"1\"")
            #expect(stale.etag == "\"2\"")
            #expect(try await fixture.patch("/api/v1/subscribers/alice", ["notes": "x"], match: nil).status == 428)
            #expect(try await fixture.delete("/api/v1/subscribers/alice", match: nil).status == 428)
            #expect(try await fixture.delete("/api/v1/subscribers/alice", match: " , ").status == 428)
            #expect(try await fixture.delete("/api/v1/subscribers/alice", match: "W/\"2\"").status == 412)
            #expect(try await fixture.delete("/api/v1/subscribers/alice", match: "\"1\"").status == 412)
        }
    }

    @Test func doesARepeatedRequestOnce() async throws {
        try await AdminFixture.run { fixture in
            let headers = [(name: "Idempotency-Key", value: "k1")]
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<50 {
                    group.addTask { try await fixture.post("/api/v1/profiles", ["name": "home", "download": "1G"], headers: headers) }
                }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(Set(replies.map(\.status)) == [201])
            #expect(Set(replies.map(\.text)).count == 1)
            #expect(replies.filter { $0.header("idempotency-replayed") == "true" }.count == 49)
            #expect(Set(replies.compactMap { $0.header("location") }).count == 1)
            #expect(try await fixture.sql("SELECT count(*)::text FROM aaa.profile") == "1")
            let other = try await fixture.post("/api/v1/profiles", ["name": "office"], headers: headers)
            #expect(other.status == 422)
            #expect(other.code == "idempotency_key_reused")
            let failing = [(name: "Idempotency-Key", value: "k2")]
            #expect(try await fixture.post("/api/v1/profiles", ["name": "home"], headers: failing).status == 409)
            #expect(try await fixture.post("/api/v1/profiles", ["name": "shop"], headers: failing).status == 201)
        }
    }

    @Test func rehearsesWithoutATrace() async throws {
        try await AdminFixture.run { fixture in
            _ = try await fixture.post("/api/v1/profiles", ["name": "home", "download": 5])
            let tables = ["aaa.profile", "lastmile.audit", "aaa.change", "lastmile.idempotency_key"]
            let sums = tables.map { "(SELECT coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') FROM \($0) t)" }.joined(
                separator: " || ")
            let before = try await fixture.sql("SELECT \(sums)")
            let created = try await fixture.post("/api/v1/profiles?dry_run=true", ["name": "x"], headers: [("Idempotency-Key", "k")])
            #expect(created.status == 200)
            #expect(created["dry_run"] == true)
            #expect(created["before"] == .null)
            #expect(created["after"]?["name"] == "x" && created["after"]?["download"] != nil)
            // What is made afterwards gets another.
            #expect(created["after"]?["id"] == nil)
            let changed = try await fixture.patch("/api/v1/profiles/home?dry_run=true", ["download": "5k"])
            #expect(changed["before"]?["download"] == 5)
            #expect(changed["after"]?["download"] == 5000)
            #expect(try await fixture.delete("/api/v1/profiles/home?dry_run=true")["after"] == .null)
            #expect(try await fixture.post("/api/v1/profiles?dry_run=perhaps", ["name": "x"]).faults == ["dry_run type"])
            #expect(try await fixture.sql("SELECT \(sums)") == before)
        }
    }

    @Test func patchesAsRFC7396Says() async throws {
        try await AdminFixture.run { fixture in
            _ = try await fixture.post("/api/v1/profiles", ["name": "home", "download": 5, "priority": 3, "filters": ["a"]])
            let unchanged = try await fixture.patch("/api/v1/profiles/home", [:])
            #expect(unchanged["version"] == 1)
            let reply = try await fixture.patch("/api/v1/profiles/home", ["download": .null, "priority": .null, "filters": ["b", "c"]])
            #expect(reply["download"] == 0)
            #expect(reply["priority"] == .null)
            #expect(reply["filters"] == ["b", "c"])
            #expect(reply["version"] == 2)
            #expect(try await fixture.patch("/api/v1/profiles/home", ["name": .null]).faults == ["/name required"])
            #expect(try await fixture.patch("/api/v1/profiles/home", ["version": 9]).faults == ["/version read_only"])
            #expect(try await fixture.patch("/api/v1/profiles/home", [1, 2]).status == 422)
        }
    }

    @Test func keepsOneAccessPolicyPerTenant() async throws {
        try await AdminFixture.run { fixture in
            let read = try await fixture.get("/api/v1/access-policy")
            #expect(read["interim_interval"] == 600)
            #expect(read.etag == "\"1\"")
            _ = try await fixture.post("/api/v1/profiles", ["name": "walled"])
            let changed = try await fixture.patch(
                "/api/v1/access-policy", ["walled_garden_profile": "walled", "interim_interval": 300], match: read.etag)
            #expect(changed.status == 200, "\(changed.text)")
            #expect(changed["walled_garden_profile"] == "walled")
            #expect(try await fixture.get("/api/v1/access-policy", tenant: "south")["interim_interval"] == 600)
            #expect(try await fixture.delete("/api/v1/access-policy").status == 405)
        }
    }

    @Test func writesDownEveryChange() async throws {
        try await AdminFixture.run { fixture in
            let made = try await fixture.send(
                "POST", "/api/v1/profiles", JSON.object([.init("name", "home")]).bytes, headers: [("X-Request-Id", "req-1")])
            _ = try await fixture.patch("/api/v1/profiles/home", ["download": 7])
            _ = try await fixture.delete("/api/v1/profiles/home")
            let records = try await fixture.get("/api/v1/audit?resource=profile&resource_id=\(made.id)&sort=id").rows
            #expect(records.map { $0["action"] } == ["create", "update", "delete"])
            #expect(records.map { $0["actor"] } == ["operator", "operator", "operator"])
            #expect(records[0]["request_id"] == "req-1")
            #expect(records[0]["before"] == .null)
            #expect(records[1]["before"]?["download"] == 0)
            #expect(records[1]["after"]?["download"] == 7)
            #expect(records[2]["after"] == .null)
            await #expect(throws: (any Error).self) { try await fixture.sql("DELETE FROM lastmile.audit RETURNING id::text") }
        }
    }
}
