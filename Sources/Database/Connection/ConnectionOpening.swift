internal import CPostgres
internal import Glibc

/// Makes connections: settles what every one needs, whatever the connection string says.
enum ConnectionOpening {
    // Either end finds out within a minute that the other is gone.
    private static let keepaliveIdleSeconds = 30
    private static let keepaliveIntervalSeconds = 10
    private static let keepaliveCount = 3
    private static let unacknowledgedMilliseconds = 60_000

    static func open(_ configuration: DatabaseConfiguration) throws(DatabaseError) -> OpaquePointer {
        try checkConninfo(configuration.conninfo)
        guard let handle = connect(configuration) else {
            throw DatabaseError(.unableToConnect, "out of memory while connecting to PostgreSQL", isConnectionLoss: true)
        }
        do throws(DatabaseError) {
            guard PQstatus(handle) == CONNECTION_OK else { throw refused(handle) }
            PQsetNoticeProcessor(handle, { _, _ in }, nil)
            guard PQsetnonblocking(handle, 1) == 0 else { throw refused(handle) }
            try checkVersion(handle)
            try prepareSession(handle, configuration)
        } catch {
            PQfinish(handle)
            throw error
        }
        return handle
    }

    /// libpq would quote parts of a malformed string, password included, in its complaint.
    private static func checkConninfo(_ conninfo: String) throws(DatabaseError) {
        guard let options = PQconninfoParse(conninfo, nil) else {
            throw DatabaseError(
                .invalidParameterValue, "the database's connection string is malformed",
                hint: "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters as %XX")
        }
        PQconninfoFree(options)
    }

    private static func connect(_ configuration: DatabaseConfiguration) -> OpaquePointer? {
        let settings = [
            ("dbname", configuration.conninfo),
            ("application_name", configuration.applicationName),
            ("connect_timeout", String(max(2, configuration.connectTimeoutSeconds))),
            ("client_encoding", "UTF8"),
            ("keepalives_idle", String(keepaliveIdleSeconds)), ("keepalives_interval", String(keepaliveIntervalSeconds)),
            ("keepalives_count", String(keepaliveCount)), ("tcp_user_timeout", String(unacknowledgedMilliseconds)),
        ]
        let keys = settings.map { strdup($0.0) }
        let values = settings.map { strdup($0.1) }
        defer { (keys + values).forEach { free($0) } }
        let keyPointers = keys.map { UnsafePointer<CChar>($0) } + [nil]
        let valuePointers = values.map { UnsafePointer<CChar>($0) } + [nil]
        return PQconnectdbParams(keyPointers, valuePointers, 1)
    }

    private static func refused(_ handle: OpaquePointer) -> DatabaseError {
        DatabaseError(connection: handle, code: .unableToConnect)
    }

    private static func checkVersion(_ handle: OpaquePointer) throws(DatabaseError) {
        let version = PQserverVersion(handle)
        guard version >= 150_000 else {
            throw DatabaseError(.featureNotSupported, "PostgreSQL \(version / 10000) is too old: 15 or newer is needed")
        }
    }

    private static func prepareSession(_ handle: OpaquePointer, _ configuration: DatabaseConfiguration) throws(DatabaseError) {
        // The server would keep the locks of a machine that lost its power for two hours, as Linux does when nobody says otherwise.
        let sql = """
            SET tcp_keepalives_idle = \(keepaliveIdleSeconds); SET tcp_keepalives_interval = \(keepaliveIntervalSeconds);
            SET tcp_keepalives_count = \(keepaliveCount); SET tcp_user_timeout = \(unacknowledgedMilliseconds);
            SET statement_timeout = \(max(0, configuration.statementTimeoutSeconds) * 1000);
            SET idle_in_transaction_session_timeout = \(max(0, configuration.idleInTransactionTimeoutSeconds) * 1000);
            SET timezone = 'UTC'; SET datestyle = 'ISO'; SET client_min_messages = warning
            """
        let result = try AnswerWait(handle: handle, configuration: configuration).lastResult(PQsendQuery(handle, sql))
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else { throw DatabaseError(result: result, connection: handle) }
    }
}

/// Whether something waits to be read from `descriptor`, end of stream included.
func isReadable(_ descriptor: Int32) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, 0) > 0
}
