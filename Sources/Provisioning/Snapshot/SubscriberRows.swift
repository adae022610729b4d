import Database
import RadiusCore

/// Reads subscribers by binary COPY, with as little work in PostgreSQL as there can be: what most rows have as a default comes as
/// null, and locks come apart. In a transaction of scope `system`.
struct SubscriberRows {
    private static let sql = """
        SELECT t.id, t.tenant_id, t.username, t.password, nullif(t.password_kind, 'clear'), nullif(t.status, 'active'), t.profile_id,
               t.static_ipv4, t.ipv6_prefix::text, t.delegated_ipv6_prefix::text, t.vlan, t.inner_vlan, t.session_timeout,
               t.idle_timeout, t.interim_interval, CASE WHEN array_ndims(t.routes) IS NOT NULL THEN t.routes END,
               CASE WHEN array_ndims(t.filters) IS NOT NULL THEN t.filters END,
               \(SnapshotReader.attributeColumn),
               CASE WHEN isfinite(t.expires_at) THEN floor(extract(epoch FROM t.expires_at))::bigint END,
               CASE WHEN t.activated_at IS NULL THEN t.validity END, nullif(t.mac_authentication, false),
               t.sim_credential, \(BindingColumn.sql)
        FROM aaa.subscriber t
        """

    /// Ids in one statement at most.
    private static let batch = 10_000
    private let connection: Connection

    init(_ connection: Connection) {
        self.connection = connection
    }

    /// Every subscriber, in whatever order the table has them.
    func all(_ each: (CopyRow) throws -> Void) throws {
        try connection.copyRows("COPY (\(Self.sql)) TO STDOUT (FORMAT binary)", each)
    }

    /// The named subscribers, those that still are.
    func named(_ ids: [Int64], _ each: (CopyRow) throws -> Void) throws {
        try Self.batches(ids) { list in
            try connection.copyRows("COPY (\(Self.sql) WHERE t.id = ANY ('{\(list)}')) TO STDOUT (FORMAT binary)", each)
        }
    }

    /// The locks of the named subscribers, or of all.
    func locks(of ids: [Int64]? = nil) throws -> [Int64: LockSet] {
        var locks: [Int64: LockSet] = [:]
        let sql = "SELECT subscriber_id, reason, level FROM aaa.access_lock"
        func add(_ row: CopyRow) throws {
            // An unknown word counts as a suspension by the system, never as nothing.
            let reason = LockReason(name: try row.string(1)) ?? .system
            locks[try row.int64(0), default: LockSet()].insert(reason, at: try row.string(2) == "captive" ? .captive : .suspended)
        }
        guard let ids else {
            try connection.copyRows("COPY (\(sql)) TO STDOUT (FORMAT binary)", add)
            return locks
        }
        try Self.batches(ids) { list in
            // By way of the subscriber, since only (tenant, subscriber) has an index.
            let named = """
                \(sql) l WHERE (l.tenant_id, l.subscriber_id) IN
                    (SELECT s.tenant_id, s.id FROM aaa.subscriber s WHERE s.id = ANY ('{\(list)}'))
                """
            try connection.copyRows("COPY (\(named)) TO STDOUT (FORMAT binary)", add)
        }
        return locks
    }

    /// The profiles of those of the named subscribers, or of all, that a quota throttles.
    func throttles(of ids: [Int64]? = nil) throws -> [Int64: Int64] {
        var profiles: [Int64: Int64] = [:]
        let sql = "SELECT subscriber_id, profile_id FROM aaa.quota_state WHERE profile_id IS NOT NULL"
        func add(_ row: CopyRow) throws { profiles[try row.int64(0)] = try row.int64(1) }
        guard let ids else {
            try connection.copyRows("COPY (\(sql)) TO STDOUT (FORMAT binary)", add)
            return profiles
        }
        try Self.batches(ids) { list in
            try connection.copyRows("COPY (\(sql) AND subscriber_id = ANY ('{\(list)}')) TO STDOUT (FORMAT binary)", add)
        }
        return profiles
    }

    /// What NASes are told of the quotas of the named subscribers, or of all, where such is asked for.
    func limits(of ids: [Int64]? = nil) throws -> [Int64: QuotaLimit] {
        var limits: [Int64: QuotaLimit] = [:]
        let sql = """
            SELECT subscriber_id, nas_limit - nas_taken, nas_later, floor(extract(epoch FROM nas_until))::bigint,
                floor(extract(epoch FROM nas_later_until))::bigint, nas_direction, nas_until < window_end
            FROM aaa.quota_state WHERE nas_limit IS NOT NULL
            """
        func add(_ row: CopyRow) throws {
            limits[try row.int64(0)] = QuotaLimit(
                octets: UInt64(clamping: max(1, try row.int64(1))), laterOctets: UInt64(clamping: max(1, try row.int64(2))),
                untilSeconds: UInt32(clamping: try row.int64(3)), laterUntilSeconds: UInt32(clamping: try row.int64(4)),
                direction: QuotaDirection(name: try row.string(5)) ?? .both, shrinks: try row.bool(6))
        }
        guard let ids else {
            try connection.copyRows("COPY (\(sql)) TO STDOUT (FORMAT binary)", add)
            return limits
        }
        try Self.batches(ids) { list in
            try connection.copyRows("COPY (\(sql) AND subscriber_id = ANY ('{\(list)}')) TO STDOUT (FORMAT binary)", add)
        }
        return limits
    }

    private static func batches(_ ids: [Int64], _ body: (String) throws -> Void) throws {
        let sorted = ids.sorted()
        for start in stride(from: 0, to: sorted.count, by: batch) {
            try body(sorted[start..<min(sorted.count, start + batch)].map { String($0) }.joined(separator: ","))
        }
    }
}
