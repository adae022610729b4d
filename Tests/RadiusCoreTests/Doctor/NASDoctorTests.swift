import Synchronization
import Testing

@testable import RadiusCore

@Suite struct NASDoctorTests {
    private static let now: Int64 = 1_790_000_000
    private static let good = Array("Vh7+q2ZkP0fRw9sLxT4eYb6n".utf8)

    private static func client(
        secret: [UInt8] = good, vendor: NASVendor = .mikrotik, require: TriState = .yes, prefixLength: Int = 128, signs: Bool? = true,
        sends: Bool = true
    ) -> NASClient {
        NASClient(
            id: 7, tenant: 1, name: "core1", network: IPAddress(ipv4: 0xC000_0201), prefixLength: prefixLength,
            secret: SharedSecret(secret), vendor: vendor, requireMessageAuthenticator: require, sendsMessageAuthenticator: sends,
            observation: ClientObservation(requiresMessageAuthenticator: signs))
    }

    private static func facts(_ client: NASClient = client(), _ adjust: (inout NASFacts) -> Void = { _ in }) -> NASFacts {
        var facts = NASFacts(client, nowSeconds: now, createdSeconds: now - 86_400 * 30, lastSeenSeconds: now - 5)
        adjust(&facts)
        return facts
    }

    private static func codes(_ facts: NASFacts) -> [String] { NASDoctor.findings(facts).map { "\($0.severity.rawValue) \($0.code)" } }

    private static func record(
        _ code: PacketCode = .accountingRequest, _ attributes: [UInt8] = [], outcome: FlightOutcome = .answered, drop: DecodeError? = nil
    ) -> FlightRecord {
        var header = FlightHeader()
        header.atMicroseconds = now * 1_000_000
        header.outcome = outcome
        if let drop { (header.outcome, header.drop) = (.dropped, drop.rawValue) }
        let packet = TestPacket.build(code, 1, sign: false) { $0.append(encoded: attributes.span) }
        return FlightRecord(header: header, request: packet, reply: [])
    }

    private static func number(_ type: UInt8, _ value: Int64) -> [UInt8] {
        [type, 6] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> Int64($0)) }
    }

    private static func vendor(_ number: Int64) -> [UInt8] { [26, 10] + self.number(0, number).dropFirst(2) + [1, 4, 65, 66] }

    @Test func aNASInOrderHasNoFinding() {
        #expect(Self.codes(Self.facts()).isEmpty)
        #expect(Self.codes(Self.facts { $0.dnsName = "gw.example.net" }).isEmpty)
    }

    @Test func tellsWhatDNSDoesNotKnow() throws {
        let kept = Self.facts { ($0.dnsName, $0.dnsError) = ("gw.example.net", "no such name") }
        #expect(Self.codes(kept) == ["warning dns_error"])
        let finding = try #require(NASDoctor.findings(kept).first)
        #expect(finding.what == "gw.example.net: no such name. It stays at 192.0.2.1, the address of before.")
        let lost = NASDoctor.withoutAddress("core1", dnsName: "gw.example.net", dnsError: "no such name")
        #expect(lost.severity == .problem && lost.code == "dns_error" && lost.what.contains("no such name. It has no address"))
        #expect(lost.advice.contains("lastmile nas update core1 --dns-name NAME"))
        let fresh = NASDoctor.withoutAddress("core1", dnsName: "gw.example.net", dnsError: nil)
        #expect(fresh.severity == .warning && fresh.what.contains("not looked up yet"))
    }

    @Test(
        arguments: [
            ("secret", ["problem secret_guessable", "problem secret_short"]),
            ("testing123", ["problem secret_guessable", "warning secret_short"]),
            ("Radius2024!!", ["problem secret_guessable", "warning secret_short"]),
            ("core1", ["problem secret_guessable", "problem secret_short"]),
            ("mikrotik-mikrotik", ["problem secret_guessable"]), ("radiussecret12345", ["problem secret_guessable"]),
            ("aaaaaaaaaaaaaaaaaaaa", ["problem secret_repetitive"]), ("12345678", ["problem secret_guessable", "warning secret_short"]),
            ("abcdefghijklmnopqrst", ["problem secret_repetitive"]), ("xK9#fP2!", ["warning secret_short"]),
            ("xK9#f", ["problem secret_short"]), ("0123456789abcdef0", ["problem secret_repetitive"]),
            ("fedcba9876543210", ["problem secret_repetitive"]), ("ABCD1234efgh5678", ["problem secret_repetitive"]),
            // Runs in less than half of it.
            ("1234Vh7+q2ZkP0fRw9", []), ("abcdefVh7+q2ZkP0fRw9", []),
            ("Vh7+q2ZkP0fRw9sL", []),
        ] as [(String, [String])])
    func judgesSecrets(_ secret: String, _ expected: [String]) {
        #expect(Self.codes(Self.facts(Self.client(secret: Array(secret.utf8)))) == expected)
    }

    @Test func noFindingShowsTheSecret() {
        for secret in ["hunter2hunter2", "qwertyuiop", "Zq9vX"] {
            let facts = Self.facts(Self.client(secret: Array(secret.utf8))) { $0.sharesSecretWith = ["core2"] }
            let findings = NASDoctor.findings(facts)
            #expect(findings.count >= 2)
            #expect(findings.allSatisfy { !$0.what.contains(secret) && !$0.advice.contains(secret) })
        }
    }

    @Test func tellsWhoSharesTheSecret() {
        let one = NASDoctor.findings(Self.facts { $0.sharesSecretWith = ["core2"] })
        #expect(one.map(\.code) == ["secret_shared"])
        #expect(one[0].what.hasPrefix("core2 has the same"))
        let many = NASDoctor.findings(Self.facts { $0.sharesSecretWith = ["core2", "core3", "core4"] })
        #expect(many[0].what.hasPrefix("core2 and 2 more NAS have"))
    }

    @Test(
        arguments: [
            (.no, 128, true, ["warning message_authenticator_not_required"]),
            (.auto, 128, false, ["warning message_authenticator_missing"]),
            (.auto, 128, true, []), (.auto, 128, nil, []), (.auto, 120, nil, ["warning message_authenticator_not_learned"]),
            (.yes, 120, nil, []),
        ] as [(TriState, Int, Bool?, [String])])
    func judgesSignatures(_ require: TriState, _ prefixLength: Int, _ signs: Bool?, _ expected: [String]) {
        #expect(Self.codes(Self.facts(Self.client(require: require, prefixLength: prefixLength, signs: signs))) == expected)
    }

    @Test(arguments: [(0, ["warning every_address"]), (96, ["warning every_address"]), (97, [])])
    func tellsThatEveryAddressIsAClient(_ prefixLength: Int, _ expected: [String]) {
        #expect(Self.codes(Self.facts(Self.client(prefixLength: prefixLength))) == expected)
    }

    @Test func tellsThatRepliesGoUnsigned() {
        #expect(Self.codes(Self.facts(Self.client(sends: false))) == ["warning replies_unsigned"])
    }

    @Test(
        arguments: [
            (0, 0, []), (29, 0, []), (-31, 0, ["warning clock_skew"]), (3600, 0, ["problem clock_skew"]), (-40, 40, []),
            (0, 400, ["problem clock_skew"]),
        ] as [(Int64, Int64, [String])])
    func judgesClocks(_ skew: Int64, _ delay: Int64, _ expected: [String]) {
        let record = Self.record(.accountingRequest, Self.number(55, Self.now + skew) + Self.number(41, delay))
        #expect(Self.codes(Self.facts { $0.recent = [record, record, record] }) == expected)
        #expect(Self.codes(Self.facts { $0.recent = [record, record] }).isEmpty)
    }

    @Test func oneWrongTimestampIsNoSkew() {
        let right = Self.record(.accountingRequest, Self.number(55, Self.now))
        let wrong = Self.record(.accountingRequest, Self.number(55, 0))
        #expect(Self.codes(Self.facts { $0.recent = [right, wrong, right, right] }).isEmpty)
    }

    @Test(
        arguments: [
            (nil, 60, []), (nil, 3600, ["warning never_seen"]), (3600, 9_000_000, []), (90_000, 9_000_000, ["warning silent"]),
        ] as [(Int64?, Int64, [String])])
    func judgesSilence(_ seenAgo: Int64?, _ createdAgo: Int64, _ expected: [String]) {
        let facts = NASFacts(
            Self.client(), nowSeconds: Self.now, createdSeconds: Self.now - createdAgo, lastSeenSeconds: seenAgo.map { Self.now - $0 })
        #expect(Self.codes(facts) == expected)
    }

    @Test(
        arguments: [
            (0, 3, ["problem coa_unanswered"]), (5, 0, []), (5, 2, ["warning coa_stopped"]),
        ] as [(Int, Int, [String])])
    func judgesCoA(_ answered: Int, _ timeouts: Int, _ expected: [String]) {
        let facts = Self.facts {
            ($0.coaAnswered, $0.coaTimeouts) = (answered, timeouts)
            ($0.coaAnsweredSeconds, $0.coaTimeoutSeconds) = (answered > 0 ? 100 : 0, timeouts > 0 ? 200 : 0)
        }
        #expect(Self.codes(facts) == expected)
    }

    @Test func aTimeoutBeforeTheLastAnswerIsOver() {
        let facts = Self.facts {
            ($0.coaAnswered, $0.coaTimeouts, $0.coaAnsweredSeconds, $0.coaTimeoutSeconds) = (1, 4, 300, 200)
        }
        #expect(Self.codes(facts).isEmpty)
    }

    @Test(
        arguments: [
            (.generic, 14988, ["warning vendor_differs"]), (.mikrotik, 14988, []), (.cisco, 14988, ["problem vendor_differs"]),
            (.wispr, 14988, ["warning vendor_differs"]), (.hp, 25506, []), (.canopy, 17713, []), (.cisco, 9, []),
            (.juniper, 14988, ["problem vendor_differs"]),
            (.mikrotik, 9, []), (.mikrotik, 311, []), (.accelppp, 14988, ["problem vendor_differs"]), (.juniper, 4874, []),
        ] as [(NASVendor, Int64, [String])])
    func judgesMakes(_ vendor: NASVendor, _ number: Int64, _ expected: [String]) {
        let record = Self.record(.accessRequest, Self.vendor(number))
        #expect(Self.codes(Self.facts(Self.client(vendor: vendor)) { $0.recent = [record] }) == expected)
    }

    @Test(
        arguments: [
            ("partner", .udp, "guessable"), ("abc", .udp, "guessable"), ("aaaaaaaaaaaaaaaaaaaa", .tcp, "repetitive"),
            ("xK9#fP2!", .udp, "short"), ("0123456789abcdef0", .udp, "repetitive"), ("Vh7+q2ZkP0fRw9sL", .udp, nil), ("abc", .tls, nil),
        ] as [(String, HomeServer.Transport, String?)])
    func judgesSecretsOfHomeServersToo(_ secret: String, _ transport: HomeServer.Transport, _ expected: String?) {
        let server = HomeServer(
            id: 1, tenant: 1, name: "partner", address: IPAddress(ipv4: 0xC000_020A), transport: transport,
            secret: SharedSecret(Array(secret.utf8)))
        #expect(server.secretFlaw == expected)
    }

    @Test(arguments: [(86_399, ["warning rate_limited"]), (86_400, [])] as [(Int64, [String])])
    func tellsOfARateLimitThatWasReachedToday(_ ago: Int64, _ expected: [String]) {
        let client = Self.client()
        client.observation.rateLimited.add(3, ordering: .relaxed)
        client.observation.rateLimitedSeconds.store(Self.now - ago, ordering: .relaxed)
        #expect(Self.codes(Self.facts(client)) == expected)
    }

    @Test func tellsOfAnotherSecretAndOfUnsignedRequests() {
        let facts = Self.facts {
            $0.recent = [
                Self.record(drop: .requestAuthenticatorInvalid), Self.record(drop: .messageAuthenticatorInvalid),
                Self.record(drop: .messageAuthenticatorMissing), Self.record(drop: .attributeOverrun),
            ]
        }
        #expect(Self.codes(facts) == ["problem secret_differs", "problem unsigned_dropped", "warning malformed_dropped"])
        #expect(NASDoctor.findings(facts)[0].what.hasPrefix("2 of its last packets"))
    }

    @Test func tellsOfSeveralDevicesAndRetransmissions() {
        let first = Self.record(.accessRequest, [32, 4, 65, 66])
        let second = Self.record(.accessRequest, [32, 4, 65, 67], outcome: .repeated)
        #expect(Self.codes(Self.facts { $0.recent = [first, second] }) == ["note several_devices"])
        let many = Self.facts { $0.recent = Array(repeating: first, count: 15) + Array(repeating: second, count: 5) }
        #expect(Self.codes(many) == ["warning retransmits", "note several_devices"])
    }

    @Test func aDroppedPacketMaySayAnythingOfItself() {
        var header = FlightHeader()
        header.outcome = .dropped
        header.drop = 255
        for octets in [[], [26], [4, 1, 0], [UInt8](repeating: 255, count: 4096), [UInt8](repeating: 0, count: 30)] as [[UInt8]] {
            let record = FlightRecord(header: header, request: octets, reply: [])
            #expect(Self.codes(Self.facts { $0.recent = [record, record, record] }).isEmpty)
        }
    }
}
