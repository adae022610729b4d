import Testing

@testable import RadiusCore

/// What crosses between NAS and home server, what does not, and what stands in its place.
@Suite struct AttributeFilterTests {
    private static func filter(allow: [String] = [], remove: [String] = [], set: [String] = []) throws -> AttributeFilter {
        var problems: [String] = []
        let dictionary = try ShippedDictionaries.loaded.get()
        let filter = AttributeFilter(allow: allow, remove: remove, set: set, dictionary: dictionary, problems: &problems)
        try #require(problems.isEmpty, "\(problems)")
        return filter
    }

    /// What crosses of the value of a Vendor-Specific attribute.
    private static func pass(_ value: [UInt8], _ filter: AttributeFilter) throws -> [UInt8]? {
        let hop = Hop(TestServer.secret, TestPacket.authenticator)
        let passage = VendorPassage(filter: filter, dictionary: try ShippedDictionaries.loaded.get(), hops: (hop, hop))
        var salt: UInt16 = 0
        return try passage.pass(0..<value.count, of: value.span, salt: &salt)
    }

    @Test func letsPassWhatTheFilterSays() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        var problems: [String] = []
        let removing = AttributeFilter(
            allow: [], remove: ["Filter-Id", "vendor:Cisco", "Mikrotik-Rate-Limit", "No-Such"], dictionary: dictionary, problems: &problems)
        #expect(problems == ["there is no attribute No-Such"])
        #expect(!removing.passes(11))
        #expect(removing.passes(27))
        #expect(!removing.passes(vendor: 9, 1))
        #expect(!removing.passes(vendor: 14988, 8))
        #expect(removing.passes(vendor: 14988, 1))
        var none: [String] = []
        let allowing = AttributeFilter(
            allow: ["Session-Timeout", "vendor:MikroTik"], remove: ["Mikrotik-Rate-Limit"], dictionary: dictionary, problems: &none)
        #expect(none.isEmpty)
        #expect(allowing.passes(27))
        #expect(!allowing.passes(28))
        #expect(allowing.passes(vendor: 14988, 1))
        #expect(!allowing.passes(vendor: 14988, 8))
        #expect(!allowing.passes(vendor: 9, 1))
        // Without these nobody could log in.
        #expect(allowing.passes(79))
        #expect(allowing.passes(vendor: 311, 26))
        #expect(AttributeFilter().passes(vendor: 9, nil))
    }

    @Test func setsAttributesInPlaceOfWhatThereIs() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        var problems: [String] = []
        let filter = AttributeFilter(
            allow: ["Reply-Message"], remove: [], set: [#"Operator-Name = "1example.net""#, "Mikrotik-Recv-Limit = 7"],
            dictionary: dictionary, problems: &problems)
        #expect(problems.isEmpty)
        let operatorName = ScriptedHomeServer.attribute(126, Array("1example.net".utf8))
        let limit = ScriptedHomeServer.attribute(26, [0, 0, 0x3a, 0x8c, 1, 6, 0, 0, 0, 7])
        #expect(filter.added == operatorName + limit)
        #expect(!filter.passes(126) && !filter.passes(vendor: 14988, 1) && filter.passes(18))
        let passage = ForwardedRequest.Passage(
            userName: nil, filter: filter, dictionary: dictionary, proxyState: ProxyState(mark: 1, number: 2))
        let record = TestPacket.accounting(1, status: 1, session: "s")
        let foreign = try ForwardedRequest.accounting(
            record.span, passage, secret: ScriptedHomeServer.secret, delaySeconds: 0, identifier: 9)
        #expect(ScriptedHomeServer.values(126, in: foreign.octets) == [Array("1example.net".utf8)])
        // A second proxy of the kind puts its own in the place of it.
        let again = try ForwardedRequest.accounting(
            foreign.octets.span, passage, secret: ScriptedHomeServer.secret, delaySeconds: 0, identifier: 9)
        #expect(ScriptedHomeServer.values(126, in: again.octets).count == 1)
        #expect(ScriptedHomeServer.values(26, in: again.octets).count == 1)
    }

    @Test func refusesToSetWhatIsNotItsBusiness() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        let lines = [
            #"User-Name = "bob""#, "State = 0x01", #"Tunnel-Password = "x""#, #"MS-MPPE-Recv-Key = 0x00"#, "Session-Timeout = soon",
            "No-Such = 1", "Session-Timeout", "Attr-1 = 0x61", "Attr-69 = 0x01", "Attr-26.311.17 = 0x00", "Attr-241.8 = 0x01",
            "Attr-26.0.27 = 0x00000001",
        ]
        for line in lines {
            var problems: [String] = []
            let filter = AttributeFilter(allow: [], remove: [], set: [line], dictionary: dictionary, problems: &problems)
            #expect(problems.count == 1 && filter.added.isEmpty, "\(line): \(problems)")
        }
        var problems: [String] = []
        let text = String(repeating: "x", count: 250)
        let many = AttributeFilter(
            allow: [], remove: [], set: (0..<5).map { "Filter-Id = \"\($0)\(text)\"" }, dictionary: dictionary, problems: &problems)
        #expect(many.added.count == 4 * 253 && problems.count == 1 && problems[0].contains("1024 octets"))
    }

    @Test func keepsTheRestOfAVendorsAttribute() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        var problems: [String] = []
        let filter = AttributeFilter(allow: [], remove: ["Mikrotik-Rate-Limit"], dictionary: dictionary, problems: &problems)
        let hop = Hop(TestServer.secret, TestPacket.authenticator)
        let passage = VendorPassage(filter: filter, dictionary: dictionary, hops: (hop, hop))
        let vendor: [UInt8] = [0, 0, 0x3a, 0x8c]
        let both = vendor + [8, 3, 65] + [1, 3, 66]
        var salt: UInt16 = 0
        let rest = try passage.pass(0..<both.count, of: both.span, salt: &salt)
        #expect(rest == vendor + [1, 3, 66])
        let only = vendor + [8, 3, 65]
        let none = try passage.pass(0..<only.count, of: only.span, salt: &salt)
        #expect(none == nil)
    }

    /// What lies behind a length that lies may be what the filter keeps out.
    @Test func whatCannotBeTakenApartPassesOnlyWhereNothingIsSaidOfItsVendor() throws {
        let vendor: [UInt8] = [0, 0, 0x3a, 0x8c]
        let lying = vendor + [8, 3, 65, 1, 3, 66, 8, 200, 65]
        let opaque = vendor + [1, 200, 66]
        let kept = vendor + [1, 3, 66]
        let cases: [(AttributeFilter, [UInt8]?, [UInt8]?)] = [
            (try Self.filter(remove: ["Mikrotik-Rate-Limit"]), kept, nil),
            (try Self.filter(set: ["Mikrotik-Rate-Limit = 1M"]), kept, nil),
            (try Self.filter(allow: ["Mikrotik-Recv-Limit"]), kept, nil),
            (try Self.filter(remove: ["vendor:MikroTik"]), nil, nil), (try Self.filter(remove: ["SN-VPN-Name"]), lying, opaque),
            (try Self.filter(allow: ["vendor:MikroTik"]), lying, opaque), (AttributeFilter(), lying, opaque),
        ]
        for (place, (filter, rest, none)) in cases.enumerated() {
            #expect(try Self.pass(lying, filter) == rest, "\(place)")
            #expect(try Self.pass(opaque, filter) == none, "\(place)")
        }
    }

    /// Types and lengths of two octets, lengths of one, and none at all.
    @Test func takesApartWhatHasAFormatOfItsOwn() throws {
        let starent: [UInt8] = [0, 0, 0x1f, 0xe4]
        let (identifier, name) = ([0, 1, 0, 8, 0, 0, 0, 7] as [UInt8], [0, 2, 0, 5, 65] as [UInt8])
        let removing = try Self.filter(remove: ["SN-VPN-Name"])
        #expect(try Self.pass(starent + name + identifier, removing) == starent + identifier)
        #expect(try Self.pass(starent + name, removing) == nil)
        let lucent: [UInt8] = [0, 0, 0x12, 0xee]
        let (filter, backup) = ([0, 90, 4, 65] as [UInt8], [0, 176, 4, 66] as [UInt8])
        #expect(try Self.pass(lucent + filter + backup, Self.filter(remove: ["Lucent-Filter"])) == lucent + backup)
        let robotics: [UInt8] = [0, 0, 1, 0xad]
        let idle = try Self.filter(set: ["USR-DTE-Data-Idle-Timout = 7"])
        #expect(idle.added == ScriptedHomeServer.attribute(26, robotics + [0, 0, 0, 72, 0, 0, 0, 7]))
        #expect(try Self.pass(robotics + [0, 0, 0, 72, 0, 0, 0, 9], idle) == nil)
        let rate = robotics + [0, 0, 0, 94, 0, 0, 0, 9]
        #expect(try Self.pass(rate, idle) == rate)
    }

    @Test func aHiddenValueOfAVendorWithAFormatOfItsOwnIsHiddenAnew() throws {
        let authenticator = TestPacket.authenticator
        let other = SharedSecret(Array("another-hop".utf8))
        let dictionary = try ShippedDictionaries.loaded.get()
        let hidden = try AttributeEncoder.encode(
            name: "Lucent-Send-Secret", value: "mellon", dictionary: dictionary,
            keys: HideKeys(secret: TestServer.secret, authenticator: authenticator) { 1 })
        let expected = try AttributeEncoder.encode(
            name: "Lucent-Send-Secret", value: "mellon", dictionary: dictionary,
            keys: HideKeys(secret: other, authenticator: authenticator) { 1 })
        let reply = [PacketCode.accessAccept.rawValue] + [UInt8](repeating: 0, count: PacketHeader.count - 1) + hidden
        var salt: UInt16 = 0
        let passed = try ReturnedReply.attributes(
            of: reply.span, AttributeFilter(), dictionary, from: Hop(TestServer.secret, authenticator), to: Hop(other, authenticator),
            salt: &salt)
        #expect(hidden != expected && passed == expected)
    }

    @Test func whatMayGoOnInAnotherAttributeIsNamedAsAWholeOnly() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        for (allow, remove, set) in [
            (["WiMAX-Capability"], [], []), ([], ["WiMAX-Capability"], []), ([], [], ["WiMAX-Beginning-Of-Session = 1"]),
            ([], [], ["Attr-26.24757.1 = 0x01"]),
        ] as [([String], [String], [String])] {
            var problems: [String] = []
            let filter = AttributeFilter(allow: allow, remove: remove, set: set, dictionary: dictionary, problems: &problems)
            #expect(problems.count == 1 && filter.added.isEmpty, "\(problems)")
            #expect(set.isEmpty == (problems.first?.contains("vendor:WiMAX") == true), "\(problems)")
        }
        #expect(try !Self.filter(remove: ["vendor:WiMAX"]).passes(vendor: 24757, nil))
    }

    // MARK: Set

    private static func returned(_ code: PacketCode, _ filter: AttributeFilter, _ attributes: [UInt8]) throws -> [UInt8] {
        let packet = [code.rawValue] + [UInt8](repeating: 0, count: 19) + attributes
        let hop = Hop(TestServer.secret, TestPacket.authenticator)
        var salt: UInt16 = 0
        return try ReturnedReply.attributes(
            of: packet.span, filter, try ShippedDictionaries.loaded.get(), from: hop, to: hop, salt: &salt)
    }

    @Test func whatIsSetReplacesNothingWhereItIsNotPut() throws {
        let filter = try Self.filter(set: ["Session-Timeout = 777", "Mikrotik-Recv-Limit = 7"])
        let timeout = ScriptedHomeServer.attribute(27, [0, 0, 0, 30])
        let limit = ScriptedHomeServer.attribute(26, [0, 0, 0x3a, 0x8c, 1, 6, 0, 0, 0, 9])
        let accept = try Self.returned(.accessAccept, filter, timeout + limit)
        #expect(accept == filter.added)
        for code in [PacketCode.accessChallenge, .accessReject] {
            let reply = try Self.returned(code, filter, timeout + limit)
            #expect(reply == timeout + limit)
        }
        // What is removed besides stays out.
        let removing = try Self.filter(remove: ["Session-Timeout"], set: ["Session-Timeout = 777"])
        let challenge = try Self.returned(.accessChallenge, removing, timeout + limit)
        #expect(challenge == limit)
    }

    @Test func rulesThatAreSetBecomeOneAttribute() throws {
        let filter = try Self.filter(
            set: ["NAS-Filter-Rule = \"permit in ip from any to any\"", "Session-Timeout = 7", "NAS-Filter-Rule = \"deny in ip from any\""])
        let rules = Array("permit in ip from any to any".utf8) + [0] + Array("deny in ip from any".utf8)
        #expect(filter.added == ScriptedHomeServer.attribute(92, rules) + ScriptedHomeServer.attribute(27, [0, 0, 0, 7]))
    }

    @Test func anAttributeWithoutANameIsSetByItsNumbers() throws {
        let filter = try Self.filter(set: ["Attr-26.14988.250 = 0x0102", "Attr-250 = 0x03"])
        #expect(filter.added == [26, 10, 0, 0, 0x3a, 0x8c, 250, 4, 1, 2, 250, 3, 3])
        #expect(!filter.passes(250) && !filter.passes(vendor: 14988, 250) && filter.passes(vendor: 14988, 1))
    }
}
