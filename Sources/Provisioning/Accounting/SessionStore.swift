import Database
import RadiusCore

/// Reads and writes `aaa.session` in bulk, inside the shipper's transaction.
struct SessionStore {
    /// How long a closed session may be found again by a late record.
    static let lateDays = 14
    /// One lock for so many routers, so that a large batch does not exhaust the server's table of locks.
    private static let lockCount: Int64 = 1024
    private static let lockClass = 0x6163_6374

    let connection: Connection

    /// Nodes take turns with a router's sessions: a new session is then opened once, whoever hears of it first.
    func lock(_ routers: Set<Int64>) throws {
        let keys = Set(routers.map { (($0 % Self.lockCount) + Self.lockCount) % Self.lockCount }).sorted()
        try connection.query(
            """
            -- session.lock
            SELECT pg_advisory_xact_lock(\(Self.lockClass), k.key) FROM (SELECT unnest($1::int[]) AS key ORDER BY 1) k
            """, [.intArray(keys)]
        ) { _ in }
    }

    /// The sessions under `keys`, open and closed. Those that had gone to the history come back from it.
    func load(_ keys: [SessionKey], receivedMicroseconds: Int64) throws -> [SessionRow] {
        guard !keys.isEmpty else { return [] }
        var rows = try read(keys)
        let found = Set(rows.map(\.key))
        let missing = keys.filter { !found.contains($0) }
        if !missing.isEmpty, try recall(missing, receivedMicroseconds) > 0 { rows += try read(missing) }
        return rows
    }

    private func read(_ keys: [SessionKey]) throws -> [SessionRow] {
        try connection.queryAll(
            """
            -- session.load
            SELECT s.id, s.tenant_id, s.nas_id, s.session_key, s.subscriber_id, s.profile_id, s.nas_identifier, host(s.nas_address),
                s.started_at, s.updated_at, s.stopped_at, s.ended_by, s.terminate_cause, s.upload_octets, s.download_octets,
                s.session_seconds, s.fold
            FROM aaa.session s JOIN unnest($1::bigint[], $2::bytea[]) AS k(nas, key) ON s.nas_id = k.nas AND s.session_key = k.key
            ORDER BY s.id FOR UPDATE OF s
            """, Self.parameters(keys)
        ) { row in try Self.row(row) }
    }

    private func recall(_ keys: [SessionKey], _ receivedMicroseconds: Int64) throws -> Int {
        let since = receivedMicroseconds - Int64(Self.lateDays) * 86_400_000_000
        return try connection.execute(
            """
            -- session.recall
            WITH found AS (
                DELETE FROM aaa.session_history h USING unnest($1::bigint[], $2::bytea[]) AS k(nas, key)
                WHERE h.nas_id = k.nas AND h.session_key = k.key AND h.stopped_at >= $3 RETURNING h.*
            )
            INSERT INTO aaa.session (\(Self.columns)) SELECT \(Self.columns) FROM found
            """, Self.parameters(keys) + [.timestamp(microsecondsSinceUnixEpoch: since)])
    }

    /// New numbers for sessions.
    func newIDs(_ count: Int) throws -> [Int64] {
        guard count > 0 else { return [] }
        return try connection.queryAll(
            """
            -- session.number
            SELECT nextval('aaa.session_id_seq') FROM generate_series(1, $1::int)
            """, [.int(Int64(count))]
        ) { try $0.int64(0) }
    }

    /// Closes the open sessions that began before a router's Accounting-On or -Off, but for `loaded`, which are in memory.
    func closeAll(of restart: JournalledRecord, except loaded: [Int64]) throws -> Int {
        guard case .record(let record) = restart.content else { return 0 }
        return try connection.execute(
            """
            -- session.restart
            UPDATE aaa.session SET stopped_at = aaa.instant($2), ended_by = 'accounting_on', terminate_cause = 'NAS-Reboot'
            WHERE nas_id = $1 AND stopped_at IS NULL AND started_at < aaa.instant($2) AND id <> ALL ($3::bigint[])
                AND ($4 = '' OR nas_identifier IS NULL OR nas_identifier = $4)
                AND ($5 = '' OR nas_address IS NULL OR nas_address = nullif($5, '')::inet)
            """,
            [
                .int(restart.entry.nas), .int(record.time.microseconds), .intArray(loaded),
                .text(StorableText.of(record.nasIdentifier)), .text(AddressText.address(record.nasAddress)),
            ])
    }

    private static func parameters(_ keys: [SessionKey]) -> [SQLValue] {
        [.intArray(keys.map(\.nas)), .bytesArray(keys.map(\.octets))]
    }

    private static func row(_ row: Row) throws -> SessionRow {
        let columns = SessionFold.Columns(
            startedMicroseconds: try row.timestamp(8), updatedMicroseconds: try row.timestamp(9),
            stoppedMicroseconds: try row.optionalTimestamp(10), ending: try row.optionalString(11).flatMap(SessionEnding.init(name:)),
            terminateCause: try row.optionalString(12).flatMap(TerminateCause.init(name:)), upload: UInt64(clamping: try row.int64(13)),
            download: UInt64(clamping: try row.int64(14)), seconds: UInt64(clamping: try row.int64(15)))
        return SessionRow(
            id: try row.int64(0), tenant: try row.int64(1), key: SessionKey(nas: try row.int64(2), octets: try row.bytes(3)),
            subscriber: try row.optionalInt64(4) ?? 0, profile: try row.optionalInt64(5) ?? 0,
            nasIdentifier: try row.optionalString(6) ?? "", nasAddress: try row.optionalString(7) ?? "",
            fold: SessionFold(restoring: columns, state: try row.bytes(16)), isNew: false, isChanged: false)
    }
}
