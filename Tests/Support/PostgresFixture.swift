public import Database
internal import Glibc
internal import Logging
internal import Synchronization

/// One throw-away PostgreSQL cluster for the whole test process, gone with it, however it ends.
public enum PostgresFixture {
    /// The cluster's own database `lastmile`, which tests share: unmigrated, and not theirs to change.
    public static func shared() async throws -> DatabaseConfiguration {
        configuration(try await FixtureCluster.shared.start().conninfo)
    }

    /// A new database of the test's own; when `migrated`, with the schema of `Sources/Database/Migrations`, copied from a template.
    public static func freshDatabase(migrated: Bool = true) async throws -> DatabaseConfiguration {
        let cluster = try await FixtureCluster.shared.start()
        let template = migrated ? try await FixtureCluster.shared.migratedTemplate() : "template1"
        return configuration(cluster.conninfo + " dbname=" + (try await FixtureCluster.shared.create(from: template)))
    }

    /// The cluster's superuser on `database`, for what the daemon's role may not do.
    public static func superuser(database: String = "postgres") async throws -> DatabaseConfiguration {
        configuration(try await FixtureCluster.shared.start().superuserConninfo + " dbname=" + database)
    }

    /// `Sources/Database/Migrations` of this checkout.
    public static var migrationsDirectory: String {
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/\($1)" } + "/Sources/Database/Migrations"
    }

    /// A new empty directory with a short name; the caller removes it.
    public static func temporaryDirectory() throws -> String {
        var template = Array("/tmp/lm.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw DatabaseError(.clusterUnavailable, "cannot make a directory in /tmp") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func configuration(_ conninfo: String) -> DatabaseConfiguration {
        // A machine that stands still for some seconds fails nothing.
        DatabaseConfiguration(
            conninfo: conninfo, poolSize: 2, applicationName: "tests", statementTimeoutSeconds: 120, connectTimeoutSeconds: 60,
            waitTimeoutSeconds: 60)
    }
}

/// Starts the cluster once and remembers how.
private actor FixtureCluster {
    static let shared = FixtureCluster()
    /// For `atexit`, which passes nothing.
    static let running = Mutex<PrivateCluster?>(nil)

    private var starting: Task<PrivateCluster, any Error>?
    private var migrating: Task<String, any Error>?
    private var administration: Pool?
    private var created = 0

    func start() async throws -> PrivateCluster {
        if let starting { return try await starting.value }
        let task = Task { try await FixtureCluster.launch() }
        starting = task
        return try await task.value
    }

    func migratedTemplate() async throws -> String {
        if let migrating { return try await migrating.value }
        let task = Task {
            let name = try await create(from: "template1")
            let conninfo = try await start().conninfo + " dbname=" + name
            try await Migrator(directory: PostgresFixture.migrationsDirectory).migrate(PostgresFixture.configuration(conninfo))
            return name
        }
        migrating = task
        return try await task.value
    }

    func create(from template: String) async throws -> String {
        let cluster = try await start()
        created += 1
        let name = "test_\(created)"
        let pool = try administration ?? Pool(configuration: oneConnection(cluster), logger: Logger(label: "tests"))
        administration = pool
        try await pool.run { try $0.script("CREATE DATABASE \(name) TEMPLATE \(template) OWNER lastmile") }
        return name
    }

    private func oneConnection(_ cluster: PrivateCluster) -> DatabaseConfiguration {
        var configuration = PostgresFixture.configuration(cluster.superuserConninfo)
        configuration.poolSize = 1
        configuration.statementTimeoutSeconds = 300
        configuration.waitTimeoutSeconds = 300
        return configuration
    }

    private static func launch() async throws -> PrivateCluster {
        let settings = ["fsync": "off", "full_page_writes": "off", "max_connections": "300", "autovacuum": "off"]
        let directory = try PostgresFixture.temporaryDirectory()
        let cluster = try PrivateCluster(directory: directory, logger: Logger(label: "tests"), settings: settings)
        running.withLock { $0 = cluster }
        atexit { FixtureCluster.running.withLock { $0 }?.erase() }
        try await cluster.start()
        return cluster
    }
}
