internal import CPostgres

extension Connection {
    /// Sends rows by `COPY table (columns) FROM STDIN (FORMAT binary)`.
    ///
    /// When `body` throws, nothing of the COPY is kept. PostgreSQL refuses COPY into a table under row-level security
    /// (`featureNotSupported`), whatever the role: copy into a temporary table and `INSERT ... SELECT` from it.
    /// - Returns: rows stored.
    @discardableResult
    public func copyIn(_ sql: String, _ body: (inout CopyWriter) throws -> Void) throws -> Int {
        let answer = try beginCopy(sql, PGRES_COPY_IN)
        let handle = answer.handle
        do {
            var writer = CopyWriter(answer)
            try body(&writer)
            try writer.finish()
            guard PQputCopyEnd(handle, nil) == 1 else { throw DatabaseError(connection: handle) }
        } catch {
            PQputCopyEnd(handle, "the sender gave up")
            let refusal = endCopyCollectingError(sql)
            if let error = error as? DatabaseError, error.isConnectionLoss, let refusal { throw refusal }
            throw error
        }
        return try endCopy(sql)
    }

    /// Receives what `COPY ... TO STDOUT` sends, chunk by chunk, in whatever format `sql` asks for. A chunk is valid only inside `each`.
    public func copyOut(_ sql: String, _ each: (UnsafeRawBufferPointer) throws -> Void) throws {
        let answer = try beginCopy(sql, PGRES_COPY_OUT)
        do {
            var chunk: UnsafeMutablePointer<CChar>?
            while true {
                let count = try answer.nextChunk(&chunk)
                guard count > 0 else { break }
                defer { PQfreemem(chunk) }
                try each(UnsafeRawBufferPointer(start: chunk, count: Int(count)))
            }
        } catch {
            abandon()
            throw error
        }
        _ = try endCopy(sql)
    }

    /// Receives the rows of `COPY ... TO STDOUT (FORMAT binary)`.
    public func copyRows(_ sql: String, _ each: (CopyRow) throws -> Void) throws {
        var reader = CopyReader()
        try copyOut(sql) { try reader.consume($0, each) }
        try reader.finish()
    }

    private func beginCopy(_ sql: String, _ wanted: ExecStatusType) throws -> AnswerWait {
        let answer = try answer()
        let result = try answer.lastResult(PQsendQuery(answer.handle, sql))
        let status = PQresultStatus(try checked(result, sql, isCopy: true).pointer)
        guard status == wanted else {
            abandon()
            throw DatabaseError(.syntaxError, "the statement is not a COPY in the expected direction")
        }
        return answer
    }

    private func endCopy(_ sql: String) throws -> Int {
        var rows = 0
        var problem: DatabaseError?
        let answer = try answer()
        while let result = try answer.nextResult() {
            do throws(DatabaseError) {
                let owned = try checked(result, sql)
                rows = PQcmdTuples(owned.pointer).flatMap { Int(String(cString: $0)) } ?? rows
            } catch {
                problem = problem ?? error
                if error.isConnectionLoss { break }
            }
        }
        if let problem { throw problem }
        return rows
    }

    /// Reads the answers to a failed COPY; the server's own reason, if it gave one other than our giving up.
    private func endCopyCollectingError(_ sql: String) -> DatabaseError? {
        do {
            _ = try endCopy(sql)
            return nil
        } catch {
            let error = error as? DatabaseError
            return error?.code == .queryCanceled ? nil : error
        }
    }
}
