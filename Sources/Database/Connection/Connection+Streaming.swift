internal import CPostgres

extension Connection {
    /// Runs a statement and calls `each` for every row as it arrives: memory stays flat however long the result is.
    ///
    /// When `each` throws, the statement is cancelled on the server. No other statement may run on this connection meanwhile.
    public func queryStreaming(_ sql: String, _ parameters: [SQLValue] = [], _ each: (Row) throws -> Void) throws {
        let handle = try openHandle()
        let list = try ParameterList(parameters)
        let plan = try planned(sql)
        let sent = list.withPointers { count, values, lengths, formats in
            switch plan {
            case .prepared(let name), .prepare(let name): PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
            case .once: PQsendQueryParams(handle, sql, count, nil, values, lengths, formats, 1)
            }
        }
        guard sent == 1, PQsetSingleRowMode(handle) == 1 else { throw DatabaseError(connection: handle) }
        do {
            while let result = PQgetResult(handle) {
                let rows = try checked(result, sql)
                if rows.rowCount > 0 { try each(Row(result: rows, index: 0)) }
            }
        } catch {
            abandon()
            throw error
        }
    }

    /// Cancels what runs on the server, a COPY in either direction included, and reads away the rest of its answer.
    func abandon() {
        guard let handle else { return }
        cancelOnServer(handle)
        PQputCopyEnd(handle, "abandoned")
        discardCopy(handle)
        while PQstatus(handle) == CONNECTION_OK, let result = PQgetResult(handle) {
            PQclear(result)
        }
    }

    private func cancelOnServer(_ handle: OpaquePointer) {
        guard PQtransactionStatus(handle) == PQTRANS_ACTIVE, let cancel = PQgetCancel(handle) else { return }
        var problem = [CChar](repeating: 0, count: 256)
        PQcancel(cancel, &problem, Int32(problem.count))
        PQfreeCancel(cancel)
    }

    private func discardCopy(_ handle: OpaquePointer) {
        var chunk: UnsafeMutablePointer<CChar>?
        while PQgetCopyData(handle, &chunk, 0) > 0 {
            PQfreemem(chunk)
        }
    }
}
