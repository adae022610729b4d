import Database
import RadiusCore

/// Reads and writes `aaa.session`, which is header and progress, in bulk, inside the shipper's transaction.
struct SessionStore {
    /// How long a closed session may be found again by a late record.
    static let lateDays = 14
    /// One lock for so many routers, so that a large batch does not exhaust the server's table of locks.
    private static let lockCount: Int64 = 1024
    private static let lockClass = 0x6163_6374

    let connection: Connection

    /// Nodes take turns with a router's sessions: a new session is then opened once, whoever hears of it first.
    func lock(_ routers: some Sequence<Int64>) throws {
        let keys = Set(routers.map { (($0 % Self.lockCount) + Self.lockCount) % Self.lockCount }).sorted()
        try connection.query(
            """
            -- session.lock
            SELECT pg_advisory_xact_lock(\(Self.lockClass), k.key) FROM (SELECT unnest($1::int[]) AS key ORDER BY 1) k
            """, [.intArray(keys)]
        ) { _ in }
    }

    /// The sessions under those of `keys` that stand at `numbers`, open and closed. Those that had gone to the history come back.
    func load(_ keys: [SessionKey], _ numbers: [Int], receivedMicroseconds: Int64) throws -> [SessionRow] {
        guard !numbers.isEmpty else { return [] }
        try copy(keys, numbers, to: "shipper_key")
        var rows = try read(keys, from: "shipper_key")
        let found = Set(rows.lazy.map(\.session))
        let missing = numbers.filter { !found.contains($0) }
        guard !missing.isEmpty else { return rows }
        let table = found.isEmpty ? "shipper_key" : "shipper_missing"
        if !found.isEmpty { try copy(keys, missing, to: table) }
        if try recall(table, receivedMicroseconds) > 0 { rows += try read(keys, from: table) }
        return rows
    }

    private func copy(_ keys: [SessionKey], _ numbers: [Int], to table: String) throws {
        try connection.copyIn("COPY pg_temp.\(table) (place, nas, key) FROM STDIN (FORMAT binary)") { writer in
            for number in numbers {
                try writer.row(columns: 3)
                try writer.int4(Int32(clamping: number))
                try writer.int8(keys[number].nas)
                try writer.bytes(keys[number].octets)
            }
        }
    }

    private func read(_ keys: [SessionKey], from table: String) throws -> [SessionRow] {
        let sql = """
            -- session.load
            SELECT k.place, s.id, s.tenant_id, s.subscriber_id, convert_to(s.nas_identifier, 'UTF8'),
                substring(inet_send(s.nas_address) FROM 5), s.started_at, s.updated_at, s.stopped_at, s.ended_by, s.terminate_cause,
                s.upload_octets, s.download_octets, s.session_seconds, s.fold, p.xmin::text::bigint,
                s.booked_day - '2000-01-01'::date, s.booked_upload, s.booked_download, s.booked_seconds, s.heard_at
            FROM pg_temp.\(table) k JOIN aaa.session s ON s.nas_id = k.nas AND s.session_key = k.key
            LEFT JOIN aaa.session_progress p ON p.id = s.id
            """
        return try connection.queryAll(sql) { row in
            let place = try row.int(0)
            guard keys.indices.contains(place) else { throw DatabaseError(.numericValueOutOfRange, "place \(place) was never asked for") }
            return try Self.row(row, keys[place], place)
        }
    }

    private func recall(_ table: String, _ receivedMicroseconds: Int64) throws -> Int {
        let since = receivedMicroseconds - Int64(Self.lateDays) * 86_400_000_000
        return try connection.execute(
            """
            -- session.recall
            WITH found AS (
                DELETE FROM aaa.session_history h USING pg_temp.\(table) k
                WHERE h.nas_id = k.nas AND h.session_key = k.key AND h.stopped_at >= $1 RETURNING h.*
            ), grown AS (
                INSERT INTO aaa.session_progress (\(Self.progressColumns)) SELECT \(Self.progressColumns) FROM found
            )
            INSERT INTO aaa.session_header (\(Self.headerColumns), booked_upload, booked_download, booked_seconds)
            SELECT \(Self.headerColumns), upload_octets, download_octets, session_seconds FROM found
            """, [.timestamp(microsecondsSinceUnixEpoch: since)])
    }

    /// Sessions that one number of the sequence stands for: itself and those behind it.
    private static let numbersAtOnce = 1000

    /// New numbers for at least `count` sessions.
    func newIDs(_ count: Int) throws -> [Int64] {
        guard count > 0 else { return [] }
        let firsts = try connection.queryAll(
            """
            -- session.number
            SELECT nextval('aaa.session_id_seq') FROM generate_series(1, $1::int)
            """, [.int(Int64((count - 1) / Self.numbersAtOnce + 1))]
        ) { try $0.int64(0) }
        return firsts.flatMap { $0..<$0 + Int64(Self.numbersAtOnce) }
    }

    /// Closes the open sessions that began before a router's Accounting-On or -Off, but for `loaded`, which are in memory.
    func closeAll(of record: AccountingRecord, _ nas: Int64, except loaded: [Int64]) throws -> Int {
        let row = try connection.queryOne(
            """
            -- session.restart
            SELECT aaa.end_sessions(array_agg(id), aaa.instant($2), 'accounting_on', 'NAS-Reboot') FROM aaa.session
            WHERE nas_id = $1 AND stopped_at IS NULL AND started_at < aaa.instant($2) AND id <> ALL ($3::bigint[])
                AND ($4 = '' OR nas_identifier IS NULL OR nas_identifier = $4)
                AND ($5 = '' OR nas_address IS NULL OR nas_address = nullif($5, '')::inet)
            """,
            [
                .int(nas), .int(record.progress.time.microseconds), .intArray(loaded),
                .text(StorableText.of(record.nasIdentifier)), .text(AddressText.address(record.nasAddress)),
            ])
        return Int(try row?.int64(0) ?? 0)
    }

    private static func row(_ row: Row, _ key: SessionKey, _ session: Int) throws -> SessionRow {
        let columns = SessionFold.Columns(
            startedMicroseconds: try row.timestamp(6), updatedMicroseconds: try row.timestamp(7),
            stoppedMicroseconds: try row.optionalTimestamp(8), ending: try row.optionalString(9).flatMap(SessionEnding.init(name:)),
            terminateCause: try row.optionalString(10).flatMap(TerminateCause.init(name:)), upload: UInt64(clamping: try row.int64(11)),
            download: UInt64(clamping: try row.int64(12)), seconds: UInt64(clamping: try row.int64(13)),
            heardMicroseconds: try row.optionalTimestamp(20))
        let booked = try row.optionalInt64(16).map { day in
            BookedUsage(
                day: Int32(clamping: day),
                usage: Usage(
                    upload: UInt64(clamping: try row.int64(17)), download: UInt64(clamping: try row.int64(18)),
                    seconds: UInt64(clamping: try row.int64(19))))
        }
        return SessionRow(
            id: try row.int64(1), tenant: try row.int64(2), key: key, subscriber: try row.optionalInt64(3) ?? 0,
            nasIdentifier: try row.optionalBytes(4) ?? [], nasAddress: try row.optionalBytes(5) ?? [],
            fold: SessionFold(restoring: columns, state: try row.bytes(14)), booked: booked,
            writer: try row.optionalInt64(15).map(UInt32.init(clamping:)), session: session)
    }
}
