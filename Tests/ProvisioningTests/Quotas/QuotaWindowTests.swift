import Support
import Testing

@testable import Provisioning

/// Which days a window has, and when they begin (business rule F-2).
@Suite struct QuotaWindowTests {
    /// The window that has `today` must be `expected`, its first day and the one behind it.
    private static func expect(
        _ bench: AccountingBench, _ today: String, _ period: String, weekday: Int = 1, anchor: Int = 1, days: Int = 30, is expected: String
    ) async throws {
        let found = try await bench.texts(
            """
            SELECT first_day || ' ' || end_day FROM aaa.quota_window('\(period)', \(weekday), \(anchor), \(days), '\(today)')
            """)
        #expect(found == [expected], "\(today)")
    }

    @Test func windowsAreTheDaysThatACalendarSays() async throws {
        try await AccountingBench.run { bench in
            // 2026-03-11 is a Wednesday.
            try await Self.expect(bench, "2026-03-11", "day", is: "2026-03-11 2026-03-12")
            try await Self.expect(bench, "2026-03-11", "week", is: "2026-03-09 2026-03-16")
            try await Self.expect(bench, "2026-03-11", "week", weekday: 7, is: "2026-03-08 2026-03-15")
            try await Self.expect(bench, "2026-03-11", "week", weekday: 3, is: "2026-03-11 2026-03-18")
            try await Self.expect(bench, "2026-12-31", "month", is: "2026-12-01 2027-01-01")
            try await Self.expect(bench, "2026-03-11", "rolling", days: 30, is: "2026-02-10 2026-03-12")
            try await Self.expect(bench, "2026-03-11", "cycle", anchor: 11, is: "2026-03-11 2026-04-11")
            try await Self.expect(bench, "2026-03-10", "cycle", anchor: 11, is: "2026-02-11 2026-03-11")
            // Shorter months begin the cycle on their last day, and the month after goes back to the anchor.
            try await Self.expect(bench, "2026-02-28", "cycle", anchor: 31, is: "2026-02-28 2026-03-31")
            try await Self.expect(bench, "2028-02-28", "cycle", anchor: 30, is: "2028-01-30 2028-02-29")
            try await Self.expect(bench, "2026-03-30", "cycle", anchor: 31, is: "2026-02-28 2026-03-31")
            try await Self.expect(bench, "2026-01-05", "cycle", anchor: 6, is: "2025-12-06 2026-01-06")
        }
    }

    /// Windows follow each other without gap and overlap, and each day's window holds that day.
    @Test(arguments: ["day", "week", "month", "cycle"])
    func windowsCoverEveryDayOnce(period: String) async throws {
        try await AccountingBench.run { bench in
            let faults = try await bench.texts(
                """
                SELECT d::date || ' ' || a FROM generate_series('2023-12-01'::date, '2028-03-05', '1 day') d, generate_series(1, 31) a,
                    LATERAL aaa.quota_window('\(period)', (a - 1) % 7 + 1, a, 30, d::date) w,
                    LATERAL aaa.quota_window('\(period)', (a - 1) % 7 + 1, a, 30, w.end_day) n,
                    LATERAL aaa.quota_window('\(period)', (a - 1) % 7 + 1, a, 30, w.end_day - 1) l
                WHERE NOT (w.first_day <= d::date AND d::date < w.end_day AND n.first_day = w.end_day AND l = w) LIMIT 5
                """)
            #expect(faults.isEmpty, "\(faults)")
        }
    }

    /// The instants are those of Python's zoneinfo: the first of which the local date is the day.
    @Test(arguments: [
        ("Europe/Berlin", "2026-03-29", "2026-03-28 23:00:00"), ("Europe/Berlin", "2026-03-30", "2026-03-29 22:00:00"),
        ("Europe/Berlin", "2026-10-26", "2026-10-25 23:00:00"),
        // At midnight the clocks went to 01:00: the day began there.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00:00"), ("America/Sao_Paulo", "2018-11-05", "2018-11-05 02:00:00"),
        // At midnight they went back to 23:00 of the day before.
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18 03:00:00"),
        // At 01:00 they went back to 00:00, so that there were two midnights.
        ("America/Havana", "2025-11-02", "2025-11-02 04:00:00"), ("America/Havana", "2025-11-03", "2025-11-03 05:00:00"),
        ("Asia/Kathmandu", "2026-01-01", "2025-12-31 18:15:00"), ("Mars/Olympus", "2026-01-01", "2026-01-01 00:00:00"),
    ])
    func aDayBeginsAtItsFirstInstant(zone: String, day: String, instant: String) async throws {
        try await AccountingBench.run { bench in
            let start = "aaa.day_start('\(day)', '\(zone)') AT TIME ZONE 'UTC'"
            let begins = try await bench.texts("SELECT to_char(\(start), 'YYYY-MM-DD HH24:MI:SS')")
            #expect(begins == [instant])
        }
    }

    @Test(arguments: ["Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"])
    func everyDayBeginsWhereTheOneBeforeEnds(zone: String) async throws {
        try await AccountingBench.run { bench in
            let faults = try await bench.texts(
                """
                SELECT d::date FROM generate_series('2005-01-01'::date, '2026-12-31', '1 day') d,
                    LATERAL aaa.day_start(d::date, '\(zone)') s
                WHERE aaa.local_day(s - interval '1 microsecond', '\(zone)') >= d::date
                    -- Samoa left 2011-12-30 out.
                    OR aaa.local_day(s, '\(zone)') <> d::date AND NOT ('\(zone)' = 'Pacific/Apia' AND d::date = '2011-12-30')
                """)
            #expect(faults.isEmpty, "\(faults)")
        }
    }
}
