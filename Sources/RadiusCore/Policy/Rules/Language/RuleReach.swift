/// Finds rules, and parts of conditions, that can never matter.
///
/// It finds: a rule behind one that always holds and ends the rules; a rule whose condition is that of an earlier one which ends the
/// rules; a condition that is a contradiction, or an alternative that is one with what stands beside it, or repeats another; a condition
/// that always holds. A contradiction is a conjunction whose tests leave no value for one name: ranges of numbers, texts, patterns
/// against given texts, networks, presence; of alternatives that are all of one name, one that may hold is enough. It does not reason
/// across different names, nor about patterns among each other, so a condition that passes may still never hold.
enum RuleReach {
    static func faults(_ rules: [CompiledRule]) -> [PolicyFault] {
        var faults: [PolicyFault] = []
        var ended: CompiledRule?
        for (position, compiled) in rules.enumerated() {
            let rule = compiled.rule
            if let ended {
                faults.append(
                    PolicyFault(
                        .unreachable, rule, "priority",
                        "it is never reached: the rule \(ended.rule.name) before it always holds and ends the rules"))
            } else if let twin = rules[..<position].first(where: { $0.ends && $0.condition == compiled.condition }) {
                faults.append(
                    PolicyFault(
                        .unreachable, rule, "condition",
                        "it is never reached: the rule \(twin.rule.name) before it has the same condition and ends the rules"))
            }
            if let error = error(in: compiled.condition) {
                faults.append(PolicyFault(.unreachable, rule, "condition", error.description, at: error.place))
            }
            if ended == nil, compiled.ends, compiled.condition == .always { ended = compiled }
        }
        return faults
    }

    /// The first part of a condition that cannot matter.
    private static func error(in condition: RuleCondition) -> RuleError? {
        flaw(in: condition) ?? contradiction(in: condition, beside: reachable)
    }

    /// What rules can meet at all: who is turned away by status is not asked about.
    private static let reachable: [RuleSubject: RuleDomain] = {
        let open = SubscriberStatus.allCases.filter { $0.level != .suspended }
        guard let status = RuleNames.subject("subscriber.status") else { return [:] }
        return [status: RuleDomain(numbers: open.map { UInt64($0.rawValue) })]
    }()

    private static func flaw(in condition: RuleCondition) -> RuleError? {
        switch condition {
        case .always: return nil
        case .test(let test): return RuleDomain(test).isEmpty ? RuleError(test, "nothing can fulfil this") : nil
        case .not(let inner): return flaw(in: inner) ?? contradiction(in: inner, beside: [:])
        case .all(let parts): return parts.lazy.compactMap { flaw(in: $0) }.first
        case .any(let parts): return flaw(inAny: parts)
        }
    }

    /// The first part that leaves no value for one name; `known` are those that what stands beside the condition leaves.
    private static func contradiction(in condition: RuleCondition, beside known: [RuleSubject: RuleDomain]) -> RuleError? {
        var domains = known
        let parts = condition.conjuncts
        for part in parts {
            guard let (subject, domain, test) = narrowing(part) else { continue }
            let both = (domains[subject] ?? .everything).intersection(domain)
            if both.isEmpty { return RuleError(test, reason(of: subject)) }
            domains[subject] = both
        }
        for case .any(let alternatives) in parts where narrowing(.any(alternatives)) == nil {
            for alternative in alternatives { if let error = contradiction(in: alternative, beside: domains) { return error } }
        }
        return nil
    }

    private static func reason(of subject: RuleSubject) -> String {
        let reason = "this contradicts what stands beside it, so it can never hold"
        return subject.source == .subscriberStatus ? reason + "; rules are asked about active and quarantined subscribers only" : reason
    }

    private static func flaw(inAny parts: [RuleCondition]) -> RuleError? {
        for (position, part) in parts.enumerated() {
            if let error = flaw(in: part) { return error }
            let earlier = parts[..<position]
            guard let test = part.tests.first else { continue }
            if earlier.contains(part) { return RuleError(test, "this stands there already") }
            if earlier.contains(.not(part)) || earlier.contains(where: { part == .not($0) }) {
                return RuleError(test, "this or what stands before it always holds; leave the condition empty")
            }
        }
        return nil
    }

    /// What a part of a conjunction leaves of one name's values.
    private static func narrowing(_ part: RuleCondition) -> (RuleSubject, RuleDomain, RuleTest)? {
        switch part {
        case .test(let test): return (test.subject, RuleDomain(test), test)
        case .not(.test(let test)) where test.predicate == .present: return (test.subject, .absent, test)
        case .not(.test(let test)):
            return RuleDomain(test).complement.map { (test.subject, $0, test) }
        case .any(let parts):
            let tests = parts.flatMap(\.alternatives)
            guard let first = tests.first, tests.count == parts.flatMap(\.tests).count, tests.allSatisfy({ $0.subject == first.subject })
            else { return nil }
            return (first.subject, tests.map { RuleDomain($0) }.reduce(.nothing) { $0.union($1) }, first)
        default: return nil
        }
    }
}

extension CompiledRule {
    /// When it holds, no rule behind it is looked at.
    var ends: Bool { rule.outcome != .proceed || rule.moment != .proof }
}

extension RuleError {
    init(_ test: RuleTest, _ reason: String) {
        self.init(test.place, test.text, reason)
    }
}

extension RuleCondition {
    /// What must hold together.
    fileprivate var conjuncts: [RuleCondition] {
        if case .all(let parts) = self { return parts.flatMap(\.conjuncts) }
        return [self]
    }

    /// Tests of which one must hold; fewer than there are when one of them is negated.
    fileprivate var alternatives: [RuleTest] {
        switch self {
        case .test(let test): [test]
        case .any(let parts): parts.flatMap(\.alternatives)
        default: []
        }
    }
}
