public import Database

/// What people do to leases.
public enum AddressLeases {
    /// Frees an item at once. In a transaction of its tenant's scope.
    ///
    /// - Returns: false while an open session has it.
    public static func release(_ id: Int64, _ connection: Connection) throws -> Bool {
        // Locked first: only the next statement sees the sessions of whoever had the lock before.
        try connection.query("SELECT FROM aaa.address_lease WHERE id = $1 FOR UPDATE", [.int(id)]) { _ in }
        let changed = try connection.execute(
            """
            -- address.release
            UPDATE aaa.address_lease l SET sessions = '{}', contested = false, released_at = coalesce(released_at, clock_timestamp()),
                rests_until = NULL, transaction_id = pg_current_xact_id()
            WHERE id = $1 AND NOT EXISTS (SELECT FROM aaa.session s WHERE s.id = ANY (l.sessions) AND s.stopped_at IS NULL)
            """, [.int(id)])
        return changed == 1
    }
}
