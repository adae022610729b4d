import Database
import Support
import Testing

/// A database from before sessions had two rows is taken over whole.
@Suite struct SessionUpgradeTests {
    @Test func openAndClosedSessionsAreAsBefore() async throws {
        let configuration = try await PostgresFixture.freshDatabase(migrated: false)
        let former = try FormerMigrations(before: "session_progress")
        defer { former.remove() }
        try await Migrator(directory: former.directory).migrate(configuration)
        let question = """
            SELECT concat_ws('|', id, tenant_id, nas_id, encode(session_key, 'hex'), subscriber_id, username, acct_session_id, framed_ipv4,
                started_at, updated_at, coalesce(stopped_at::text, '-'), coalesce(ended_by, '-'), coalesce(terminate_cause, '-'),
                session_seconds, upload_octets, download_octets, encode(fold, 'hex'), booked_day, booked_upload, booked_seconds)
            FROM aaa.session ORDER BY id
            """
        let used = "SELECT concat_ws('|', tenant_id, subscriber_id, day, upload_octets, download_octets) FROM aaa.usage ORDER BY 1"
        let before = try await withConnection(configuration) { connection in
            try connection.transaction(.system) { connection in
                try connection.script(Self.rows)
                return try connection.queryAll(question) { try $0.string(0) } + connection.queryAll(used) { try $0.string(0) }
            }
        }
        try await Migrator(directory: PostgresFixture.migrationsDirectory).migrate(configuration)
        let (after, progress) = try await withConnection(configuration) { connection in
            try connection.transaction(.system) { connection in
                (
                    try connection.queryAll(question) { try $0.string(0) } + connection.queryAll(used) { try $0.string(0) },
                    try connection.queryAll("SELECT id FROM aaa.session_progress ORDER BY id") { try $0.int64(0) }
                )
            }
        }
        #expect(before.count == 7)
        #expect(after == before)
        // Only what ended needs a second row.
        #expect(progress == [2, 4])
    }

    private static let rows = """
        INSERT INTO aaa.session (id, tenant_id, nas_id, session_key, subscriber_id, username, acct_session_id, framed_ipv4, started_at, updated_at,
            stopped_at, ended_by, terminate_cause, session_seconds, upload_octets, download_octets, fold, booked_day, booked_upload)
        VALUES
            (1, 1, 7, '\\x01', 11, 'alice', 'a', '100.64.0.1', '2026-03-01 10:00Z', '2026-03-01 11:00Z', NULL, NULL, NULL, 3600, 7, 9007199254740993,
                '\\x0102', '2026-03-01', 2),
            (2, 1, 7, '\\x02', 12, 'bob', 'b', NULL, '2026-03-01 10:00Z', '2026-03-01 11:00Z', '2026-03-01 11:00Z', 'stop', 'User-Request', 3600, 8, 9,
                '\\x03', '2026-03-01', 0),
            (3, 2, 8, '\\x01', NULL, '', 'c', NULL, '2026-03-01 10:00Z', '2026-03-01 10:00Z', NULL, NULL, NULL, 0, 0, 0, '', NULL, 0),
            (4, 2, 8, '\\x04', 13, 'dora', 'd', NULL, '2026-03-01 10:00Z', '2026-03-01 10:00Z', '2026-03-02 10:00Z', 'ghost', NULL, 1, 2, 3, '\\x05',
                '2026-03-02', 0);
        """
}
