import RadiusCore
import Testing

@testable import FreeRADIUSImport

@Suite struct ImporterTests {
    /// A plan of rows, each `table|name|attribute|op|value`, groups as `radusergroup|user|group|priority`.
    static func plan(
        _ rows: String, foldsCase: Bool = false, foldsLater: Bool = false, users: String = "", options: Importer.Options = .init()
    ) throws -> ImportPlan {
        var source = FreeRADIUSSource()
        source.users.foldsCase = foldsCase
        source.groups.foldsCase = foldsCase
        var reader = UsersFile(into: source) { _ in [] }
        try reader.read(Array(users.utf8), name: "users")
        source = reader.source
        if foldsLater { source.users.foldsCase = true }
        var table = TableRows("dump", into: source)
        for (number, row) in rows.split(separator: "\n").enumerated() {
            let cells = row.split(separator: "|", omittingEmptySubsequences: false).map { SQLCell.text(String($0)) }
            guard case .text(let name)? = cells.first else { continue }
            try table.add(name, [], [.text(String(number + 1))] + cells.dropFirst(), number + 1)
        }
        var importer = Importer(
            table.source, options: options, check: { name, _ in name.hasPrefix("Unknown") ? "no dictionary has it" : nil },
            isOctets: { $0 == "Class" }, clock: { Int64($0.year) * 1000 })
        return importer.run()
    }

    static func lines(_ plan: ImportPlan, _ level: Remark.Level) -> [String] {
        plan.remarks.filter { $0.level == level }.map { "\($0.place) \($0.subject): \($0.what)" }
    }

    @Test func tablesThatFoldCaseFindUsersOfFiles() throws {
        let plan = try Self.plan(
            "radcheck|ALICE|Cleartext-Password|:=|a\nradcheck|bob|Cleartext-Password|:=|b\nradcheck|Bob|Cleartext-Password|:=|c",
            foldsLater: true, users: "alice\n  Session-Timeout := 60\nBob\n  Session-Timeout := 60\nbob\n  Session-Timeout := 70\n")
        let passwords = Dictionary(uniqueKeysWithValues: plan.subscribers.map { ($0.username, $0.password) })
        #expect(passwords == ["alice": .clear("a"), "bob": .clear("b"), "Bob": .clear("c")])
        #expect(Self.lines(plan, .note).contains { $0.hasPrefix("users:5 bob: name") })
    }

    @Test(arguments: [
        ("Tunnel-Password:1", "hush"), ("Ascend-Send-Secret", "hush"), ("Mikrotik-Wireless-PSK", "hush"), ("Cisco-AVPair", "psk=hush"),
        ("Cisco-AVPair", "ipsec:tunnel-password=hush"), ("MS-MPPE-Send-Key", "0x00"), ("Cleartext-Password", "hush"),
    ]) func secretsAreNotShown(attribute: String, value: String) {
        #expect(SourcePair(attribute, .set, value, at: Place("radreply", 1)).shown == attribute)
        #expect(SourcePair("Cisco-AVPair", .add, "ip:addr-pool=x", at: Place("radreply", 1)).shown == "Cisco-AVPair += ip:addr-pool=x")
    }

    /// U+00E9, and e with U+0301: one character for a String, two names for a server.
    @Test func composedAndDecomposedLettersAreTwoNames() throws {
        let (composed, decomposed) = ("ren\u{e9}", "rene\u{301}")
        let plan = try Self.plan(
            """
            radcheck|\(composed)|Cleartext-Password|:=|a
            radcheck|\(decomposed)|Cleartext-Password|:=|b
            radusergroup|\(composed)|\(composed)|1
            radusergroup|\(decomposed)|\(decomposed)|1
            radgroupreply|\(composed)|Session-Timeout|:=|3600
            radgroupreply|\(decomposed)|Session-Timeout|:=|7200
            """)
        #expect(plan.subscribers.map { Array($0.username.utf8) } == [composed, decomposed].map { Array($0.utf8) })
        #expect(plan.subscribers.map(\.password) == [.clear("a"), .clear("b")])
        #expect(plan.subscribers.map { Array(($0.profile ?? "").utf8) } == [composed, decomposed].map { Array($0.utf8) })
        #expect(plan.profiles.map(\.plan.sessionTimeout).sorted { ($0 ?? 0) < ($1 ?? 0) } == [3600, 7200])
    }

    @Test func groupsBecomeProfilesAndUsersShareThem() throws {
        let plan = try Self.plan(
            """
            radcheck|alice|Cleartext-Password|:=|a
            radcheck|bob|NT-Password|:=|0x8846F7EAEE8FB117AD06BDD830B7586C
            radreply|bob|Framed-IP-Address|:=|198.51.100.7
            radreply|bob|Framed-Route|+=|192.0.2.0/255.255.255.0 198.51.100.7 1
            radgroupreply|home|Mikrotik-Rate-Limit|=|10M/50M
            radgroupreply|home|Session-Timeout|=|3600
            radgroupreply|home|Framed-Pool|=|pool1
            radusergroup|alice|home|1
            radusergroup|bob|home|1
            """)
        #expect(plan.remarks == [])
        #expect(plan.profiles.map(\.name) == ["home"])
        let home = try #require(plan.profiles.first?.plan)
        #expect(home.rate.uploadBitsPerSecond == 10_000_000)
        #expect(home.rate.downloadBitsPerSecond == 50_000_000)
        #expect(home.sessionTimeout == 3600)
        #expect(home.attributes == [ReplyText("Framed-Pool", "pool1")])
        #expect(plan.subscribers.map(\.profile) == ["home", "home"])
        #expect(plan.subscribers[0].password == .clear("a"))
        #expect(plan.subscribers[1].password == .nt("8846f7eaee8fb117ad06bdd830b7586c"))
        #expect(plan.subscribers[1].staticIPv4 == "198.51.100.7")
        #expect(plan.subscribers[1].routes == ["192.0.2.0/24 198.51.100.7 1"])
        #expect(plan.subscribers[0].attributes == [] && plan.subscribers[0].sessionTimeout == nil)
    }

    @Test func ownRepliesGoToTheSubscriberOrToAProfileOfTheirOwn() throws {
        let plan = try Self.plan(
            """
            radcheck|alice|Cleartext-Password|:=|a
            radreply|alice|Mikrotik-Rate-Limit|=|20M/100M
            radcheck|bob|Cleartext-Password|:=|b
            radreply|bob|Session-Timeout|:=|60
            radreply|bob|Class|=|gold
            radcheck|carol|Cleartext-Password|:=|c
            radreply|carol|Mikrotik-Rate-Limit|=|20M/100M
            radcheck|dave|Cleartext-Password|:=|d
            radreply|dave|WISPr-Bandwidth-Max-Up|=|20000000
            radreply|dave|WISPr-Bandwidth-Max-Down|=|100000000
            radgroupreply|home|Mikrotik-Rate-Limit|=|10M/50M
            radgroupreply|home|Session-Timeout|=|3600
            radusergroup|alice|home|1
            radusergroup|bob|home|1
            """)
        #expect(plan.remarks == [])
        let names = plan.subscribers.map { $0.profile ?? "-" }
        let alices = try #require(plan.profiles.first { $0.name == names[0] })
        #expect(names[0].hasPrefix("down-100M-up-20M-"))
        #expect(alices.plan.sessionTimeout == 3600)
        #expect(names[1...] == ["home", "down-100M-up-20M", "down-100M-up-20M"])
        #expect(plan.subscribers[1].sessionTimeout == 60)
        #expect(plan.subscribers[1].attributes == [ReplyText("Class", "0x676f6c64")])
        #expect(plan.profiles.count == 3)
    }

    /// `=` keeps what is there, `:=` replaces it, `+=` adds; only the first group counts unless it falls through.
    @Test func operatorsAndFallThroughAreFreeRADIUSs() throws {
        let plan = try Self.plan(
            """
            radcheck|alice|Cleartext-Password|:=|a
            radreply|alice|Idle-Timeout|=|10
            radreply|alice|Filter-Id|=|own
            radgroupreply|g1|Idle-Timeout|=|20
            radgroupreply|g1|Filter-Id|+=|one
            radgroupreply|g1|Fall-Through|=|Yes
            radgroupreply|g2|Idle-Timeout|:=|30
            radgroupreply|g2|Session-Timeout|=|7
            radgroupreply|g3|Session-Timeout|:=|8
            radusergroup|alice|g3|9
            radusergroup|alice|g2|2
            radusergroup|alice|g1|1
            """)
        let alice = try #require(plan.subscribers.first)
        #expect(alice.profile == "g1 + g2")
        let profile = try #require(plan.profiles.first { $0.name == "g1 + g2" }?.plan)
        #expect(profile.idleTimeout == 30)
        #expect(profile.sessionTimeout == 7)
        #expect(profile.filters == ["one"])
        #expect(alice.idleTimeout == nil)
        #expect(alice.filters == ["own", "one"])
        #expect(Self.lines(plan, .note) == ["radusergroup:10 alice: group g3"])
    }

    @Test func aMalformedHashIsNoUnknownScheme() throws {
        let rows =
            "radcheck|a|Crypt-Password|:=|$6$abc$def\nradcheck|b|Crypt-Password|:=|$2b$10$short1234\nradcheck|c|Crypt-Password|:=|$3$$x"
        let plan = try Self.plan(rows)
        #expect(plan.subscribers.allSatisfy { $0.password == nil })
        #expect(
            plan.remarks.filter { $0.level == .lost }.map(\.why) == [
                "this is no whole hash of its scheme $6$", "this is no whole hash of its scheme $2b$",
                "Lastmile does not verify hashes of this scheme",
            ])
    }

    @Test func twoWithOneAddressAreNoted() throws {
        let plan = try Self.plan(
            """
            radcheck|alice|Cleartext-Password|:=|a
            radreply|alice|Framed-IP-Address|:=|198.51.100.7
            radcheck|bob|Cleartext-Password|:=|b
            radreply|bob|Framed-IP-Address|:=|198.51.100.7
            radcheck|carol|Cleartext-Password|:=|c
            radreply|carol|Framed-IP-Address|:=|198.51.100.8
            """)
        #expect(plan.subscribers.map(\.staticIPv4) == ["198.51.100.7", "198.51.100.7", "198.51.100.8"])
        #expect(Self.lines(plan, .note) == ["radcheck:3 bob: Framed-IP-Address 198.51.100.7"])
        #expect(plan.remarks.first?.why == "“alice” has the same address")
    }

    @Test func checkItemsBecomeWhatSubscribersHave() throws {
        let digest = String(repeating: "a", count: 86)
        let plan = try Self.plan(
            """
            radcheck|alice|Cleartext-Password|:=|a
            radcheck|alice|Expiration|:=|31 Jan 2030
            radcheck|alice|Simultaneous-Use|:=|2
            radcheck|alice|Access-Period|:=|86400
            radcheck|bob|Auth-Type|:=|Reject
            radcheck|00-53-00-AA-BB-CC|Auth-Type|:=|Accept
            radcheck|carol|Auth-Type|:=|Accept
            radcheck|dave|Cleartext-Password|:=|d
            radcheck|dave|Expiration|:=|soon
            radcheck|eve|Cleartext-Password|:=|
            radcheck|frank|SSHA-Password|:=|0123
            radcheck|grace|Crypt-Password|:=|$6$salt$\(digest)
            radcheck|heidi|Crypt-Password|:=|ab0123456789c
            radcheck|ivan|Password-With-Header|:=|{nt}8846f7eaee8fb117ad06bdd830b7586c
            radcheck|judy|Cleartext-Password|==|j
            radcheck|ken|Password-With-Header|:=|{SSHA}xyz
            radgroupcheck|daloRADIUS-Disabled-Users|Auth-Type|:=|Reject
            radcheck|lea|Cleartext-Password|:=|l
            radusergroup|lea|daloRADIUS-Disabled-Users|0
            radcheck|lea|Simultaneous-Use|:=|many
            """)
        func subscriber(_ name: String) throws -> ImportedSubscriber { try #require(plan.subscribers.first { $0.username == name }) }
        #expect(try subscriber("alice").expiresAt == "1970-01-24T11:53:20Z")
        #expect(try subscriber("alice").validity == 86_400)
        #expect(try subscriber("alice").sessionLimit == 2 && subscriber("lea").sessionLimit == nil)
        #expect(try subscriber("bob").isSuspended)
        #expect(try subscriber("lea").isSuspended)
        let station = try subscriber("00:53:00:aa:bb:cc")
        #expect(station.isMACAuthentication && station.password == nil)
        #expect(try subscriber("grace").password == .hash("$6$salt$\(digest)"))
        #expect(try subscriber("ivan").password == .nt("8846f7eaee8fb117ad06bdd830b7586c"))
        #expect(try subscriber("judy").password == .clear("j"))
        #expect(Self.lines(plan, .skipped) == ["radcheck:7 carol: Auth-Type := Accept"])
        #expect(
            Self.lines(plan, .lost) == [
                "radcheck:9 dave: Expiration := soon", "radcheck:10 eve: Cleartext-Password",
                "radcheck:11 frank: SSHA-Password", "radcheck:13 heidi: Crypt-Password", "radcheck:16 ken: Password-With-Header",
                "radcheck:20 lea: Simultaneous-Use := many",
            ])
    }

    @Test func demandsOnTheRequestCloseTheDoorUnlessTheyAreDropped() throws {
        let rows = """
            radcheck|alice|Cleartext-Password|:=|secret-word
            radcheck|alice|Calling-Station-Id|==|00-53-00-11-22-33
            radcheck|bob|Cleartext-Password|:=|b
            """
        let closed = try Self.plan(rows)
        #expect(closed.subscribers.map(\.username) == ["bob"])
        #expect(Self.lines(closed, .skipped) == ["radcheck:2 alice: Calling-Station-Id == 00-53-00-11-22-33"])
        #expect(closed.remarks[0].advice.contains(#"subscriber.name == "alice" and not (Calling-Station-Id == "00-53-00-11-22-33")"#))
        var options = Importer.Options()
        options.dropsRestrictions = true
        let open = try Self.plan(rows, options: options)
        #expect(open.subscribers.map(\.username) == ["alice", "bob"])
        #expect(Self.lines(open, .lost) == ["radcheck:2 alice: Calling-Station-Id == 00-53-00-11-22-33"])
    }

    @Test func aHuntgroupIsAskedForAsPolicyRulesCallIt() throws {
        let plan = try Self.plan(
            """
            radcheck|carl|Cleartext-Password|:=|secret-word
            radcheck|carl|Huntgroup-Name|==|city
            """)
        #expect(plan.remarks[0].advice.contains(#"subscriber.name == "carl" and not (nas.huntgroup == "city")"#))
    }

    @Test func whatCannotBeCarriedIsNamedAndSecretsAreNot() throws {
        let plan = try Self.plan(
            """
            radcheck| alice|Cleartext-Password|:=|secret-word
            radcheck|bob|SSHA-Password|:=|secret-word
            radcheck|bob|Cleartext-Password|~~|secret-word
            radreply|bob|Unknown-Thing|=|1
            radreply|bob|Reply-Message|=|"Hello %{User-Name}"
            radreply|bob|Acct-Interim-Interval|=|5
            radreply|bob|Framed-IP-Address|=|nowhere
            radusergroup|bob|absent|1
            radusergroup||home|1
            radgroupcheck|day|NAS-IP-Address|==|192.0.2.1
            """)
        #expect(plan.subscribers.map(\.username) == ["bob"])
        let shown = plan.remarks.map { "\($0.what) \($0.why) \($0.advice)" }.joined()
        #expect(!shown.contains("secret-word"))
        #expect(Self.lines(plan, .skipped) == ["radcheck:1  alice: name"])
        #expect(
            Set(Self.lines(plan, .lost)) == [
                "radcheck:2 bob: SSHA-Password", "radcheck:3 bob: Cleartext-Password", "radreply:4 bob: Unknown-Thing = 1",
                "radreply:5 bob: Reply-Message = Hello %{User-Name}", "radreply:6 bob: Acct-Interim-Interval = 5",
                "radreply:7 bob: Framed-IP-Address = nowhere", "radusergroup:9 : home", "radgroupcheck:10 day: NAS-IP-Address == 192.0.2.1",
            ])
        #expect(Self.lines(plan, .note) == ["radusergroup:8 bob: group absent"])
    }

    @Test func spellingsAreOneUserInMySQLAndTwoElsewhere() throws {
        let rows = "radcheck|Alice|Cleartext-Password|:=|a\nradreply|alice|Class|=|x\n"
        let folded = try Self.plan(rows, foldsCase: true)
        #expect(folded.subscribers.map(\.username) == ["Alice"])
        #expect(folded.subscribers[0].attributes == [ReplyText("Class", "0x78")])
        #expect(Self.lines(folded, .note) == ["radreply:2 Alice: alice"])
        let apart = try Self.plan(rows)
        #expect(apart.subscribers.map(\.username) == ["Alice", "alice"])
        #expect(Self.lines(apart, .note) == ["radreply:2 alice: name"])
    }

    @Test func usersFilesAreEvaluatedInTheirOrder() throws {
        let users = """
            DEFAULT
            \tService-Type = Framed-User, Fall-Through = Yes
            alice Cleartext-Password := a
            \tMikrotik-Rate-Limit = "1M/2M", Fall-Through = Yes
            bob Cleartext-Password := b
            \tClass = "x"
            alice Cleartext-Password := other
            DEFAULT Framed-Protocol == PPP
            \tFramed-Protocol = PPP
            DEFAULT
            \tMikrotik-Rate-Limit = "3M/4M", Idle-Timeout = 60
            carol Cleartext-Password := c
            """
        let plan = try Self.plan("", users: users)
        let names = Dictionary(uniqueKeysWithValues: plan.subscribers.map { ($0.username, $0) })
        let alice = try #require(names["alice"])
        let profile = try #require(plan.profiles.first { $0.name == alice.profile }?.plan)
        #expect(profile.rate == BandwidthRate(downloadBitsPerSecond: 2_000_000, uploadBitsPerSecond: 1_000_000))
        // The second entry is found behind the Fall-Through of the first, and := replaces.
        #expect(alice.password == .clear("other"))
        let bob = try #require(names["bob"])
        #expect(plan.profiles.first { $0.name == bob.profile }?.plan.rate.isUnlimited ?? true)
        #expect(bob.attributes.contains(ReplyText("Class", "0x78")))
        // FreeRADIUS never comes to carol: the DEFAULT above her ends the search.
        #expect(names["carol"]?.password == nil)
        #expect(Self.lines(plan, .lost).contains("users:8 DEFAULT: Framed-Protocol == PPP"))
    }

    @Test(
        arguments: [
            ("31 Jan 2027", "2027-1-31 0:0:0"), ("Jan 31 2027 23:59:58", "2027-1-31 23:59:58"),
            ("31 January 2027 07:05", "2027-1-31 7:5:0"),
            ("2027-01-31", "2027-1-31 0:0:0"), ("2027-01-31T10:11:12", "2027-1-31 10:11:12"), ("2027-01-31 10:11:12", "2027-1-31 10:11:12"),
            ("Feb 29, 2028", "2028-2-29 0:0:0"), ("29 Feb 2027", nil), ("31 Jan", nil), ("99 Jan 2027", nil), ("2027-13-01", nil),
            ("", nil),
            ("31 Jan 2027 24:00:00", nil), ("31 Jan 27", nil), ("never", nil),
        ] as [(String, String?)])
    func readsDates(text: String, expected: String?) {
        let time = ExpirationReader.read(text)
        #expect(time.map { "\($0.year)-\($0.month)-\($0.day) \($0.hour):\($0.minute):\($0.second)" } == expected)
    }

    /// `date -u -d @N +%FT%TZ`.
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_893_456_000, "2030-01-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] as [(Int64, String)])
    func writesTimes(seconds: Int64, text: String) {
        #expect(Timestamp.text(seconds) == text)
    }

    @Test func profilesHaveTheSameNamesInEachRun() {
        var plan = Plan()
        plan.rate = BandwidthRate(downloadBitsPerSecond: 1_500_000, uploadBitsPerSecond: 0)
        #expect(ProfileNames.name(of: plan) == "down-1500k-up-unlimited")
        plan.filters = ["a"]
        #expect(
            ProfileNames.name(of: plan) == "down-1500k-up-unlimited-"
                + ProfileNames.digest("-\u{1}-\u{1}-\u{1}-\u{1}-\u{1}-\u{1}-\u{1}-\u{1}-\u{1}a"))
        // FNV-1a of the empty text and of "a", as its authors publish them.
        #expect(ProfileNames.digest("") == "811c9dc5")
        #expect(ProfileNames.digest("a") == "e40c292c")
        #expect(ProfileNames.name(ofGroups: [String(repeating: "g", count: 70)]).utf8.count == 59)
        // The interface takes no name with blanks around it, and it may not become that of another group.
        #expect(ProfileNames.name(ofGroups: [" home"]) == "home-" + ProfileNames.digest(" home"))
        #expect(ProfileNames.name(ofGroups: ["home "]) == "home -" + ProfileNames.digest("home "))
    }

    @Test func manyUsersShareTheirPlans() throws {
        var source = FreeRADIUSSource()
        var table = TableRows("dump", into: source)
        try table.add("radgroupreply", [], ["1", "home", "Mikrotik-Rate-Limit", "=", "10M/50M"].map(SQLCell.text), 1)
        for number in 0..<30_000 {
            let name = SQLCell.text("user\(number)")
            let id = SQLCell.text("\(number)")
            try table.add("radcheck", [], [id, name, .text("Cleartext-Password"), .text(":="), .text("p\(number)")], number)
            try table.add("radusergroup", [], [id, name, .text("home"), .text("1")], number)
            if number % 10 == 0 { try table.add("radreply", [], [id, name, .text("Class"), .text("="), .text("c")], number) }
        }
        source = table.source
        var importer = Importer(source, options: .init(), check: { _, _ in nil }, clock: { _ in nil })
        let plan = importer.run()
        #expect(plan.subscribers.count == 30_000)
        #expect(plan.profiles.count == 1)
        #expect(plan.remarks.isEmpty)
    }
}
