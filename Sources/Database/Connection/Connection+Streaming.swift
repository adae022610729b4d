internal import CPostgres

extension Connection {
    /// Runs a statement and calls `each` for every row as it arrives: memory stays flat however long the result is.
    ///
    /// When `each` throws, the statement is cancelled on the server. No other statement may run on this connection meanwhile.
    public func queryStreaming(_ sql: String, _ parameters: [SQLValue] = [], _ each: (Row) throws -> Void) throws {
        let answer = try answer()
        let handle = answer.handle
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
            while let result = try answer.nextResult() {
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
        guard let answer = try? answer() else { return }
        cancelOnServer(answer)
        PQputCopyEnd(answer.handle, "abandoned")
        discardCopy(answer)
        while PQstatus(answer.handle) == CONNECTION_OK, let result = try? answer.nextResult() {
            PQclear(result)
        }
    }

    /// libpq waits without bound for a server that stands still, so that is asked for first.
    private func cancelOnServer(_ answer: AnswerWait) {
        guard PQtransactionStatus(answer.handle) == PQTRANS_ACTIVE, answer.isServerThere, let cancel = PQgetCancel(answer.handle) else {
            return
        }
        var problem = [CChar](repeating: 0, count: 256)
        PQcancel(cancel, &problem, Int32(problem.count))
        PQfreeCancel(cancel)
    }

    private func discardCopy(_ answer: AnswerWait) {
        var chunk: UnsafeMutablePointer<CChar>?
        while let count = try? answer.nextChunk(&chunk), count > 0 {
            PQfreemem(chunk)
        }
    }
}
