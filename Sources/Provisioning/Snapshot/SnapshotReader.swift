import Database
import RadiusCore

/// Reads what a snapshot is made of. Statements run in a transaction of scope `system`.
enum SnapshotReader {
    static let profileSQL = """
        SELECT id, tenant_id, name, download, upload, download_burst, upload_burst, burst_seconds, priority,
               download_policy, upload_policy, coalesce(session_timeout, 0), coalesce(idle_timeout, 0),
               coalesce(interim_interval, 0), filters, \(attributeColumns)
        FROM aaa.profile t
        """

    static let policySQL = "SELECT tenant_id, coalesce(walled_garden_profile_id, 0), interim_interval FROM aaa.access_policy"

    static let clientSQL = """
        SELECT n.id, n.tenant_id, n.name, host(n.address), masklen(n.address), family(n.address), n.secret, n.vendor,
               n.require_message_authenticator, n.limit_proxy_state, n.send_message_authenticator,
               o.requires_message_authenticator, o.limits_proxy_state, n.rate_limit_per_second
        FROM aaa.nas n LEFT JOIN aaa.nas_observation o ON o.nas_id = n.id WHERE n.enabled ORDER BY n.id
        """

    static let subscriberSQL = """
        SELECT t.id, t.tenant_id, t.username, t.password, t.password_kind, t.status, coalesce(t.profile_id, 0),
               host(t.static_ipv4), t.ipv6_prefix::text, t.delegated_ipv6_prefix::text, t.routes, t.vlan, t.inner_vlan,
               coalesce(t.session_timeout, 0), coalesce(t.idle_timeout, 0), coalesce(t.interim_interval, 0), t.filters,
               \(attributeColumns), coalesce(l.locks, '{}')
        FROM aaa.subscriber t
        LEFT JOIN (SELECT subscriber_id, array_agg(reason || ':' || level) AS locks FROM aaa.access_lock GROUP BY 1) l
            ON l.subscriber_id = t.id
        """

    /// The JSON list of attributes as three arrays: names, values, vendors ('' for all).
    private static let attributeColumns = """
        CASE WHEN t.attributes = '[]' THEN '{}' ELSE
            ARRAY(SELECT coalesce(a ->> 'name', '') FROM jsonb_array_elements(t.attributes) WITH ORDINALITY e(a, n) ORDER BY n) END,
        CASE WHEN t.attributes = '[]' THEN '{}' ELSE
            ARRAY(SELECT coalesce(a ->> 'value', '') FROM jsonb_array_elements(t.attributes) WITH ORDINALITY e(a, n) ORDER BY n) END,
        CASE WHEN t.attributes = '[]' THEN '{}' ELSE
            ARRAY(SELECT coalesce(a ->> 'vendor', '') FROM jsonb_array_elements(t.attributes) WITH ORDINALITY e(a, n) ORDER BY n) END
        """

    /// The attribute list that stands in three array columns from `column` on. One for a make that is not known is left out with a
    /// problem: it must not go to all.
    static func attributes(_ row: Row, from column: Int, problems: inout [String]) throws -> [ReplyAttribute] {
        let names = try row.strings(column)
        guard !names.isEmpty else { return [] }
        let values = try row.strings(column + 1)
        let vendors = try row.strings(column + 2)
        return zip(names, zip(values, vendors)).compactMap { name, rest in
            let vendor = NASVendor(name: rest.1)
            guard vendor != nil || rest.1.isEmpty else {
                problems.append("\(name): there is no vendor \(rest.1)")
                return nil
            }
            return ReplyAttribute(name: name, value: rest.0, vendor: vendor)
        }
    }

    static func policy(_ row: Row) throws -> (tenant: Int64, policy: AccessPolicy) {
        (try row.int64(0), AccessPolicy(walledGardenProfile: try row.int64(1), interimSeconds: UInt32(try row.int(2))))
    }

    static func rate(_ row: Row) throws -> BandwidthRate {
        var rate = BandwidthRate(
            downloadBitsPerSecond: UInt64(try row.int64(3)), uploadBitsPerSecond: UInt64(try row.int64(4)))
        rate.downloadBurstBitsPerSecond = try row.optionalInt64(5).map { UInt64($0) }
        rate.uploadBurstBitsPerSecond = try row.optionalInt64(6).map { UInt64($0) }
        rate.burstSeconds = try row.optionalInt32(7).map { UInt32($0) }
        rate.priority = try row.optionalInt32(8).map { UInt8($0) }
        rate.downloadPolicy = try row.optionalString(9)
        rate.uploadPolicy = try row.optionalString(10)
        return rate
    }

    /// Locks written as `reason:level`; an unknown word counts as a suspension by the system, never as nothing.
    static func locks(_ words: [String]) -> LockSet {
        var locks = LockSet()
        for word in words {
            let parts = word.split(separator: ":", maxSplits: 1)
            let reason = parts.first.flatMap { LockReason(name: $0) } ?? .system
            locks.insert(reason, at: parts.last == "captive" ? .captive : .suspended)
        }
        return locks
    }
}
