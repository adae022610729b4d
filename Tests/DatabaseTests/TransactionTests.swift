import Database
import Support
import Testing

/// A database with a protected table `note`, and two tenants' rows in it.
private func databaseWithNotes() async throws -> DatabaseConfiguration {
    let configuration = try await PostgresFixture.freshDatabase()
    try await withConnection(configuration) { connection in
        try connection.script(
            """
            CREATE SCHEMA app;
            CREATE TABLE app.note (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id bigint NOT NULL, body text NOT NULL);
            SELECT lastmile.protect('app.note')
            """)
        for tenant in [Int64(1), 2] {
            try connection.transaction(.tenant(tenant)) {
                _ = try $0.execute("INSERT INTO app.note (tenant_id, body) VALUES ($1, 'kept')", [.int(tenant)])
            }
        }
    }
    return configuration
}

@Suite struct TransactionTests {
    private struct Refusal: Error {}

    @Test func throwingRollsBack() async throws {
        let counts = try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.script("CREATE TEMPORARY TABLE t (i int)")
            try? connection.transaction(.none) { inner in
                try inner.execute("INSERT INTO t VALUES (1)")
                throw Refusal()
            }
            let afterThrow = try connection.queryOne("SELECT count(*) FROM t")?.int(0)
            try connection.transaction(.none) { _ = try $0.execute("INSERT INTO t VALUES (1)") }
            return [afterThrow, try connection.queryOne("SELECT count(*) FROM t")?.int(0)]
        }
        #expect(counts == [0, 1])
    }

    @Test func ignoringAStatementsErrorIsNoCommit() async throws {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            #expect {
                try connection.transaction(.none) { _ = try? $0.execute("SELECT 1/0") }
            } throws: {
                SQLState.failedTransaction ~= $0
            }
            #expect(!connection.isInTransaction)
        }
    }

    @Test func savepointUndoesOnlyItself() async throws {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.script("CREATE TEMPORARY TABLE t (i int UNIQUE)")
            try connection.transaction(.none) { outer in
                try outer.execute("INSERT INTO t VALUES (1)")
                #expect(throws: DatabaseError.self) {
                    try outer.savepoint { inner in
                        try inner.execute("INSERT INTO t VALUES (2)")
                        try inner.execute("INSERT INTO t VALUES (1)")
                    }
                }
            }
            #expect(try connection.queryAll("SELECT i FROM t") { try $0.int(0) } == [1])
        }
    }

    @Test func doesNotNest() async throws {
        try await withConnection(try await PostgresFixture.shared()) { (connection) throws in
            #expect {
                try connection.transaction(.none) { try $0.transaction(.none) { _ in } }
            } throws: {
                SQLState.activeTransaction ~= $0
            }
            #expect(!connection.isInTransaction)
        }
    }

    @Test func missingTenantIsAnError() async throws {
        try await withConnection(try await databaseWithNotes()) { connection in
            #expect { try connection.queryOne("SELECT count(*) FROM app.note") } throws: { SQLState.tenantMissing ~= $0 }
            #expect {
                try connection.transaction(.none) { try $0.execute("DELETE FROM app.note") }
            } throws: {
                SQLState.tenantMissing ~= $0
            }
            #expect {
                try connection.execute("INSERT INTO app.note (tenant_id, body) VALUES (1, 'x')")
            } throws: {
                SQLState.tenantMissing ~= $0
            }
        }
    }

    @Test func otherTenantsRowsAreInvisibleAndUntouchable() async throws {
        try await withConnection(try await databaseWithNotes()) { connection in
            try connection.transaction(.tenant(1)) { (scoped) throws in
                #expect(try scoped.queryAll("SELECT tenant_id FROM app.note") { try $0.int64(0) } == [1])
                #expect(try scoped.execute("UPDATE app.note SET body = 'mine'") == 1)
                #expect(try scoped.execute("DELETE FROM app.note WHERE tenant_id = 2") == 0)
            }
            for sql in ["INSERT INTO app.note (tenant_id, body) VALUES (2, 'x')", "UPDATE app.note SET tenant_id = 2"] {
                #expect {
                    try connection.transaction(.tenant(1)) { try $0.execute(sql) }
                } throws: {
                    SQLState.insufficientPrivilege ~= $0
                }
            }
            let bodies = try connection.transaction(.tenant(2)) { try $0.queryAll("SELECT body FROM app.note") { try $0.string(0) } }
            #expect(bodies == ["kept"])
        }
    }

    @Test func systemSeesAndWritesAllTenants() async throws {
        try await withConnection(try await databaseWithNotes()) { connection in
            try connection.transaction(.system) { (scoped) throws in
                #expect(try scoped.queryOne("SELECT count(*) FROM app.note")?.int(0) == 2)
                #expect(try scoped.execute("UPDATE app.note SET body = 'seen' WHERE tenant_id = 2") == 1)
                #expect(try scoped.execute("INSERT INTO app.note (tenant_id, body) VALUES (3, 'new')") == 1)
                #expect(try scoped.execute("DELETE FROM app.note") == 3)
            }
        }
    }

    /// Statements are prepared once but planned for the role and tenant of the moment.
    @Test func scopeEndsWithItsTransaction() async throws {
        try await withConnection(try await databaseWithNotes()) { (connection) throws in
            let count = "SELECT count(*) FROM app.note WHERE body <> $1"
            for _ in 0..<8 {
                #expect(try connection.transaction(.system) { try $0.queryOne(count, ["x"])?.int(0) } == 2)
                #expect(try connection.transaction(.tenant(2)) { try $0.queryOne(count, ["x"])?.int(0) } == 1)
                #expect { try connection.queryOne(count, ["x"]) } throws: { SQLState.tenantMissing ~= $0 }
            }
        }
    }

    @Test func usesTheIndexOfTheTenant() async throws {
        try await withConnection(try await databaseWithNotes()) { connection in
            try connection.script("CREATE INDEX ON app.note (tenant_id); SET enable_seqscan = off")
            let plan = try connection.transaction(.tenant(1)) {
                try $0.queryAll("EXPLAIN SELECT * FROM app.note") { try $0.string(0) }
            }
            #expect(plan.joined().contains("Index Cond"))
            #expect(plan.joined().contains("current_setting"))
        }
    }

    @Test func refusesToProtectATableWithoutTenant() async throws {
        try await withConnection(try await PostgresFixture.freshDatabase()) { connection in
            try connection.script("CREATE TABLE plain (id int)")
            #expect { try connection.script("SELECT lastmile.protect('plain')") } throws: { SQLState.undefinedColumn ~= $0 }
        }
    }

    @Test func preparesAStatementAtItsSecondUseAndSurvivesItsLoss() async throws {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            let sql = "SELECT $1::int + 41"
            let prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement = '\(sql)'"
            var seen: [Int?] = []
            for _ in 0..<3 {
                #expect(try connection.queryOne(sql, [1])?.int(0) == 42)
                seen.append(try connection.queryOne(prepared)?.int(0))
            }
            #expect(seen == [0, 1, 1])
            try connection.script("DEALLOCATE ALL")
            #expect(try connection.queryOne(sql, [1])?.int(0) == 42)
            try connection.reconnect()
            #expect(try connection.queryOne(sql, [1])?.int(0) == 42)
        }
    }

    @Test func holdsABoundedNumberOfPreparedStatements() async throws {
        let count = try await withConnection(try await PostgresFixture.shared()) { connection in
            for number in 0..<300 {
                for _ in 0..<2 { try connection.execute("SELECT \(number), $1::int", [1]) }
            }
            return try connection.queryOne("SELECT count(*) FROM pg_prepared_statements")?.int(0)
        }
        #expect(count == 255)
    }

    @Test func runsAPreparedStatementWhoseTableChanged() async throws {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.script("CREATE TEMPORARY TABLE shape (a int); INSERT INTO shape VALUES (1)")
            for _ in 0..<3 { #expect(try connection.queryOne("SELECT * FROM shape")?.columnCount == 1) }
            try connection.script("ALTER TABLE shape ADD b int")
            #expect(try connection.queryOne("SELECT * FROM shape")?.columnCount == 2)
        }
    }
}
