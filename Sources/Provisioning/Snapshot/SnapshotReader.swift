import Database
import RadiusCore

/// Reads what a snapshot is made of. Statements run in a transaction of scope `system`.
enum SnapshotReader {
    static let profileSQL = """
        SELECT id, tenant_id, name, download, upload, download_burst, upload_burst, burst_seconds, priority,
               download_policy, upload_policy, coalesce(session_timeout, 0), coalesce(idle_timeout, 0),
               coalesce(interim_interval, 0), filters, coalesce(\(attributeColumn), '{}'),
               coalesce(pool_id, 0), coalesce(pool6_id, 0), coalesce(delegated_pool_id, 0),
               coalesce(session_limit, 0), on_session_limit
        FROM aaa.profile t
        """

    static let policySQL = "SELECT tenant_id, coalesce(walled_garden_profile_id, 0), interim_interval FROM aaa.access_policy"

    static let clientSQL = """
        SELECT n.id, n.tenant_id, n.name, host(n.address), masklen(n.address), family(n.address), n.secret, n.vendor,
               n.require_message_authenticator, n.limit_proxy_state, n.send_message_authenticator,
               o.requires_message_authenticator, o.limits_proxy_state, n.rate_limit_per_second, n.tls_identity,
               coalesce(n.huntgroup, ''), coalesce(n.nas_identifier, '')
        FROM aaa.nas n LEFT JOIN aaa.nas_observation o ON o.nas_id = n.id WHERE n.enabled AND n.address IS NOT NULL ORDER BY n.id
        """

    /// The JSON list of attributes as one array: names, values, vendors ('' for all).
    static let attributeColumn = """
        CASE WHEN jsonb_array_length(t.attributes) > 0 THEN \(words("name")) || \(words("value")) || \(words("vendor")) END
        """

    private static func words(_ key: String) -> String {
        "ARRAY(SELECT coalesce(a ->> '\(key)', '') FROM jsonb_array_elements(t.attributes) WITH ORDINALITY e(a, n) ORDER BY n)"
    }

    /// The attribute list that is given as all names, then all values, then all vendors. One for a make that is not known is left
    /// out with a problem: it must not go to all.
    static func attributes(_ words: [String], problems: inout [String]) -> [ReplyAttribute] {
        let count = words.count / 3
        return zip(words[..<count], zip(words[count..<count * 2], words[(count * 2)...])).compactMap { name, rest in
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
}
