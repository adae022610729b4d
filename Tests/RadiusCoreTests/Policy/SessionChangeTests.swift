import Testing

@testable import RadiusCore

@Suite struct SessionChangeTests {
    private static let filters: [UInt8] = [11, 5, 0x6c, 0x61, 0x6e]
    private static let message: [UInt8] = [18, 3, 0x61]

    private func hex(_ octets: [UInt8]?) -> String? {
        octets.map { $0.isEmpty ? "-" : $0.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
    }

    private func change(_ desk: PolicyDesk, vendor: NASVendor = .mikrotik, subscriber: Int64? = nil) throws -> String? {
        hex(try desk.snapshot().change(tenant: 1, userName: "alice", subscriber: subscriber, vendor: vendor))
    }

    /// The golden octets of `Tests/Vectors/vendor-rates.txt` for 50 down and 10 up: what each vendor takes, `-` for none.
    @Test(arguments: VendorRateLine.all.filter { $0.packet == "coa" }) func eachVendorIsToldTheRateByCoA(line: VendorRateLine) throws {
        let vendor = try #require(NASVendor(name: line.vendor))
        // Juniper's upload needs the name of a policy; half a rate is not sent.
        let expected = vendor == .juniper ? "-" : line.hex
        let profile = PolicyDesk.profile(1, "home50", 50, 10)
        #expect(hex(profile.change(for: vendor)) == expected)
        var desk = PolicyDesk()
        desk.subscribers = [PolicyDesk.subscriber("alice")]
        #expect(try change(desk, vendor: vendor) == (expected == "-" ? nil : expected))
    }

    @Test func theRateIsFollowedByFiltersAndFreeAttributes() {
        let profile = PolicyDesk.profile(
            1, "home50", 50, 10, filters: Self.filters, free: { $0 == .mikrotik ? Self.message : [] })
        let rate = "1a0f00003a8c080931304d2f35304d"
        #expect(hex(profile.change(for: .mikrotik)) == rate + "0b056c616e" + "120361")
        #expect(hex(profile.change(for: .mikrotik, filters: [])) == rate + "120361")
        #expect(hex(profile.template(for: .mikrotik)) == rate + "120361")
        // What takes no change is sent none, filters or not.
        #expect(profile.change(for: .omada) == [])
    }

    @Test func aRateThatCoACannotLiftNeedsANewLogIn() {
        let unlimited = PolicyDesk.profile(1, "free", 0, 0)
        #expect(unlimited.change(for: .generic) == [])
        #expect(unlimited.rateAlarms(for: .generic).isEmpty)
    }

    /// Every status under every lock: the plan's rate, the garden's, or none.
    @Test(arguments: AccessDecisionTests.lines) func whatASessionIsToldFollowsTheDecision(line: [String]) throws {
        let rates = ["plan": "1a0f00003a8c080931304d2f35304d", "garden": "1a0d00003a8c0807314d2f314d"]
        var desk = PolicyDesk()
        var entry = PolicyDesk.subscriber("alice", status: try #require(SubscriberStatus(name: line[0])))
        if let level = AccessLevel.allCases.first(where: { $0.name == line[1] }) { entry.locks.insert(.system, at: level) }
        desk.subscribers = [entry]
        #expect(try change(desk) == rates[line[3]])
        desk.profiles = []
        #expect(try change(desk) == nil)
    }

    @Test func aSubscribersOwnFiltersReplaceTheProfiles() throws {
        var desk = PolicyDesk()
        desk.profiles[0] = PolicyDesk.profile(PolicyDesk.plan, "home50", 50, 10, filters: Self.filters)
        desk.profiles[1] = PolicyDesk.profile(PolicyDesk.garden, "garden", 1, 1, filters: [11, 3, 0x67])
        var entry = PolicyDesk.subscriber("alice")
        entry.replacesFilters = true
        entry.service = Self.message + [11, 3, 0x78, 22, 3, 0x72, 11, 3, 0x79]
        desk.subscribers = [entry]
        #expect(try change(desk) == "1a0f00003a8c080931304d2f35304d" + "0b0378" + "0b0379")
        // They do not reach into the walled garden, as at a log-in.
        desk.subscribers[0].status = .quarantined
        #expect(try change(desk) == "1a0d00003a8c0807314d2f314d" + "0b0367")
        let accept = try #require(try desk.explain("alice"))
        #expect(hex(accept.encoded)?.hasPrefix("1a0d00003a8c0807314d2f314d") == true && accept.lines.contains("Filter-Id = g"))
    }

    /// Limits of octets count from the session's begin, so what it has moved comes on top.
    @Test(arguments: QuotaDirection.allCases)
    func whatIsLeftOfAQuotaIsBehindWhatWasUsed(direction: QuotaDirection) throws {
        // Numbers and lengths of the two attributes, and what counts of 32 octets up and 16 down.
        let forms = [
            QuotaDirection.both: ("1106", "1206", "00000030"), .upload: ("0106", "0e06", "00000020"),
            .download: ("0206", "0f06", "00000010"),
        ]
        let (low, high, used) = try #require(forms[direction])
        var desk = PolicyDesk()
        var entry = PolicyDesk.subscriber("alice")
        entry.quotaLimit = Self.limit(direction)
        desk.subscribers = [entry]
        func told(_ vendor: NASVendor, upload: UInt64 = 0, download: UInt64 = 0) throws -> String? {
            hex(try desk.snapshot().change(tenant: 1, userName: "alice", vendor: vendor, used: (upload, download)))
        }
        func limit(_ octets: String, _ gigawords: String) -> String {
            "1a0f00003a8c080931304d2f35304d" + "1a0c00003a8c\(low)\(octets)" + "1a0c00003a8c\(high)\(gigawords)"
        }
        #expect(try told(.mikrotik) == limit("00000000", "00000001"))
        #expect(try told(.mikrotik, upload: 0x20, download: 0x10) == limit(used, "00000001"))
        #expect(try told(.mikrotik, upload: .max, download: .max) == limit("ffffffff", "ffffffff"))
        // Others keep what their log-in brought.
        #expect(try told(.chillispot, upload: 0x20)?.contains("000038df03") == false)
        desk.subscribers[0].locks.insert(.overdue, at: .captive)
        #expect(try told(.mikrotik) == "1a0d00003a8c0807314d2f314d")
    }

    private static func limit(_ direction: QuotaDirection) -> QuotaLimit {
        QuotaLimit(
            octets: 1 << 32, laterOctets: 1, untilSeconds: .max, laterUntilSeconds: .max, direction: direction, shrinks: false)
    }

    /// Mikrotik-Total-Limit and its gigawords.
    private static func total(_ low: String, _ high: String) -> String { "1a0c00003a8c1106\(low)" + "1a0c00003a8c1206\(high)" }

    /// Rate and filters may be a policy rule's, or the router's own: they stay.
    @Test func aRenewalSaysNothingButWhatIsLeft() throws {
        var desk = PolicyDesk()
        var entry = PolicyDesk.subscriber("alice")
        entry.quotaLimit = Self.limit(.both)
        entry.service = Self.message + Self.filters
        desk.subscribers = [entry]
        func told(_ vendor: NASVendor = .mikrotik, name: String = "alice", subscriber: Int64? = nil) throws -> String? {
            hex(
                try desk.snapshot().limitChange(
                    tenant: 1, userName: name, subscriber: subscriber, vendor: vendor, used: (upload: 0x20, download: 0x10)))
        }
        #expect(try told() == Self.total("00000030", "00000001"))
        #expect(try told(subscriber: 43) == nil)
        #expect(try told(name: "bob") == nil)
        for vendor in NASVendor.allCases where vendor != .mikrotik { #expect(try told(vendor) == nil) }
        // A policy rule may have given the profile.
        desk.subscribers[0].profile = 0
        #expect(try told() == Self.total("00000030", "00000001"))
        for status in [SubscriberStatus.quarantined, .suspended] {
            desk.subscribers[0].status = status
            #expect(try told() == nil)
        }
        desk.subscribers[0].status = .active
        desk.subscribers[0].quotaLimit = nil
        #expect(try told() == nil)
    }

    /// Of the quota, the profile and the subscriber.
    @Test func theSmallestLimitHolds() throws {
        func own(_ octets: UInt8) -> [UInt8] { [26, 12, 0, 0, 0x3a, 0x8c, 17, 6, 0, 0, 0, octets] }
        var desk = PolicyDesk()
        var entry = PolicyDesk.subscriber("alice")
        entry.quotaLimit = Self.limit(.both)
        entry.service = Self.message + own(9)
        desk.subscribers = [entry]
        let rate = "1a0f00003a8c080931304d2f35304d"
        func renewed() throws -> String? { hex(try desk.snapshot().limitChange(tenant: 1, userName: "alice", vendor: .mikrotik)) }
        for (profile, least) in [(nil, "09"), (12, "09"), (6, "06")] as [(UInt8?, String)] {
            desk.profiles[0] = PolicyDesk.profile(
                PolicyDesk.plan, "home50", 50, 10, free: { $0 == .mikrotik ? profile.map(own) ?? [] : [] })
            #expect(try change(desk) == rate + Self.total("000000\(least)", "00000000"))
            #expect(try renewed() == Self.total("000000\(least)", "00000000"))
        }
        desk.subscribers[0].service = []
        #expect(try renewed() == Self.total("00000006", "00000000"))
    }

    @Test func anotherOrNobodyOfThatNameMeansDisconnect() throws {
        var desk = PolicyDesk()
        #expect(try change(desk) == nil)
        desk.subscribers = [PolicyDesk.subscriber("alice", id: 42)]
        #expect(try change(desk, subscriber: 42) != nil)
        #expect(try change(desk, subscriber: 43) == nil)
        #expect(try desk.snapshot().change(tenant: 2, userName: "alice", vendor: .mikrotik) == nil)
    }
}
