import Database
import Support
import Testing

/// An authentication log that is there already takes a new outcome without being read.
@Suite struct AuthLogUpgradeTests {
    @Test func partitionsBeforeAndAfterTakeSilenceAndNothingElseThatIsNew() async throws {
        let configuration = try await PostgresFixture.freshDatabase(migrated: false)
        let former = try FormerMigrations(before: "silence_in_the_auth_log")
        defer { former.remove() }
        try await Migrator(directory: former.directory).migrate(configuration)
        func partition(_ day: String) async throws {
            try await withConnection(configuration) { connection in
                try connection.script("SELECT aaa.ensure_partitions('auth_log', 'day', '\(day) 12:00Z', '\(day) 12:00Z')")
            }
        }
        func log(_ outcome: String, on day: String) async throws {
            try await withConnection(configuration) { connection in
                try connection.transaction(.system) { connection in
                    try connection.script(
                        """
                        INSERT INTO aaa.auth_log (tenant_id, at, username, outcome, reason, method, duration_microseconds)
                        VALUES (1, '\(day) 12:00Z', 'alice', '\(outcome)', 'none', 'pap', 1)
                        """)
                }
            }
        }
        try await partition("2026-03-01")
        try await log("accept", on: "2026-03-01")
        try await Migrator(directory: PostgresFixture.migrationsDirectory).migrate(configuration)
        try await partition("2026-03-02")
        for day in ["2026-03-01", "2026-03-02"] {
            try await log("silence", on: day)
            await #expect {
                try await log("nonsense", on: day)
            } throws: {
                SQLState.checkViolation ~= $0
            }
        }
        let read = try await withConnection(configuration) { connection in
            try connection.queryAll(
                """
                SELECT relname::text FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
                WHERE conname = 'auth_log_outcome_check' AND convalidated ORDER BY 1
                """
            ) { try $0.string(0) }
        }
        // It was empty.
        #expect(read == ["auth_log_20260302"])
    }
}
