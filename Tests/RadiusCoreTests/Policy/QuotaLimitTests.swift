import Glibc
import Support
import Testing

@testable import RadiusCore

/// What NASes are told of a quota, so that sessions end where nobody counts.
@Suite struct QuotaLimitTests {
    private static let now: UInt32 = 1_769_862_896
    private static let words: UInt64 = 1 << 32

    private static func limit(
        _ octets: UInt64, _ direction: QuotaDirection = .both, later: UInt64 = 9, in seconds: Int64 = 1000, shrinks: Bool = false
    ) -> QuotaLimit {
        let end = Int64(now) + seconds
        return QuotaLimit(
            octets: octets, laterOctets: later, untilSeconds: UInt32(clamping: end), laterUntilSeconds: UInt32(clamping: end + 86_400),
            direction: direction, shrinks: shrinks)
    }

    private static func desk(_ limit: QuotaLimit?, adjust: (inout SubscriberEntry) -> Void = { _ in }) -> PolicyDesk {
        var desk = PolicyDesk()
        var entry = PolicyDesk.subscriber("alice")
        entry.quotaLimit = limit
        adjust(&entry)
        desk.subscribers = [entry]
        return desk
    }

    /// What bounds alice's session at `now` where `given` are the attributes so far, as `Name = value`.
    private static func bounds(_ desk: PolicyDesk, _ vendor: NASVendor, given: [UInt8] = []) throws -> [String] {
        let snapshot = try desk.snapshot()
        let record = try #require(Array("alice".utf8).withUnsafeBytes { snapshot.subscribers.find(tenant: 1, name: $0) })
        let verdict = AccessDecision(record, in: snapshot, at: now).verdict
        var octets = [UInt8](repeating: 0, count: PacketHeader.maximumLength)
        var writer = PacketWriter(octets.mutableSpan, code: .accessAccept, identifier: 0)
        let start = writer.count
        writer.append(encoded: given.span)
        AcceptAttributes.boundSession(verdict, of: record, to: vendor, from: start, writer: &writer)
        let count = writer.finish().count
        let written = Array(octets[start..<count])
        return try AttributeDecoder.decode(attributes: written.span, dictionary: snapshot.dictionary).map { "\($0.name) = \($0.value)" }
    }

    private static func bounds(_ limit: QuotaLimit, _ vendor: NASVendor, given: [UInt8] = []) throws -> [String] {
        try bounds(desk(limit), vendor, given: given)
    }

    /// A vendor's attribute of 32 bits.
    private static func attribute(_ vendor: [UInt8], _ number: UInt8, _ value: UInt32) -> [UInt8] {
        var octets: [UInt8] = [26, 12, 0, 0]
        octets += vendor
        octets += [number, 6]
        octets += Self.octets(value)
        return octets
    }

    private static func octets(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    private static let mikrotik: [UInt8] = [0x3a, 0x8c]

    // MARK: Vendors and directions

    private static let names: [(vendor: NASVendor, direction: QuotaDirection, low: String, high: String?)] = [
        (.mikrotik, .both, "Mikrotik-Total-Limit", "Mikrotik-Total-Limit-Gigawords"),
        // The router receives what is uploaded.
        (.mikrotik, .upload, "Mikrotik-Recv-Limit", "Mikrotik-Recv-Limit-Gigawords"),
        (.mikrotik, .download, "Mikrotik-Xmit-Limit", "Mikrotik-Xmit-Limit-Gigawords"),
        (.cambium, .both, "Cambium-Traffic-Quota-Limit-Total", "Cambium-Traffic-Quota-Limit-Total-Gigwords"),
        (.cambium, .upload, "Cambium-Traffic-Quota-Limit-Up", "Cambium-Traffic-Quota-Limit-Up-Gigwords"),
        (.cambium, .download, "Cambium-Traffic-Quota-Limit-Down", "Cambium-Traffic-Quota-Limit-Down-Gigwords"),
        (.chillispot, .both, "ChilliSpot-Max-Total-Octets", "ChilliSpot-Max-Total-Gigawords"),
        (.chillispot, .upload, "ChilliSpot-Max-Input-Octets", "ChilliSpot-Max-Input-Gigawords"),
        (.chillispot, .download, "ChilliSpot-Max-Output-Octets", "ChilliSpot-Max-Output-Gigawords"),
        (.pfsense, .both, "pfSense-Max-Total-Octets", nil),
    ]

    @Test func eachVendorIsToldInItsOwnWords() throws {
        for row in Self.names {
            let volume = try Self.bounds(Self.limit(70_000, row.direction), row.vendor).filter { !$0.hasPrefix("Session-Timeout") }
            #expect(volume == ["\(row.low) = 70000"] + (row.high.map { ["\($0) = 0"] } ?? []))
        }
    }

    @Test func whoeverHasNoAttributeForTheDirectionIsToldTheTimeOnly() throws {
        let known = Set(Self.names.map { "\($0.vendor.name) \($0.direction.name)" })
        var others = 0
        for vendor in NASVendor.allCases {
            for direction in QuotaDirection.allCases where !known.contains("\(vendor.name) \(direction.name)") {
                others += 1
                #expect(try Self.bounds(Self.limit(70_000, direction), vendor) == ["Session-Timeout = 1000"])
            }
        }
        #expect(others == NASVendor.allCases.count * 3 - Self.names.count)
    }

    // MARK: Boundaries

    private static let edges: [(octets: UInt64, low: String, high: String)] = [
        // 0 is no limit on a NAS.
        (0, "1", "0"), (1, "1", "0"), (words - 1, "4294967295", "0"), (words, "0", "1"), (words + 1, "1", "1"),
        (5 * words + 7, "7", "5"), (.max, "4294967295", "4294967295"),
    ]

    @Test func gigawordsAreSplitAtTwoToTheThirtySecond() throws {
        for edge in Self.edges {
            #expect(
                try Self.bounds(Self.limit(edge.octets), .mikrotik)
                    == ["Mikrotik-Total-Limit = \(edge.low)", "Mikrotik-Total-Limit-Gigawords = \(edge.high)"])
        }
    }

    /// Less than is left would cut off whoever has done nothing.
    @Test func whatDoesNotFitIsNotSent() throws {
        let most = try Self.bounds(Self.limit(Self.words - 1), .pfsense)
        #expect(most == ["Session-Timeout = 1000", "pfSense-Max-Total-Octets = 4294967295"])
        #expect(try Self.bounds(Self.limit(Self.words), .pfsense) == ["Session-Timeout = 1000"])
    }

    // MARK: The smallest wins

    /// The operator's own, and what is sent where the quota has two gigawords and 5 octets left.
    private static let own: [(low: UInt32, high: UInt32, told: (UInt32, UInt32))] = [
        (1000, 0, (1000, 0)), (0, 1, (0, 1)), (4, 2, (4, 2)), (6, 2, (5, 2)), (7, 9, (5, 2)), (0, 0, (5, 2)),
    ]

    @Test func anOperatorsOwnLimitHoldsWhereItIsSmaller() throws {
        let message: [UInt8] = [18, 3, 0x61]
        for own in Self.own {
            let given = Self.attribute(Self.mikrotik, 17, own.low) + message + Self.attribute(Self.mikrotik, 18, own.high)
            let told = try Self.bounds(Self.limit(2 * Self.words + 5), .mikrotik, given: given)
            #expect(
                told == [
                    "Reply-Message = a", "Mikrotik-Total-Limit = \(own.told.0)", "Mikrotik-Total-Limit-Gigawords = \(own.told.1)",
                ])
        }
    }

    /// Of profile and subscriber; the higher half comes first, second, or not at all.
    @Test func ofSeveralOfAnOperatorTheSmallestHolds() throws {
        let (low, high) = (Self.attribute(Self.mikrotik, 17, 3000), Self.attribute(Self.mikrotik, 18, 1))
        let other = Self.attribute(Self.mikrotik, 17, 1025)
        for given in [low + high + other, other + low + high, high + low + other, low + other + high] {
            let told = try Self.bounds(Self.limit(2 * Self.words), .mikrotik, given: given)
            #expect(told.first == (given == low + other + high ? "Mikrotik-Total-Limit = 3000" : "Mikrotik-Total-Limit = 1025"))
            #expect(told.last == "Mikrotik-Total-Limit-Gigawords = 0")
        }
    }

    @Test func otherLimitsOfAnOperatorStay() throws {
        let given = Self.attribute(Self.mikrotik, 1, 77) + Self.attribute([0x38, 0xdf], 3, 78)
        let told = try Self.bounds(Self.limit(5), .mikrotik, given: given)
        #expect(
            told == [
                "Mikrotik-Recv-Limit = 77", "ChilliSpot-Max-Total-Octets = 78", "Mikrotik-Total-Limit = 5",
                "Mikrotik-Total-Limit-Gigawords = 0",
            ])
    }

    /// Seconds until the account ends and those of the profile, 0 for neither, and what is sent where the window has 1000 left.
    private static let ends: [(expires: UInt32, given: UInt32, told: UInt32)] = [
        (0, 0, 1000), (400, 0, 400), (4000, 0, 1000), (0, 60, 60), (400, 60, 60), (0, 4000, 1000),
    ]

    @Test func theEarliestEndIsTheSessions() throws {
        for end in Self.ends {
            let desk = Self.desk(Self.limit(5)) { $0.expiresSeconds = end.expires == 0 ? 0 : Self.now + end.expires }
            let given: [UInt8] = end.given == 0 ? [] : [27, 6] + Self.octets(end.given)
            #expect(try Self.bounds(desk, .cisco, given: given) == ["Session-Timeout = \(end.told)"])
        }
    }

    // MARK: The window's end

    @Test func aSessionOutlivesTheWindowWhereItCanBeToldTheNextLimit() throws {
        let volume = ["Mikrotik-Total-Limit = 5", "Mikrotik-Total-Limit-Gigawords = 0"]
        #expect(try Self.bounds(Self.limit(5), .mikrotik) == volume)
        // A top-up ends: less is left from then on, and who should say so may be away.
        #expect(try Self.bounds(Self.limit(5, shrinks: true), .mikrotik) == ["Session-Timeout = 1000"] + volume)
        #expect(try Self.bounds(Self.limit(5), .cambium).first == "Session-Timeout = 1000")
    }

    /// A session that ends with the window is there again before anybody has counted the next.
    @Test func behindItTheNextWindowsLimitAndEndHold() throws {
        #expect(try Self.bounds(Self.limit(5, in: 1), .cisco) == ["Session-Timeout = 1"])
        let volume = ["ChilliSpot-Max-Total-Octets = 9", "ChilliSpot-Max-Total-Gigawords = 0"]
        for (past, left) in [(0, 86_400), (-1, 86_399), (-86_399, 1)] as [(Int64, Int)] {
            #expect(try Self.bounds(Self.limit(5, later: 9, in: past), .chillispot) == ["Session-Timeout = \(left)"] + volume)
            #expect(try Self.bounds(Self.limit(5, in: past, shrinks: true), .cisco) == ["Session-Timeout = \(left)"])
            #expect(try Self.bounds(Self.limit(5, in: past), .mikrotik).count == 2)
            // With the window behind the top-up's end more is left again.
            #expect(try Self.bounds(Self.limit(5, in: past, shrinks: true), .mikrotik).count == 2)
        }
        // How long the one behind that is, nobody has said.
        for past in [-86_400, -864_000] as [Int64] {
            #expect(try Self.bounds(Self.limit(5, later: 9, in: past), .chillispot) == volume)
            #expect(try Self.bounds(Self.limit(5, in: past, shrinks: true), .cisco) == [])
        }
    }

    // MARK: Who is told

    @Test func theWalledGardenHasNoLimit() throws {
        let desk = Self.desk(Self.limit(5)) { $0.locks.insert(.quota, at: .captive) }
        #expect(try Self.bounds(desk, .mikrotik) == [])
        #expect(try Self.bounds(Self.desk(nil), .mikrotik) == [])
    }

    @Test func everyPartOfARecordIsKeptBesideTheLimit() throws {
        var entry = PolicyDesk.subscriber("alice", id: 1 << 40)
        entry.credentialKind = .clearText
        entry.credential = [1, 2, 3]
        entry.identity = [8, 6, 1, 2, 3, 4]
        entry.service = [11, 3, 65]
        var bindings = SubscriberBindings(mac: .ignore, line: .ignore, bindsOnFirstUse: false)
        bindings.sessionLimit = 3
        entry.bindings = bindings.encoded
        for limit in [Self.limit(.max, .download, later: 1 << 63, shrinks: true), nil] {
            entry.quotaLimit = limit
            var builder = SubscriberIndexBuilder()
            builder.add(PolicyDesk.subscriber("bob"))
            let table = SubscriberTable(builder.build()).updated(with: [entry])
            let record = try #require(entry.name.withUnsafeBytes { table.find(tenant: 1, name: $0) })
            #expect(record.quotaLimit == limit && record.isLimited == (limit != nil))
            #expect(record.id == 1 << 40 && Array(record.credential) == [1, 2, 3] && Array(record.service) == [11, 3, 65])
            #expect(record.boundTo?.sessionLimit.count == 3 && Array(record.identity) == [8, 6, 1, 2, 3, 4])
        }
    }

    /// On every way in, from memory.
    @Test func theServerTellsTheNAS() throws {
        var entry = TestServer.subscriber("nemo")
        let end = UInt32(clamping: time(nil)) + 1000
        entry.quotaLimit = QuotaLimit(
            octets: Self.words + 5, laterOctets: 1, untilSeconds: end, laterUntilSeconds: end, direction: .both, shrinks: true)
        let host = try TestServer(subscribers: [entry])
        let reply = try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.access())
        let pairs = try AttributeDecoder.decode(reply.span, dictionary: host.store.snapshot.dictionary)
        let told = Dictionary(pairs.map { ($0.name, $0.value) }) { $1 }
        #expect(told["Mikrotik-Total-Limit"] == "5" && told["Mikrotik-Total-Limit-Gigawords"] == "1")
        let left = try #require(told["Session-Timeout"].flatMap { Int($0) })
        #expect((900...1000).contains(left))
    }

    @Test func anEAPLoginIsToldAsWell() async throws {
        var entry = TestServer.subscriber("nemo")
        entry.quotaLimit = Self.limit(77, in: 4_000_000_000)
        let host = try TestServer(client: TestServer.loopback(vendor: .pfsense), subscribers: [entry])
        let test = EAPOLTest(
            port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", method: "MD5", user: "nemo", password: "arctangent",
            expectsKeys: false)
        let outcome = try await test.run()
        #expect(outcome.isSuccess)
        // eapol_test prints a Vendor-Specific attribute as its octets: pfSense, 3, 77.
        #expect(outcome.transcript.contains("0000354c03060000004d"), "\(outcome.transcript)")
    }
}
