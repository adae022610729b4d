import Database
import RadiusCore
import Testing

@testable import Provisioning

/// The index of a day's records by session, which holds a filter for each range of pages.
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
            let question = "SELECT sequence FROM aaa.accounting_record WHERE session_id = 1007777::bigint"
            let plan = try await explain(bench, question)
            #expect(plan.contains("Bitmap Index Scan on accounting_record_20260301_session_id_idx"), "\(plan)")
            let found = try await bench.texts("\(question) ORDER BY 1")
            #expect(found == ["1007777", "1022777", "1037777", "1052777"])
            // Of some 1,100 pages.
            let read = plan.split(separator: "\n").first { $0.contains("Heap Blocks: lossy=") }?.split(separator: "=").last
            let pages = try #require(read.flatMap { Int($0) })
            #expect(pages < 600)
        }
    }

    @Test func aDayWithoutRecordsHasNothingToSummarize() async throws {
        try await AccountingBench.run { bench in
            let made = try await summarize(bench, AccountingBench.noon - 1000 * Self.dayMicroseconds)
            #expect(made == 0)
        }
    }

    /// Four records of each session, far apart.
    private func fill(_ bench: AccountingBench) async throws {
        try await bench.pool.transaction(.system) { connection in
            _ = try connection.execute(
                """
                INSERT INTO aaa.accounting_record_20260301 (tenant_id, node_id, sequence, received_at, event_at, nas_id, session_id, status,
                    upload_octets, download_octets)
                SELECT \(bench.tenant), 'node1', 1000000 + r * \(Self.sessions) + s, '2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z', 1,
                    1000000 + s, 3, 0, 0
                FROM generate_series(0, 3) r, generate_series(0, \(Self.sessions - 1)) s ORDER BY r, s
                """)
        }
    }

    /// PostgreSQL reckons a filter's worth by the order of the column in the table, of which sessions' records have none; so who asks says
    /// that the table is not to be read.
    private func explain(_ bench: AccountingBench, _ question: String) async throws -> String {
        try await bench.pool.transaction(.system) { connection in
            _ = try connection.execute("SET LOCAL enable_seqscan = off")
            return try connection.queryAll("EXPLAIN (ANALYZE, TIMING off, SUMMARY off) \(question)") { try $0.string(0) }
                .joined(separator: "\n")
        }
    }

    private func summarize(_ bench: AccountingBench, _ now: Int64) async throws -> Int64 {
        try await bench.pool.run { try AccountingMaintenance(settings: AccountingBench.settings).summarize($0, nowMicroseconds: now) }
    }
}
