import Database
import RadiusCore
import Testing

@testable import Provisioning

/// The index of a day's records by session, which holds the lowest and the highest session of each range of pages.
@Suite struct RecordIndexTests {
    private static let sessions = 15_000
    private static let dayMicroseconds: Int64 = 86_400_000_000

    @Test func aSessionIsFoundWithoutReadingTheDay() async throws {
        try await AccountingBench.run { bench in
            try await bench.ship([AccountingPacket(1, session: "first", event: 0)])
            try await fill(bench)
            let tomorrow = AccountingBench.noon + Self.dayMicroseconds
            let made = try await summarize(bench, tomorrow)
            let left = try await summarize(bench, tomorrow)
            #expect(made > 10 && left == 0)
            let found = try await bench.texts("SELECT sequence FROM aaa.records_of_session(1007777)")
            #expect(found == ["1007777", "1022777", "1037777", "1052777"])
            let none = try await bench.texts("SELECT sequence FROM aaa.records_of_session(1007777, '2026-03-02')")
            let some = try await bench.texts("SELECT sequence FROM aaa.records_of_session(1007777, '2026-03-01 12:00', '2026-03-01 12:00')")
            #expect(none == [] && some == found)
            let plan = try await explain(bench, "SELECT * FROM aaa.records_of_session(1007777)")
            // The day has some 630 pages; four blocks of them are the session's.
            let read = plan.firstMatch(of: /Buffers: shared hit=(\d+)/)?.output.1
            let pages = try #require(read.flatMap { Int($0) })
            #expect(pages < 200, "\(plan)")
            let whole = try await explain(bench, "SELECT * FROM aaa.accounting_record WHERE session_id = 1007777")
            let all = try #require(whole.firstMatch(of: /Buffers: shared hit=(\d+)/).flatMap { Int($0.output.1) })
            #expect(all > 600, "\(whole)")
        }
    }

    @Test func aDayWithoutRecordsHasNothingToSummarize() async throws {
        try await AccountingBench.run { bench in
            let made = try await summarize(bench, AccountingBench.noon - 1000 * Self.dayMicroseconds)
            #expect(made == 0)
        }
    }

    /// Four records of each session, far apart, in blocks of 96 as four batches leave them.
    private func fill(_ bench: AccountingBench) async throws {
        let same = ["'2026-03-01T12:00:00Z'::timestamptz", "'2026-03-01T12:00:00Z'::timestamptz", "1::bigint"]
            .map { "array_fill(\($0), ARRAY[count(*)::int])" }.joined(separator: ", ")
        try await bench.execute(
            """
            INSERT INTO aaa.accounting_block (tenant_id, node_id, received_at, lowest_session, highest_session, sequences, session_ids,
                received, events, nas_ids, subscriber_ids, statuses, session_seconds, upload_octets, download_octets)
            SELECT \(bench.tenant), 'node1', '2026-03-01T12:00:00Z', 1000000 + min(s), 1000000 + max(s),
                array_agg(1000000 + r * \(Self.sessions) + s ORDER BY s), array_agg(1000000 + s ORDER BY s), \(same),
                array_fill(NULL::bigint, ARRAY[count(*)::int]), array_fill(3, ARRAY[count(*)::int]),
                array_fill(300::bigint, ARRAY[count(*)::int]), array_fill(0::bigint, ARRAY[count(*)::int]),
                array_fill(0::bigint, ARRAY[count(*)::int])
            FROM generate_series(0, 3) r, generate_series(0, \(Self.sessions - 1)) s GROUP BY r, s / 96 ORDER BY r, s / 96
            """)
    }

    /// The second time, when nothing but the question itself is left to be read.
    private func explain(_ bench: AccountingBench, _ question: String) async throws -> String {
        try await bench.pool.transaction(.system) { connection in
            try connection.query(question) { _ in }
            return try connection.queryAll("EXPLAIN (ANALYZE, BUFFERS, TIMING off, SUMMARY off) \(question)") { try $0.string(0) }
                .joined(separator: "\n")
        }
    }

    private func summarize(_ bench: AccountingBench, _ now: Int64) async throws -> Int64 {
        try await bench.pool.run { try AccountingMaintenance(settings: AccountingBench.settings).summarize($0, nowMicroseconds: now) }
    }
}
