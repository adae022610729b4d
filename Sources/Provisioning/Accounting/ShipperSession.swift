import Database
import Glibc
import Logging
import RadiusCore

/// The shipper's work over one connection, from reading the cursor to the first failure.
final class ShipperSession {
    private static let attempts = 5

    private let work: ShipperWork
    private let counters: ShipperCounters
    private let connection: Connection
    private let transaction: BatchTransaction
    private let maintenance: AccountingMaintenance
    private var reader: JournalReader
    private let batch = RecordBatch()
    /// Where the cursor in the database stands.
    private var cursor: UInt64
    /// Days since 1970 that have a partition for records.
    private var days: Set<UTCDay> = []
    /// Of `reader`'s lost records those that were told of.
    private var toldLost: UInt64 = 0
    private var maintainedMilliseconds: Int64?
    private var prunedMilliseconds: Int64?

    init(_ work: ShipperWork, _ counters: ShipperCounters) throws {
        self.work = work
        self.counters = counters
        connection = try Connection.open(work.database)
        counters.connected()
        try ShipperStaging.prepare(connection)
        transaction = BatchTransaction(
            connection: connection, nodeID: work.nodeID, journalID: work.journal.identity, cachedSessions: work.settings.cachedSessions,
            quotas: work.quotas, realms: work.store.map { RecordRealms($0) })
        maintenance = AccountingMaintenance(settings: work.settings)
        cursor = try Self.readCursor(connection, work)
        reader = JournalReader(directory: work.journal.directory, after: cursor)
        counters.stands(at: cursor)
    }

    deinit { connection.close() }

    /// A journal that went back in time (a restored disk) has nothing that was not shipped before it was opened.
    private static func readCursor(_ connection: Connection, _ work: ShipperWork) throws -> UInt64 {
        try connection.transaction(.system) { connection in
            let identity: [SQLValue] = [.text(work.nodeID), .int(work.journal.identity)]
            try connection.execute(
                "INSERT INTO aaa.journal_cursor (node_id, journal_id, sequence) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING", identity)
            let row = try connection.queryOne(
                "SELECT sequence FROM aaa.journal_cursor WHERE node_id = $1 AND journal_id = $2 FOR UPDATE", identity)
            let stored = UInt64(clamping: try row?.int64(0) ?? 0)
            guard stored > work.journal.durableSequence else { return stored }
            let back = work.journal.recoveredSequence
            work.logger.error(
                "the accounting journal is older than the database; was the disk restored?",
                metadata: ["cursor": "\(stored)", "journal": "\(back)"])
            try connection.execute(
                "UPDATE aaa.journal_cursor SET sequence = $3, updated_at = now() WHERE node_id = $1 AND journal_id = $2",
                identity + [.int(Int64(clamping: back))])
            return back
        }
    }

    /// Ships until the thread is stopped; `keptUp` is told each time that a batch is stored, or nothing waits.
    func run(_ thread: ShipperThread, _ watch: inout JournalWatch, keptUp: () -> Void) throws {
        while true {
            let isLast = thread.isStopping
            watch.look(work.journal)
            makeRoom()
            if !isLast { try maintainIfDue() }
            let moved = try shipBatch()
            keptUp()
            if moved == work.settings.batchRecords { continue }
            if isLast { return }
            if moved == 0 { thread.wake.wait(timeoutMilliseconds: 1000) }
            thread.pause(milliseconds: Int64(work.settings.gatherMilliseconds))
        }
    }

    /// Moves the next records; returns how many left the journal.
    private func shipBatch() throws -> Int {
        let durable = work.journal.durableSequence
        batch.removeAll()
        _ = try reader.read(through: durable, limit: work.settings.batchRecords) { batch.append($0) }
        guard let first = batch.records.first else { return 0 }
        counters.moving(oldestMicroseconds: first.entry.receivedMicroseconds)
        try ensurePartitions()
        try ship(batch.records.indices)
        tellOfLosses()
        counters.stands(at: cursor)
        return batch.records.count
    }

    /// What was acknowledged and cannot be read any more.
    private func tellOfLosses() {
        let lost = reader.lostRecords - toldLost
        guard lost > 0 else { return }
        toldLost = reader.lostRecords
        counters.lost(lost)
        work.logger.critical(
            "accounting records are lost: the journal on disk is damaged",
            metadata: ["records": "\(lost)", "journal": "\(work.journal.directory)", "before": "\(cursor)"])
    }

    /// Ships a part of the batch; one that the data itself breaks is halved until the broken records stand alone.
    private func ship(_ part: Range<Int>) throws {
        guard let last = part.last else { return }
        do {
            counters.add(try attempt(part))
            cursor = batch.records[last].sequence
        } catch let error as DatabaseError where Self.isAboutData(error) {
            guard part.count > 1 else {
                let record = batch.records[last]
                work.logger.error(
                    "an accounting record is put aside; see aaa.accounting_reject",
                    metadata: ["sequence": "\(record.sequence)", "reason": "\(error)"])
                try transaction.reject(record, of: batch, because: "\(error)", cursor: cursor)
                cursor = record.sequence
                return counters.rejected()
            }
            let middle = part.lowerBound + part.count / 2
            try ship(part.lowerBound..<middle)
            try ship(middle..<part.upperBound)
        }
    }

    private func attempt(_ part: Range<Int>) throws -> BatchTransaction.Outcome {
        for _ in 1..<Self.attempts {
            do {
                return try transaction.run(batch, part, cursor: cursor)
            } catch let error as DatabaseError where error.isRetryable {
                counters.failed("\(error)", isConnected: true)
            } catch is SessionStore.RowMoved {
                counters.reread()
            }
        }
        return try transaction.run(batch, part, cursor: cursor)
    }

    /// Class 22 is a value, class 23 a constraint; everything else is the database's trouble, not the record's.
    private static func isAboutData(_ error: DatabaseError) -> Bool {
        !error.isConnectionLoss && ["22", "23"].contains(error.code.classCode)
    }

    private func ensurePartitions() throws {
        var latest: UTCDay?
        for position in batch.records.indices {
            let moment = batch.records[position].entry.receivedMicroseconds
            let day = UTCDay(microseconds: moment)
            guard day != latest else { continue }
            latest = day
            guard days.insert(day).inserted else { continue }
            do {
                try maintenance.ensureRecords(connection, from: moment, to: moment)
            } catch {
                days.remove(day)
                throw error
            }
        }
    }

    /// A disk without room keeps no shipped segment for its time's sake: records that come now are worth more.
    private func makeRoom() {
        guard work.journal.state == .refusing(errno: ENOSPC) else { return }
        let removed = work.journal.retire(through: cursor, keepingHours: 0)
        guard removed > 0 else { return }
        work.logger.warning(
            "no space for the accounting journal: shipped segments were removed before journal.retention_hours",
            metadata: ["segments": "\(removed)"])
    }

    private func maintainIfDue() throws {
        let now = WallClock.monotonicMilliseconds
        if let last = maintainedMilliseconds, now - last < Int64(work.settings.maintenanceSeconds) * 1000 { return }
        maintainedMilliseconds = now
        work.journal.retire(through: cursor, keepingHours: work.settings.journalHours)
        do {
            try transaction.refresh()
            try maintenance.run(connection, nowMicroseconds: WallClock.microseconds)
            if let last = prunedMilliseconds, now - last < Int64(work.settings.pruneSeconds) * 1000 { return }
            prunedMilliseconds = now
            try maintenance.prune(connection, nowMicroseconds: WallClock.microseconds)
            try maintenance.summarize(connection, nowMicroseconds: WallClock.microseconds)
        } catch let error as DatabaseError where !error.isConnectionLoss {
            // Shipping goes on: it makes the partitions that it needs by itself.
            work.logger.error("accounting tables could not be tidied up", metadata: ["reason": "\(error)"])
        }
    }
}
