import Glibc
import Support
import Testing

@testable import RadiusCore

/// What a peer gets over TCP and TLS.
@Suite struct StreamServerTests {
    @Test func answersOverTCPWithTheClientsOwnSecret() throws {
        let host = try StreamHost()
        let peer = try StreamPeer(to: host.tcpAuthenticationPort)
        let reply = peer.exchange(TestPacket.access(7))
        #expect(reply.prefix(2) == [2, 7] && TestPacket.isSigned(reply))
        let accounting = try StreamPeer(to: host.tcpAccountingPort)
        let response = accounting.exchange(TestPacket.accounting(8, status: 1, session: "a"))
        #expect(response.prefix(2) == [5, 8])
        #expect(host.environment.journal.durableSequence == 1)
        #expect(host.streams.census.statistics.open == [.init(client: 7, transport: .tcp): 2])
    }

    @Test(arguments: [TLSSettings.Version.tls12, .tls13])
    func answersEverythingOnOneTLSConnection(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority)
            let peer = try StreamPeer(to: host.tlsPort, try authority.client { $0.allow(only: version) })
            #expect(peer.handshake())
            let secret = StreamPeer.radsec
            let reply = peer.exchange(TestPacket.access(1, sign: false, secret: secret))
            #expect(reply.prefix(2) == [2, 1] && TestPacket.isSigned(reply, secret: secret))
            #expect(peer.exchange(TestPacket.access(2, password: "wrong", secret: secret)).prefix(2) == [3, 2])
            #expect(peer.exchange(TestPacket.accounting(3, status: 1, session: "a", secret: secret)).prefix(2) == [5, 3])
            #expect(host.environment.journal.durableSequence == 1)
            let alive = peer.exchange(TestPacket.status(secret: secret))
            #expect(alive.first == 2 && TestPacket.isSigned(alive, secret: secret))
            let statistics = host.streams.census.statistics
            #expect(statistics.open == [.init(client: 7, transport: .tls): 1] && statistics.handshakes == 1)
        }
    }

    @Test func declinesDynamicAuthorizationWithItsNAK() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority)
            let peer = try StreamPeer(to: host.tlsPort, try authority.client())
            #expect(peer.handshake())
            for (code, answer) in [(PacketCode.disconnectRequest, UInt8(42)), (.coaRequest, 45)] {
                var request = TestPacket.build(code, 5, sign: false) { $0.append(AttributeNumber.proxyState, [1, 2].span) }
                var span = request.mutableSpan
                RequestAuthenticator.sign(&span, secret: StreamPeer.radsec)
                let reply = peer.exchange(request)
                #expect(reply.prefix(2) == [answer, 5])
                // Error-Cause 406, then Proxy-State as it came.
                #expect(reply.suffix(10) == [101, 6, 0, 0, 1, 150, 33, 4, 1, 2])
            }
        }
    }

    @Test func manyRequestsInOneSegmentAreAnsweredInOrder() throws {
        let host = try StreamHost()
        let peer = try StreamPeer(to: host.tcpAuthenticationPort)
        peer.send((0..<200).flatMap { TestPacket.access(UInt8($0)) })
        let identifiers = (0..<200).map { _ in peer.receive().dropFirst().first.map(Int.init) ?? -1 }
        #expect(identifiers == Array(0..<200))
        #expect(host.count(.accessAccepts) == 200)
    }

    @Test func aRepetitionOnOneConnectionGetsTheSameOctets() throws {
        let host = try StreamHost()
        let peer = try StreamPeer(to: host.tcpAuthenticationPort)
        let first = peer.exchange(TestPacket.access(9))
        #expect(!first.isEmpty && peer.exchange(TestPacket.access(9)) == first)
        #expect(host.count(.duplicates) == 1 && host.count(.accessAccepts) == 1)
    }

    @Test func aRateLimitHoldsOverStreamsToo() throws {
        let client = NASClient(
            id: 7, tenant: 1, name: "loopback", network: IPAddress(ipv4: 0x7f00_0001), prefixLength: 128, secret: TestServer.secret,
            vendor: .generic, rateLimitPerSecond: 3)
        let host = try StreamHost(client: client)
        let peer = try StreamPeer(to: host.tcpAuthenticationPort)
        peer.send((0..<50).flatMap { TestPacket.access(UInt8($0)) })
        #expect(eventually { host.count(.accessRequests) + host.count(.rateLimited) == 50 })
        #expect(host.count(.rateLimited) >= 40)
    }

    @Test func aSlowCheckAnswersOnTheConnectionThatAskedAndOthersGoOn() throws {
        let gate = Turnstile()
        let checks = SlowChecks(.init(threads: 1), clock: { gate.nanoseconds }) { _, _ in
            gate.pass()
            return .matches
        }
        let slow = TestServer.subscriber("slow", password: "$2b$04$8YrEQ9gwNJZ4u6sF5m7oA.1OQsdfH4i0fGmT5VY6Jr1nW3nq7iF9K", kind: .hash)
        let host = try StreamHost(subscribers: [TestServer.subscriber("nemo"), slow], slowChecks: checks)
        let waiting = try StreamPeer(to: host.tcpAuthenticationPort)
        waiting.send(TestPacket.access(1, user: "slow"))
        #expect(eventually { gate.waiting == 1 })
        #expect(waiting.exchange(TestPacket.access(2)).prefix(2) == [2, 2])
        gate.open()
        #expect(waiting.receive().prefix(2) == [2, 1])
    }

    @Test func aReplyForAConnectionThatIsGoneReachesNobody() throws {
        let gate = Turnstile()
        let checks = SlowChecks(.init(threads: 1), clock: { gate.nanoseconds }) { _, _ in
            gate.pass()
            return .matches
        }
        let slow = TestServer.subscriber("slow", password: "$2b$04$8YrEQ9gwNJZ4u6sF5m7oA.1OQsdfH4i0fGmT5VY6Jr1nW3nq7iF9K", kind: .hash)
        let host = try StreamHost(subscribers: [TestServer.subscriber("nemo"), slow], slowChecks: checks)
        do {
            let gone = try StreamPeer(to: host.tcpAuthenticationPort)
            gone.send(TestPacket.access(1, user: "slow"))
            #expect(eventually { gate.waiting == 1 })
        }
        #expect(eventually { host.open == 0 })
        // The next connection has the same place, and most likely the same descriptor.
        let next = try StreamPeer(to: host.tcpAuthenticationPort)
        #expect(next.exchange(TestPacket.access(2)).prefix(2) == [2, 2])
        gate.open()
        #expect(eventually { host.streams.census.statistics.undeliverable == 1 })
        #expect(next.exchange(TestPacket.access(3)).prefix(2) == [2, 3])
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func whatAPeerAskedBeforeItsGoodbyeIsAnswered(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority)
            let peer = try StreamPeer(to: host.tlsPort, try authority.client { $0.allow(only: version) })
            #expect(peer.handshake())
            let tls = try #require(peer.tls)
            for identifier in UInt8(1)...20 { tls.write(TestPacket.access(identifier, secret: StreamPeer.radsec)) }
            tls.close()
            peer.flush()
            for identifier in UInt8(1)...20 { #expect(peer.receive().prefix(2) == [2, identifier]) }
            #expect(peer.ends() && tls.state == .closed)
            #expect(await eventually { host.streams.census.statistics.closed[.tls]?["peer"] == 1 && host.open == 0 })
            #expect(host.streams.census.statistics.undeliverable == 0)
        }
    }

    @Test func aStopAnswersWhatHasArrivedAndSaysGoodbye() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, rejectDelayMilliseconds: 5000)
            let peer = try StreamPeer(to: host.tlsPort, try authority.client())
            #expect(peer.handshake())
            peer.send(TestPacket.access(1, password: "wrong", secret: StreamPeer.radsec))
            #expect(await eventually { host.count(.accessRejects) == 1 })
            host.streams.stop()
            #expect(peer.receive().prefix(2) == [3, 1])
            #expect(peer.ends() && peer.tls?.state == .closed)
            #expect(await eventually { !host.streams.isRunning })
        }
    }
}
