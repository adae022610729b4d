import Testing

@testable import RadiusCore

/// Rules about versions of TLS: what they may ask and say, and what a trial of them tells.
@Suite struct TLSVersionRuleTests {
    private static func rule(
        _ condition: String, _ versions: [String] = ["1.2"], id: Int64 = 1, _ adjust: (inout PolicyRule) -> Void = { _ in }
    ) -> PolicyRule {
        RuleDesk.rule(condition, id: id, priority: Int(id)) { rule in
            rule.tlsVersions = versions
            adjust(&rule)
        }
    }

    private static func explain(
        _ rules: [PolicyRule], _ attributes: [(String, String)] = [], status: SubscriberStatus = .active,
        allowed: TLSSettings.Versions? = nil
    ) throws -> Explanation {
        let dictionary = try ShippedDictionaries.loaded.get()
        let (handshake, faults) = PolicyCompiler.compile(rules, at: .handshake, dictionary: dictionary)
        let (program, others) = PolicyCompiler.compile(rules, dictionary: dictionary)
        try #require(faults.isEmpty && others.isEmpty)
        var desk = RuleDesk().desk
        desk.subscribers[0].status = status
        let snapshot = try desk.snapshot(programs: program.map { [1: $0] } ?? [:], handshakes: handshake.map { [1: $0] } ?? [:])
        let request = try PolicyRequest(
            userName: "alice@home.example", attributes: attributes.map { AttributeText(name: $0.0, value: $0.1) }, dictionary: dictionary,
            seconds: RuleDesk.noon)
        return try #require(
            Explanation(
                userName: "alice@home.example", tenant: 1, client: PolicyDesk.client(), in: snapshot, request: request,
                offer: allowed.map { EAPOffer(settings: EAPService.Settings(), hasTunnel: true, asksForCertificate: true, versions: $0) }))
    }

    @Test(arguments: [["1.1"], ["1.2", "1.4"], [""], ["TLSv1.2", "1.3"]])
    func refusesVersionsThatThereAreNot(versions: [String]) throws {
        let rule = Self.rule("NAS-Port == 1", versions)
        #expect(try RuleDesk.faults(rule) == ["1 tls_versions"])
        let reason = PolicyCompiler.check([rule], dictionary: try ShippedDictionaries.loaded.get()).map(\.reason).joined()
        #expect(reason.contains("there are 1.2 and 1.3"))
    }

    @Test(arguments: [["1.2"], ["1.3"], ["1.2", "1.3"], ["1.3", "1.2"]]) func takesThoseThatThereAre(versions: [String]) throws {
        let rule = Self.rule(#"nas.vendor == mikrotik and subscriber.realm == "home.example" and time.weekday in sat..sun"#, versions)
        #expect(try RuleDesk.faults(rule) == [])
        let compiled = try CompiledRule(rule, dictionary: try ShippedDictionaries.loaded.get()).versions
        #expect(compiled.map { [$0.lowerBound.name, $0.upperBound.name] } == [versions.min() ?? "", versions.max() ?? ""])
    }

    @Test(arguments: [
        ("subscriber.profile == \"home50\"", "1 condition 1:1"), ("NAS-Port == 1 and subscriber.status == active", "1 condition 1:19"),
        ("not subscriber.level == captive", "1 condition 1:5"), ("NAS-Port == 1 or\n login.method == eap-tls", "1 condition 2:2"),
    ])
    func refusesWhatIsNotKnownBeforeTheMethod(condition: String, place: String) throws {
        let rule = Self.rule(condition)
        #expect(try RuleDesk.faults(rule) == [place])
        let reason = PolicyCompiler.check([rule], dictionary: try ShippedDictionaries.loaded.get()).map(\.reason).joined()
        #expect(reason.contains("a rule about versions of TLS is looked at before the subscriber"))
    }

    @Test func refusesWhatCouldDoNothing() throws {
        let rule = Self.rule("NAS-Port == 1") { rule in
            rule.profile = 10
            rule.set = [ReplyAttribute(name: "Session-Timeout", value: "60")]
            rule.add = [ReplyAttribute(name: "Filter-Id", value: "x")]
            rule.remove = ["Filter-Id"]
            rule.methods = ["eap"]
            rule.message = "no"
            rule.outcome = .reject
        }
        let members = ["profile", "set_attributes", "add_attributes", "remove_attributes", "require_methods", "message", "outcome"]
        let faults = try RuleDesk.faults(rule)
        for member in members { #expect(faults.contains("1 \(member)"), "\(member)") }
        #expect(try RuleDesk.faults(Self.rule("NAS-Port == 1") { $0.forwardsTo = 5 }) == ["1 tls_versions"])
        #expect(try RuleDesk.faults(Self.rule("NAS-Port == 1") { $0.outcome = .stop }) == [])
        // Once, and without the advice to make it an attribute.
        #expect(try RuleDesk.faults(Self.rule("NAS-Port == 1") { $0.message = "no" }) == ["1 message"])
    }

    @Test func judgesReachAmongTheirOwnKind() throws {
        let all = Self.rule("", id: 1)
        let behind = Self.rule("NAS-Port == 1", id: 2)
        #expect(try RuleDesk.faults(all, behind) == ["2 priority"])
        #expect(try RuleDesk.faults(behind, Self.rule("NAS-Port == 1", ["1.3"], id: 3)) == ["3 condition"])
        // Rules of other moments are another matter.
        let proof = RuleDesk.rule("NAS-Port == 1", id: 4, priority: 4)
        let away = RuleDesk.rule("NAS-Port == 1", id: 5, priority: 5) { $0.forwardsTo = 5 }
        #expect(try RuleDesk.faults(all, proof, away) == [])
    }

    @Test func aTrialNamesTheFirstThatHoldsBesideTheOtherRules() throws {
        let rules = [
            Self.rule(#"nas.huntgroup == "sea""#, id: 1), Self.rule(#"subscriber.realm == "home.example" and has NAS-Port"#, id: 2),
            Self.rule("", ["1.2", "1.3"], id: 3), RuleDesk.rule("NAS-Port == 9", id: 4, priority: 4) { $0.outcome = .reject },
        ]
        let bare = try Self.explain(rules)
        #expect(bare.isAccepted && bare.rules.lines.map(\.result) == [.fails, .fails, .holds, .fails])
        #expect(bare.rules.lines[2].detail.hasPrefix("has EAP speak TLS 1.2 or 1.3 only"))
        let whole = try Self.explain(rules, [("NAS-Port", "9")])
        #expect(whole.rules.lines.map(\.result) == [.fails, .holds, .notReached, .holds])
        #expect(whole.rules.lines[1].detail.hasPrefix("has EAP speak TLS 1.2 only"))
        #expect(whole.sentence == "The rule r4 refuses the login.")
        // A handshake comes before anything is known of the subscriber.
        let suspended = try Self.explain(rules, [("NAS-Port", "9")], status: .suspended)
        #expect(suspended.reason == .statusSuspended && suspended.rules.lines.map(\.result) == [.fails, .holds, .notReached])
    }

    private static let leftovers: [([String], TLSSettings.Versions?, String)] = [
        (["1.3", "1.2"], nil, "1.2 or 1.3 only, as far as eap.tls.minimum_version and eap.tls.maximum_version allow it"),
        (["1.2"], TLSSettings.Version.tls12...TLSSettings.Version.tls13, "1.2 only"),
        (
            ["1.2", "1.3"], TLSSettings.Version.tls13...TLSSettings.Version.tls13,
            "1.2 or 1.3 only, of which eap.tls.minimum_version and eap.tls.maximum_version of this node leave 1.3"
        ),
        (
            ["1.3", "1.3"], TLSSettings.Version.tls12...TLSSettings.Version.tls12,
            "1.3 only, which eap.tls.minimum_version and eap.tls.maximum_version of this node forbid: no version is left, so every "
                + "method over TLS is refused as tls_no_shared_version"
        ),
    ]

    @Test(arguments: leftovers)
    func aTrialSaysWhatSettingsLeaveOfIt(versions: [String], allowed: TLSSettings.Versions?, detail: String) throws {
        let explanation = try Self.explain([Self.rule("", versions)], allowed: allowed)
        #expect(explanation.rules.lines.map(\.detail) == ["has EAP speak TLS " + detail])
    }

    @Test(arguments: AuthenticationMethod.allCases) func onlyMethodsOverTLSMayHaveATunnel(method: AuthenticationMethod) {
        let family = method.name.split(separator: "/").first.map(String.init) ?? ""
        #expect(method.mayBeOverTLS == ["eap", "eap-tls", "eap-ttls", "eap-peap", "eap-teap"].contains(family))
    }
}
