import Database
import Support
import Testing

@Suite struct DatabaseErrorTests {
    /// The error that `sql` meets in a small schema of its own.
    private func failure(_ sql: String, _ parameters: [SQLValue] = []) async throws -> DatabaseError {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.script(
                """
                CREATE TEMPORARY TABLE parent (id bigint PRIMARY KEY);
                CREATE TEMPORARY TABLE child (
                    id bigint CONSTRAINT child_key UNIQUE, parent bigint CONSTRAINT child_parent REFERENCES parent,
                    age int NOT NULL CONSTRAINT child_age CHECK (age >= 0));
                INSERT INTO child VALUES (1, NULL, 1)
                """)
            do {
                try connection.execute(sql, parameters)
            } catch let error as DatabaseError {
                return error
            }
            throw DatabaseError("00000", "nothing failed")
        }
    }

    @Test func namesTheConstraint() async throws {
        let unique = try await failure("INSERT INTO child VALUES ($1, NULL, 1)", [1])
        #expect(unique.code == .uniqueViolation && unique.constraint == "child_key")
        let foreign = try await failure("INSERT INTO child VALUES (2, 99, 1)")
        #expect(foreign.code == .foreignKeyViolation && foreign.constraint == "child_parent")
        let check = try await failure("INSERT INTO child VALUES (2, NULL, -1)")
        #expect(check.code == .checkViolation && check.constraint == "child_age")
        let null = try await failure("INSERT INTO child VALUES (2, NULL, NULL)")
        #expect(null.code == .notNullViolation && null.column == "age" && null.table?.hasSuffix(".child") == true)
    }

    @Test func namesTheStatement() async throws {
        let error = try await failure("-- child.insert\nINSERT INTO child VALUES (1, NULL, 1)")
        #expect(error.statementName == "child.insert")
        #expect(error.description.contains("statement child.insert"))
    }

    @Test func keepsValuesOutOfItsDescription() async throws {
        let invalid = try await failure("INSERT INTO child VALUES ($1, NULL, 1)", ["hunter2"])
        #expect(invalid.code == .invalidTextRepresentation)
        #expect(!invalid.description.contains("hunter2"))
        let unique = try await failure("INSERT INTO child VALUES ($1, NULL, 1)", [1])
        #expect(unique.detail?.contains("(1)") == true)
        #expect(!unique.description.contains("(1)"))
    }

    @Test func refusesTextWithNUL() async throws {
        let error = try await failure("SELECT $1::text", ["a\0b"])
        #expect(error.code == .characterNotInRepertoire)
        #expect(error.message.contains("$1"))
    }

    @Test func knowsOtherStates() async throws {
        #expect(try await failure("SELECT * FROM nowhere").code == .undefinedTable)
        #expect(try await failure("SELEKT").code == .syntaxError)
        #expect(try await failure("SELECT pg_read_file('/etc/passwd')").code == .insufficientPrivilege)
        #expect(try await failure("COPY parent FROM STDIN").code == .featureNotSupported)
    }

    @Test func saysNothingOfAMalformedConnectionString() async throws {
        await #expect {
            try await withConnection(DatabaseConfiguration(conninfo: "postgresql://u:hunter%ZZ2@h/d", waitTimeoutSeconds: 1)) { _ in }
        } throws: {
            !"\($0)".contains("hunter")
        }
    }
}
