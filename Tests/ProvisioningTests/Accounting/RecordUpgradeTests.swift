import Database
import Support
import Testing

/// A database whose records stand in a row each becomes one of blocks.
@Suite struct RecordUpgradeTests {
    /// 1,200 records, of two tenants, on two days, by two nodes, some without session, subscriber or time, and some with a packet.
    private static let fill = """
        INSERT INTO aaa.accounting_record
        SELECT 1 + i % 2, 'node' || i / 2 % 2, i / 4, '2026-03-01 23:59:59Z'::timestamptz + (i - 600) * interval '1.000001 s',
            '2026-03-01'::timestamptz + i * interval '1 us', i % 5, CASE WHEN i % 50 > 0 THEN i % 130 END, CASE WHEN i % 3 > 0 THEN i END,
            i % 4, CASE WHEN i % 4 > 1 THEN i * 5 END, i * 1000003::bigint, 9223372036854775807 - i,
            CASE WHEN i % 400 = 9 THEN decode('0400' || repeat('ff', 4000), 'hex') END
        FROM generate_series(0, 1199) i
        """

    @Test func everyRecordMovesAndWhoCouldReadStillCan() async throws {
        let configuration = try await PostgresFixture.freshDatabase(migrated: false)
        let former = try FormerMigrations(before: "accounting_blocks")
        defer { former.remove() }
        try await Migrator(directory: former.directory).migrate(configuration)
        let pool = try Pool(configuration: configuration, logger: AccountingBench.quiet)
        defer { pool.shutdown() }
        try await pool.run { connection in
            try connection.script("SELECT aaa.ensure_partitions('accounting_record', 'day', '2026-03-01', '2026-03-02')")
            try connection.script("GRANT SELECT ON aaa.accounting_record TO pg_monitor")
        }
        try await pool.transaction(.system) { _ = try $0.execute(Self.fill) }
        let before = try await content(pool)
        try await Migrator(directory: PostgresFixture.migrationsDirectory).migrate(configuration)
        let after = try await content(pool)
        #expect(before.map(\.count) == [1200, 600, 600])
        #expect(after == before)
        let description = try await texts(
            pool,
            """
            SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = 'aaa.accounting_record'::regclass AND attnum > 0
            """)
        #expect(
            description == [
                "tenant_id bigint, node_id text, sequence bigint, received_at timestamp with time zone, event_at timestamp with time zone, "
                    + "nas_id bigint, session_id bigint, subscriber_id bigint, status integer, session_seconds bigint, upload_octets bigint, "
                    + "download_octets bigint, packet bytea"
            ])
        let blocks = try await texts(
            pool,
            """
            SELECT concat_ws('|', tableoid::regclass, sum(cardinality(sequences)), count(packet), max(cardinality(sequences)) <= 96,
                bool_and(packet IS NULL OR cardinality(sequences) = 1)) FROM aaa.accounting_block GROUP BY tableoid ORDER BY 1
            """)
        #expect(blocks == ["aaa.accounting_block_20260301|601|2|t|t", "aaa.accounting_block_20260302|599|1|t|t"])
        #expect(try await texts(pool, "SELECT count(*) FROM aaa.records_of_session(77)") == ["9"])
        for table in ["accounting_record", "accounting_block", "accounting_block_record"] {
            let privilege = "has_table_privilege('pg_monitor', 'aaa.\(table)', 'SELECT')::text"
            #expect(try await texts(pool, "SELECT \(privilege)") == ["true"])
        }
        #expect(try await texts(pool, "SELECT relname FROM pg_class WHERE relname ~ '^accounting_record_'") == [])
    }

    /// All records, and those that each of the two tenants sees.
    private func content(_ pool: Pool) async throws -> [[String]] {
        let question = "SELECT r::text FROM aaa.accounting_record r ORDER BY 1"
        return [
            try await texts(pool, question), try await texts(pool, question, .tenant(1)), try await texts(pool, question, .tenant(2)),
        ]
    }

    private func texts(_ pool: Pool, _ question: String, _ scope: TenantScope = .system) async throws -> [String] {
        try await pool.transaction(scope) { try $0.queryAll(question) { try $0.string(0) } }
    }
}
