import Database
import RadiusCore

/// Moves one batch from the journal into PostgreSQL: all of it and the cursor, or nothing.
struct BatchTransaction {
    /// What became of a batch.
    struct Outcome {
        var records = 0
        var refused = 0
        var skewed = 0
        var counts: [SessionEffect.Kind: Int] = [:]
        var closedByRestart = 0
    }

    /// The cursor is not where this shipper left it; read it again.
    struct CursorMoved: Error {}

    let connection: Connection
    let nodeID: String
    let journalID: Int64

    /// - Parameters:
    ///   - batch: in the journal's order, not empty.
    ///   - cursor: where the cursor stands before.
    /// - Returns: what became of it.
    /// - Throws: `DatabaseError`, and `CursorMoved`; nothing of the batch is then in the database, unless the connection was lost
    ///   while the transaction ended.
    func run(_ batch: [JournalledRecord], cursor: UInt64) throws -> Outcome {
        guard let last = batch.last else { return Outcome() }
        return try connection.transaction(.system) { connection in
            let store = SessionStore(connection: connection)
            try store.lock(Set(batch.map(\.entry.nas)))
            var fold = try prepare(batch, store)
            for record in batch { fold.apply(record) }
            fold.number(try store.newIDs(fold.rows.count(where: \.isNew)))
            var outcome = Outcome(records: batch.count, refused: fold.refused.count, skewed: fold.skewed, counts: fold.counts)
            for restart in fold.restarts {
                let loaded = fold.rows.filter { !$0.isNew }.map(\.id)
                outcome.closedByRestart += try store.closeAll(of: restart, except: loaded)
            }
            try store.save(fold.rows)
            try insertRecords(fold)
            try addUsage(fold.usage)
            for (record, reason) in fold.refused { try reject(record, reason) }
            try moveCursor(from: cursor, to: last.sequence)
            return outcome
        }
    }

    /// Puts aside one record that PostgreSQL refuses, and steps over it.
    func reject(_ record: JournalledRecord, because reason: String, cursor: UInt64) throws {
        try connection.transaction(.system) { _ in
            try reject(record, reason)
            try moveCursor(from: cursor, to: record.sequence)
        }
    }

    private func prepare(_ batch: [JournalledRecord], _ store: SessionStore) throws -> BatchFold {
        let keys = Set(batch.compactMap(\.key)).sorted()
        let received = batch.map(\.entry.receivedMicroseconds).min() ?? 0
        let rows = try store.load(keys, receivedMicroseconds: received)
        let subscribers = try findSubscribers(batch)
        let known = Set(batch.map(\.entry.subscriber)).union(subscribers.values.flatMap(\.values)).subtracting([0])
        return BatchFold(rows: rows, subscribers: subscribers, profiles: try findProfiles(known))
    }

    /// Subscribers that the daemon's snapshot did not know when the packet came.
    private func findSubscribers(_ batch: [JournalledRecord]) throws -> [Int64: [String: Int64]] {
        var wanted: [Int64: Set<String>] = [:]
        for journalled in batch where journalled.entry.subscriber == 0 {
            guard case .record(let record) = journalled.content, !record.userName.isEmpty else { continue }
            wanted[journalled.entry.tenant, default: []].insert(StorableText.of(record.userName))
        }
        let pairs = wanted.flatMap { tenant, names in names.map { (tenant, $0) } }
        guard !pairs.isEmpty else { return [:] }
        var found: [Int64: [String: Int64]] = [:]
        try connection.query(
            """
            -- session.subscriber
            SELECT s.tenant_id, s.username, s.id FROM aaa.subscriber s
            JOIN unnest($1::bigint[], $2::text[]) AS w(tenant, username) ON s.tenant_id = w.tenant AND s.username = w.username
            """, [.intArray(pairs.map(\.0)), .textArray(pairs.map(\.1))]
        ) { row in found[try row.int64(0), default: [:]][try row.string(1)] = try row.int64(2) }
        return found
    }

    private func findProfiles(_ subscribers: Set<Int64>) throws -> [Int64: Int64] {
        guard !subscribers.isEmpty else { return [:] }
        var found: [Int64: Int64] = [:]
        try connection.query(
            """
            -- session.profile
            SELECT id, profile_id FROM aaa.subscriber WHERE id = ANY ($1::bigint[]) AND profile_id IS NOT NULL
            """, [.intArray(subscribers.sorted())]
        ) { row in found[try row.int64(0)] = try row.int64(1) }
        return found
    }

    /// COPY would be refused on a table with row-level security.
    private func insertRecords(_ fold: BatchFold) throws {
        guard !fold.lines.isEmpty else { return }
        let lines = fold.lines
        let rows = lines.map { $0.row.map { fold.rows[$0] } }
        try connection.execute(
            """
            -- accounting.insert
            INSERT INTO aaa.accounting_record (tenant_id, node_id, sequence, received_at, event_at, nas_id, session_id, subscriber_id,
                status, session_seconds, upload_octets, download_octets)
            SELECT n.tenant, $1, n.sequence, aaa.instant(n.received), aaa.instant(n.event), n.nas, nullif(n.session, 0),
                nullif(n.subscriber, 0), n.status, nullif(n.seconds, -1), n.upload, n.download
            FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::integer[],
                $10::bigint[], $11::bigint[], $12::bigint[])
                AS n(tenant, sequence, received, event, nas, session, subscriber, status, seconds, upload, download)
            """,
            [
                .text(nodeID), .intArray(lines.map(\.entry.tenant)), .intArray(lines.map { Int64(clamping: $0.sequence) }),
                .intArray(lines.map(\.entry.receivedMicroseconds)), .intArray(lines.map(\.record.time.microseconds)),
                .intArray(lines.map(\.entry.nas)), .intArray(rows.map { $0?.id ?? 0 }), .intArray(rows.map { $0?.subscriber ?? 0 }),
                .intArray(lines.map { Int64(Int32(clamping: $0.record.status.rawValue)) }),
                .intArray(lines.map { $0.record.sessionSeconds.map(Int64.init) ?? -1 }),
                .intArray(lines.map { Int64(clamping: $0.upload) }), .intArray(lines.map { Int64(clamping: $0.download) }),
            ])
    }

    private func addUsage(_ usage: [UsageSlot: Usage]) throws {
        guard !usage.isEmpty else { return }
        let sums = Array(usage)
        try connection.execute(
            """
            -- usage.add
            WITH used AS (
                SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
                    AS u(tenant, subscriber, slot, upload, download, seconds)
            ), days AS (
                SELECT s.tenant, s.slot,
                    aaa.local_day(aaa.instant(s.slot * \(UsageSlot.seconds) * 1000000), coalesce(t.time_zone, 'UTC')) AS day
                FROM (SELECT DISTINCT tenant, slot FROM used) s LEFT JOIN tenancy.tenant t ON t.id = s.tenant
            )
            INSERT INTO aaa.usage_day (tenant_id, subscriber_id, day, upload_octets, download_octets, session_seconds)
            SELECT u.tenant, u.subscriber, d.day, sum(u.upload), sum(u.download), sum(u.seconds)
            FROM used u JOIN days d ON d.tenant = u.tenant AND d.slot = u.slot
            GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            ON CONFLICT (tenant_id, subscriber_id, day) DO UPDATE SET
                upload_octets = usage_day.upload_octets + excluded.upload_octets,
                download_octets = usage_day.download_octets + excluded.download_octets,
                session_seconds = usage_day.session_seconds + excluded.session_seconds
            """,
            [
                .intArray(sums.map(\.key.tenant)), .intArray(sums.map(\.key.subscriber)), .intArray(sums.map(\.key.slot)),
                .intArray(sums.map { Int64(clamping: $0.value.upload) }), .intArray(sums.map { Int64(clamping: $0.value.download) }),
                .intArray(sums.map { Int64(clamping: $0.value.seconds) }),
            ])
    }

    private func reject(_ record: JournalledRecord, _ reason: String) throws {
        try connection.execute(
            """
            -- accounting.reject
            INSERT INTO aaa.accounting_reject (tenant_id, node_id, sequence, received_at, nas_id, reason, packet)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                .int(record.entry.tenant), .text(nodeID), .int(Int64(clamping: record.sequence)),
                .timestamp(microsecondsSinceUnixEpoch: record.entry.receivedMicroseconds), .int(record.entry.nas), .text(reason),
                .text(StorableText.hexadecimal(record.packet)),
            ])
    }

    private func moveCursor(from old: UInt64, to new: UInt64) throws {
        let moved = try connection.execute(
            """
            -- journal.move
            UPDATE aaa.journal_cursor SET sequence = $4, updated_at = now() WHERE node_id = $1 AND journal_id = $2 AND sequence = $3
            """, [.text(nodeID), .int(journalID), .int(Int64(clamping: old)), .int(Int64(clamping: new))])
        guard moved == 1 else { throw CursorMoved() }
    }
}
