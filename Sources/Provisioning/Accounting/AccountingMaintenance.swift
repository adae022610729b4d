import Database
import RadiusCore

/// Partitions ahead of time, closed sessions into the history, old partitions away.
struct AccountingMaintenance {
    /// Most rows that one transaction moves or removes.
    private static let retireRows = 5000
    private static let retireLock = 0x7265_7469
    private static let day: Int64 = 86_400_000_000
    /// The longest window, and a month.
    private static let quotaDays = 400

    /// What the sessions that go used on their last day.
    private static let booking = UsageDay.booking(
        """
        SELECT tenant_id, subscriber_id, booked_day, aaa.saturated(sum(upload_octets - booked_upload)),
            aaa.saturated(sum(download_octets - booked_download)), aaa.saturated(sum(session_seconds - booked_seconds))
        FROM gone
        WHERE booked_day IS NOT NULL AND subscriber_id IS NOT NULL
            AND (upload_octets > booked_upload OR download_octets > booked_download OR session_seconds > booked_seconds)
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        """)

    let settings: AccountingSettings

    /// Makes the partitions that records received from `first` to `last` need.
    func ensureRecords(_ connection: Connection, from first: Int64, to last: Int64) throws {
        try ensure(connection, "accounting_block", "day", first, last)
    }

    /// One round. Any node may run it at any time.
    func run(_ connection: Connection, nowMicroseconds now: Int64) throws {
        let ahead = now + Int64(settings.aheadDays) * Self.day
        try ensure(connection, "accounting_block", "day", now - Self.day, ahead)
        try ensure(connection, "auth_log", "day", now - Self.day, ahead)
        try ensure(connection, "session_history", "month", now - 7 * Self.day, ahead)
        while try retire(connection, now) == Self.retireRows {}
        try drop(connection, "accounting_block", "day", now - Int64(settings.recordDays) * Self.day)
        try drop(connection, "auth_log", "day", now - Int64(settings.authLogDays) * Self.day)
        try drop(connection, "session_history", "month", now - Int64(settings.historyMonths) * 31 * Self.day)
    }

    /// Moves sessions that have been closed for a while, and books what they used; returns how many.
    func retire(_ connection: Connection, _ now: Int64) throws -> Int {
        let horizon = SQLValue.timestamp(microsecondsSinceUnixEpoch: now - Int64(settings.closedMinutes) * 60_000_000)
        let range = try connection.transaction(.system, readOnly: true) { connection in
            try connection.queryOne(
                """
                -- session.retirable
                SELECT min(stopped_at), max(stopped_at) FROM aaa.session_progress WHERE stopped_at < $1 AND updated_at < $1
                """, [horizon])
        }
        guard let first = try range?.optionalTimestamp(0), let last = try range?.optionalTimestamp(1) else { return 0 }
        try ensure(connection, "session_history", "month", first, last)
        return try connection.transaction(.system) { connection in
            try connection.query("SELECT pg_advisory_xact_lock(\(Self.retireLock))") { _ in }
            let due = try connection.queryAll(
                """
                -- session.due
                SELECT p.id, h.nas_id FROM aaa.session_progress p JOIN aaa.session_header h ON h.id = p.id
                WHERE p.stopped_at < $1 AND p.updated_at < $1 ORDER BY p.id LIMIT \(Self.retireRows)
                """, [horizon]
            ) { (id: try $0.int64(0), router: try $0.int64(1)) }
            // So that no shipper goes on with one of them meanwhile.
            try SessionStore(connection: connection).lock(due.map(\.router))
            return try connection.execute(
                """
                -- session.retire
                WITH closed AS (
                    DELETE FROM aaa.session_progress WHERE id IN (
                        SELECT id FROM aaa.session_progress WHERE id = ANY ($2::bigint[]) AND stopped_at < $1 AND updated_at < $1
                        ORDER BY id FOR UPDATE SKIP LOCKED)
                    RETURNING *
                ), gone AS (
                    DELETE FROM aaa.session_header h USING closed p WHERE h.id = p.id
                    RETURNING \(SessionStore.whole), h.booked_day, h.booked_upload, h.booked_download, h.booked_seconds
                ), booked AS (
                    \(Self.booking)
                )
                INSERT INTO aaa.session_history (\(SessionStore.columns)) SELECT \(SessionStore.columns) FROM gone
                """, [horizon, .intArray(due.map(\.id))])
        }
    }

    /// Completes the index of the records of the day before; autovacuum comes to a day's last records late or never. Returns the ranges of
    /// pages that it lacked.
    @discardableResult
    func summarize(_ connection: Connection, nowMicroseconds now: Int64) throws -> Int64 {
        let partition = "aaa.accounting_block_\(UTCDay(microseconds: now - Self.day).name)"
        let row = try connection.queryOne(
            """
            -- accounting.summarize
            SELECT coalesce(sum(brin_summarize_new_values(i.indexrelid)), 0)::bigint FROM pg_index i
            JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
            WHERE i.indrelid = to_regclass($1) AND m.amname = 'brin'
            """, [.text(partition)])
        return try row?.int64(0) ?? 0
    }

    /// Removes rows of tables without partitions that are past their time; returns how many. Any node may do so at any time.
    @discardableResult
    func prune(_ connection: Connection, nowMicroseconds now: Int64) throws -> Int {
        let tables: [(table: String, column: String, days: Int)] = [
            ("aaa.usage_day", "day", settings.usageDays), ("aaa.accounting_reject", "created_at", settings.rejectDays),
            ("aaa.dynamic_authorization", "requested_at", settings.dynamicAuthorizationDays), ("lastmile.audit", "at", settings.auditDays),
            ("aaa.quota_day", "day", Self.quotaDays), ("aaa.quota_event", "at", Self.quotaDays),
        ]
        var removed = 0
        for (table, column, days) in tables {
            let horizon = SQLValue.timestamp(microsecondsSinceUnixEpoch: now - Int64(days) * Self.day)
            while true {
                let count = try connection.transaction(.system) { try $0.execute(Self.removal(table, column), [horizon]) }
                removed += count
                if count < Self.retireRows { break }
            }
        }
        return removed
    }

    private static func removal(_ table: String, _ column: String) -> String {
        """
        -- accounting.prune
        DELETE FROM \(table) WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM \(table) WHERE \(column) < $1::timestamptz\(column == "day" ? "::date" : "") LIMIT \(retireRows)))
        """
    }

    private func ensure(_ connection: Connection, _ parent: String, _ width: String, _ first: Int64, _ last: Int64) throws {
        try connection.query(
            "SELECT aaa.ensure_partitions($1, $2, $3, $4)",
            [
                .text(parent), .text(width), .timestamp(microsecondsSinceUnixEpoch: first),
                .timestamp(microsecondsSinceUnixEpoch: last),
            ]
        ) { _ in }
    }

    private func drop(_ connection: Connection, _ parent: String, _ width: String, _ horizon: Int64) throws {
        try connection.query(
            "SELECT aaa.drop_partitions($1, $2, $3)",
            [.text(parent), .text(width), .timestamp(microsecondsSinceUnixEpoch: horizon)]
        ) { _ in }
    }
}
