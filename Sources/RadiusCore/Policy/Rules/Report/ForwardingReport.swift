/// Where one login would be answered, and what says so.
///
/// Made by the same rules and realms as the packet path's decision.
public struct ForwardingReport: Sendable {
    /// What each rule that forwards made of the login; empty without such rules.
    public let rules: PolicyReport
    /// The rule that chose the realm; nil when the name did, and without a realm.
    public let rule: String?
    /// Nil when no realm takes the login. One without a pool leaves it here.
    public let realm: Realm?
    /// What a home server is told as User-Name.
    public let forwardedName: String

    /// - Parameters:
    ///   - request: the login.
    ///   - client: the NAS that asks.
    ///   - snapshot: in force.
    public init(_ request: PolicyRequest, _ client: NASClient, in snapshot: Snapshot) {
        guard let plan = snapshot.proxy, !request.userName.isEmpty else {
            (rules, rule, realm, forwardedName) = (.none, nil, nil, request.userName)
            return
        }
        var report = PolicyReport.none
        var ruleName: String?
        var chosen: Realm?
        if let program = snapshot.forwarding[client.tenant] {
            var scratch = PolicyScratch()
            (chosen, report) = request.withLogin(of: nil, UnsafeRawBufferPointer(start: nil, count: 0), .active, at: client) { login in
                let realm = scratch.run(program, login, forwardingBy: plan)
                return (realm, PolicyReport(program, scratch, .realms(plan)))
            }
            if chosen != nil { ruleName = program.compiled[scratch.outcome.last].rule.name }
        }
        let octets = request.userNameOctets
        let match = octets.withUnsafeBytes { name in
            chosen.map { RealmMatch(chosen: $0, for: name) } ?? plan.find(tenant: client.tenant, name: name)
        }
        rules = report
        rule = ruleName
        realm = match?.realm
        forwardedName = match.map { String(decoding: $0.forwarded(octets), as: UTF8.self) } ?? request.userName
    }

    /// Home servers answer the login.
    public var isForwarded: Bool { realm?.accessPool != nil }
}
