public import Database
import RadiusCore

/// Ends sessions that the network has proven dead: a NAS that answers "session context not found" (RFC 5176 §3.5, 503).
///
/// Should the NAS speak of the session again, the next record opens it again.
public enum SessionCloser {
    public enum Reason: Sendable {
        /// The NAS does not know the session.
        case contextNotFound
        /// An operator says so.
        case operatorRequest

        var cause: TerminateCause { self == .contextNotFound ? .lostCarrier : .adminReset }
    }

    /// Ends an open session now. Blocks: on a thread that owns `connection`, inside or outside a transaction.
    ///
    /// - Returns: false when there is no open session `id` that the transaction's scope may see.
    public static func close(_ id: Int64, reason: Reason, on connection: Connection) throws -> Bool {
        if connection.isInTransaction { return try update(id, reason, connection) }
        return try connection.transaction(.system) { try update(id, reason, $0) }
    }

    private static func update(_ id: Int64, _ reason: Reason, _ connection: Connection) throws -> Bool {
        let row = try connection.queryOne(
            """
            -- session.close
            SELECT aaa.end_sessions(ARRAY[$1::bigint], clock_timestamp(), 'ghost', $2)
            """, [.int(id), .text(reason.cause.name)])
        guard try row?.int64(0) == 1 else { return false }
        try LeaseNotes(connection: connection).note([id])
        return true
    }
}
