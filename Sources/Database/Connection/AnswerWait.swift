internal import CPostgres
internal import Glibc

/// Waits for the server on one connection, and gives it up when the server stands still.
///
/// `statement_timeout` bounds the work of a server that lives; one that is stopped, or whose storage hangs, keeps none, and
/// libpq's own calls wait for it without bound. So the connection does not block, and all waiting is done here. A silent server
/// is asked for another connection: one that gives it is only slow.
struct AnswerWait {
    private static let silenceSeconds = 3.0
    /// What the server may take to cancel a statement that has had its time.
    private static let graceSeconds = 10.0
    /// Octets of one TLS record, 16 KiB, are read with so many calls at most.
    private static let readsPerRecord = 3

    let handle: OpaquePointer
    let configuration: DatabaseConfiguration
    /// Is told when the connection is given up.
    var gaveUp: (DatabaseError) -> Void = { _ in }

    /// Sends all that waits to be sent.
    func send() throws(DatabaseError) {
        try until { unsent in !unsent }
    }

    /// The next result of what was sent; nil when there is none any more.
    func nextResult() throws(DatabaseError) -> OpaquePointer? {
        try until { _ in PQisBusy(handle) == 0 }
        return PQgetResult(handle)
    }

    /// The last result of what was sent, as `PQexec` gives it; `isSent` is what libpq said to it.
    func lastResult(_ isSent: Int32) throws(DatabaseError) -> OpaquePointer {
        guard isSent == 1 else { throw DatabaseError(connection: handle) }
        var last: OpaquePointer?
        do throws(DatabaseError) {
            while let result = try nextResult() {
                PQclear(last)
                last = result
                let isCopy = [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(PQresultStatus(result))
                if isCopy || PQstatus(handle) == CONNECTION_BAD { break }
            }
        } catch {
            PQclear(last)
            throw error
        }
        guard let last else { throw DatabaseError(connection: handle) }
        return last
    }

    /// As `PQgetCopyData`: the length of the next chunk of a COPY from the server, negative at its end.
    func nextChunk(_ chunk: inout UnsafeMutablePointer<CChar>?) throws(DatabaseError) -> Int32 {
        var count: Int32 = 0
        try until { _ in
            count = PQgetCopyData(handle, &chunk, 1)
            return count != 0
        }
        return count
    }

    /// Whether the server takes a connection; blocks for the time that a connection may take.
    var isServerThere: Bool {
        let settings = [
            ("dbname", configuration.conninfo), ("connect_timeout", String(max(2, configuration.connectTimeoutSeconds))),
        ]
        let keys = settings.map { strdup($0.0) }
        let values = settings.map { strdup($0.1) }
        defer { (keys + values).forEach { free($0) } }
        let keyPointers = keys.map { UnsafePointer<CChar>($0) } + [nil]
        let valuePointers = values.map { UnsafePointer<CChar>($0) } + [nil]
        let answer = PQpingParams(keyPointers, valuePointers, 1)
        return answer == PQPING_OK || answer == PQPING_REJECT
    }

    /// Exchanges octets until `isDone`, which is told whether some wait to be sent.
    private func until(_ isDone: (_ unsent: Bool) -> Bool) throws(DatabaseError) {
        let isEncrypted = PQsslInUse(handle) != 0 || PQgssEncInUse(handle) != 0
        var (heard, asked) = (Clock.now, Clock.now)
        var emptyReads = 0
        while true {
            let unsent = PQflush(handle)
            if unsent < 0 { throw DatabaseError(connection: handle) }
            if isDone(unsent == 1) { return }
            // What a TLS record still holds does not show at the socket.
            let isAtOnce = isEncrypted && emptyReads < Self.readsPerRecord
            let isReady = wait(sending: unsent == 1, seconds: isAtOnce ? 0 : Self.silenceSeconds - Self.seconds(since: asked))
            if isReady || isEncrypted {
                guard PQconsumeInput(handle) == 1 else { throw DatabaseError(connection: handle) }
            }
            emptyReads = isReady ? 0 : emptyReads + 1
            if isReady { (heard, asked) = (Clock.now, Clock.now) }
            guard Self.seconds(since: asked) >= Self.silenceSeconds else { continue }
            if isOverdue(Self.seconds(since: heard)) || !isServerThere { throw giveUp(Self.seconds(since: heard)) }
            asked = Clock.now
        }
    }

    /// Whether the server ought to have cancelled the statement by itself.
    private func isOverdue(_ seconds: Double) -> Bool {
        let limit = configuration.statementTimeoutSeconds
        return limit > 0 && seconds > Double(limit) + Self.graceSeconds
    }

    private func wait(sending: Bool, seconds: Double) -> Bool {
        var waiting = pollfd(fd: PQsocket(handle), events: Int16(sending ? POLLIN | POLLOUT : POLLIN), revents: 0)
        return poll(&waiting, 1, Int32(max(0, seconds) * 1000) + (seconds > 0 ? 1 : 0)) > 0
    }

    /// Ends the connection as if the server had: what still uses it finds it broken.
    private func giveUp(_ seconds: Double) -> DatabaseError {
        shutdown(PQsocket(handle), Int32(SHUT_RDWR))
        while PQstatus(handle) == CONNECTION_OK, PQconsumeInput(handle) == 1 {}
        let error = DatabaseError(
            .connectionFailure, "no answer for \(Int(seconds)) seconds from PostgreSQL",
            hint: "its processes or its storage may stand still", isConnectionLoss: true)
        gaveUp(error)
        return error
    }

    private static func seconds(since instant: UInt64) -> Double { Double(Clock.now - instant) / 1_000_000_000 }
}
