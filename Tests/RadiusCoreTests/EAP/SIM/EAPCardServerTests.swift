import Support
import Testing

@testable import RadiusCore

/// Methods of SIM cards, by Debian's eapol_test with its simulated card, over the server's own sockets.
@Suite struct EAPCardServerTests {
    /// A way to log in, as eapol_test calls it.
    struct Way: Sendable {
        let method: String
        let digit: String
        let name: AuthenticationMethod
        var countsSequences: Bool { method != "SIM" }
    }

    static let ways = [
        Way(method: "SIM", digit: "1", name: .eapSIM), Way(method: "AKA", digit: "0", name: .eapAKA),
        Way(method: "AKA'", digit: "6", name: .eapAKAPrime),
    ]

    private static let realm = "wlan.mnc001.mcc001.3gppnetwork.org"
    private static let number = "001010000000001"
    private static let key = "465b5ce8b199b49faa5f0a2ee238a6bc"
    private static let constant = "cd63cb71954a9f4e48a5994e37a02baf"
    private static let otherKey = "565b5ce8b199b49faa5f0a2ee238a6bc"
    private static let lowest = "000000000000"

    static func subscriber(_ name: String = number) throws -> SubscriberEntry {
        var entry = TestServer.subscriber(name, password: nil)
        entry.card = try SIMCredential(text: "\(key):\(constant)").octets
        return entry
    }

    private static func peer(
        _ host: TestServer, _ way: Way, identity: String? = nil, key: String = key, sequence: String = lowest
    ) throws -> EAPOLTest {
        var test = EAPOLTest(
            port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", method: way.method,
            user: identity ?? "\(way.digit)\(number)@\(realm)", password: "", expectsKeys: true)
        let card = try SIMCard(credential: SIMCredential(text: "\(key):\(constant)"), sequence: sequence)
        test.card = { card.answer($0) }
        return test
    }

    @Test(arguments: ways)
    func eapolTestSucceedsAndTheKeysMatch(way: Way) async throws {
        let host = try TestServer(subscribers: [try Self.subscriber()], workers: 2)
        var test = try Self.peer(host, way)
        test.repetitions = 2
        let outcome = try await test.run()
        #expect(outcome.isSuccess && outcome.keysMatched == 3, "\(outcome.transcript)")
        #expect(host.count(.accepted as AccessReason) == 3)
        // Accounting names the subscriber.
        #expect(outcome.transcript.contains("Value: '\(Self.number)'"), "\(outcome.transcript)")
    }

    @Test(arguments: ways)
    func aNameThatTellsNothingIsFollowedByTheQuestionForTheCard(way: Way) async throws {
        let host = try TestServer(subscribers: [try Self.subscriber()])
        var test = try Self.peer(host, way)
        test.network.append("anonymous_identity=\"@\(Self.realm)\"")
        let outcome = try await test.run()
        #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
    }

    @Test(arguments: ways)
    func theResultIsProtectedWhereTheDeviceWantsIt(way: Way) async throws {
        var locked = try Self.subscriber("001010000000002")
        locked.id = 43
        locked.locks.insert(.overdue, at: .suspended)
        let host = try TestServer(subscribers: [try Self.subscriber(), locked])
        var test = try Self.peer(host, way)
        test.network.append("phase1=\"result_ind=1\"")
        let outcome = try await test.run()
        #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
        #expect(outcome.transcript.contains("subtype Notification"))
        let refused = try await Self.peer(host, way, identity: "\(way.digit)001010000000002@\(Self.realm)").run()
        #expect(!refused.isSuccess && refused.replies.last == "Access-Reject", "\(refused.transcript)")
        // 1026: temporarily denied.
        #expect(refused.transcript.contains("1026") || refused.transcript.contains("denied"), "\(refused.transcript)")
        #expect(host.count(.locked as AccessReason) == 1)
    }

    @Test(arguments: ways)
    func anotherKeyIsRefusedWithItsReason(way: Way) async throws {
        let host = try TestServer(subscribers: [try Self.subscriber()])
        let outcome = try await Self.peer(host, way, key: Self.otherKey).run()
        #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
        #expect(host.count(way.countsSequences ? .cardRejectsNetwork : .cardGaveUp as AccessReason) == 1)
    }

    @Test(arguments: ways.filter(\.countsSequences))
    func aCardThatIsAheadIsFollowed(way: Way) async throws {
        let host = try TestServer(subscribers: [try Self.subscriber()])
        let outcome = try await Self.peer(host, way, sequence: "7fffffffff00").run()
        #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
        #expect(outcome.transcript.contains("AUTS"))
        // And remembered: the next log-in needs no second attempt.
        let next = try await Self.peer(host, way, sequence: "7fffffffff20").run()
        #expect(next.isSuccess && !next.transcript.contains("-> AUTS"), "\(next.transcript)")
    }

    @Test(arguments: ways.filter(\.countsSequences))
    func aCardWithoutNumbersLeftIsRefused(way: Way) async throws {
        let host = try TestServer(subscribers: [try Self.subscriber()])
        let outcome = try await Self.peer(host, way, sequence: "ffffffffffff").run()
        #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
        #expect(host.count(.cardSequenceLost as AccessReason) == 1)
    }

    @Test(arguments: ways)
    func unknownCardsAndSubscribersWithoutOneAreRefused(way: Way) async throws {
        var plain = TestServer.subscriber("001010000000003")
        plain.id = 44
        let host = try TestServer(subscribers: [try Self.subscriber(), plain])
        let unknown = try await Self.peer(host, way, identity: "\(way.digit)001010000000009@\(Self.realm)").run()
        #expect(!unknown.isSuccess && unknown.replies.last == "Access-Reject", "\(unknown.transcript)")
        #expect(host.count(.unknownSubscriber as AccessReason) == 1)
        let without = try await Self.peer(host, way, identity: "\(way.digit)001010000000003@\(Self.realm)").run()
        #expect(!without.isSuccess && without.replies.last == "Access-Reject", "\(without.transcript)")
        #expect(host.count(.cardMissing as AccessReason) + host.count(.eapMethodNeedsPassword as AccessReason) == 1)
    }

    @Test func theNameMayBeStoredInAnyForm() async throws {
        for name in ["0\(Self.number)@\(Self.realm)", "\(Self.number)@\(Self.realm)", Self.number] {
            let host = try TestServer(subscribers: [try Self.subscriber(name)])
            let outcome = try await Self.peer(host, Self.ways[1]).run()
            #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(name): \(outcome.transcript)")
        }
    }

    @Test func aDeviceWithASecondMethodGetsTheBetterOne() async throws {
        let host = try TestServer(subscribers: [try Self.subscriber()])
        let way = Way(method: "AKA AKA'", digit: "0", name: .eapAKAPrime)
        let outcome = try await Self.peer(host, way).run()
        #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
        #expect(!outcome.transcript.contains("Bidding down"), "\(outcome.transcript)")
    }

    @Test func whoHasAPasswordTooMayUseEither() async throws {
        var both = try Self.subscriber("nemo")
        both.credentialKind = .clearText
        both.credential = Array("arctangent".utf8)
        let host = try TestServer(subscribers: [both])
        let password = EAPOLTest(
            port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", method: "MSCHAPV2", user: "nemo",
            password: "arctangent", expectsKeys: true)
        #expect(try await password.run().isSuccess)
        for way in Self.ways {
            let outcome = try await Self.peer(host, way, identity: "nemo").run()
            #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
        }
    }
}
