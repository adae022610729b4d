import Glibc
import Logging
import Support
import Testing

@testable import Database

/// A PostgreSQL of the test's own whose processes are stopped: it takes connections and octets, and answers nothing.
@Suite(.serialized) struct StandstillTests {
    /// The processes of a cluster, to be stopped and continued.
    private struct Server: Sendable {
        let configuration: DatabaseConfiguration
        let directory: String

        func send(_ signal: Int32) {
            for process in ProcessTable.processes(in: directory + "/data") { kill(process, signal) }
        }
    }

    private func withServer(_ body: (Server) async throws -> Void) async throws {
        let root = try PostgresFixture.temporaryDirectory()
        let cluster = try PrivateCluster(
            directory: root, logger: Logger(label: "tests"), settings: ["fsync": "off", "shared_buffers": "16MB"])
        let result: Result<Void, any Error>
        do {
            try await cluster.start()
            var configuration = DatabaseConfiguration(conninfo: cluster.conninfo, poolSize: 1)
            configuration.connectTimeoutSeconds = 2
            let server = Server(configuration: configuration, directory: root)
            defer { server.send(SIGCONT) }
            result = .success(try await body(server))
        } catch {
            result = .failure(error)
        }
        await cluster.stop()
        FileSystem.removeTree(root)
        try result.get()
    }

    private func failure(_ server: Server, _ body: @escaping @Sendable (Connection) throws -> Void) async throws -> DatabaseError {
        let configuration = server.configuration
        let error = try await onOwnThread {
            let connection = try Connection.open(configuration)
            defer { connection.close() }
            let error = #expect(throws: DatabaseError.self) { try body(connection) }
            #expect(!connection.isOpen, "a connection that was given up is used again")
            return error
        }
        server.send(SIGCONT)
        return try #require(error)
    }

    @Test func aStatementThatIsNeverAnsweredIsGivenUpAndMayHaveBeenDone() async throws {
        try await withServer { server in
            let error = try await failure(server) { connection in
                server.send(SIGSTOP)
                try connection.execute("SELECT 1")
            }
            #expect(error.isConnectionLoss && error.isOutcomeUnknown && error.message.contains("no answer for"), "\(error)")
        }
    }

    @Test func onlyACommitLeavesOpenWhetherATransactionWasDone() async throws {
        try await withServer { server in
            try await withConnection(server.configuration) { try $0.script("CREATE SCHEMA own; CREATE TABLE own.kept (i integer)") }
            let before = try await failure(server) { connection in
                try connection.transaction(.none) { connection in
                    server.send(SIGSTOP)
                    try connection.execute("INSERT INTO own.kept VALUES (1)")
                }
            }
            #expect(before.isConnectionLoss && !before.isOutcomeUnknown, "\(before)")
            let within = try await failure(server) { connection in
                try connection.transaction(.none) { connection in
                    try connection.execute("INSERT INTO own.kept VALUES (2)")
                    server.send(SIGSTOP)
                }
            }
            #expect(within.isConnectionLoss && within.isOutcomeUnknown, "\(within)")
            let reading = try await failure(server) { connection in
                try connection.transaction(.none, readOnly: true) { _ in server.send(SIGSTOP) }
            }
            #expect(reading.isConnectionLoss && !reading.isOutcomeUnknown, "\(reading)")
            // The server had the COMMIT, and did it once it went on.
            try await eventually {
                try await withConnection(server.configuration) { connection in
                    try connection.queryAll("SELECT i FROM own.kept ORDER BY i") { try $0.int(0) } == [2]
                }
            }
        }
    }

    /// Octets in both directions that no socket's buffer takes in as a whole.
    @Test func rowsThatStopOnTheirWayAreGivenUp() async throws {
        try await withServer { server in
            let copied = try await failure(server) { connection in
                try connection.script("CREATE TEMPORARY TABLE kept (t text)")
                try connection.copyIn("COPY kept FROM STDIN (FORMAT binary)") { writer in
                    server.send(SIGSTOP)
                    for _ in 0..<64 {
                        try writer.row(columns: 1)
                        try writer.text(String(repeating: "x", count: 1 << 20))
                    }
                }
            }
            #expect(copied.isConnectionLoss, "\(copied)")
            let streamed = try await failure(server) { connection in
                try connection.queryStreaming("SELECT repeat('x', 1000), n FROM generate_series(1, 1000000) n") { row in
                    if try row.int(1) == 1 { server.send(SIGSTOP) }
                }
            }
            #expect(streamed.isConnectionLoss, "\(streamed)")
        }
    }

    @Test func aStatementOfAServerThatIsOnlySlowIsWaitedFor() async throws {
        try await withServer { server in
            let answered = try await withConnection(server.configuration) { connection in
                // Longer than the silence after which the server is asked whether it is there.
                try connection.queryOne("SELECT pg_sleep(5)::text || 'done'")?.string(0)
            }
            #expect(answered == "done")
        }
    }

    @Test func thePoolCountsWhatItGaveUpAndGoesOnAfterwards() async throws {
        try await withServer { server in
            let pool = try Pool(configuration: server.configuration, logger: Logger(label: "tests"))
            defer { pool.shutdown() }
            _ = try await pool.run { try $0.execute("SELECT 1") }
            let failures = pool.metrics.failuresTotal
            server.send(SIGSTOP)
            let error = await #expect(throws: DatabaseError.self) { try await pool.transaction(.none) { try $0.execute("SELECT 1") } }
            #expect(try #require(error).isConnectionLoss)
            try await eventually { pool.metrics.failuresTotal > failures }
            server.send(SIGCONT)
            try await eventually { (try? await pool.run { try $0.execute("SELECT 1") }) != nil }
        }
    }
}
