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
            try begin("BEGIN ISOLATION LEVEL \(isolation.rawValue)\(readOnly ? " READ ONLY" : "")\(scope.settings)")
            let value = try body(self)
            try commit(readOnly: readOnly)
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

    private func begin(_ sql: String) throws {
        let answer = try answer()
        _ = try checked(try answer.lastResult(PQsendQuery(answer.handle, sql)), sql)
    }

    /// Only a connection that is lost here leaves open what became of the transaction.
    private func commit(readOnly: Bool) throws {
        let answer = try answer()
        let owned: ResultSet
        do throws(DatabaseError) {
            owned = try checked(try answer.lastResult(PQsendQuery(answer.handle, "COMMIT")), "COMMIT")
        } catch {
            var failure = error
            failure.isOutcomeUnknown = error.isConnectionLoss && !readOnly
            throw failure
        }
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
