import Testing

@testable import RadiusCore

@Suite struct RuleActionTests {
    @Test func setsAddsAndRemovesAttributesInTheOrderOfTheRules() throws {
        let first = RuleDesk.rule("", id: 1, priority: 1) { rule in
            rule.set = [ReplyAttribute(name: "Session-Timeout", value: "60"), ReplyAttribute(name: "Mikrotik-Rate-Limit", value: "1M/2M")]
            rule.add = [ReplyAttribute(name: "Filter-Id", value: "one"), ReplyAttribute(name: "Filter-Id", value: "two")]
        }
        let second = RuleDesk.rule("NAS-Port == 1", id: 2, priority: 2) { rule in
            rule.remove = ["Framed-IP-Address", "Mikrotik-Rate-Limit"]
            rule.set = [ReplyAttribute(name: "Filter-Id", value: "three")]
        }
        let desk = RuleDesk(second, first)
        #expect(
            try desk.explain([("NAS-Port", "2")]).lines == [
                "Framed-IP-Address = 203.0.113.9", "Acct-Interim-Interval = 77", "Session-Timeout = 60", "Mikrotik-Rate-Limit = 1M/2M",
                "Filter-Id = one", "Filter-Id = two",
            ])
        #expect(try desk.explain([("NAS-Port", "1")]).lines == ["Acct-Interim-Interval = 77", "Session-Timeout = 60", "Filter-Id = three"])
    }

    @Test func theLastRuleThatHoldsChoosesTheProfile() throws {
        let business = RuleDesk.rule("", id: 1, priority: 1) { $0.profile = RuleDesk.business }
        let home = RuleDesk.rule("NAS-Port == 1", id: 2, priority: 2) { $0.profile = PolicyDesk.plan }
        let desk = RuleDesk(business, home)
        let explanation = try desk.explain()
        #expect(explanation.profile?.name == "business")
        #expect(explanation.rules.lines.first?.detail == "chooses profile business")
        #expect(explanation.lines.contains("Session-Timeout = 3600"))
        #expect(try desk.explain([("NAS-Port", "1")]).profile?.name == "home50")
    }

    @Test func aRuleMayGiveAProfileToWhoeverHasNone() throws {
        var desk = RuleDesk(RuleDesk.rule("") { $0.profile = RuleDesk.business })
        desk.desk.subscribers[0].profile = 0
        #expect(try desk.explain().profile?.name == "business")
        desk.rules[0].profile = 0
        #expect(try desk.explain().reason == .profileMissing)
        desk.rules[0].profile = 999
        #expect(try desk.explain().reason == .profileMissing)
    }

    @Test func stopLeavesOutWhatFollows() throws {
        let stop = RuleDesk.rule("NAS-Port == 1", id: 1, priority: 1) { $0.outcome = .stop }
        let reject = RuleDesk.rule("NAS-Port >= 1", id: 2, priority: 2) { rule in
            rule.outcome = .reject
            rule.message = "not here"
        }
        let desk = RuleDesk(stop, reject)
        let stopped = try desk.explain([("NAS-Port", "1")])
        #expect(stopped.isAccepted && stopped.rules.lines.map(\.result) == [.holds, .notReached])
        let rejected = try desk.explain([("NAS-Port", "2")])
        #expect(!rejected.isAccepted && rejected.reason == .policyRejected)
        #expect(rejected.sentence == "The rule r2 refuses the login.")
        #expect(rejected.lines == ["Reply-Message = not here"])
        #expect(rejected.rules.lines.map(\.result) == [.fails, .holds])
        #expect(rejected.rules.lines[0].detail == "line 1, column 1: NAS-Port == 1: the value is 2")
    }

    @Test func demandsAMethod() throws {
        let desk = RuleDesk(RuleDesk.rule("NAS-Port == 1") { $0.methods = ["chap", "eap"] })
        #expect(try desk.explain([("NAS-Port", "1")], method: .pap).reason == .policyMethod)
        #expect(try desk.explain([("NAS-Port", "1")], method: .chap).isAccepted)
        #expect(try desk.explain([("NAS-Port", "1")], method: .eapMSCHAPv2).isAccepted)
        #expect(try desk.explain([("NAS-Port", "2")], method: .pap).isAccepted)
    }

    /// The name of a method stands for all that is inside of it, in `require_methods` as in conditions.
    @Test func aMethodStandsForWhatIsInside() throws {
        for method in AuthenticationMethod.allCases.dropFirst() {
            for demanded in [AuthenticationMethod.eap, .eapTTLS, .eapPEAP, .eapTEAP, .eapTLS, .pap] {
                let isInside = demanded == .eap ? method.name.hasPrefix("eap") : method.name.hasPrefix(demanded.name + "/")
                let expected = method == demanded || isInside
                let desk = RuleDesk(RuleDesk.rule("") { $0.methods = [demanded.name] })
                #expect(try desk.explain(method: method).isAccepted == expected, "\(method.name) by \(demanded.name)")
                #expect(try RuleDesk.holds("login.method == \(demanded.name)", method: method) == expected)
                #expect(try RuleDesk.holds("login.method in (\(demanded.name))", method: method) == expected)
                #expect(try RuleDesk.holds("login.method != \(demanded.name)", method: method) != expected)
            }
        }
    }

    @Test func onlyEAPAndTunnelsHaveMethodsInside() {
        #expect(AuthenticationMethod.eapPEAP.inside == [.eapPEAPGTC, .eapPEAPMSCHAPv2, .eapPEAPTLS])
        #expect(AuthenticationMethod.eap.inside.contains(.eapMD5) && !AuthenticationMethod.eap.inside.contains(.eapTTLS))
        #expect(AuthenticationMethod.pap.inside.isEmpty && AuthenticationMethod.eapTLS.inside.isEmpty)
    }

    @Test func nothingThatARuleGivesReachesIntoTheWalledGarden() throws {
        var desk = RuleDesk(
            RuleDesk.rule("", id: 1, priority: 1) { rule in
                rule.profile = RuleDesk.business
                rule.add = [ReplyAttribute(name: "Filter-Id", value: "open")]
            },
            RuleDesk.rule("NAS-Port == 1", id: 2, priority: 2) { $0.outcome = .reject })
        desk.desk.subscribers[0].locks.insert(.overdue, at: .captive)
        let captive = try desk.explain()
        #expect(captive.reason == .acceptedCaptive && captive.profile?.name == "garden")
        #expect(!captive.lines.contains("Filter-Id = open"))
        #expect(try desk.explain([("NAS-Port", "1")]).reason == .policyRejected)
    }

    @Test func aSuspendedSubscriberIsNotAskedAbout() throws {
        var desk = RuleDesk(RuleDesk.rule("") { $0.profile = RuleDesk.business })
        desk.desk.subscribers[0].status = .suspended
        let explanation = try desk.explain()
        #expect(explanation.reason == .statusSuspended && explanation.rules.lines.isEmpty)
    }

    @Test func aRecordedPacketIsTriedLikeATypedRequest() throws {
        let packet = TestPacket.access(user: "alice@home.example", extra: [AttributeNumber.nasPort, 6, 0, 0, 0, 9])
        let recorded = try PolicyRequest(recorded: packet + [0, 0], seconds: RuleDesk.noon)
        #expect(recorded.method == .pap && recorded.userName == "alice@home.example")
        let eap: [UInt8] = [79, 7, 2, 0, 0, 5, 1]
        let conversing = TestPacket.access(user: "alice@home.example", password: nil, extra: eap)
        #expect(try PolicyRequest(recorded: conversing, seconds: RuleDesk.noon).method == .eap)
        let typed = [AttributeText(name: "EAP-Message", value: "0x0200000501")]
        let dictionary = try ShippedDictionaries.loaded.get()
        #expect(try PolicyRequest(userName: "alice", attributes: typed, dictionary: dictionary, seconds: 0).method == .eap)
        #expect(
            try PolicyRequest(userName: "alice", attributes: typed, dictionary: dictionary, method: .eapTLS, seconds: 0).method == .eapTLS)
        #expect(try PolicyRequest(userName: "alice", dictionary: dictionary, seconds: 0).method == .pap)
        let bare = try PolicyRequest(recorded: TestPacket.access(user: "alice@home.example", password: nil), seconds: 0)
        let handshake = HandshakeReport(bare, PolicyDesk.client(), in: try RuleDesk().desk.snapshot(), offer: nil)
        #expect(bare.method == .none && handshake.refusal == .noCredentials)
        #expect(throws: DecodeError.attributeOverrun) {
            var bad = packet
            bad[21] = 255
            return try PolicyRequest(recorded: bad, seconds: 0)
        }
        #expect(throws: DecodeError.unsupportedCode) { try PolicyRequest(recorded: TestPacket.status(), seconds: 0) }
    }

    /// 300 rules, each found by what it demands: the same as running all of them.
    @Test func theIndexFindsEveryRuleThatHolds() throws {
        var rules: [PolicyRule] = []
        for number in 0..<100 {
            rules.append(RuleDesk.rule("NAS-Port == \(number) and Framed-MTU > \(number % 3)", id: Int64(number), priority: number))
            rules.append(
                RuleDesk.rule("Called-Station-Id in (\"ssid\(number)\", \"all\")", id: Int64(1000 + number), priority: number))
            rules.append(RuleDesk.rule("NAS-Port >= \(number) or Framed-MTU == 1", id: Int64(2000 + number), priority: number))
        }
        var desk = RuleDesk()
        desk.rules = rules
        for (port, mtu, station) in [(5, 2, "ssid7"), (50, 0, "all"), (99, 9, "none"), (1000, 1, "ssid99")] {
            let request = [("NAS-Port", "\(port)"), ("Framed-MTU", "\(mtu)"), ("Called-Station-Id", station)]
            let held = try desk.explain(request).rules.lines.filter { $0.result == .holds }.map(\.rule)
            let expected = (0..<100).flatMap { number -> [Int64] in
                let one = port == number && mtu > number % 3 ? [Int64(number)] : []
                let two = station == "ssid\(number)" || station == "all" ? [Int64(1000 + number)] : []
                let three = port >= number || mtu == 1 ? [Int64(2000 + number)] : []
                return one + two + three
            }
            #expect(held == expected)
        }
    }
}
