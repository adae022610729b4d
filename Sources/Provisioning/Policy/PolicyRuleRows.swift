public import Database
public import RadiusCore

/// Reads policy rules from `aaa.policy_rule`.
public enum PolicyRuleRows {
    /// The rules in force of the tenant that the transaction is for, in the order in which they are looked at.
    public static func enabled(_ connection: Connection) throws -> [PolicyRule] {
        try connection.queryAll(sql + " WHERE t.enabled " + order) { try rule($0) }
    }

    /// The rules in force by tenant, and the zone of each such tenant; of all tenants, or of those named. Scope `system`.
    static func byTenant(_ tenants: [Int64]?, _ connection: Connection) throws -> [Int64: (rules: [PolicyRule], zone: String)] {
        var found: [Int64: (rules: [PolicyRule], zone: String)] = [:]
        let condition = tenants == nil ? "" : " AND t.tenant_id = ANY($1)"
        try connection.query(sql + " WHERE t.enabled" + condition + order, tenants.map { [.intArray($0)] } ?? []) { row in
            let tenant = try row.int64(0)
            let zone = try row.string(13)
            found[tenant, default: ([], zone)].rules.append(try rule(row))
        }
        return found
    }

    private static let sql = """
        SELECT t.tenant_id, t.id, t.name, t.priority, t.condition, t.outcome, \(words("set_attributes", "name")),
               \(words("set_attributes", "value")), \(words("add_attributes", "name")), \(words("add_attributes", "value")),
               t.remove_attributes, coalesce(t.profile_id, 0), t.require_methods,
               (SELECT o.time_zone FROM tenancy.tenant o WHERE o.id = t.tenant_id), t.message, coalesce(t.forward_to_id, 0),
               t.tls_versions
        FROM aaa.policy_rule t
        """
    private static let order = " ORDER BY t.tenant_id, t.priority, t.id"

    private static func words(_ column: String, _ key: String) -> String {
        "ARRAY(SELECT coalesce(a ->> '\(key)', '') FROM jsonb_array_elements(t.\(column)) WITH ORDINALITY e(a, n) ORDER BY n)"
    }

    private static func rule(_ row: Row) throws -> PolicyRule {
        var rule = PolicyRule(id: try row.int64(1), name: try row.string(2), priority: try row.int(3))
        rule.condition = try row.string(4)
        // A word that this version does not know refuses: a rule must not let in whom it may keep out.
        rule.outcome = PolicyRule.Outcome(rawValue: try row.string(5)) ?? .reject
        rule.set = zip(try row.strings(6), try row.strings(7)).map { ReplyAttribute(name: $0, value: $1) }
        rule.add = zip(try row.strings(8), try row.strings(9)).map { ReplyAttribute(name: $0, value: $1) }
        rule.remove = try row.strings(10)
        rule.profile = try row.int64(11)
        rule.methods = try row.strings(12)
        rule.message = try row.string(14)
        rule.forwardsTo = try row.int64(15)
        rule.tlsVersions = try row.strings(16)
        return rule
    }
}
