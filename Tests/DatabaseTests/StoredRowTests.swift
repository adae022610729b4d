import Database
import Support
import Testing

/// What former versions left in the tables becomes what this one would have written.
@Suite struct StoredRowTests {
    /// Answers `question` after an upgrade, from before the migration `name`, of a database with `rows`.
    private func upgraded(from name: String, _ rows: String, _ question: String) async throws -> [String] {
        let configuration = try await PostgresFixture.freshDatabase(migrated: false)
        let former = try FormerMigrations(before: name)
        defer { former.remove() }
        try await Migrator(directory: former.directory).migrate(configuration)
        try await withConnection(configuration) { connection in
            try connection.transaction(.system) { try $0.script(rows) }
        }
        try await Migrator(directory: PostgresFixture.migrationsDirectory).migrate(configuration)
        return try await withConnection(configuration) { connection in
            try connection.transaction(.system) { connection in try connection.queryAll(question) { try $0.string(0) } }
        }
    }

    @Test func aValidityWithoutAnEndBeginsAnew() async throws {
        let rows = try await upgraded(
            from: "ends_that_are_set",
            """
            INSERT INTO tenancy.tenant (name) VALUES ('north');
            INSERT INTO aaa.subscriber (tenant_id, username, validity, activated_at, expires_at)
            SELECT id, v.username, 3600, v.activated_at::timestamptz, v.expires_at::timestamptz
            FROM tenancy.tenant, (VALUES ('ended', '2026-03-01 12:00Z', '2026-03-01 13:00Z'), ('endless', '2026-03-01 12:00Z', NULL),
                ('waiting', NULL, NULL)) v (username, activated_at, expires_at);
            """,
            "SELECT concat_ws('|', username, version, activated_at IS NULL, expires_at IS NULL) FROM aaa.subscriber ORDER BY username")
        #expect(rows == ["ended|1|f|f", "endless|2|t|t", "waiting|1|t|t"])
    }

    @Test func aMappedAddressOfANASIsIPv4WhereNoOtherHasIt() async throws {
        let rows = try await upgraded(
            from: "mapped_addresses",
            """
            INSERT INTO tenancy.tenant (name) VALUES ('north');
            INSERT INTO aaa.nas (tenant_id, name, address, secret)
            SELECT id, v.name, v.address::cidr, '\\x00'::bytea
            FROM tenancy.tenant, (VALUES ('lone', '::ffff:192.0.2.1/128'), ('network', '::ffff:198.51.100.0/120'), ('new', '192.0.2.9/32'),
                ('old', '::ffff:192.0.2.9/128'), ('other', '2001:db8::1/128')) v (name, address);
            """,
            "SELECT concat_ws('|', name, address) FROM aaa.nas ORDER BY name")
        #expect(
            rows == [
                "lone|192.0.2.1/32", "network|198.51.100.0/24", "new|192.0.2.9/32", "old|::ffff:192.0.2.9/128", "other|2001:db8::1/128",
            ])
    }
}
