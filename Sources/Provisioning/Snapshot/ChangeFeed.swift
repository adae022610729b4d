import Database

/// What changed since the last look, by kind.
struct ChangeSet {
    var profiles: Set<Int64> = []
    var policies: Set<Int64> = []
    var clients = false
    var subscribers: Set<Int64> = []
    /// Names that a rename or a deletion gave up.
    var freed: [(tenant: Int64, name: String)] = []
    var count = 0
    /// Age of the oldest change, in microseconds, when it was read.
    var lagMicroseconds: Int64 = 0

    var isEmpty: Bool { count == 0 }

    mutating func add(kind: String, tenant: Int64, key: Int64, former: String?) {
        count += 1
        switch kind {
        case "profile": profiles.insert(key)
        case "access_policy": policies.insert(key)
        case "nas": clients = true
        default:
            subscribers.insert(key)
            if let former { freed.append((tenant, former)) }
        }
    }
}

/// Reads `aaa.change` in such a way that a change which commits late is not missed.
///
/// Everything visible is taken at once. The place to go on from is the oldest transaction that may still be open, so rows behind it
/// are read again; those already taken are remembered by id until that place has passed them.
struct ChangeFeed {
    private var from = "0"
    private var taken: [Int64: String] = [:]

    /// Begins at what the transaction of `connection` sees; call it before a full load in the same transaction.
    ///
    /// The load holds all that is visible now. A change read again would do harm: one that frees a name would take it from
    /// whoever has it by now, when that other change has an older transaction id and is not read with it.
    mutating func begin(_ connection: Connection) throws {
        let horizon = try Self.horizon(connection)
        var seen: [Int64: String] = [:]
        let sql = "SELECT id, transaction_id::text FROM aaa.change WHERE transaction_id >= $1::text::xid8"
        try connection.query(sql, [.text(horizon)]) { seen[try $0.int64(0)] = try $0.string(1) }
        from = horizon
        taken = seen
    }

    /// The changes that are new since the last call.
    mutating func read(_ connection: Connection) throws -> ChangeSet {
        var changes = ChangeSet()
        let horizon = try Self.horizon(connection)
        let sql = """
            SELECT id, transaction_id::text, tenant_id, kind, key, name,
                   (extract(epoch FROM clock_timestamp() - created_at) * 1000000)::bigint
            FROM aaa.change WHERE transaction_id >= $1::text::xid8 ORDER BY transaction_id, id
            """
        try connection.query(sql, [.text(from)]) { row in
            let id = try row.int64(0)
            guard taken[id] == nil else { return }
            taken[id] = try row.string(1)
            changes.add(
                kind: try row.string(3), tenant: try row.int64(2), key: try row.int64(4), former: try row.optionalString(5))
            changes.lagMicroseconds = max(changes.lagMicroseconds, try row.int64(6))
        }
        from = horizon
        let passed = UInt64(horizon) ?? 0
        taken = taken.filter { (UInt64($0.value) ?? .max) >= passed }
        return changes
    }

    private static func horizon(_ connection: Connection) throws -> String {
        try connection.queryOne("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")?.string(0) ?? "0"
    }
}
