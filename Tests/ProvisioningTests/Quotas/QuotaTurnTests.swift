import Database
import RadiusCore
import Support
import Testing

@testable import Provisioning

/// What one turn of the counter does, and in which order.
@Suite struct QuotaTurnTests {
    @Test func reviewsAreDoneInParts() async throws {
        try await QuotaDesk.run("100 block") { desk in
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            try await desk.bench.execute(
                """
                INSERT INTO aaa.quota_review (tenant_id, kind, key)
                SELECT \(desk.bench.tenant), k, CASE k WHEN 'tenant' THEN \(desk.bench.tenant) WHEN 'quota' THEN \(desk.quota)
                    WHEN 'profile' THEN \(desk.home) ELSE \(desk.alice) END
                FROM generate_series(1, 2), unnest(ARRAY['tenant', 'quota', 'profile', 'subscriber']) k
                """)
            var left: [Int64] = []
            var done: [Int64] = []
            for _ in 1...4 {
                done.append(try await desk.round(atMost: 3, at: 11))
                left.append(try await desk.bench.number("SELECT count(*) FROM aaa.quota_review"))
            }
            #expect(left == [5, 2, 0, 0])
            // Three, three and two reviews, and alice's state each time.
            #expect(done == [4, 4, 3, 0])
        }
    }

    @Test(arguments: ["tenant", "quota", "profile", "subscriber"])
    func aReviewReachesWhomItNames(kind: String) async throws {
        try await QuotaDesk.run("100 block") { desk in
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            let keys = ["tenant": desk.bench.tenant, "quota": desk.quota, "profile": desk.home, "subscriber": desk.alice]
            let key = try #require(keys[kind])
            // Of another tenant it names nobody.
            for (tenant, settled) in [(desk.bench.tenant + 1, 0), (desk.bench.tenant, 1)] {
                try await desk.bench.execute(
                    "INSERT INTO aaa.quota_review (tenant_id, kind, key) VALUES (\(tenant), '\(kind)', \(kind == "tenant" ? tenant : key))")
                #expect(try await desk.round(at: 11) == Int64(1 + settled))
            }
        }
    }

    /// Growths of others that come while a state begins stay in the queue until theirs has.
    @Test func whatComesMeanwhileIsCountedLater() async throws {
        try await QuotaDesk.run("100 block") { desk in
            let bob = try await desk.neighbour("bob")
            try await desk.bench.pool.run {
                try $0.script(
                    """
                    CREATE FUNCTION aaa.meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN
                        INSERT INTO aaa.quota_delta (
                            tenant_id, subscriber_id, since, until, upload_octets, download_octets, is_estimated, trusted_seconds)
                        SELECT NEW.tenant_id, \(bob), i, i, 0, 70, false, 1800 FROM to_timestamp(\(QuotaDesk.instant(1))) i
                        WHERE NEW.subscriber_id <> \(bob);
                        RETURN NULL;
                    END
                    $$;
                    CREATE TRIGGER meanwhile AFTER INSERT ON aaa.quota_state FOR EACH ROW EXECUTE FUNCTION aaa.meanwhile()
                    """)
            }
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            #expect(try await desk.state() == "10/1000 none")
            #expect(try await desk.state(of: bob) == "70/1000 none")
        }
    }

    @Test func moreThanOneTurnTakesIsCountedWholly() async throws {
        try await QuotaDesk.run("100 block") { desk in
            let others = [try await desk.neighbour("bob"), try await desk.neighbour("carol")]
            var packets: [AccountingPacket] = []
            for minute in Int64(1)...4 {
                packets.append(desk.interim(minute, download: UInt64(minute) * 100))
                for (place, user) in ["bob", "carol"].enumerated() {
                    packets.append(
                        AccountingPacket(
                            3, session: user, user: user, event: minute * 60, seconds: UInt32(minute * 60), upload: 0,
                            download: UInt64(minute) * UInt64(place + 1)))
                }
            }
            try await desk.bench.ship(packets)
            var left: [Int64] = []
            while try await desk.round(atMost: 5, at: 5) > 0 {
                left.append(try await desk.bench.number("SELECT count(*) FROM aaa.quota_delta"))
            }
            #expect(left == [7, 2, 0])
            #expect(try await desk.state() == "400/1000 none")
            #expect(try await desk.state(of: others[0]) == "4/1000 none")
            #expect(try await desk.state(of: others[1]) == "8/1000 none")
        }
    }

    @Test func twoCountersDoNotCountAtOnce() async throws {
        try await QuotaDesk.run("100 block") { desk in
            try await desk.bench.ship([desk.interim(10, download: 10)])
            let configuration = desk.bench.configuration
            let answer = try await desk.bench.pool.transaction(.system) { connection in
                let other = try Connection.open(configuration)
                defer { other.close() }
                try connection.query("SELECT aaa.take_quota_usage(5000, to_timestamp(\(QuotaDesk.instant(10))))") { _ in }
                return try QuotaService.settle(other)
            }
            #expect(answer == -1)
            #expect(try await desk.state() == "10/1000 none")
        }
    }

    /// Each node asks every ten seconds.
    @Test func whoIsRestrictedIsKnownByAnIndex() async throws {
        try await QuotaDesk.run { desk in
            let plan = try await desk.bench.pool.transaction(.system) { connection in
                try connection.script("SET LOCAL enable_seqscan = off")
                return try connection.queryAll("EXPLAIN " + QuotaService.restricted) { try $0.string(0) }
            }
            #expect(plan.contains { $0.contains("quota_state_restricted") }, "\(plan)")
        }
    }

    @Test func daysAndEventsGoAfterFourHundredDays() async throws {
        try await QuotaDesk.run { desk in
            let (tenant, alice) = (desk.bench.tenant, desk.alice)
            try await desk.bench.execute(
                """
                INSERT INTO aaa.quota_day (tenant_id, subscriber_id, day)
                SELECT \(tenant), n, current_date - CASE n % 2 WHEN 0 THEN 402 ELSE 398 END FROM generate_series(1, 12000) n
                """)
            try await desk.bench.execute(
                """
                INSERT INTO aaa.quota_event (tenant_id, at, subscriber_id, quota_id, action, used_octets, limit_octets, estimated,
                    window_start, window_end)
                SELECT \(tenant), now() - n * interval '1 day', \(alice), \(desk.quota), 'notify', 1, 1, false, now(), now()
                FROM unnest(ARRAY[401, 399]) n
                """)
            let removed = try await desk.bench.pool.run {
                try AccountingMaintenance(settings: AccountingBench.settings).prune($0, nowMicroseconds: WallClock.microseconds)
            }
            #expect(removed == 6001)
            #expect(try await desk.bench.number("SELECT count(*) FROM aaa.quota_day") == 6000)
            #expect(try await desk.bench.number("SELECT count(*) FROM aaa.quota_event") == 1)
        }
    }

    @Test func theRestrictedAreFreedFirst() async throws {
        try await QuotaDesk.run("100 block", period: "day") { desk in
            for name in ["bob", "carol"] {
                _ = try await desk.neighbour(name)
                try await desk.use(
                    [AccountingPacket(3, session: name, user: name, event: 600, seconds: 600, upload: 0, download: 5)], at: 10)
            }
            try await desk.use([desk.interim(10, download: 1500)], at: 10)
            try await desk.bench.execute(
                "UPDATE aaa.quota_state SET due_at = due_at - interval '1 minute' WHERE subscriber_id <> \(desk.alice)")
            #expect(try await desk.round(atMost: 1, at: 720) == 1)
            #expect(try await desk.locks() == [])
            #expect(try await desk.round(atMost: 9, at: 720) == 2)
        }
    }
}
