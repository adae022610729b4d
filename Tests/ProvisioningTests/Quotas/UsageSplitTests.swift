import Support
import Testing

@testable import Provisioning

/// A growth over midnight is shared out by time (business rule F-2), and the parts are the whole (F-1).
@Suite struct UsageSplitTests {
    private static func split(
        _ bench: AccountingBench, _ since: String, _ until: String, up: Int64, down: Int64, trusted: Int = 1800, edges: String = "",
        zone: String
    ) async throws -> [String] {
        try await bench.texts(
            """
            SELECT concat_ws('|', day, up, down, is_estimated)
            FROM aaa.split_usage('\(since)', '\(until)', \(up), \(down), false, \(trusted), '{\(edges)}', '\(zone)')
            """)
    }

    @Test func aQuarterBeforeMidnightIsAQuarterOfTheDay() async throws {
        try await AccountingBench.run { bench in
            let parts = try await Self.split(
                bench, "2026-03-31 21:55Z", "2026-03-31 22:15Z", up: 1000, down: 7, edges: "2026-04-01", zone: "Europe/Berlin")
            #expect(parts == ["2026-03-31|250|1|f", "2026-04-01|750|6|f"])
        }
    }

    @Test func whatEndsAtMidnightBelongsToTheDayThatEnds() async throws {
        try await AccountingBench.run { bench in
            let before = try await Self.split(bench, "2026-03-31 21:50Z", "2026-03-31 22:00Z", up: 9, down: 8, zone: "Europe/Berlin")
            #expect(before == ["2026-03-31|9|8|f"])
            let after = try await Self.split(bench, "2026-03-31 22:00Z", "2026-03-31 22:10Z", up: 9, down: 8, zone: "Europe/Berlin")
            #expect(after == ["2026-04-01|9|8|f"])
        }
    }

    /// Clocks go forward on 29 March: that day has 23 hours, of which 22 h 30 min are silence here.
    @Test func aDayOf23HoursHasAShareOf23Hours() async throws {
        try await AccountingBench.run { bench in
            let parts = try await Self.split(
                bench, "2026-03-28 22:00Z", "2026-03-30 22:00Z", up: 4800, down: 0, trusted: 200_000, zone: "Europe/Berlin")
            #expect(parts == ["2026-03-28|100|0|f", "2026-03-29|2300|0|f", "2026-03-30|2400|0|f"])
        }
    }

    @Test func aLongSilenceOverTheEdgeOfAWindowIsAnEstimate() async throws {
        try await AccountingBench.run { bench in
            let over = try await Self.split(
                bench, "2026-03-31 20:00Z", "2026-04-01 02:00Z", up: 60, down: 0, edges: "2026-04-01,2026-05-01", zone: "UTC")
            #expect(over == ["2026-03-31|40|0|t", "2026-04-01|20|0|t"])
            // Over a midnight within the window nothing is in doubt.
            let within = try await Self.split(
                bench, "2026-03-30 20:00Z", "2026-03-31 02:00Z", up: 60, down: 0, edges: "2026-04-01,2026-03-01", zone: "UTC")
            #expect(within == ["2026-03-30|40|0|f", "2026-03-31|20|0|f"])
        }
    }

    @Test(arguments: ["Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Asia/Kathmandu", "UTC"])
    func thePartsAddUpToTheWhole(zone: String) async throws {
        try await AccountingBench.run { bench in
            // Times around two changes of clocks each, lengths of up to 5 days, octets of up to 2^53; the seed makes it the same each time.
            let faults = try await bench.texts(
                """
                WITH seed AS MATERIALIZED (SELECT setseed(0.42)), g AS MATERIALIZED (
                    SELECT '2018-01-01'::timestamptz + random() * interval '9 years' AS since, random() * interval '5 days' AS length,
                        (random() * 9007199254740992)::bigint AS up, (random() * 1000)::bigint AS down
                    FROM seed, generate_series(1, 2000)
                ), p AS (
                    SELECT g.*, (SELECT array_agg(s ORDER BY s.day) FROM aaa.split_usage(
                        since, since + length, up, down, false, 60, '{}', '\(zone)') s) AS parts FROM g
                )
                SELECT concat_ws(' ', since, length, up, down) FROM p
                WHERE (SELECT sum(x.up) FROM unnest(parts) AS x(day date, up bigint, down bigint, e boolean)) <> up
                    OR (SELECT sum(x.down) FROM unnest(parts) AS x(day date, up bigint, down bigint, e boolean)) <> down
                    OR (SELECT min(least(x.up, x.down)) FROM unnest(parts) AS x(day date, up bigint, down bigint, e boolean)) < 0
                    OR (SELECT max(x.day) FROM unnest(parts) AS x(day date, up bigint, down bigint, e boolean))
                        <> aaa.local_day(since + length - interval '1 microsecond', '\(zone)')
                LIMIT 5
                """)
            #expect(faults.isEmpty, "\(faults)")
        }
    }
}
