extension Resource {
    /// A rule that decides about logins once the password is proven, or before that who answers them.
    static let policyRule = Resource(
        "policy_rule", in: "aaa", table: "aaa.policy_rule",
        summary: "A rule about logins: when it holds, what is answered; the lowest priority is looked at first",
        order: ["priority", "id"], nameField: "name",
        fields: [
            .text("name", .required, .unique, .searchable, .octets(1...64)),
            .integer(
                "priority", .required, .range(0...1_000_000), .summary("The lowest is looked at first; among equal ones the lower id")),
            .boolean("enabled", .initial(true)),
            .text(
                "condition", .initial(""), .lines, .searchable, .octets(0...4000),
                .summary("Such as: nas.vendor == mikrotik and time.of_day in 22:00..06:00; empty: always")),
            .choice(
                "outcome", ["continue", "stop", "reject"], .initial("continue"),
                .summary("When it holds: go on with the next rule, look at no other, or refuse the login")),
            .reference("profile", to: "profile", .summary("Is answered instead of the subscriber's")),
            .reference(
                "forward_to", to: "realm",
                .summary("The realm whose home servers are asked instead, before all other rules; such a rule does nothing else")),
            .textList(
                "tls_versions", .initial([]), .octets(1...64),
                .summary("The versions of TLS that EAP may have: 1.2, 1.3; such a rule does nothing else")),
            .attributes("set_attributes", .initial([]), .summary("Replace those of the same name in the reply")),
            .attributes("add_attributes", .initial([]), .summary("Are added to the reply")),
            .textList("remove_attributes", .initial([]), .octets(1...253), .summary("Names of attributes that the reply loses")),
            .textList(
                "require_methods", .initial([]), .octets(1...64),
                .summary("Methods of which one is demanded: pap, chap, mschapv2, eap, ...")),
            .text("message", .initial(""), .octets(0...253), .summary("Reply-Message of a refusal")),
            .text("notes", .initial(""), .lines, .searchable, .octets(0...10_000)),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["priority", "name", "enabled", "condition", "outcome", "profile", "forward_to", "tls_versions", "require_methods"],
        actions: [PolicyTrial.action],
        rules: Rules(
            check: { _, members, _ in
                // Here and not by the compiler: former versions took it.
                ["tls_versions", "require_methods"].compactMap { name -> Problem.Fault? in
                    let words = members.first { $0.name == name }?.value.elements?.compactMap(\.text) ?? []
                    guard let word = words.enumerated().first(where: { words[..<$0.offset].contains($0.element) })?.element else {
                        return nil
                    }
                    return .member(name, "unique", "“\(word)” is named twice")
                }
            },
            verify: { exchange, connection, id in
                // All rules together: one may put another out of reach. What a former version took was there before.
                try exchange.services.checkPolicy(connection).filter { $0.rule == id || !$0.wasTaken }.map { mistake in
                    let isOwn = mistake.rule == id
                    let detail = isOwn ? mistake.detail : "because of this change, the rule \(mistake.ruleName): \(mistake.detail)"
                    return isOwn ? .member(mistake.member, mistake.code, detail) : .init(.body(""), mistake.code, detail)
                }
            }))
}

/// What is wrong with a policy rule of a tenant.
public struct PolicyMistake: Equatable, Sendable {
    public let rule: Int64
    public let ruleName: String
    /// The member of the rule.
    public let member: String
    /// `condition`, `attribute`, `unreachable`, `reserved`, ...
    public let code: String
    /// With line and column where it is in a condition.
    public let detail: String
    /// Former versions took it: a rule that was stored may have it.
    public let wasTaken: Bool

    public init(rule: Int64, ruleName: String, member: String, code: String, detail: String, wasTaken: Bool) {
        self.rule = rule
        self.ruleName = ruleName
        self.member = member
        self.code = code
        self.detail = detail
        self.wasTaken = wasTaken
    }
}
