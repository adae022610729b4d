import Database

/// By what a node knows, after its connection broke, that the server still has the history which it followed.
///
/// Transaction ids are given a second time by a server that was restored from a backup or that took over without the last of its
/// predecessor's changes; a node that went on there would take new changes for old ones.
struct ServerHistory {
    /// A change that was taken.
    struct Mark: Equatable {
        let id: Int64
        let transaction: String
        /// Microseconds since the Unix epoch.
        let createdAt: Int64
    }

    /// The server's start and its timeline, which counts the times that a server took over.
    struct Instance: Equatable {
        var startedAt = ""
        var timeline = ""
    }

    var instance = Instance()
    var mark: Mark?

    init() {}

    /// What `connection` leads to, and the last change there.
    init(_ connection: Connection) throws {
        let sql = """
            SELECT pg_postmaster_start_time()::text,
                   CASE WHEN pg_is_in_recovery() THEN '' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END
            """
        if let row = try connection.queryOne(sql) {
            instance = Instance(startedAt: try row.string(0), timeline: try row.string(1))
        }
        mark = try connection.queryOne(Self.markSQL + Self.last).map(Self.mark)
    }

    /// Whether `now`, seen over `connection`, is the same server or one that has all that was seen here.
    func continues(in now: ServerHistory, _ connection: Connection) throws -> Bool {
        if now.instance == instance { return true }
        guard now.instance.timeline == instance.timeline, let mark else { return false }
        return try connection.queryOne(Self.markSQL + " WHERE id = $1", [.int(mark.id)]).map(Self.mark) == mark
    }

    private static let last =
        " WHERE transaction_id < pg_snapshot_xmax(pg_current_snapshot()) ORDER BY transaction_id DESC, id DESC LIMIT 1"
    private static let markSQL = "SELECT id, transaction_id::text, (extract(epoch FROM created_at) * 1000000)::bigint FROM aaa.change"

    private static func mark(_ row: Row) throws -> Mark {
        Mark(id: try row.int64(0), transaction: try row.string(1), createdAt: try row.int64(2))
    }
}
