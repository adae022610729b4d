import Testing

@testable import RadiusCore

/// What is refused when a rule is kept, and where it says that the mistake stands.
@Suite struct RuleRefusalTests {
    @Test(
        arguments: [
            ("NAS-Prot == 1", "1 condition 1:1"), ("NAS-Port == 1 and\n  Calling-Sation-Id == \"x\"", "1 condition 2:3"),
            ("NAS-Port == \"1\"", "1 condition 1:13"), ("NAS-Port == one", "1 condition 1:13"),
            ("NAS-Port == 4294967296", "1 condition 1:13"),
            ("NAS-Port-Type == Ethernett", "1 condition 1:18"), ("User-Name == alice", "1 condition 1:14"),
            ("User-Name < \"a\"", "1 condition 1:11"),
            ("NAS-IP-Address == 2001:db8::1", "1 condition 1:19"), ("NAS-IP-Address in 192.0.2.1/24", "1 condition 1:19"),
            ("NAS-IP-Address == 192.0.2.0/24", "1 condition 1:19"), ("NAS-Port matches \"4*\"", "1 condition 1:18"),
            ("User-Name matches \"[a\"", "1 condition 1:19"), ("User-Password == \"x\"", "1 condition 1:1"),
            ("Vendor-Specific == 0x00", "1 condition 1:1"), ("subscriber.nmae == \"x\"", "1 condition 1:1"),
            ("time.of_day == 25:00", "1 condition 1:16"),
            ("nas.vendor == mikrotick", "1 condition 1:15"), ("NAS-Port in 9..1", "1 condition 1:13"), ("NAS-Port < 0", "1 condition 1:12"),
            ("NAS-Port ==", "1 condition 1:12"), ("(NAS-Port == 1", "1 condition 1:15"), ("NAS-Port == 1)", "1 condition 1:14"),
            ("NAS-Port == 1 NAS-Port == 2", "1 condition 1:15"), ("NAS-Port = 1", "1 condition 1:10"),
            ("User-Name == \"x", "1 condition 1:14"),
            ("== 1", "1 condition 1:1"), ("not", "1 condition 1:4"), ("NAS-Port in (1 2)", "1 condition 1:16"),
            ("NAS-Port in ()", "1 condition 1:14"),
            ("NAS-Port == 1 ; NAS-Port == 2", "1 condition 1:15"),
        ] as [(String, String)])
    func namesThePlaceOfAMistake(condition: String, place: String) throws {
        #expect(try RuleDesk.faults(RuleDesk.rule(condition)) == [place])
    }

    @Test func suggestsTheNameThatWasMeant() throws {
        #expect(try RuleDesk.reason("NAS-Prot == 1").contains("did you mean NAS-Port?"))
        #expect(try RuleDesk.reason("subscriber.relm == \"x\"").contains("there is no such name; did you mean subscriber.realm?"))
        #expect(try RuleDesk.reason("login.methd == pap").contains("did you mean login.method?"))
        #expect(try RuleDesk.reason("weather.tomorrow == fine").contains("there are subscriber.name, "))
        #expect(try RuleDesk.reason("NAS-IP-Address in 192.0.2.1/24").contains("192.0.2.0/24"))
        #expect(try RuleDesk.reason("NAS-Port-Type == Ethernett").contains("a name such as"))
    }

    @Test(
        arguments: [
            ("NAS-Port == 1 and NAS-Port == 2", "1 condition 1:19"), ("NAS-Port in (1, 2) and NAS-Port > 2", "1 condition 1:24"),
            ("NAS-Port < 5 and (Framed-MTU == 1500 and NAS-Port >= 5)", "1 condition 1:42"),
            ("User-Name == \"a\" and User-Name != \"a\"", "1 condition 1:22"),
            ("User-Name == \"a\" and User-Name matches \"b*\"", "1 condition 1:22"),
            ("User-Name == \"a\" and not User-Name == \"a\"", "1 condition 1:26"),
            ("has NAS-Port and not has NAS-Port", "1 condition 1:22"),
            ("not has NAS-Port and NAS-Port == 1", "1 condition 1:22"),
            ("NAS-IP-Address in 192.0.2.0/24 and NAS-IP-Address in (10.0.0.0/8, 172.16.0.0/12)", "1 condition 1:55"),
            ("Framed-MTU == 1 or NAS-Port == 1 and NAS-Port == 2", "1 condition 1:38"),
            ("NAS-Port == 1 or NAS-Port == 1", "1 condition 1:18"),
            ("NAS-Port == 1 or not NAS-Port == 1", "1 condition 1:22"),
            ("time.weekday in mon..fri and time.weekday == sun", "1 condition 1:30"),
            ("NAS-Port == 4 and (NAS-Port == 5 or Framed-MTU == 1)", "1 condition 1:20"),
            ("(Framed-MTU == 1 or NAS-Port == 5) and NAS-Port == 4", "1 condition 1:21"),
            ("NAS-Port > 4 and (Framed-MTU == 1 or has Idle-Timeout and (has Class or NAS-Port < 2))", "1 condition 1:73"),
            ("not (NAS-Port == 4 and (NAS-Port == 5 or Framed-MTU == 1))", "1 condition 1:25"),
            ("subscriber.status == suspended", "1 condition 1:1"),
            ("NAS-Port == 1 or subscriber.status in (pending, terminated)", "1 condition 1:40"),
            ("login.method == eap-peap and login.method == eap-tls", "1 condition 1:30"),
        ] as [(String, String)])
    func refusesWhatCanNeverMatter(condition: String, place: String) throws {
        #expect(try RuleDesk.faults(RuleDesk.rule(condition)) == [place])
    }

    @Test(arguments: [
        "NAS-Port == 1 and Framed-MTU == 2", "NAS-Port in (1, 2) and NAS-Port > 1", "NAS-Port == 1 and not NAS-Port == 2",
        "User-Name matches \"a*\" and User-Name matches \"*b\"", "NAS-IP-Address in 10.0.0.0/8 and NAS-IP-Address in 10.1.0.0/16",
        "not has NAS-Port and not NAS-Port == 1", "time.of_day in 22:00..06:00 and time.of_day > 23:00", "NAS-Port == 1 or NAS-Port == 2",
        "not (NAS-Port == 1 or NAS-Port == 2) and NAS-Port == 3", "NAS-Port == 4 and (NAS-Port == 4 or Framed-MTU == 1)",
        "NAS-Port == 4 and (not NAS-Port == 5 or Framed-MTU == 1)", "subscriber.status in (active, suspended)",
        "subscriber.status != active", "not subscriber.status == suspended", "login.method == eap and login.method == eap-tls",
    ])
    func letsPassWhatMayHold(condition: String) throws {
        #expect(try RuleDesk.faults(RuleDesk.rule(condition)) == [])
    }

    /// Else a rule of a former version, which found less, would keep all others from being changed.
    @Test func onlyWhatOneRuleDoesToAnotherMattersToOthers() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        let stored = PolicyCompiler.check([RuleDesk.rule("subscriber.status == suspended")], dictionary: dictionary)
        #expect(stored.map(\.wasTaken) == [true])
        let behind = [RuleDesk.rule("", id: 1, priority: 1) { $0.outcome = .stop }, RuleDesk.rule("NAS-Port == 1", id: 2)]
        #expect(PolicyCompiler.check(behind, dictionary: dictionary).map(\.wasTaken) == [false])
        #expect(PolicyCompiler.check([RuleDesk.rule("NAS-Prot == 1")], dictionary: dictionary).map(\.wasTaken) == [false])
    }

    @Test func refusesARuleBehindOneThatAlwaysEndsTheRules() throws {
        let last = RuleDesk.rule("", id: 1, priority: 10) { $0.outcome = .reject }
        let behind = RuleDesk.rule("NAS-Port == 1", id: 2, priority: 20)
        let before = RuleDesk.rule("NAS-Port == 1", id: 3, priority: 5)
        #expect(try RuleDesk.faults(last, behind, before) == ["2 priority"])
        let twin = RuleDesk.rule("NAS-Port  ==  0x1", id: 4, priority: 7)
        var ends = before
        ends.outcome = .stop
        #expect(try RuleDesk.faults(twin, ends) == ["4 condition"])
        #expect(try RuleDesk.faults(twin, before) == [])
    }

    @Test func refusesActionsThatNoReplyCanCarry() throws {
        let rule = RuleDesk.rule("") { rule in
            rule.set = [ReplyAttribute(name: "Session-Timout", value: "1"), ReplyAttribute(name: "Idle-Timeout", value: "soon")]
            rule.add = [ReplyAttribute(name: "State", value: "0x00"), ReplyAttribute(name: "Tunnel-Password:1", value: "x")]
            rule.remove = ["Message-Authenticator", "No-Such"]
            rule.methods = ["pap", "kerberos"]
        }
        let faults = try RuleDesk.faults(rule)
        #expect(faults.count { $0 == "1 set_attributes" } == 3)
        #expect(faults.count { $0 == "1 add_attributes" } == 2)
        #expect(faults.count { $0 == "1 remove_attributes" } == 2)
        #expect(faults.count { $0 == "1 require_methods" } == 1)
        #expect(try RuleDesk.faults(RuleDesk.rule("") { ($0.outcome, $0.profile) = (.reject, 10) }) == ["1 outcome"])
    }

    /// A rule that a former version stored: it must not let in whom it keeps out.
    @Test func whatNoReplyHasAnyMoreIsLeftOutAlone() throws {
        let rule = RuleDesk.rule("") { rule in
            rule.set = [ReplyAttribute(name: "NAS-Port-Id", value: "x"), ReplyAttribute(name: "Class", value: "0x61")]
            rule.add = [ReplyAttribute(name: "Connect-Info", value: "x")]
            rule.remove = ["Called-Station-Id", "Filter-Id"]
            rule.methods = ["chap"]
            rule.outcome = .stop
        }
        let dictionary = try ShippedDictionaries.loaded.get()
        let (program, faults) = PolicyCompiler.compile([rule], dictionary: dictionary)
        let compiled = try #require(program?.compiled.first)
        let (filter, label) = (try ReplyTarget("Filter-Id", dictionary), try ReplyTarget("Class", dictionary))
        #expect(compiled.edits == [.remove(filter), .remove(label), .append([25, 3, 0x61])])
        #expect(compiled.methods != 0 && compiled.rule.outcome == .stop)
        #expect(faults.map(\.member) == ["remove_attributes", "set_attributes", "add_attributes"])
        #expect(faults.allSatisfy { $0.kind == .reserved })
        // Nothing else that is wrong is forgiven.
        var wrong = rule
        wrong.remove.append("No-Such")
        #expect(PolicyCompiler.compile([wrong], dictionary: dictionary).program == nil)
    }

    @Test func boundsDepthTestsAndLength() throws {
        let deep = String(repeating: "(", count: 33) + "NAS-Port == 1" + String(repeating: ")", count: 33)
        #expect(try RuleDesk.faults(RuleDesk.rule(deep)) == ["1 condition 1:33"])
        let nots = String(repeating: "not ", count: 33) + "NAS-Port == 1"
        #expect(try RuleDesk.faults(RuleDesk.rule(nots)).count == 1)
        let many = "NAS-Port in (" + (0..<257).map { "\($0)" }.joined(separator: ",") + ")"
        #expect(try RuleDesk.reason(many).contains("256 tests"))
        #expect(try RuleDesk.reason(String(repeating: " ", count: 4001)).contains("4000 octets"))
        let rules = (0..<513).map { RuleDesk.rule("NAS-Port == \($0)", id: Int64($0)) }
        #expect(PolicyCompiler.check(rules, dictionary: try ShippedDictionaries.loaded.get()).map(\.rule) == [512])
    }

    /// Any cut and any changed octet of a good condition is taken or refused, and nothing worse.
    @Test func garbageIsRefusedWithAPlace() throws {
        let good = Array(#"NAS-Port in (1..5, 9) and not (User-Name matches "a[b-d]*\"" or NAS-IP-Address in 192.0.2.0/24)"#.utf8)
        let dictionary = try ShippedDictionaries.loaded.get()
        for position in good.indices {
            for octet in [UInt8(ascii: "("), UInt8(ascii: "\""), UInt8(ascii: "\\"), 0, 0xff, UInt8(ascii: "9")] {
                var bad = good
                bad[position] = octet
                for text in [bad, Array(good[..<position])] {
                    do {
                        _ = try RuleParser.condition(String(decoding: text, as: UTF8.self), dictionary: dictionary)
                    } catch {
                        #expect(error.place.column <= good.count + 1 && !error.reason.isEmpty)
                    }
                }
            }
        }
    }
}
