internal import Glibc

/// What a migrator is doing, for a progress display.
public enum MigrationProgress: Sendable, CustomStringConvertible {
    /// Another node migrates; this one waits for it.
    case waiting(seconds: Int)
    /// About to apply a migration: its number, its place among those due, how many are due.
    case applying(version: Int64, name: String, index: Int, count: Int)
    case applied(version: Int64, name: String, milliseconds: Int64)
    /// Nothing (more) to do; the newest version in the database.
    case current(version: Int64)

    /// For people.
    public var description: String {
        switch self {
        case .waiting(let seconds): "another node brings the database schema up to date; waiting since \(seconds) seconds"
        case .applying(let version, let name, let index, let count): "database schema: \(index) of \(count), \(version) \(name)"
        case .applied(let version, let name, let milliseconds): "database schema: \(version) \(name) applied in \(milliseconds) ms"
        case .current(let version): "database schema: at \(version)"
        }
    }
}

/// Brings a database to the newest schema: applies the `NNNN_name.sql` files of a directory that it has not seen, in order.
///
/// Forward only; each file in one transaction of its own, recorded with its SHA-256 in `lastmile.migration`. Nodes that start
/// at the same time take turns under an advisory lock (which needs a session: not through a pooler in transaction mode).
/// Versions in the database that the directory lacks are fine: a newer daemon was here.
public struct Migrator: Sendable {
    /// "lastmile" in ASCII.
    private static let lockKey: Int64 = 0x6c61_7374_6d69_6c65
    private static let lockWaitSeconds = 600
    public let directory: String

    public init(directory: String) {
        self.directory = directory
    }

    /// Migrates on a thread and connection of its own.
    ///
    /// - Returns: versions that were applied now.
    /// - Throws: `migrationInvalid` for files that are misnamed, altered since they were applied, or out of order;
    ///   `insufficientPrivilege` when the role could bypass row-level security; the statement's own error, with file and line.
    @discardableResult
    public func migrate(
        _ configuration: DatabaseConfiguration, progress: @escaping @Sendable (MigrationProgress) -> Void = { _ in }
    ) async throws -> [Int64] {
        try await DatabaseThread.run(name: "database-schema") {
            var patient = configuration
            patient.statementTimeoutSeconds = 0
            patient.idleInTransactionTimeoutSeconds = 0
            let connection = try Connection.open(patient)
            defer { connection.close() }
            return try migrate(on: connection, progress: progress)
        }
    }

    /// As above on a connection, and the thread, of the caller.
    @discardableResult
    public func migrate(on connection: Connection, progress: (MigrationProgress) -> Void = { _ in }) throws -> [Int64] {
        let files = try MigrationFile.all(in: directory)
        try RoleCheck.run(connection)
        try lock(connection, progress)
        defer { try? connection.script("SELECT pg_advisory_unlock(\(Migrator.lockKey))") }
        try createHistory(connection)
        let due = try due(files, connection)
        for (index, file) in due.enumerated() {
            progress(.applying(version: file.version, name: file.name, index: index + 1, count: due.count))
            let milliseconds = try apply(file, connection)
            progress(.applied(version: file.version, name: file.name, milliseconds: milliseconds))
        }
        let newest = try connection.queryOne("SELECT coalesce(max(version), 0) FROM lastmile.migration")?.int64(0) ?? 0
        progress(.current(version: newest))
        return due.map(\.version)
    }

    private func lock(_ connection: Connection, _ progress: (MigrationProgress) -> Void) throws {
        let start = Clock.now
        while true {
            if try connection.queryOne("SELECT pg_try_advisory_lock($1)", [.int(Migrator.lockKey)])?.bool(0) == true { return }
            let seconds = Int((Clock.now - start) / 1_000_000_000)
            guard seconds < Migrator.lockWaitSeconds else {
                throw DatabaseError(
                    .lockNotAvailable, "another node has been migrating this database for \(seconds) seconds",
                    hint: "look for its session in pg_locks (locktype advisory)")
            }
            progress(.waiting(seconds: seconds))
            PoolWorker.pause(milliseconds: 250)
        }
    }

    private func createHistory(_ connection: Connection) throws {
        try connection.script(
            """
            CREATE SCHEMA IF NOT EXISTS lastmile;
            CREATE TABLE IF NOT EXISTS lastmile.migration (
                version bigint PRIMARY KEY,
                name text NOT NULL,
                checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                duration_ms bigint NOT NULL
            )
            """)
    }

    /// The files not applied yet, after checking those that were.
    private func due(_ files: [MigrationFile], _ connection: Connection) throws -> [MigrationFile] {
        var applied: [Int64: String] = [:]
        try connection.query("SELECT version, checksum FROM lastmile.migration") { applied[try $0.int64(0)] = try $0.string(1) }
        let newest = applied.keys.max() ?? 0
        return try files.filter { file in
            guard let known = applied[file.version] else {
                guard file.version > newest else { throw outOfOrder(file, newest) }
                return true
            }
            guard try checksum(file, connection) == known else { throw altered(file) }
            return false
        }
    }

    private func checksum(_ file: MigrationFile, _ connection: Connection) throws -> String {
        try connection.queryOne("SELECT encode(sha256($1::bytea), 'hex')", [.bytes(Array(file.sql.utf8))])?.string(0) ?? ""
    }

    private func outOfOrder(_ file: MigrationFile, _ newest: Int64) -> DatabaseError {
        DatabaseError(
            .migrationInvalid, "\(file.path) was never applied, but version \(newest) was", hint: "give it the next free number")
    }

    private func altered(_ file: MigrationFile) -> DatabaseError {
        DatabaseError(
            .migrationInvalid, "\(file.path) was altered after it had been applied",
            hint: "restore the file and write the change as a new migration")
    }

    private func apply(_ file: MigrationFile, _ connection: Connection) throws -> Int64 {
        let start = Clock.now
        let checksum = try checksum(file, connection)
        return try connection.transaction(.none) { connection in
            try run(file, connection)
            guard connection.isInTransaction else {
                throw DatabaseError(
                    .migrationInvalid, "\(file.path) ends its transaction itself", hint: "remove COMMIT or ROLLBACK from it")
            }
            let milliseconds = Int64((Clock.now - start) / 1_000_000)
            try connection.execute(
                "INSERT INTO lastmile.migration (version, name, checksum, duration_ms) VALUES ($1, $2, $3, $4)",
                [.int(file.version), .text(file.name), .text(checksum), .int(milliseconds)])
            return milliseconds
        }
    }

    private func run(_ file: MigrationFile, _ connection: Connection) throws {
        do {
            try connection.script(file.sql)
        } catch var error as DatabaseError {
            let place = error.position.map { "\(file.path):\(file.line(ofPosition: $0))" } ?? file.path
            error.message = "\(place): \(error.message)"
            throw error
        }
    }
}
