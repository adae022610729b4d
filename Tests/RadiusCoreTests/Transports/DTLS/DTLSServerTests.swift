import Support
import Testing

@testable import RadiusCore

/// What a peer gets over DTLS.
@Suite struct DTLSServerTests {
    private static let secret = DTLSClient.secret

    private static func with(
        _ client: NASClient = TestServer.loopback(), bounds: (inout StreamSettings) -> Void = { _ in }, rejectDelayMilliseconds: Int = 0,
        _ body: (StreamHost, TestAuthority) async throws -> Void
    ) async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(
                authority, client: client, rejectDelayMilliseconds: rejectDelayMilliseconds, datagrams: true, bounds: bounds)
            try await body(host, authority)
        }
    }

    @Test func answersEverythingOnOneSession() async throws {
        try await Self.with { host, authority in
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake() && peer.tls.protocolVersion == .tls12)
            let reply = peer.exchange(TestPacket.access(1, sign: false, secret: Self.secret))
            #expect(reply.prefix(2) == [2, 1] && TestPacket.isSigned(reply, secret: Self.secret))
            #expect(peer.exchange(TestPacket.access(2, password: "wrong", secret: Self.secret)).prefix(2) == [3, 2])
            #expect(peer.exchange(TestPacket.accounting(3, status: 1, session: "a", secret: Self.secret)).prefix(2) == [5, 3])
            #expect(host.environment.journal.durableSequence == 1)
            let alive = peer.exchange(TestPacket.status(secret: Self.secret))
            #expect(alive.first == 2 && TestPacket.isSigned(alive, secret: Self.secret))
            let statistics = host.streams.census.statistics
            #expect(statistics.open == [.init(client: 7, transport: .dtls): 1] && statistics.handshakes == 1)
            #expect(statistics.helloVerifyRequests == 1 && statistics.accepted == [.dtls: 1])
            #expect(statistics.dropped.values.allSatisfy { $0 == 0 }, "\(statistics.dropped)")
        }
    }

    @Test func twoPacketsInOneDatagramGetTwoAnswers() async throws {
        try await Self.with { host, authority in
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake())
            let before = peer.arrivals
            peer.sendTogether([1, 2].map { TestPacket.access($0, secret: Self.secret) })
            #expect(peer.receive().prefix(2) == [2, 1])
            #expect(peer.receive().prefix(2) == [2, 2])
            #expect(peer.arrivals == before + 2)
        }
    }

    /// The server's first flight, then its last one; the HelloVerifyRequest is datagram 0.
    @Test(arguments: [Set([1]), [2], [1, 2], [0, 1, 3]])
    func whatGetsLostInAHandshakeIsSentAgain(losing: Set<Int>) async throws {
        try await Self.with { host, authority in
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake(losing: losing))
            #expect(peer.arrivals > losing.count + 2)
            #expect(peer.exchange(TestPacket.access(4, secret: Self.secret)).prefix(2) == [2, 4])
            #expect(host.streams.census.statistics.handshakes == 1 && host.open == 1)
        }
    }

    @Test func aRepetitionGetsTheSameOctets() async throws {
        try await Self.with { host, authority in
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake())
            let first = peer.exchange(TestPacket.access(9, secret: Self.secret))
            #expect(!first.isEmpty && peer.exchange(TestPacket.access(9, secret: Self.secret)) == first)
            #expect(host.count(.duplicates) == 1 && host.count(.accessAccepts) == 1)
        }
    }

    @Test func aPacketOfTheGreatestLengthFitsAndWhatFollowsItIsPadding() async throws {
        try await Self.with { host, authority in
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake())
            // Proxy-State comes back, so the answer is as long.
            let states = (0..<15).flatMap { _ in [33, 255] + [UInt8](repeating: 7, count: 253) }
            let long = TestPacket.access(5, extra: states, secret: Self.secret)
            let reply = peer.exchange(long)
            #expect(long.count > 3880 && reply.prefix(2) == [2, 5] && reply.count > 3825)
            let padded = TestPacket.access(6, secret: Self.secret) + [UInt8](repeating: 0xaa, count: 6000)
            #expect(peer.exchange(padded).prefix(2) == [2, 6])
        }
    }

    @Test func thePeersOldSessionGoesOnUntilItsNewOneIsThere() async throws {
        try await Self.with { host, authority in
            let context = try authority.datagramClient()
            let peer = try DTLSClient(to: host.dtlsPort, context)
            #expect(peer.handshake())
            let old = peer.tls
            // From the same port, up to the server's first flight.
            peer.tls = try TLSConversation(context)
            peer.sendRaw(peer.helloWithCookie())
            #expect(await eventually { host.streams.census.statistics.handshaking == 1 })
            let flight = peer.waitRaw()
            let new = peer.tls
            peer.tls = old
            #expect(peer.exchange(TestPacket.access(1, secret: Self.secret)).prefix(2) == [2, 1])
            #expect(host.open == 1)
            peer.tls = new
            new.receive(flight.span)
            peer.flush()
            #expect(peer.handshake() && peer.exchange(TestPacket.access(2, secret: Self.secret)).prefix(2) == [2, 2])
            let statistics = host.streams.census.statistics
            #expect(statistics.closed[.dtls] == ["renewed": 1] && statistics.handshakes == 2 && host.open == 1)
            // The old one is nobody's any more.
            peer.tls = old
            peer.send(TestPacket.access(3, secret: Self.secret))
            #expect(await eventually { host.streams.census.statistics.dropped[.noRecord] == 1 })
        }
    }

    @Test func aPeerThatBeginsAnewBeforeItsHandshakeIsDoneGetsIn() async throws {
        try await Self.with { host, authority in
            let context = try authority.datagramClient()
            let peer = try DTLSClient(to: host.dtlsPort, context)
            peer.sendRaw(peer.helloWithCookie())
            #expect(!peer.waitRaw().isEmpty)
            peer.tls = try TLSConversation(context)
            #expect(peer.handshake() && peer.exchange(TestPacket.access(1, secret: Self.secret)).prefix(2) == [2, 1])
            let statistics = host.streams.census.statistics
            #expect(statistics.closed[.dtls] == ["renewed": 1] && statistics.handshakes == 1 && statistics.handshaking == 0)
        }
    }

    @Test func aPeersGoodbyeEndsItsSession() async throws {
        try await Self.with { host, authority in
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake())
            peer.tls.close()
            peer.flush()
            #expect(await eventually { host.streams.census.statistics.closed[.dtls]?["peer"] == 1 && host.open == 0 })
        }
    }

    @Test func whatAPeerAskedBeforeItsGoodbyeIsAnswered() async throws {
        try await Self.with { host, authority in
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake())
            for identifier in UInt8(1)...3 { peer.tls.write(TestPacket.access(identifier, secret: Self.secret)) }
            peer.tls.close()
            // In one datagram, the goodbye last.
            peer.sendRaw(peer.tls.takeOutput())
            for identifier in UInt8(1)...3 { #expect(peer.receive().prefix(2) == [2, identifier]) }
            #expect(peer.ends() && peer.tls.state == .closed)
            #expect(await eventually { host.streams.census.statistics.closed[.dtls]?["peer"] == 1 && host.open == 0 })
        }
    }

    @Test func anIdleSessionIsEnded() async throws {
        try await Self.with(bounds: { $0.idleSeconds = 1 }) { host, authority in
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake() && peer.ends() && peer.tls.state == .closed)
            #expect(host.streams.census.statistics.closed[.dtls]?["idle"] == 1)
        }
    }

    @Test func aStopAnswersWhatHasArrivedAndSaysGoodbye() async throws {
        try await Self.with(rejectDelayMilliseconds: 5000) { host, authority in
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake())
            peer.send(TestPacket.access(1, password: "wrong", secret: Self.secret))
            #expect(await eventually { host.count(.accessRejects) == 1 })
            host.streams.stop()
            #expect(peer.receive().prefix(2) == [3, 1])
            #expect(peer.ends() && peer.tls.state == .closed)
            #expect(await eventually { !host.streams.isRunning })
        }
    }

    @Test func severalThreadsServeEachPeerInOne() async throws {
        try await Self.with(bounds: { $0.threads = 3 }) { host, authority in
            let context = try authority.datagramClient()
            let peers = try (0..<12).map { _ in try DTLSClient(to: host.dtlsPort, context) }
            #expect(peers.allSatisfy { $0.handshake() })
            for round in 0..<UInt8(3) {
                #expect(peers.allSatisfy { $0.exchange(TestPacket.access(round, secret: Self.secret)).prefix(2) == [2, round] })
            }
            #expect(host.open == 12)
        }
    }
}
