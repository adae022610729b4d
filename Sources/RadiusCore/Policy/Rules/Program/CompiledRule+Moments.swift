/// What holds for rules that are looked at before the subscriber and the password are.
extension CompiledRule {
    /// What of such a rule could do nothing, or cannot be known so early.
    static func objections(to rule: PolicyRule, _ condition: RuleCondition) -> [PolicyFault] {
        let forwards = rule.moment == .arrival
        let kind = forwards ? "a rule that forwards" : "a rule about versions of TLS"
        var faults: [PolicyFault] = []
        if let test = condition.tests.first(where: { !$0.subject.source.isKnownOnArrival }) {
            let error = RuleError(
                test,
                "\(kind) is looked at before the subscriber and the password are; it may ask for attributes, subscriber.name "
                    + "and subscriber.realm (which come from User-Name), nas.* and time.*")
            faults.append(PolicyFault(.invalid, rule, "condition", error.description, at: error.place))
        }
        let idle: [(member: String, isThere: Bool)] = [
            ("profile", rule.profile != 0), ("set_attributes", !rule.set.isEmpty), ("add_attributes", !rule.add.isEmpty),
            ("remove_attributes", !rule.remove.isEmpty), ("require_methods", !rule.methods.isEmpty), ("message", !rule.message.isEmpty),
            ("tls_versions", forwards && !rule.tlsVersions.isEmpty),
        ]
        let reason = forwards ? "leaves the answer to home servers" : "decides about nothing else"
        for (member, isThere) in idle where isThere {
            faults.append(PolicyFault(.unreachable, rule, member, "\(kind) \(reason); leave it out"))
        }
        if rule.outcome == .reject {
            faults.append(PolicyFault(.unreachable, rule, "outcome", "\(kind) cannot reject the login, too"))
        }
        return faults
    }
}

extension RuleSource {
    /// A request alone tells it; `subscriber.name` is User-Name then.
    var isKnownOnArrival: Bool {
        switch self {
        case .subscriberProfile, .subscriberStatus, .subscriberLevel, .method: false
        default: true
        }
    }
}
