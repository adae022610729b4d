import Database
import RadiusCore

/// Moves one batch from the journal into PostgreSQL: all of it and the cursor, or nothing. One thread, one connection.
final class BatchTransaction {
    /// What became of a batch.
    struct Outcome {
        var records = 0
        var refused = 0
        var skewed = 0
        var absurd = 0
        var counts = EffectCounts()
        var closedByRestart = 0
    }

    /// The cursor is not where this shipper left it; read it again.
    struct CursorMoved: Error {}

    /// Folds of one batch before a row that is remembered must be read after all: the second time nothing is remembered.
    private static let folds = 2

    private let connection: Connection
    private let nodeID: String
    private let journalID: Int64
    private let quotas: WakeSignal?
    private let realms: RecordRealms?
    private var days = TenantDays()
    private(set) var cache: SessionCache
    /// Numbers for new sessions that the database has given out to nobody else.
    private var numbers: ArraySlice<Int64> = []

    /// `quotas` is signalled when usage was queued for them; `realms` says where policy rules forward new sessions.
    init(
        connection: Connection, nodeID: String, journalID: Int64, cachedSessions: Int, quotas: WakeSignal? = nil,
        realms: RecordRealms? = nil
    ) {
        self.connection = connection
        self.nodeID = nodeID
        self.journalID = journalID
        self.quotas = quotas
        self.realms = realms
        cache = SessionCache(limit: cachedSessions)
    }

    /// - Parameters:
    ///   - batch: in the journal's order.
    ///   - part: the records to move; not empty.
    ///   - cursor: where the cursor stands before.
    /// - Returns: what became of it.
    /// - Throws: `DatabaseError`, `CursorMoved`, and `SessionStore.RowMoved`, after which the batch may be tried again; nothing of
    ///   it is then in the database, unless the connection was lost while the transaction ended.
    func run(_ batch: RecordBatch, _ part: Range<Int>, cursor: UInt64) throws -> Outcome {
        guard let last = part.last else { return Outcome() }
        let sessions = BatchSessions(batch, part)
        do {
            var isQueued = false
            let (fold, outcome, writer) = try connection.transaction(.system) { connection in
                let store = SessionStore(connection: connection)
                try store.lock(sessions.owners.keys)
                var fold = try self.fold(batch, part, sessions, store)
                fold.number(try takeNumbers(fold.rows.count(where: \.isNew), store))
                var outcome = Outcome(
                    records: part.count, refused: fold.refused.count, skewed: fold.skewed, absurd: fold.absurd, counts: fold.counts)
                for restart in fold.restarts {
                    let loaded = fold.rows.filter { !$0.isNew }.map(\.id)
                    outcome.closedByRestart += try store.closeAll(of: restart.record, restart.nas, except: loaded)
                }
                try store.save(fold.rows)
                let restarted = outcome.closedByRestart > 0 ? fold.restarts.map(\.nas) : []
                try LeaseNotes(connection: connection).note(fold.rows, hasResumed: fold.counts[.resumed] > 0, restarted: restarted)
                let writer = RecordWriter(connection: connection, nodeID: nodeID)
                try writer.insert(fold)
                try writer.book(fold.usage)
                isQueued = try UsageQueue(connection: connection).append(fold.growths)
                for (record, reason) in fold.refused { try writer.reject(record, batch.packet(of: record), reason) }
                return (fold, outcome, try moveCursor(from: cursor, to: batch.records[last].sequence))
            }
            remember(fold.rows, writer)
            if isQueued { quotas?.signal() }
            return outcome
        } catch {
            for key in sessions.keys { cache.forget(key) }
            throw error
        }
    }

    /// Puts aside one record that PostgreSQL refuses, and steps over it.
    func reject(_ record: JournalledRecord, of batch: RecordBatch, because reason: String, cursor: UInt64) throws {
        try connection.transaction(.system) { connection in
            try RecordWriter(connection: connection, nodeID: nodeID).reject(record, batch.packet(of: record), reason)
            _ = try moveCursor(from: cursor, to: record.sequence)
        }
    }

    /// Forgets what a tenant's change may have made untrue.
    func refresh() throws {
        days = TenantDays()
        try ShipperStaging.refresh(connection)
    }

    private func fold(_ batch: RecordBatch, _ part: Range<Int>, _ sessions: BatchSessions, _ store: SessionStore) throws -> BatchFold {
        for _ in 1..<Self.folds {
            let fold = try foldOnce(batch, part, sessions, store)
            if !fold.isUnsettled { return fold }
            for key in sessions.keys { cache.forget(key) }
        }
        return try foldOnce(batch, part, sessions, store)
    }

    private func foldOnce(_ batch: RecordBatch, _ part: Range<Int>, _ sessions: BatchSessions, _ store: SessionStore) throws -> BatchFold {
        var rows: [SessionRow] = []
        rows.reserveCapacity(sessions.keys.count)
        var unknown: [Int] = []
        for (number, key) in sessions.keys.enumerated() {
            guard let row = cache.row(key) else {
                unknown.append(number)
                continue
            }
            row.session = number
            rows.append(row)
        }
        var isRemembered = [Bool](repeating: true, count: sessions.keys.count)
        for number in unknown { isRemembered[number] = false }
        rows += try store.load(sessions.keys, unknown, receivedMicroseconds: sessions.receivedMicroseconds)
        let strangers = part.filter { position in
            let session = sessions.numbers[position - part.lowerBound]
            return session >= 0 && !isRemembered[session] && batch.records[position].entry.subscriber == 0
        }
        let subscribers = try SubscriberNames(connection: connection).find(batch, strangers)
        try days.learn(sessions, rows, connection)
        var fold = BatchFold(sessions: sessions, rows: rows, subscribers: subscribers, days: days, batch: batch, realms: realms)
        for position in part { fold.apply(batch.records[position], at: position - part.lowerBound) }
        return fold
    }

    private func takeNumbers(_ count: Int, _ store: SessionStore) throws -> ArraySlice<Int64> {
        if numbers.count < count { numbers += try store.newIDs(count - numbers.count) }
        defer { numbers = numbers.dropFirst(count) }
        return numbers.prefix(count)
    }

    /// Keeps the open sessions as the transaction `writer` left them.
    private func remember(_ rows: [SessionRow], _ writer: UInt32) {
        for row in rows where !row.fold.isOpen && row.isAlone { cache.forget(row.key) }
        for row in rows where row.fold.isOpen {
            row.isStored(by: writer)
            cache.keep(row)
        }
    }

    /// Returns the transaction's number as it stands in the rows that it wrote.
    private func moveCursor(from old: UInt64, to new: UInt64) throws -> UInt32 {
        let row = try connection.queryOne(
            """
            -- journal.move
            UPDATE aaa.journal_cursor SET sequence = $4, updated_at = now() WHERE node_id = $1 AND journal_id = $2 AND sequence = $3
            RETURNING pg_current_xact_id()::xid::text::bigint
            """, [.text(nodeID), .int(journalID), .int(Int64(clamping: old)), .int(Int64(clamping: new))])
        guard let row else { throw CursorMoved() }
        return UInt32(clamping: try row.int64(0))
    }
}

/// Finds subscribers that the daemon's snapshot did not know when a session's first packet came.
struct SubscriberNames {
    let connection: Connection

    /// By tenant and name as it is stored, of the batch's records at `positions`.
    func find(_ batch: RecordBatch, _ positions: [Int]) throws -> [Int64: [String: Int64]] {
        var wanted: [Int64: Set<String>] = [:]
        for position in positions {
            guard let record = batch.whole(batch.records[position]), !record.userName.isEmpty else { continue }
            wanted[batch.records[position].entry.tenant, default: []].insert(StorableText.of(record.userName))
        }
        let pairs = wanted.flatMap { tenant, names in names.map { (tenant, $0) } }
        guard !pairs.isEmpty else { return [:] }
        var found: [Int64: [String: Int64]] = [:]
        try connection.query(
            """
            -- session.subscriber
            SELECT s.tenant_id, s.username, s.id FROM unnest($1::bigint[], $2::text[]) AS w(tenant, username)
            JOIN aaa.subscriber s ON s.tenant_id = w.tenant AND s.username = w.username
            """, [.intArray(pairs.map(\.0)), .textArray(pairs.map(\.1))]
        ) { row in found[try row.int64(0), default: [:]][try row.string(1)] = try row.int64(2) }
        return found
    }
}
