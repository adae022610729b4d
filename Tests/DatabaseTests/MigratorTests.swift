import Database
import Glibc
import Support
import Synchronization
import Testing

@Suite struct MigratorTests {
    /// A directory with these files.
    private func directory(_ files: [String: String]) throws -> String {
        let directory = try PostgresFixture.temporaryDirectory()
        for (name, text) in files { try write(text, "\(directory)/\(name)") }
        return directory
    }

    private func write(_ text: String, _ path: String) throws {
        let file = try #require(fopen(path, "w"))
        fputs(text, file)
        fclose(file)
    }

    private func remove(_ directory: String, _ names: [String]) {
        for name in names { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    @Test func appliesTheShippedMigrationsOnce() async throws {
        let configuration = try await PostgresFixture.freshDatabase(migrated: false)
        let migrator = Migrator(directory: PostgresFixture.migrationsDirectory)
        let first = try await migrator.migrate(configuration)
        #expect(first.first == 1 && first == first.sorted())
        #expect(try await migrator.migrate(configuration) == [])
        let recorded = try await withConnection(configuration) { connection in
            try connection.queryAll("SELECT version FROM lastmile.migration ORDER BY version") { try $0.int64(0) }
        }
        #expect(recorded == first)
    }

    @Test func nodesThatStartTogetherTakeTurns() async throws {
        let configuration = try await PostgresFixture.freshDatabase(migrated: false)
        let path = try directory(["0001_slow.sql": "SELECT pg_sleep(0.5); CREATE TABLE lastmile.once (i int)"])
        defer { remove(path, ["0001_slow.sql"]) }
        let applied = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for _ in 0..<3 { group.addTask { try await Migrator(directory: path).migrate(configuration) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied == [1])
    }

    @Test func refusesAnAlteredFile() async throws {
        let configuration = try await PostgresFixture.freshDatabase(migrated: false)
        let path = try directory(["0001_one.sql": "CREATE TABLE lastmile.one (i int)"])
        defer { remove(path, ["0001_one.sql"]) }
        try await Migrator(directory: path).migrate(configuration)
        try write("CREATE TABLE lastmile.one (i bigint)", "\(path)/0001_one.sql")
        await #expect {
            try await Migrator(directory: path).migrate(configuration)
        } throws: {
            SQLState.migrationInvalid ~= $0 && "\($0)".contains("\(path)/0001_one.sql was altered")
        }
    }

    @Test func failureNamesFileAndLineAndLeavesNothing() async throws {
        let configuration = try await PostgresFixture.freshDatabase(migrated: false)
        let path = try directory([
            "0001_good.sql": "CREATE SCHEMA app; CREATE TABLE app.good ()",
            "0002_bad.sql": "CREATE TABLE app.half ();\n-- ü\nCREATE TABEL x ()",
        ])
        defer { remove(path, ["0001_good.sql", "0002_bad.sql"]) }
        await #expect {
            try await Migrator(directory: path).migrate(configuration)
        } throws: {
            SQLState.syntaxError ~= $0 && "\($0)".contains("0002_bad.sql:3:")
        }
        let tables = try await withConnection(configuration) { connection in
            try connection.queryAll("SELECT tablename FROM pg_tables WHERE schemaname = 'app'") { try $0.string(0) }
        }
        #expect(tables == ["good"])
    }

    @Test func refusesFilesThatBreakTheRules() async throws {
        let configuration = try await PostgresFixture.freshDatabase(migrated: false)
        let cases: [([String: String], String)] = [
            (["1_short.sql": "SELECT 1"], "not named NNNN_name.sql"),
            (["0001_a.sql": "SELECT 1", "0001_b.sql": "SELECT 1"], "have the same number"),
            (["0001_commit.sql": "COMMIT"], "ends its transaction itself"),
            ([:], "no migrations"),
        ]
        for (files, message) in cases {
            let path = try directory(files)
            defer { remove(path, Array(files.keys)) }
            await #expect { try await Migrator(directory: path).migrate(configuration) } throws: { "\($0)".contains(message) }
        }
    }

    @Test func refusesANumberBelowTheNewestApplied() async throws {
        let configuration = try await PostgresFixture.freshDatabase(migrated: false)
        let path = try directory(["0002_later.sql": "SELECT 1"])
        defer { remove(path, ["0001_late.sql", "0002_later.sql"]) }
        try await Migrator(directory: path).migrate(configuration)
        try write("SELECT 1", "\(path)/0001_late.sql")
        await #expect {
            try await Migrator(directory: path).migrate(configuration)
        } throws: {
            "\($0)".contains("0001_late.sql was never applied")
        }
    }

    @Test func toleratesANewerDaemonsVersions() async throws {
        let configuration = try await PostgresFixture.freshDatabase(migrated: false)
        let path = try directory(["0001_a.sql": "SELECT 1", "0002_b.sql": "SELECT 1"])
        try await Migrator(directory: path).migrate(configuration)
        unlink("\(path)/0002_b.sql")
        defer { remove(path, ["0001_a.sql"]) }
        let newest = Mutex<Int64>(0)
        let applied = try await Migrator(directory: path).migrate(configuration) { progress in
            if case .current(let version) = progress { newest.withLock { $0 = version } }
        }
        #expect(applied == [] && newest.withLock { $0 } == 2)
    }

    @Test func refusesARoleThatBypassesRowLevelSecurity() async throws {
        let configuration = try await PostgresFixture.superuser()
        await #expect {
            try await Migrator(directory: PostgresFixture.migrationsDirectory).migrate(configuration)
        } throws: {
            SQLState.insufficientPrivilege ~= $0 && "\($0)".contains("bypasses row-level security")
        }
    }

    /// A server of the operator's own, whose role has another name.
    @Test(arguments: [
        ("outsider", "LOGIN NOINHERIT", false, "may not become lastmile_system"),
        ("heir", "LOGIN INHERIT", true, "inherits lastmile_system"),
        ("guest", "LOGIN NOINHERIT", true, ""),
    ])
    func saysWhatARoleOfAnotherNameLacks(role: String, options: String, isMember: Bool, complaint: String) async throws {
        let fresh = try await PostgresFixture.freshDatabase(migrated: false)
        let database = String(fresh.conninfo.split(separator: "=").last ?? "")
        try await withConnection(try await PostgresFixture.superuser()) { connection in
            try connection.script("CREATE ROLE \(role) \(options); ALTER DATABASE \(database) OWNER TO \(role)")
            if isMember { try connection.script("GRANT lastmile_system TO \(role)") }
        }
        var configuration = fresh
        configuration.conninfo += " user=\(role)"
        let migrator = Migrator(directory: PostgresFixture.migrationsDirectory)
        if complaint.isEmpty {
            #expect(try await migrator.migrate(configuration).first == 1)
            return
        }
        await #expect {
            try await migrator.migrate(configuration)
        } throws: {
            SQLState.insufficientPrivilege ~= $0 && "\($0)".contains(complaint)
        }
    }
}
