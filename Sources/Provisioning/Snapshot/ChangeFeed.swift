import Database

/// Reads `aaa.change` in such a way that a change which commits late is neither missed nor read twice.
///
/// It remembers which transactions its last look could see (`pg_current_snapshot`). New are the rows of those that it could not see:
/// begun later, or still open then. So a look costs what changed, whatever transaction stays open meanwhile.
struct ChangeFeed {
    /// `pg_snapshot` as text.
    private var seen = ""
    private var server = ServerHistory()

    /// Begins at what the transaction of `connection` sees; call it before a full load in the same transaction.
    mutating func begin(_ connection: Connection) throws {
        seen = try connection.queryOne("SELECT pg_current_snapshot()::text")?.string(0) ?? ""
        server = try ServerHistory(connection)
    }

    /// Whether a connection made after the last look leads to the same history of changes; false after a restored backup.
    mutating func goesOn(_ connection: Connection) throws -> Bool {
        let now = try ServerHistory(connection)
        let hasGoneBack = try connection.queryOne(
            "SELECT pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax($1::text::pg_snapshot)", [.text(seen)])?.bool(0)
        guard hasGoneBack == false, try server.continues(in: now, connection) else { return false }
        server.instance = now.instance
        return true
    }

    /// The changes that are new since the last call.
    mutating func read(_ connection: Connection) throws -> ChangeSet {
        var changes = ChangeSet()
        guard let look = try connection.queryOne(Self.lookSQL, [.text(seen)]) else { return changes }
        changes.isUnknown = try look.bool(1)
        guard !changes.isUnknown else { return changes }
        var mark: ServerHistory.Mark?
        try connection.query(Self.changeSQL, [.text(seen)]) { row in
            changes.add(
                kind: try row.string(3), tenant: try row.int64(2), key: try row.int64(4), former: try row.optionalString(5))
            changes.lagMicroseconds = max(changes.lagMicroseconds, try row.int64(6))
            mark = ServerHistory.Mark(id: try row.int64(0), transaction: try row.string(1), createdAt: try row.int64(7))
        }
        changes.readAt = ContinuousClock.now
        seen = try look.string(0)
        if let mark { server.mark = mark }
        return changes
    }

    /// What is visible now, and whether changes were deleted that the last look may not have seen.
    private static let lookSQL = """
        SELECT pg_current_snapshot()::text, coalesce(
            (SELECT max(transaction_id) FROM aaa.change_horizon
             WHERE pruned AND transaction_id < pg_snapshot_xmax(pg_current_snapshot())) > pg_snapshot_xmin($1::text::pg_snapshot), false)
        """

    /// Rows with ids that this server has not come to yet were carried here by a restored dump; they are no changes.
    private static let changeSQL = """
        WITH new AS (
            SELECT * FROM aaa.change
            WHERE transaction_id >= pg_snapshot_xmax($1::text::pg_snapshot) AND transaction_id < pg_snapshot_xmax(pg_current_snapshot())
            UNION ALL
            SELECT * FROM aaa.change WHERE transaction_id = ANY (ARRAY(SELECT pg_snapshot_xip($1::text::pg_snapshot)))
        )
        SELECT id, transaction_id::text, tenant_id, kind, key, name,
               (extract(epoch FROM clock_timestamp() - created_at) * 1000000)::bigint, (extract(epoch FROM created_at) * 1000000)::bigint
        FROM new ORDER BY transaction_id, id
        """
}

/// Deletes changes that every node has had a day for. In a transaction of scope `system`.
enum ChangePruning {
    static let statements = [
        "INSERT INTO aaa.change_horizon (transaction_id) SELECT pg_snapshot_xmin(pg_current_snapshot()) ON CONFLICT DO NOTHING",
        // Notes from before a dump was restored: this server has not come to such ids yet.
        "DELETE FROM aaa.change_horizon WHERE transaction_id > pg_snapshot_xmax(pg_current_snapshot())",
        "UPDATE aaa.change_horizon SET pruned = true WHERE NOT pruned AND recorded_at < now() - interval '1 day'",
        """
        DELETE FROM aaa.change WHERE transaction_id < (SELECT max(transaction_id) FROM aaa.change_horizon WHERE pruned)
            OR (transaction_id > pg_snapshot_xmax(pg_current_snapshot()) AND created_at < now() - interval '1 day')
        """,
        """
        DELETE FROM aaa.change_horizon
        WHERE pruned AND transaction_id < (SELECT max(transaction_id) FROM aaa.change_horizon WHERE pruned)
        """,
    ]

    static func run(_ connection: Connection) throws {
        for statement in statements { try connection.execute(statement) }
    }
}
