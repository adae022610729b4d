import Database
import Logging
import Support

/// A migrated PostgreSQL of the test's own: one that it may stop, and whose transactions are its own alone.
enum OwnServer {
    static func with(_ body: (PrivateCluster, DatabaseConfiguration) async throws -> Void) async throws {
        let directory = try PostgresFixture.temporaryDirectory()
        let settings = ["fsync": "off", "shared_buffers": "16MB", "autovacuum": "off"]
        let cluster = try PrivateCluster(directory: directory, logger: Logger(label: "tests"), settings: settings)
        let result: Result<Void, any Error>
        do {
            try await cluster.start()
            var configuration = DatabaseConfiguration(conninfo: cluster.conninfo)
            configuration.waitTimeoutSeconds = 60
            try await Migrator(directory: PostgresFixture.migrationsDirectory).migrate(configuration)
            result = .success(try await body(cluster, configuration))
        } catch {
            result = .failure(error)
        }
        await cluster.stop()
        _ = try? await Tool.run("rm", ["-rf", directory])
        try result.get()
    }

    static func withDesk(_ body: (SnapshotDesk, PrivateCluster) async throws -> Void) async throws {
        try await with { cluster, configuration in
            try await SnapshotDesk.with(configuration) { try await body($0, cluster) }
        }
    }
}
