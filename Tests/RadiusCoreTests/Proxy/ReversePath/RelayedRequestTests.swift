import Testing

@testable import RadiusCore

/// Where home servers' requests lead, whose sessions they reach, and what crosses.
@Suite struct RelayedRequestTests {
    private static let (ours, theirs) = (RelayDesk.server(1), RelayDesk.server(2))

    private static func plan(strips: Bool = false) throws -> ProxyPlan {
        ProxyPlan(
            servers: [ours, theirs],
            realms: [
                try RelayDesk.realm(.suffix, "a.example", ours, accounting: theirs, strips: strips),
                try RelayDesk.realm(.suffix, "partner-b.example", theirs),
                try RelayDesk.realm(.suffix, "told.org", nil, accounting: ours),
            ])
    }

    private static func identity(_ user: String, session: String = "S-1") -> SessionIdentity {
        SessionIdentity(
            userName: user, acctSessionID: session, callingStationID: "02-00-00-00-00-01", nasIdentifier: "core1",
            nasAddress: IPAddress(ipv4: 0xc000_0201), framedIPv4: 0x6440_0007)
    }

    private static func realm(_ request: RelayedRequest, _ identity: SessionIdentity, strips: Bool = false) throws -> String? {
        request.realm(of: identity, tenant: 1, try plan(strips: strips))?.name
    }

    @Test func looksByIdNameAndNAS() throws {
        let token = RelayDesk.identifiers.attribute(tenant: 1, nas: 42)
        let request = try RelayDesk.request(from: [Self.ours], RelayDesk.user("bob@a.example"), RelayDesk.session("S-1"), token)
        let expected = RelayedRequest.Search(sessionID: Array("S-1".utf8), userNames: [Array("bob@a.example".utf8)], nas: 42)
        #expect(request.route(in: 1, try Self.plan()) == .search(expected))
        let named = try RelayDesk.request(from: [Self.ours], RelayDesk.user("bob"))
        let names = ["bob", "bob@a.example"].map { Array($0.utf8) }
        #expect(named.route(in: 1, try Self.plan(strips: true)) == .search(.init(sessionID: nil, userNames: names, nas: nil)))
    }

    /// A daemon like this one in front of us makes its own, which its sessions have.
    @Test func aTokenThatIsNotOursIsTheSessionsOrNobodys() throws {
        let session = RelayDesk.session("S-1")
        let other = RelayDesk.identifiers.attribute(tenant: 2, nas: 42)
        let request = try RelayDesk.request(from: [Self.ours], session, other)
        #expect(request.route(in: 1, try Self.plan()) == .search(.init(sessionID: Array("S-1".utf8), userNames: [], nas: nil)))
        var identity = Self.identity("bob@a.example")
        #expect(try Self.realm(request, identity) == nil)
        identity.operatorNAS = Array("gw7".utf8)
        #expect(try Self.realm(request, identity) == nil)
        identity.operatorNAS = Array(other.dropFirst(3))
        #expect(try Self.realm(request, identity) == "a.example")
        // A proxy's behind us: its own.
        let foreign = try RelayDesk.request(from: [Self.ours], session, ScriptedHomeServer.attribute(241, [8, 1, 2, 3]))
        #expect(foreign.route(in: 1, try Self.plan()) == .search(.init(sessionID: Array("S-1".utf8), userNames: [], nas: nil)))
    }

    @Test func aRequestMustNameTheSession() throws {
        let address = ScriptedHomeServer.attribute(AttributeNumber.framedIPAddress, [100, 64, 0, 7])
        let request = try RelayDesk.request(from: [Self.ours], address, RelayDesk.user(""))
        #expect(request.route(in: 1, try Self.plan()) == .refused(.missingAttribute))
    }

    @Test func whoAnswersForNothingIsLedNowhere() throws {
        let stranger = RelayDesk.server(9)
        let request = try RelayDesk.request(from: [stranger], RelayDesk.session("S-1"))
        #expect(request.route(in: 1, try Self.plan()) == .nowhere)
        #expect(try RelayDesk.request(from: [Self.ours], RelayDesk.session("S-1")).route(in: 2, try Self.plan()) == .nowhere)
    }

    @Test func everybodyReachesTheirOwnSessions() throws {
        let session = RelayDesk.session("S-1")
        #expect(try Self.realm(RelayDesk.request(from: [Self.ours], session), Self.identity("bob@a.example")) == "a.example")
        let eve = Self.identity("eve@partner-b.example")
        #expect(try Self.realm(RelayDesk.request(from: [Self.theirs], session), eve) == "partner-b.example")
    }

    @Test(arguments: ["eve@partner-b.example", "alice", "alice@nobody.example", "carol@told.org", ""])
    func nobodyReachesOthers(user: String) throws {
        let request = try RelayDesk.request(from: [Self.ours], RelayDesk.session("S-1"))
        #expect(try Self.realm(request, Self.identity(user)) == nil)
        // Saying one's own name for it does not help.
        let posing = try RelayDesk.request(from: [Self.ours], RelayDesk.session("S-1"), RelayDesk.user("bob@a.example"))
        #expect(try Self.realm(posing, Self.identity(user)) == nil)
    }

    @Test func aSessionWithoutANameIsNobodys() throws {
        let plan = ProxyPlan(servers: [Self.ours], realms: [try RelayDesk.realm(.null, "", Self.ours)])
        let request = try RelayDesk.request(from: [Self.ours], RelayDesk.session("S-1"))
        #expect(request.realm(of: Self.identity("bob"), tenant: 1, plan) != nil)
        #expect(request.realm(of: Self.identity(""), tenant: 1, plan) == nil)
    }

    @Test func toBeToldOfUsageGivesNoSay() throws {
        let request = try RelayDesk.request(from: [Self.theirs], RelayDesk.session("S-1"))
        #expect(try Self.realm(request, Self.identity("bob@a.example")) == nil)
    }

    @Test func anotherTenantsRealmOfTheSameNameIsNotTheirs() throws {
        let foreign = RelayDesk.server(3, tenant: 2)
        let plan = ProxyPlan(
            servers: [Self.ours, foreign],
            realms: [try RelayDesk.realm(.suffix, "a.example", Self.ours), try RelayDesk.realm(.suffix, "a.example", foreign)])
        let request = try RelayDesk.request(from: [foreign], RelayDesk.session("S-1"))
        #expect(request.tenants == [2])
        #expect(request.realm(of: Self.identity("bob@a.example"), tenant: 1, plan) == nil)
        #expect(request.realm(of: Self.identity("bob@a.example"), tenant: 2, plan) != nil)
    }

    @Test func everythingThatIsNamedMustFit() throws {
        let identity = Self.identity("bob@a.example")
        func fits(_ attributes: [UInt8]...) throws -> Bool {
            try Self.realm(RelayDesk.request(from: [Self.ours], RelayDesk.session("S-1"), attributes.flatMap { $0 }), identity) != nil
        }
        #expect(try fits(RelayDesk.user("bob@a.example"), ScriptedHomeServer.attribute(8, [100, 64, 0, 7])))
        #expect(try fits(ScriptedHomeServer.attribute(4, [192, 0, 2, 1]), RelayDesk.text(32, "core1")))
        #expect(try !fits(RelayDesk.user("bob")))
        #expect(try !fits(RelayDesk.user("mallory@a.example")))
        #expect(try !fits(ScriptedHomeServer.attribute(8, [100, 64, 0, 8])))
        #expect(try !fits(ScriptedHomeServer.attribute(4, [192, 0, 2, 2])))
        #expect(try !fits(RelayDesk.text(31, "02-00-00-00-00-02")))
        #expect(try Self.realm(RelayDesk.request(from: [Self.ours], RelayDesk.session("S-2")), identity) == nil)
    }

    @Test func whatAProxyCallsTheNASMustFitToo() throws {
        var identity = Self.identity("bob@a.example")
        identity.operatorNAS = Array("gw7".utf8)
        func fits(_ attributes: [UInt8]) throws -> Bool {
            try Self.realm(RelayDesk.request(from: [Self.ours], RelayDesk.session("S-1"), attributes), identity) != nil
        }
        #expect(try fits([]))
        #expect(try fits(ScriptedHomeServer.attribute(241, [8] + Array("gw7".utf8))))
        #expect(try !fits(ScriptedHomeServer.attribute(241, [8] + Array("gw8".utf8))))
        // Another extended attribute is none.
        #expect(try fits(ScriptedHomeServer.attribute(241, [1] + Array("gw8".utf8))))
        #expect(try fits(RelayDesk.identifiers.attribute(tenant: 1, nas: 42)))
    }

    @Test func aStrippedNameIsTheSessions() throws {
        let request = try RelayDesk.request(from: [Self.ours], RelayDesk.user("bob"))
        #expect(try Self.realm(request, Self.identity("bob@a.example"), strips: true) == "a.example")
        #expect(try Self.realm(request, Self.identity("bob@a.example")) == nil)
        #expect(try Self.realm(request, Self.identity("rob@a.example"), strips: true) == nil)
    }

    /// The numbers of the plan's realms by name.
    private static func numbers(_ plan: ProxyPlan) -> [String: Int64] {
        [String: Int64](uniqueKeysWithValues: plan.realms.map { ($0.name, $0.id) })
    }

    @Test(arguments: ["alice", "bob@a.example", "eve@partner-b.example", "carol@told.org"])
    func whatARuleForwardedIsItsRealmsWhateverTheName(user: String) throws {
        let plan = try Self.plan()
        let chosen = try #require(Self.numbers(plan)["a.example"])
        let mine = try RelayDesk.request(from: [Self.ours], RelayDesk.session("S-1"))
        #expect(mine.realm(of: Self.identity(user), chosen: chosen, tenant: 1, plan)?.name == "a.example")
        let others = try RelayDesk.request(from: [Self.theirs], RelayDesk.session("S-1"))
        #expect(others.realm(of: Self.identity(user), chosen: chosen, tenant: 1, plan) == nil)
        #expect(mine.realm(of: Self.identity(user), chosen: chosen, tenant: 2, plan) == nil)
    }

    @Test func whatARuleKeepsHereAndWhatItsRealmLeftBehindIsNobodys() throws {
        let plan = try Self.plan()
        let here = try #require(Self.numbers(plan)["told.org"])
        for server in [Self.ours, Self.theirs] {
            let request = try RelayDesk.request(from: [server], RelayDesk.session("S-1"))
            for user in ["bob@a.example", "eve@partner-b.example"] {
                #expect(request.realm(of: Self.identity(user), chosen: here, tenant: 1, plan) == nil)
                #expect(request.realm(of: Self.identity(user), chosen: 99, tenant: 1, plan) == nil)
            }
        }
    }

    @Test func aNameThatARuleHadStrippedIsFoundByTheSessionsId() throws {
        let plan = try Self.plan(strips: true)
        let request = try RelayDesk.request(from: [Self.ours], RelayDesk.user("rob"), RelayDesk.session("S-1"))
        let expected = RelayedRequest.Search(sessionID: Array("S-1".utf8), userNames: [], nas: nil)
        // Whether rules forward now does not matter.
        #expect(request.route(in: 1, plan) == .search(expected))
        let chosen = Self.numbers(plan)["a.example"]
        #expect(request.realm(of: Self.identity("rob@elsewhere.example"), chosen: chosen, tenant: 1, plan) != nil)
        #expect(request.realm(of: Self.identity("bob@elsewhere.example"), chosen: chosen, tenant: 1, plan) == nil)
    }

    private static let nasSecret = SharedSecret(Array("the-nas-and-we".utf8))

    private static func crossing(_ realm: Realm, _ attributes: [UInt8]...) throws -> [UInt8] {
        try RelayDesk.request(.coa, from: [ours], attributes.flatMap { $0 }).attributes(
            through: realm, try ShippedDictionaries.loaded.get(), to: nasSecret)
    }

    @Test func whatNamesTheSessionStaysAndTheRestPassesTheFilter() throws {
        let realm = try RelayDesk.realm(.suffix, "a.example", Self.ours, replyRemove: ["Filter-Id"])
        let rate = ScriptedHomeServer.attribute(26, [0, 0, 0x3a, 0x8c, 8, 5, 0x31, 0x4d, 0x2f])
        let crossing = try Self.crossing(
            realm, RelayDesk.user("bob"), RelayDesk.session("S-1"), RelayDesk.text(32, "core1"),
            ScriptedHomeServer.attribute(33, [1]), ScriptedHomeServer.attribute(33, [2]), RelayDesk.text(11, "wild"),
            ScriptedHomeServer.attribute(27, [0, 0, 14, 16]), RelayDesk.text(25, "class"), RelayDesk.text(24, "state"), rate,
            RelayDesk.text(126, "1visited.example"), RelayDesk.identifiers.attribute(tenant: 1, nas: 42))
        let expected =
            ScriptedHomeServer.attribute(27, [0, 0, 14, 16]) + RelayDesk.text(25, "class") + RelayDesk.text(24, "state") + rate
        #expect(crossing == expected)
    }

    @Test func whatTheRealmSetsStandsInPlaceOfWhatAPartnerWouldChange() throws {
        let realm = try RelayDesk.realm(
            .suffix, "a.example", Self.ours, replySet: ["Session-Timeout = 777", "Filter-Id = \"tame\"", "Mikrotik-Rate-Limit = 1M"])
        let timeout = ScriptedHomeServer.attribute(27, [0, 0, 14, 16])
        let rate = ScriptedHomeServer.attribute(26, [0, 0, 0x3a, 0x8c, 8, 5, 0x31, 0x47, 0x2f])
        let ours = ScriptedHomeServer.attribute(26, [0, 0, 0x3a, 0x8c, 8, 4, 0x31, 0x4d])
        let crossing = try Self.crossing(realm, RelayDesk.session("S-1"), timeout, RelayDesk.text(25, "class"), rate)
        // What the partner says nothing about is left alone.
        #expect(crossing == RelayDesk.text(25, "class") + ScriptedHomeServer.attribute(27, [0, 0, 3, 9]) + ours)
        let other = try Self.crossing(realm, RelayDesk.session("S-1"), RelayDesk.text(25, "class"))
        #expect(other == RelayDesk.text(25, "class"))
    }

    @Test func noNameOfAPartnersForTheNASCrosses() throws {
        let realm = try RelayDesk.realm(.suffix, "a.example", Self.ours)
        let theirs = ScriptedHomeServer.attribute(241, [8] + Array("theirs".utf8))
        let other = ScriptedHomeServer.attribute(241, [1, 9])
        #expect(try Self.crossing(realm, RelayDesk.session("S-1"), theirs, other) == other)
    }

    @Test func hiddenValuesAreHiddenAnew() throws {
        let realm = try RelayDesk.realm(.suffix, "a.example", Self.ours)
        let zeros = Digest16(repeating: 0)
        let hidden = filling(256) {
            SaltEncryption.hide(Array("tunnel".utf8).span, salt: 0x8001, authenticator: zeros, secret: RelayDesk.secret, into: &$0)
        }
        let crossing = try Self.crossing(realm, RelayDesk.session("S-1"), ScriptedHomeServer.attribute(69, [1] + hidden))
        let value = try #require(RelayDesk.values(69, in: crossing).first)
        let clear = try filling(256) {
            try SaltEncryption.reveal(Array(value.dropFirst()).span, authenticator: zeros, secret: Self.nasSecret, into: &$0)
        }
        #expect(clear == Array("tunnel".utf8))
        #expect(throws: CoARequestError.hiddenValue) {
            try Self.crossing(realm, RelayDesk.session("S-1"), ScriptedHomeServer.attribute(69, [1, 0x80, 1, 5]))
        }
    }

    @Test func anACKComesBackWithoutWhatIsForOneHop() throws {
        let realm = try RelayDesk.realm(.suffix, "a.example", Self.ours, requestRemove: ["NAS-Identifier"])
        let request = try RelayDesk.request(from: [Self.ours], RelayDesk.session("S-1"))
        let cause = ScriptedHomeServer.attribute(101, [0, 0, 0, 201])
        let ack =
            ScriptedHomeServer.attribute(80, [UInt8](repeating: 1, count: 16)) + RelayDesk.text(32, "core1") + cause
            + ScriptedHomeServer.attribute(33, [9])
        #expect(request.answer(ack, through: realm, try ShippedDictionaries.loaded.get()) == cause)
    }
}
