import RadiusCore

/// 200 rules as a provider has them: by access point and by gateway, by realm, network, hardware address and hour.
enum CountedRules {
    static let all: [PolicyRule] = {
        var conditions = (0..<120).map { "Called-Station-Id == \"site\($0)\" and NAS-Port-Type == Wireless-802.11" }
        conditions += (0..<40).map { "nas.name == \"bng\($0)\" and time.of_day in 22:00..06:00" }
        conditions += (0..<15).map { "subscriber.realm matches \"*.region\($0).example\" and not has Framed-IP-Address" }
        conditions += (0..<15).map { "NAS-IP-Address in 10.\($0).0.0/16 or Calling-Station-Id matches \"02:\(10 + $0):*\"" }
        conditions += (0..<9).map { "Mikrotik-Realm == \"realm\($0)\" and time.weekday in sat..sun" }
        var rules = conditions.enumerated().map { rule($0.offset, $0.element) }
        var last = rule(rules.count, "Service-Type == Framed-User")
        last.set = [ReplyAttribute(name: "Session-Timeout", value: "7200")]
        rules.append(last)
        return rules
    }()

    private static func rule(_ number: Int, _ condition: String) -> PolicyRule {
        var rule = PolicyRule(id: Int64(number + 1), name: "rule\(number)", priority: number)
        rule.condition = condition
        rule.add = [ReplyAttribute(name: "Filter-Id", value: "rule\(number)")]
        return rule
    }
}
