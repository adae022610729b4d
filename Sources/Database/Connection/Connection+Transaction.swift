internal import CPostgres

extension Connection {
    /// Runs `body` in one transaction of `scope`: committed when it returns, rolled back when it throws.
    ///
    /// - Throws: what `body` throws; `activeTransaction` when one is open already (use `savepoint`); `failedTransaction` when
    ///   `body` swallowed a statement's error, since PostgreSQL then rolled back instead of committing.
    public func transaction<T>(
        _ scope: TenantScope, isolation: IsolationLevel = .readCommitted, readOnly: Bool = false,
        _ body: (Connection) throws -> T
    ) throws -> T {
        guard !isInTransaction else {
            throw DatabaseError(.activeTransaction, "a transaction is open already on this connection", hint: "use savepoint()")
        }
        do {
            try script("BEGIN ISOLATION LEVEL \(isolation.rawValue)\(readOnly ? " READ ONLY" : "")\(scope.settings)")
            let value = try body(self)
            try commit()
            return value
        } catch {
            if isInTransaction { try? script("ROLLBACK") }
            throw error
        }
    }

    /// Runs `body` so that its failure undoes only what it did, not the transaction around it.
    public func savepoint<T>(_ body: (Connection) throws -> T) throws -> T {
        guard isInTransaction else { throw DatabaseError(.noActiveTransaction, "a savepoint needs a transaction around it") }
        try script("SAVEPOINT lastmile")
        do {
            let value = try body(self)
            try script("RELEASE SAVEPOINT lastmile")
            return value
        } catch {
            if isInTransaction { try script("ROLLBACK TO SAVEPOINT lastmile; RELEASE SAVEPOINT lastmile") }
            throw error
        }
    }

    private func commit() throws {
        guard let result = PQexec(try openHandle(), "COMMIT") else { throw DatabaseError(connection: handle) }
        let owned = try checked(result, "COMMIT")
        let tag = PQcmdStatus(owned.pointer).map { String(cString: $0) }
        guard tag == "COMMIT" else {
            throw DatabaseError(
                .failedTransaction, "PostgreSQL rolled the transaction back: a statement in it had failed and its error was ignored")
        }
    }
}

extension TenantScope {
    /// What follows `BEGIN` in the same round trip.
    fileprivate var settings: String {
        switch self {
        case .tenant(let id): "; SELECT pg_catalog.set_config('lastmile.tenant', '\(id)', true)"
        case .system: "; SET LOCAL ROLE lastmile_system"
        case .none: ""
        }
    }
}
