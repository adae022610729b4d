import Testing

@testable import RadiusCore

/// Rules over the snapshot of `PolicyDesk`, tried on typed requests.
struct RuleDesk {
    static let business: Int64 = 30
    var desk = PolicyDesk()
    var rules: [PolicyRule] = []
    var zone = ZoneOffsets.utc
    /// 2026-01-31T12:34:56Z, a Saturday.
    static let noon: Int64 = 1_769_862_896

    init(_ rules: PolicyRule...) {
        self.rules = rules
        var alice = PolicyDesk.subscriber("alice@home.example")
        (alice.credentialKind, alice.credential) = (.clearText, Array("correct-horse".utf8))
        alice.card = [UInt8](repeating: 7, count: SIMCredential.count)
        alice.identity = [8, 6, 203, 0, 113, 9]
        desk.subscribers = [alice]
        desk.profiles.append(PolicyDesk.profile(Self.business, "business", 100, 100, timeouts: (3600, 0, 0)))
    }

    static func rule(_ condition: String, id: Int64 = 1, priority: Int = 10, _ adjust: (inout PolicyRule) -> Void = { _ in }) -> PolicyRule
    {
        var rule = PolicyRule(id: id, name: "r\(id)", priority: priority)
        rule.condition = condition
        adjust(&rule)
        return rule
    }

    func explain(
        _ attributes: [(String, String)] = [], user: String = "alice@home.example", vendor: NASVendor = .mikrotik,
        method: AuthenticationMethod = .pap, seconds: Int64 = noon
    ) throws -> Explanation {
        let dictionary = try ShippedDictionaries.loaded.get()
        let (program, faults) = PolicyCompiler.compile(rules, dictionary: dictionary, zone: zone)
        try #require(faults.isEmpty, "\(faults)")
        let snapshot = try desk.snapshot(programs: program.map { [1: $0] } ?? [:])
        let request = try PolicyRequest(
            userName: user, attributes: attributes.map { AttributeText(name: $0.0, value: $0.1) }, dictionary: dictionary, method: method,
            seconds: seconds)
        return try #require(
            Explanation(userName: user, tenant: 1, client: PolicyDesk.client(vendor), in: snapshot, request: request))
    }

    /// Whether a rule with this condition holds.
    static func holds(
        _ condition: String, _ attributes: [(String, String)] = [], method: AuthenticationMethod = .pap, seconds: Int64 = noon,
        zone: ZoneOffsets = .utc
    ) throws -> Bool {
        var desk = RuleDesk(rule(condition))
        desk.zone = zone
        return try desk.explain(attributes, method: method, seconds: seconds).rules.lines.map(\.result) == [.holds]
    }

    /// `member line:column` of each fault.
    static func faults(_ rules: PolicyRule...) throws -> [String] {
        PolicyCompiler.check(rules, dictionary: try ShippedDictionaries.loaded.get()).map { fault in
            "\(fault.rule) \(fault.member)" + (fault.place.map { " \($0.line):\($0.column)" } ?? "")
        }
    }

    static func reason(_ condition: String) throws -> String {
        PolicyCompiler.check([rule(condition)], dictionary: try ShippedDictionaries.loaded.get()).map(\.reason).joined(separator: "\n")
    }
}
