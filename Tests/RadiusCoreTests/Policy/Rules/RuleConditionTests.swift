import Testing

@testable import RadiusCore

@Suite struct RuleConditionTests {
    private static let request: [(String, String)] = [
        ("NAS-Port-Type", "Ethernet"), ("Calling-Station-Id", "00:53:00:12:34:56"), ("NAS-IP-Address", "192.0.2.17"),
        ("NAS-Port", "4711"), ("Framed-IPv6-Prefix", "2001:db8:1::/48"), ("Event-Timestamp", "2026-01-31T12:00:00Z"),
        ("ADSL-Agent-Circuit-Id", "0x0004010203"), ("Tunnel-Private-Group-Id:1", "77"), ("Mikrotik-Recv-Limit", "5"),
    ]

    @Test(
        arguments: [
            (#"NAS-Port-Type == Ethernet"#, true), ("NAS-Port-Type == 15", true), ("NAS-Port-Type == Virtual", false),
            ("NAS-Port-Type != Virtual", true), ("NAS-Port-Type in (Virtual, Ethernet)", true),
            ("NAS-Port < 4711", false), ("NAS-Port <= 4711", true), ("NAS-Port > 4710", true), ("NAS-Port >= 4712", false),
            ("NAS-Port in 4700..4800", true), ("NAS-Port in (1..10, 4712..5000)", false),
            (#"Calling-Station-Id == "00:53:00:12:34:56""#, true), (#"Calling-Station-Id == "00:53:00:12:34:5""#, false),
            (#"Calling-Station-Id != "00:53:00:12:34:57""#, true), (#"Calling-Station-Id in ("x", "00:53:00:12:34:56")"#, true),
            (#"Calling-Station-Id matches "00:53:*""#, true), (#"Calling-Station-Id matches "*:56""#, true),
            (#"Calling-Station-Id matches "??:5[0-3]:*:[!0]6""#, true), (#"Calling-Station-Id matches "00:53""#, false),
            ("NAS-IP-Address in 192.0.2.0/24", true), ("NAS-IP-Address in (198.51.100.0/24, 192.0.2.16/28)", true),
            ("NAS-IP-Address == 192.0.2.17", true), ("NAS-IP-Address != 192.0.2.17", false), ("NAS-IP-Address in 192.0.2.0/28", false),
            ("Framed-IPv6-Prefix in 2001:db8::/32", true), ("Framed-IPv6-Prefix in 2001:db8:1::/56", false),
            ("Event-Timestamp >= 2026-01-31T11:59:59Z", true), ("Event-Timestamp < 2026-01-31T12:00:00Z", false),
            ("ADSL-Agent-Circuit-Id == 0x0004010203", true), (#"Tunnel-Private-Group-Id == "77""#, true),
            ("Mikrotik-Recv-Limit == 5", true),
            ("has Framed-MTU", false), ("has NAS-Port", true), ("Framed-MTU != 1500", false), ("not Framed-MTU == 1500", true),
        ] as [(String, Bool)])
    func comparesAttributes(condition: String, expected: Bool) throws {
        #expect(try RuleDesk.holds(condition, Self.request) == expected)
    }

    @Test(
        arguments: [
            (#"subscriber.name == "alice@home.example""#, true), (#"subscriber.realm == "home.example""#, true),
            (#"subscriber.profile == "home50""#, true), (#"subscriber.profile matches "business*""#, false),
            ("subscriber.status == active", true), ("subscriber.level == active", true), (#"nas.name == "core1""#, true),
            (#"nas.name matches "core*""#, true), (#"nas.huntgroup == "city""#, true), (#"nas.huntgroup in ("country", "sea")"#, false),
            ("nas.vendor == mikrotik", true), ("nas.vendor in (cisco, juniper)", false),
            ("nas.address in 192.0.2.0/29", true), ("login.method == pap", true), ("login.method != chap", true),
            ("time.of_day in 12:00..12:34", true), ("time.of_day >= 12:35", false), ("time.of_day in 22:00..06:00", false),
            ("time.weekday == sat", true), ("time.weekday in fri..mon", true), ("time.weekday in mon..fri", false),
            ("time.date == 2026-01-31", true), ("time.date in 2026-02-01..2026-02-28", false),
        ] as [(String, Bool)])
    func comparesWhatIsKnownOfSubscriberNASAndTime(condition: String, expected: Bool) throws {
        #expect(try RuleDesk.holds(condition) == expected)
    }

    /// Every way of joining three tests, against the same formula in Swift.
    @Test func joinsTestsAsLogicSays() throws {
        for bits in 0..<8 {
            let (a, b, c) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0)
            let request = [("NAS-Port", a ? "1" : "0"), ("Framed-MTU", b ? "1" : "0"), ("Idle-Timeout", c ? "1" : "0")]
            let (x, y, z) = ("NAS-Port == 1", "Framed-MTU == 1", "Idle-Timeout == 1")
            #expect(try RuleDesk.holds("\(x) or \(y) and \(z)", request) == (a || b && c))
            #expect(try RuleDesk.holds("(\(x) or \(y)) and \(z)", request) == ((a || b) && c))
            #expect(try RuleDesk.holds("not (\(x) and \(y)) or \(z)", request) == (!(a && b) || c))
            #expect(try RuleDesk.holds("not (\(x) or not \(y)) and not \(z)", request) == (!(a || !b) && !c))
        }
    }

    @Test func aValueOfAWrongLengthCountsAsAbsent() throws {
        // NAS-Port with three octets.
        let request = [("Attr-5", "0x000001")]
        #expect(try !RuleDesk.holds("has NAS-Port", request))
        #expect(try RuleDesk.holds("not has NAS-Port", request))
    }

    @Test func theFirstOfSeveralAttributesCounts() throws {
        let request = [("Filter-Id", "one"), ("Filter-Id", "two")]
        #expect(try RuleDesk.holds(#"Filter-Id == "one""#, request))
        #expect(try !RuleDesk.holds(#"Filter-Id == "two""#, request))
    }

    @Test func anEmptyConditionAlwaysHolds() throws {
        #expect(try RuleDesk.holds(" \n "))
    }
}
