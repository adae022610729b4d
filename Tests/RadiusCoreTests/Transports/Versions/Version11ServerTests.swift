import Glibc
import Support
import Testing

@testable import RadiusCore

/// What a peer gets over RADIUS/1.1, whose packets are written here octet by octet.
@Suite struct Version11ServerTests {
    private static func with(
        client: NASClient = TestServer.loopback(), _ body: (_ host: StreamHost, _ peer: StreamPeer) async throws -> Void
    ) async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, client: client, tls: { $0.applicationProtocols = ["radius/1.1", "radius/1.0"] })
            let peer = try StreamPeer(to: host.tlsPort, try authority.client { $0.applicationProtocols = ["radius/1.1"] })
            #expect(peer.handshake() && peer.tls?.applicationProtocol == "radius/1.1")
            try await body(host, peer)
        }
    }

    private static let name = ScriptedHomeServer.attribute(1, Array("nemo".utf8))

    private static func password(_ text: String) -> [UInt8] { ScriptedHomeServer.attribute(2, Array(text.utf8)) }

    /// Header of a reply with `count` octets of attributes.
    private static func header(_ code: UInt8, _ token: [UInt8], _ count: Int) -> [UInt8] {
        let start: [UInt8] = [code, 0, UInt8((20 + count) >> 8), UInt8((20 + count) & 0xff)]
        return start + token + [UInt8](repeating: 0, count: 12)
    }

    @Test func logsInByPAPAndAnswersWithTheToken() async throws {
        try await Self.with { host, peer in
            let reply = peer.exchange(TokenTests.packet(1, Self.name + Self.password("arctangent"), token: [1, 2, 3, 4]))
            #expect(Array(reply.prefix(20)) == Self.header(2, [1, 2, 3, 4], reply.count - 20))
            #expect(ScriptedHomeServer.values(80, in: reply).isEmpty)
            // The rate limit of the profile, in clear as ever.
            #expect(ScriptedHomeServer.values(26, in: reply).contains { $0.starts(with: [0, 0, 0x3a, 0x8c, 8]) })
            let states = ScriptedHomeServer.attribute(33, [1]) + ScriptedHomeServer.attribute(33, [2, 3])
            let wrong = peer.exchange(TokenTests.packet(1, Self.name + Self.password("wrong") + states, token: [1, 2, 3, 5]))
            #expect(wrong == Self.header(3, [1, 2, 3, 5], states.count) + states)
            for impossible in [ScriptedHomeServer.attribute(2, []), ScriptedHomeServer.attribute(2, [UInt8](repeating: 65, count: 129))] {
                let token: [UInt8] = [9, 9, 9, UInt8(impossible.count)]
                #expect(peer.exchange(TokenTests.packet(1, Self.name + impossible, token: token)) == Self.header(3, token, 0))
            }
            // So it is without any attribute.
            #expect(peer.exchange(TokenTests.packet(1, [], token: [9, 9, 9, 255])) == Self.header(3, [9, 9, 9, 255], 0))
            #expect(host.count(.accessAccepts) == 1 && host.count(.accessRejects) == 4)
        }
    }

    @Test func chapNeedsItsChallenge() async throws {
        try await Self.with { host, peer in
            let challenge: [UInt8] = (0..<16).map { $0 }
            let response = octets(CHAP.response(identifier: 5, challenge: challenge.span, password: Array("arctangent".utf8).span))
            let chap = Self.name + ScriptedHomeServer.attribute(3, response)
            let reply = peer.exchange(TokenTests.packet(1, chap + ScriptedHomeServer.attribute(60, challenge), token: [0, 0, 0, 1]))
            #expect(reply.prefix(8) == [2, 0, 0, UInt8(reply.count), 0, 0, 0, 1])
            let states = ScriptedHomeServer.attribute(33, [7])
            let error = peer.exchange(TokenTests.packet(1, chap + states, token: [0, 0, 0, 2]))
            // Missing-Attribute.
            let cause: [UInt8] = [101, 6, 0, 0, 1, 146]
            #expect(error == Self.header(52, [0, 0, 0, 2], 9) + cause + states)
            #expect(host.drops(.chapChallengeMissing) == 1 && host.count(.protocolErrors) == 1)
        }
    }

    /// RFC 2759 §9.2's user and password; the keys themselves are held against vectors elsewhere.
    @Test func keysOfMSCHAPComeInClear() async throws {
        let subscribers = [TestServer.subscriber("User", password: "clientPass")]
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, subscribers: subscribers, tls: { $0.applicationProtocols = ["radius/1.1"] })
            let peer = try StreamPeer(to: host.tlsPort, try authority.client { $0.applicationProtocols = ["radius/1.1"] })
            #expect(peer.handshake())
            let challenge = (0..<16).map { UInt8($0) }
            let digest = MSCHAP.ntHash(ofUTF8: Array("clientPass".utf8).span)
            let hash = try #require(digest)
            let response = MSCHAP.V2.response(
                identifier: 1, challenge: challenge.span, peerChallenge: TestPacket.authenticator, ntHash: hash,
                userName: Array("User".utf8).span)
            let parts: [[UInt8]] = [[0, 0, 1, 55, 11, 18], challenge, [25, 52], octets(response)]
            let vendor = ScriptedHomeServer.attribute(26, Array(parts.joined()))
            let reply = peer.exchange(TokenTests.packet(1, ScriptedHomeServer.attribute(1, Array("User".utf8)) + vendor))
            #expect(reply.first == 2)
            let keys = MSCHAP.V2.mppeKeys(response: response.span, hashHash: MSCHAP.hash(ofNTHash: hash))
            let values = ScriptedHomeServer.values(26, in: reply)
            #expect(values.contains([0, 0, 1, 55, 16, 18] + octets(keys.send)))
            #expect(values.contains([0, 0, 1, 55, 17, 18] + octets(keys.receive)))
        }
    }

    @Test func answersEverythingElseOnTheSameConnection() async throws {
        try await Self.with { host, peer in
            let record = ScriptedHomeServer.attribute(40, [0, 0, 0, 1]) + ScriptedHomeServer.attribute(44, [65]) + Self.name
            #expect(peer.exchange(TokenTests.packet(4, record, token: [0, 0, 1, 0])) == Self.header(5, [0, 0, 1, 0], 0))
            #expect(host.environment.journal.durableSequence == 1)
            #expect(peer.exchange(TokenTests.packet(12, [], token: [0, 0, 1, 1])) == Self.header(2, [0, 0, 1, 1], 0))
            for (code, answer) in [(UInt8(40), UInt8(42)), (43, 45)] {
                let states = ScriptedHomeServer.attribute(33, [1, 2])
                let reply = peer.exchange(TokenTests.packet(code, states, token: [0, 0, 2, code]))
                // Unsupported-Extension.
                #expect(reply == Self.header(answer, [0, 0, 2, code], 10) + [101, 6, 0, 0, 1, 150] + states)
            }
            // A reply is none that a server answers.
            peer.send(TokenTests.packet(2, [], token: [0, 0, 3, 0]))
            #expect(await eventually { host.drops(.unsupportedCode) == 1 })
            #expect(peer.exchange(TokenTests.packet(12, [], token: [0, 0, 1, 2])).first == 2)
        }
    }

    @Test func repetitionsAreKnownByTheirTokens() async throws {
        try await Self.with { host, peer in
            let packet = TokenTests.packet(1, Self.name + Self.password("arctangent"), token: [7, 7, 7, 7])
            let first = peer.exchange(packet)
            #expect(first.first == 2 && peer.exchange(packet) == first)
            #expect(host.count(.duplicates) == 1 && host.count(.accessAccepts) == 1)
            // The same under another Token is another request.
            let next = peer.exchange(TokenTests.packet(1, Self.name + Self.password("arctangent"), token: [7, 7, 8, 7]))
            #expect(Array(next[4..<8]) == [7, 7, 8, 7] && host.count(.accessAccepts) == 2)
            // Another under the same is a mistake that nobody can mend.
            peer.send(TokenTests.packet(1, Self.name + Self.password("wrong"), token: [7, 7, 8, 7]))
            #expect(peer.ends())
            #expect(await eventually { host.refused("bad_packet") == 1 })
            #expect(host.drops(.tokenReused) == 1)
        }
    }

    @Test func manyRequestsWaitAtOnce() async throws {
        try await Self.with { host, peer in
            let requests = (0..<1000).flatMap { number -> [UInt8] in
                let token: [UInt8] = [0xff, 0xff, UInt8(number >> 8), UInt8(number & 0xff)]
                return TokenTests.packet(1, Self.name + Self.password("arctangent"), token: token)
            }
            peer.send(requests)
            var tokens = Set<[UInt8]>()
            for _ in 0..<1000 {
                let reply = peer.receive()
                guard reply.count >= 20, reply[0] == 2 else { break }
                tokens.insert(Array(reply[4..<8]))
            }
            #expect(tokens.count == 1000 && host.count(.accessAccepts) == 1000 && host.count(.duplicates) == 0)
        }
    }

    @Test func whatIsNotProcessedIsAnsweredWithAProtocolError() async throws {
        let limited = NASClient(
            id: 7, tenant: 1, name: "loopback", network: IPAddress(ipv4: 0x7f00_0001), prefixLength: 128, secret: TestServer.secret,
            vendor: .generic, rateLimitPerSecond: 1)
        try await Self.with(client: limited) { host, peer in
            let states = ScriptedHomeServer.attribute(33, [5])
            for number in UInt8(0)..<20 {
                peer.send(TokenTests.packet(1, Self.name + Self.password("arctangent") + states, token: [0, 0, 0, number]))
            }
            let replies = (0..<20).map { _ in peer.receive() }
            let errors = replies.filter { $0.first == 52 }
            #expect(!errors.isEmpty && replies.allSatisfy { $0.first == 52 || $0.first == 2 })
            // Resources-Unavailable.
            let cause: [UInt8] = [101, 6, 0, 0, 1, 250]
            #expect(errors.allSatisfy { Array($0[20...]) == cause + states })
            #expect(Set(replies.map { $0[7] }).count == 20)
            #expect(host.count(.rateLimited) == UInt64(errors.count) && host.count(.protocolErrors) == UInt64(errors.count))
            // Missing-Attribute: a record of no session.
            let record = peer.exchange(TokenTests.packet(4, ScriptedHomeServer.attribute(40, [0, 0, 0, 1]), token: [0, 0, 1, 0]))
            #expect(record == Self.header(52, [0, 0, 1, 0], 6) + [101, 6, 0, 0, 1, 146])
        }
    }

    @Test func lengthsThatLieEndTheConnection() async throws {
        try await Self.with { host, peer in
            peer.send(TokenTests.packet(1, Self.name + [2, 9, 65]))
            #expect(peer.ends())
            #expect(await eventually { host.refused("bad_packet") == 1 })
            #expect(host.drops(.attributeOverrun) == 1)
        }
    }

    @Test func eapIsSignedInsideAlone() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, tls: { $0.applicationProtocols = ["radius/1.1"] })
            let peer = try StreamPeer(to: host.tlsPort, try authority.client { $0.applicationProtocols = ["radius/1.1"] })
            #expect(peer.handshake())
            // Without conversations the host rejects, but it would drop what is not signed.
            let identity = ScriptedHomeServer.attribute(79, [2, 1, 0, 9, 1] + Array("nemo".utf8))
            let reply = peer.exchange(TokenTests.packet(1, Self.name + identity, token: [0, 0, 0, 1]))
            #expect(reply == Self.header(3, [0, 0, 0, 1], 6) + [79, 6, 4, 1, 0, 4])
            #expect(host.drops(.messageAuthenticatorMissing) == 0)
        }
    }

    @Test func anEAPPacketForAConversationInWorkIsAnsweredWithAProtocolError() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(
                authority, tls: { $0.applicationProtocols = ["radius/1.1"] },
                eap: { EAPService(EAPService.Settings(), store: $0, clock: { 1 }, answer: { _ in .drop }) })
            let peer = try StreamPeer(to: host.tlsPort, try authority.client { $0.applicationProtocols = ["radius/1.1"] })
            #expect(peer.handshake())
            let identity = ScriptedHomeServer.attribute(79, [2, 1, 0, 9, 1] + Array("nemo".utf8))
            let states = ScriptedHomeServer.attribute(33, [5])
            let reply = peer.exchange(TokenTests.packet(1, Self.name + identity + states, token: [0, 0, 0, 1]))
            #expect(reply == TokenPacket.protocolError(token: 1, .resourcesUnavailable, proxyStates: states))
            #expect(host.count(.duplicatesInWork) == 1 && host.count(.protocolErrors) == 1)
        }
    }
}
