import Database
import Support
import Testing

@testable import Provisioning

/// What a state begins with: what was stored of the window before it was counted.
@Suite struct QuotaBeginTests {
    /// Reading everybody's usage for each who begins took a fifth of a second with 600,000 days.
    @Test func beginningReadsTheSubscribersOwnUsageOnly() async throws {
        try await QuotaDesk.run { desk in
            let (tenant, alice) = (desk.bench.tenant, desk.alice)
            try await desk.bench.execute(
                """
                INSERT INTO aaa.usage_day (tenant_id, subscriber_id, day, upload_octets, download_octets)
                SELECT \(tenant), \(alice) + n, '2026-03-01'::date - n % 30, 1, 2 FROM generate_series(0, 20000) n
                """)
            try await desk.bench.pool.run { try $0.script("ANALYZE aaa.usage_day") }
            let read = try await desk.bench.pool.transaction(.system) { connection in
                try connection.query("SELECT aaa.settle_quota(\(alice), to_timestamp(\(QuotaDesk.instant(0))))") { _ in }
                return try connection.queryOne(
                    "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relid = 'aaa.usage_day'::regclass")?.int64(0)
            }
            #expect(read == 0)
            #expect(try await desk.state() == "3/1000 none")
        }
    }

    /// A session of a hundred days, whose first record that anybody saw comes at noon of the window's first day: half a day of it counts,
    /// and is in doubt (F-5).
    @Test func theFirstRecordOfAnOldSessionIsSharedOutByTime() async throws {
        try await QuotaDesk.run("100 notify, 100 block") { desk in
            let opening = AccountingPacket(3, event: 0, seconds: 100 * 86_400, upload: 0, download: 5000)
            try await desk.use([opening], at: 0)
            #expect(try await desk.state() == "25/1000 none")
            #expect(try await desk.bench.number("SELECT estimated_octets FROM aaa.quota_state") == 25)
            #expect(try await desk.bench.number("SELECT sum(download_octets) FROM aaa.quota_day") == 5000)
        }
    }

    @Test func aLongerWindowHasTheDaysBeforeCountingBegan() async throws {
        try await QuotaDesk.run("100 block", period: "day") { desk in
            let day: Int64 = 1440
            try await desk.bench.execute("UPDATE aaa.profile SET quota_id = NULL")
            try await desk.use([desk.interim(10, download: 700)], at: 10)
            try await desk.bench.execute("UPDATE aaa.profile SET quota_id = \(desk.quota) WHERE id = \(desk.home)")
            try await desk.use([AccountingPacket(1, session: "s2", event: 2 * 86_400)], at: 2 * day)
            let later = AccountingPacket(3, session: "s2", event: 2 * 86_400 + 600, seconds: 600, upload: 0, download: 200)
            try await desk.use([later], at: 2 * day + 10)
            #expect(try await desk.state() == "200/1000 none")
            try await desk.bench.execute("UPDATE aaa.quota SET period = 'rolling', days = 7, version = version + 1")
            try await desk.settle(at: 2 * day + 20)
            #expect(try await desk.state() == "900/1000 none")
            // What was counted by days stays as it was counted.
            try await desk.bench.execute("UPDATE aaa.quota SET days = 30, version = version + 1")
            try await desk.settle(at: 2 * day + 30)
            #expect(try await desk.state() == "900/1000 none")
        }
    }

    /// No record need come; only who is online can be restricted in the middle of a session.
    @Test(arguments: [
        "aaa.subscriber SET quota_id = $", "aaa.profile SET quota_id = $ WHERE name = 'home'", "aaa.quota SET enabled = true",
    ])
    func aQuotaThatIsGivenHoldsAtOnce(change: String) async throws {
        try await QuotaDesk.run("100 block", more: "enabled = false") { desk in
            if !change.contains("enabled") {
                try await desk.bench.execute("UPDATE aaa.profile SET quota_id = NULL")
                try await desk.bench.execute("UPDATE aaa.quota SET enabled = true")
            }
            try await desk.use([desk.interim(10, download: 1500)], at: 10)
            #expect(try await desk.state() == "none")
            try await desk.bench.execute("UPDATE \(change.replacing("$", with: "\(desk.quota)"))")
            try await desk.settle(at: 11)
            #expect(try await desk.state() == "1500/1000 block")
        }
    }

    @Test func theReportSaysWhatWasUsedBeforeCountingBegan() async throws {
        try await QuotaDesk.run("100 block", more: "enabled = false") { desk in
            try await desk.use([desk.interim(10, download: 600, upload: 150)], at: 10)
            try await desk.bench.execute("UPDATE aaa.quota SET enabled = true")
            let report = "aaa.quota_report(\(desk.alice), to_timestamp(\(QuotaDesk.instant(11))))"
            let shown = try await desk.bench.texts("SELECT (r ->> 'used') || ' ' || (r ->> 'percent') FROM \(report) r")
            #expect(shown == ["750 75"])
        }
    }
}
