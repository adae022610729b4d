internal import CPostgres

/// One connection to PostgreSQL, confined to the thread that uses it.
///
/// Every call blocks its thread: never call from a Swift task; go through `Pool`, or own a thread. Statements with parameters
/// are prepared on the server at their second use and kept by text. All calls throw `DatabaseError`; after one with
/// `isConnectionLoss`, `reconnect()` makes the connection usable again.
public final class Connection {
    let configuration: DatabaseConfiguration
    private(set) var handle: OpaquePointer?
    var statements = StatementCache()
    /// Why the connection was given up, if the server stood still.
    private(set) var silence: DatabaseError?

    private init(_ configuration: DatabaseConfiguration) {
        self.configuration = configuration
    }

    deinit { PQfinish(handle) }

    /// Connects. Blocks for up to `connectTimeoutSeconds` for each address of the host.
    public static func open(_ configuration: DatabaseConfiguration) throws -> Connection {
        let connection = Connection(configuration)
        try connection.reconnect()
        return connection
    }

    /// Drops what is left of the old connection and makes a new one with an empty statement cache.
    public func reconnect() throws {
        close()
        handle = try ConnectionOpening.open(configuration)
    }

    public func close() {
        PQfinish(handle)
        handle = nil
        silence = nil
        statements.removeAll()
    }

    /// Whether the server still answers as far as the socket shows; notices an ended server on an idle connection.
    public var isOpen: Bool {
        guard let handle, PQstatus(handle) == CONNECTION_OK else { return false }
        while isReadable(PQsocket(handle)) {  // a farewell, then the end of the stream
            guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else { return false }
        }
        return true
    }

    /// The server's version as `PQserverVersion` gives it, such as 150004; 0 when closed.
    public var serverVersion: Int { Int(PQserverVersion(handle)) }

    /// Whether a transaction is open (or failed and not yet rolled back).
    public var isInTransaction: Bool {
        let status = PQtransactionStatus(handle)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR
    }

    /// Runs a statement and gives the number of rows that it changed (or selected).
    @discardableResult
    public func execute(_ sql: String, _ parameters: [SQLValue] = []) throws -> Int {
        affected(try run(sql, parameters))
    }

    /// Runs a statement and calls `each` for every row, after all of them arrived.
    public func query(_ sql: String, _ parameters: [SQLValue] = [], _ each: (Row) throws -> Void) throws {
        let result = try run(sql, parameters)
        for index in 0..<result.rowCount {
            try each(Row(result: result, index: index))
        }
    }

    /// The first row, if any.
    public func queryOne(_ sql: String, _ parameters: [SQLValue] = []) throws -> Row? {
        let result = try run(sql, parameters)
        return result.rowCount > 0 ? Row(result: result, index: 0) : nil
    }

    /// One value for each row.
    public func queryAll<T>(_ sql: String, _ parameters: [SQLValue] = [], _ map: (Row) throws -> T) throws -> [T] {
        var values: [T] = []
        try query(sql, parameters) { values.append(try map($0)) }
        return values
    }

    /// Runs several statements in one text, without parameters; for migrations and settings.
    public func script(_ sql: String) throws {
        try uncertain {
            let answer = try answer()
            _ = try checked(try answer.lastResult(PQsendQuery(answer.handle, sql)), sql)
        }
    }

    /// How answers are waited for.
    func answer() throws(DatabaseError) -> AnswerWait {
        AnswerWait(handle: try openHandle(), configuration: configuration) { [self] in silence = $0 }
    }

    /// Runs `body`, which sends a statement: outside a transaction, one that is lost may have been done.
    func uncertain<T>(_ body: () throws -> T) throws -> T {
        let stands = PQtransactionStatus(handle) == PQTRANS_IDLE
        do { return try body() } catch var error as DatabaseError where error.isConnectionLoss && stands {
            error.isOutcomeUnknown = true
            throw error
        }
    }

    func openHandle() throws(DatabaseError) -> OpaquePointer {
        guard let handle else { throw DatabaseError(.connectionFailure, "the connection to PostgreSQL is closed", isConnectionLoss: true) }
        return handle
    }

    private func affected(_ result: ResultSet) -> Int {
        PQcmdTuples(result.pointer).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// Runs once; and once more when only the prepared statement was stale and nothing else is at stake.
    private func run(_ sql: String, _ parameters: [SQLValue]) throws -> ResultSet {
        do {
            return try runOnce(sql, parameters)
        } catch let error as DatabaseError where error.isStalePlan || error.code == .invalidStatementName {
            try forgetStatements()
            guard !isInTransaction else { throw error }
            return try runOnce(sql, parameters)
        }
    }

    private func forgetStatements() throws {
        statements.removeAll()
        if !isInTransaction { try script("DEALLOCATE ALL") }
    }

    private func runOnce(_ sql: String, _ parameters: [SQLValue]) throws -> ResultSet {
        let answer = try answer()
        let list = try ParameterList(parameters)
        let plan = try planned(sql)
        return try uncertain {
            let isSent = list.withPointers { count, values, lengths, formats in
                switch plan {
                case .prepared(let name), .prepare(let name):
                    PQsendQueryPrepared(answer.handle, name, count, values, lengths, formats, 1)
                case .once: PQsendQueryParams(answer.handle, sql, count, nil, values, lengths, formats, 1)
                }
            }
            return try checked(try answer.lastResult(isSent), sql)
        }
    }

    /// Looks the statement up and prepares it when it is due.
    func planned(_ sql: String) throws -> StatementCache.Plan {
        let (plan, evicted) = statements.plan(for: sql)
        if let evicted, !isInFailedTransaction { try script("DEALLOCATE \(evicted)") }
        guard case .prepare(let name) = plan else { return plan }
        let answer = try answer()
        _ = try checked(try answer.lastResult(PQsendPrepare(answer.handle, name, sql, 0, nil)), sql)
        statements.didPrepare(sql, as: name)
        return plan
    }

    private var isInFailedTransaction: Bool { PQtransactionStatus(handle) == PQTRANS_INERROR }

    /// Takes over `result` and throws what it reports.
    func checked(_ result: OpaquePointer, _ sql: String, isCopy: Bool = false) throws(DatabaseError) -> ResultSet {
        let owned = ResultSet(result)
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_EMPTY_QUERY: return owned
        case PGRES_COPY_IN, PGRES_COPY_OUT:
            if isCopy { return owned }
            abandon()
            throw DatabaseError(.featureNotSupported, "COPY runs only through copyIn, copyOut or copyRows")
        default: throw DatabaseError(result: result, connection: handle, statementName: StatementName.of(sql))
        }
    }
}

/// The name that a statement's first line gives it: `-- subscriber.insert`.
enum StatementName {
    static func of(_ sql: String) -> String? {
        let start = sql.drop { $0 == "\n" || $0 == " " }
        guard start.hasPrefix("-- ") else { return nil }
        let name = start.dropFirst(3).prefix { !$0.isNewline }
        return name.isEmpty || name.contains(" ") ? nil : String(name)
    }
}
