internal import Glibc

/// Creates a cluster and, at every start, the roles and the database that Lastmile needs in it.
struct ClusterSetup {
    static let initdbSeconds = 180.0
    let files: ClusterFiles
    let binaries: ClusterBinaries
    let account: ClusterAccount
    /// PostgreSQL settings that override `postgresql.conf`.
    let settings: [String: String]

    /// Runs initdb beside the final place and renames, so that a half-made cluster is never mistaken for one.
    func createData() throws(DatabaseError) {
        FileSystem.removeTree("\(files.directory)/data.new")
        try files.makePrivate("data.new", for: account)
        let path = "\(files.directory)/initdb.log"
        let log = try files.openLog(path)
        defer { closeDescriptor(log) }
        var arguments = ["-D", "\(files.inside)/data.new", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--data-checksums"]
        arguments.append("--locale=\(ClusterSetup.locale)")
        if settings["fsync"] == "off" { arguments.append("--no-sync") }
        let child = try ChildProcess.start(
            binaries.initdb, arguments, as: account, output: log, held: files.descriptor, deathSignal: SIGKILL)
        guard let status = child.wait(until: Clock.after(seconds: ClusterSetup.initdbSeconds)) else {
            child.signal(SIGKILL)
            _ = child.wait(until: Clock.after(seconds: 10))
            throw DatabaseError(.clusterUnavailable, "initdb did not finish within \(Int(ClusterSetup.initdbSeconds)) seconds")
        }
        guard status == 0 else {
            throw DatabaseError(.clusterUnavailable, "initdb failed with status \(status): \(files.tail(path))", hint: "see \(path)")
        }
        guard rename("\(files.directory)/data.new", files.data) == 0 else { throw FileSystem.failure("rename to", files.data) }
    }

    /// What an operator may tune; written once, then his.
    func createConfiguration() throws(DatabaseError) {
        let path = "\(files.directory)/postgresql.conf"
        guard !FileSystem.exists(path) else { return }
        let text = """
            # PostgreSQL settings of Lastmile's private cluster. Yours to change; the daemon reads them when it starts the server.
            # It fixes listen_addresses, the socket and its permissions itself.
            shared_buffers = 128MB
            max_connections = 64
            max_wal_size = 2GB
            checkpoint_timeout = 15min
            synchronous_commit = on
            jit = off
            timezone = 'UTC'
            # Errors of statements go to the daemon, which logs what matters, without the values in them.
            log_min_messages = log
            log_error_verbosity = terse
            log_timezone = 'UTC'
            log_line_prefix = '%m [%p] %a '
            log_checkpoints = off

            """
        try FileSystem.write(text, to: path, mode: 0o644)
    }

    var serverArguments: [String] {
        var all = settings
        all["listen_addresses"] = ""
        all["unix_socket_directories"] = "\(files.inside)/socket"
        all["unix_socket_permissions"] = "0700"
        all["port"] = "5432"
        all["config_file"] = "\(files.inside)/postgresql.conf"
        all["logging_collector"] = "off"
        return ["-D", "\(files.inside)/data"] + all.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
    }

    func conninfo(user: String, database: String) -> String {
        let host = files.socketDirectory.flatMap { $0 == "'" || $0 == "\\" ? "\\\($0)" : "\($0)" }
        return "host='\(String(host))' port=5432 user=\(user) dbname=\(database)"
    }

    /// Role `lastmile` (owner, subject to row-level security), role `lastmile_system` (never inherited: policies count
    /// inherited roles), database `lastmile`. Safe to repeat.
    func createRoles() throws {
        var configuration = DatabaseConfiguration(conninfo: conninfo(user: "postgres", database: "postgres"))
        configuration.applicationName = "lastmiled setup"
        let connection = try Connection.open(configuration)
        defer { connection.close() }
        for role in ["lastmile", "lastmile_system"] where try isMissing("pg_roles WHERE rolname = $1", role, connection) {
            try connection.script("CREATE ROLE \(role)")
        }
        try connection.script("ALTER ROLE lastmile LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION")
        try connection.script("ALTER ROLE lastmile_system NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION")
        try connection.script("GRANT lastmile_system TO lastmile")
        if try isMissing("pg_database WHERE datname = $1", "lastmile", connection) {
            try connection.script("CREATE DATABASE lastmile OWNER lastmile")
        }
    }

    private func isMissing(_ place: String, _ name: String, _ connection: Connection) throws -> Bool {
        try connection.queryOne("SELECT FROM \(place)", [.text(name)]) == nil
    }

    /// UTF-8 without a language's collation where the system knows it.
    private static var locale: String {
        guard let known = newlocale(everyCategory, "C.UTF-8", nil) else { return "C" }
        freelocale(known)
        return "C.UTF-8"
    }

    /// `LC_ALL_MASK` of <locale.h>, a macro that Swift cannot import: all categories but LC_ALL (6), up to LC_IDENTIFICATION (12).
    private static let everyCategory: Int32 = 0x1FBF
}
