import Testing

@testable import RadiusCore

/// Rules that send a log-in to a realm: what they may ask and say, and what a trial of them tells.
@Suite struct ForwardingRuleTests {
    private static func forwarding(
        _ condition: String, to realm: Int64 = 5, id: Int64 = 1, priority: Int = 10, _ adjust: (inout PolicyRule) -> Void = { _ in }
    ) -> PolicyRule {
        RuleDesk.rule(condition, id: id, priority: priority) { rule in
            rule.forwardsTo = realm
            adjust(&rule)
        }
    }

    private static func realm(
        _ id: Int64, _ kind: Realm.Kind = .rule, _ text: String = "", strips: Bool = false, isLocal: Bool = false
    ) throws -> Realm {
        let pool = HomeServerPool(id: id, tenant: 1, name: "pool\(id)", kind: .failover, servers: [])
        return try #require(
            Realm(id: id, tenant: 1, name: "realm\(id)", kind: kind, text: text, accessPool: isLocal ? nil : pool, strips: strips))
    }

    private static func report(
        _ rules: [PolicyRule], _ realms: [Realm], user: String = "alice@home.example", _ attributes: [(String, String)] = [],
        seconds: Int64 = RuleDesk.noon
    ) throws -> ForwardingReport {
        let dictionary = try ShippedDictionaries.loaded.get()
        let (program, faults) = PolicyCompiler.compile(rules, at: .arrival, dictionary: dictionary)
        try #require(faults.isEmpty, "\(faults)")
        let snapshot = try PolicyDesk().snapshot(
            forwarding: program.map { [1: $0] } ?? [:], proxy: ProxyPlan(servers: [], realms: realms))
        let request = try PolicyRequest(
            userName: user, attributes: attributes.map { AttributeText(name: $0.0, value: $0.1) }, dictionary: dictionary, seconds: seconds)
        return ForwardingReport(request, PolicyDesk.client(), in: snapshot)
    }

    @Test(arguments: [
        ("subscriber.profile == \"home50\"", "1 condition 1:1"), ("NAS-Port == 1 and subscriber.status == active", "1 condition 1:19"),
        ("not subscriber.level == captive", "1 condition 1:5"), ("NAS-Port == 1 or\n login.method == pap", "1 condition 2:2"),
    ])
    func refusesWhatIsNotKnownOnArrival(condition: String, place: String) throws {
        let rule = Self.forwarding(condition)
        #expect(try RuleDesk.faults(rule) == [place])
        let reason = PolicyCompiler.check([rule], dictionary: try ShippedDictionaries.loaded.get()).map(\.reason).joined()
        #expect(reason.contains("before the subscriber and the password"))
        // The same condition is fine where the subscriber is known.
        #expect(try RuleDesk.faults(RuleDesk.rule(condition)) == [])
    }

    @Test func refusesWhatCouldDoNothing() throws {
        let rule = Self.forwarding("NAS-Port == 1") { rule in
            rule.profile = 10
            rule.set = [ReplyAttribute(name: "Session-Timeout", value: "60")]
            rule.add = [ReplyAttribute(name: "Filter-Id", value: "x")]
            rule.remove = ["Filter-Id"]
            rule.methods = ["pap"]
            rule.message = "no"
            rule.outcome = .reject
        }
        let members = ["profile", "set_attributes", "add_attributes", "remove_attributes", "require_methods", "message", "outcome"]
        let faults = try RuleDesk.faults(rule)
        for member in members { #expect(faults.contains("1 \(member)"), "\(member)") }
        #expect(try RuleDesk.faults(Self.forwarding("NAS-Port == 1") { $0.outcome = .stop }) == [])
    }

    @Test func judgesReachAmongThoseThatForward() throws {
        let all = Self.forwarding("", id: 1, priority: 1)
        let behind = Self.forwarding("NAS-Port == 1", id: 2, priority: 2)
        #expect(try RuleDesk.faults(all, behind) == ["2 priority"])
        // A rule about proven log-ins is another matter, and the same condition is one, too.
        #expect(try RuleDesk.faults(all, RuleDesk.rule("NAS-Port == 1", id: 3, priority: 3)) == [])
        let twin = Self.forwarding("NAS-Port == 1", id: 4, priority: 3)
        #expect(try RuleDesk.faults(behind, twin) == ["4 condition"])
    }

    @Test func boundsRulesOfBothKindsTogether() throws {
        let rules = (Int64(0)..<513).map { number in
            let condition = "NAS-Port == \(number)"
            return number % 2 == 0 ? RuleDesk.rule(condition, id: number) : Self.forwarding(condition, id: number)
        }
        #expect(PolicyCompiler.check(rules, dictionary: try ShippedDictionaries.loaded.get()).map(\.rule) == [512])
    }

    @Test func theFirstThatHoldsDecides() throws {
        let rules = [
            Self.forwarding(#"nas.huntgroup == "sea""#, to: 5, id: 1, priority: 1),
            Self.forwarding(#"subscriber.realm == "home.example" and has NAS-Port"#, to: 6, id: 2, priority: 2),
            Self.forwarding(#"nas.name == "core1""#, to: 5, id: 3, priority: 3),
        ]
        let realms = [try Self.realm(5), try Self.realm(6)]
        let bare = try Self.report(rules, realms)
        #expect(bare.rule == "r3" && bare.realm?.id == 5 && bare.isForwarded)
        #expect(bare.rules.lines.map(\.result) == [.fails, .fails, .holds])
        #expect(bare.rules.lines[2].detail == "forwards to the pool pool5 as the realm realm5")
        #expect(bare.rules.lines[0].detail.contains(#"the value is "city""#))
        let whole = try Self.report(rules, realms, [("NAS-Port", "9")])
        #expect(whole.rule == "r2" && whole.realm?.id == 6)
        #expect(whole.rules.lines.map(\.result) == [.fails, .holds, .notReached])
    }

    @Test func aRealmThatIsSwitchedOffIsPassedOver() throws {
        let rules = [
            Self.forwarding("has User-Name", to: 5, id: 1, priority: 1), Self.forwarding("has NAS-Port", to: 6, id: 2, priority: 2),
        ]
        let report = try Self.report(rules, [try Self.realm(6)], [("NAS-Port", "9")])
        #expect(report.rule == "r2")
        #expect(
            report.rules.lines.map(\.detail) == [
                "is passed over: its realm is switched off", "forwards to the pool pool6 as the realm realm6",
            ])
    }

    @Test func aRealmWithoutAPoolKeepsANameThatAnotherWouldTake() throws {
        let realms = [try Self.realm(5, isLocal: true), try Self.realm(6, .suffix, "home.example")]
        let named = try Self.report([], realms)
        #expect(named.realm?.id == 6 && named.rule == nil && named.isForwarded)
        let kept = try Self.report([Self.forwarding(#"nas.huntgroup == "city""#)], realms)
        #expect(kept.rule == "r1" && !kept.isForwarded)
        #expect(kept.rules.lines.map(\.detail) == ["has it answered here: the realm realm5 has no pool"])
    }

    @Test(
        arguments: [
            (Realm.Kind.rule, "", "alice@home.example", "alice"), (.rule, "", #"HOME\alice"#, "alice"), (.rule, "", "alice", "alice"),
            (.suffix, "partner.example", "alice@home.example", "alice"), (.prefix, "partner", "home/alice@there", "alice@there"),
            (.pattern, "*@x", "alice@home.example", "alice@home.example"), (.null, "", "a@b", "a@b"),
        ] as [(Realm.Kind, String, String, String)])
    func stripsAsIfTheNameHadMatched(kind: Realm.Kind, text: String, user: String, forwarded: String) throws {
        let report = try Self.report([Self.forwarding("has User-Name")], [try Self.realm(5, kind, text, strips: true)], user: user)
        #expect(report.forwardedName == forwarded)
    }

    @Test func aRealmOfRulesTakesNoNameByItself() throws {
        let report = try Self.report([], [try Self.realm(5)], user: "alice")
        #expect(report.realm == nil && report.forwardedName == "alice")
    }
}
