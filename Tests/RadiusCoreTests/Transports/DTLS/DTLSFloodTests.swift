import Support
import Testing

@testable import RadiusCore

/// Peers that lie about their address, are many, or begin and do not go on.
@Suite struct DTLSFloodTests {
    private static let secret = DTLSClient.secret

    @Test func aFloodOfClientHellosWithoutCookiesKeepsNothing() async throws {
        try await TestAuthority.withPair { authority in
            let others = (2..<12).map { StreamHost.client($0) }
            let host = try StreamHost(authority, others: others, datagrams: true)
            let context = try authority.datagramClient()
            let peers = try (2..<12).map { try DTLSClient(to: host.dtlsPort, from: UInt32($0), context) }
            var random = SeededGenerator(state: 7360)
            peers[0].tls.start()
            var hello = peers[0].takeDatagrams().first ?? []
            let isHello = DTLSClientHello(hello.span) != nil
            #expect(isHello)
            for round in 0..<1000 {
                // Another random, as another client or another attempt has.
                for position in 27..<59 { hello[position] = UInt8.random(in: 0...255, using: &random) }
                let peer = peers[round % peers.count]
                peer.sendRaw(hello)
                let answer = peer.waitRaw()
                #expect(answer.count < hello.count && answer.count == 60)
            }
            let statistics = host.streams.census.statistics
            #expect(statistics.helloVerifyRequests == 1000 && statistics.accepted == [:])
            #expect(statistics.handshaking == 0 && statistics.open == [:])
            #expect(peers[1].handshake())
        }
    }

    @Test func aCookieIsGoodForItsAddressPortAndClientHelloOnly() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, others: [StreamHost.client(2)], datagrams: true)
            let context = try authority.datagramClient()
            let peer = try DTLSClient(to: host.dtlsPort, context)
            let hello = peer.helloWithCookie()
            let cookieless = host.streams.census.statistics.helloVerifyRequests
            var altered = hello
            altered[30] ^= 1
            for (sender, octets) in [
                (try DTLSClient(to: host.dtlsPort, context), hello), (try DTLSClient(to: host.dtlsPort, from: 2, context), hello),
                (peer, altered),
            ] {
                sender.sendRaw(octets)
                // Asked again.
                #expect(sender.waitRaw().count == 60)
            }
            #expect(host.streams.census.statistics.helloVerifyRequests == cookieless + 3)
            #expect(host.streams.census.statistics.accepted == [:])
            peer.sendRaw(hello)
            #expect(await eventually { host.streams.census.statistics.accepted == [.dtls: 1] })
            peer.sendRaw(hello)
            #expect(await eventually { host.streams.census.statistics.dropped[.repeatedHello] == 1 })
            #expect(host.streams.census.statistics.accepted == [.dtls: 1])
        }
    }

    @Test func halfOpenHandshakesAreBoundedAndOthersGetThrough() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, others: [StreamHost.client(2), StreamHost.client(3)], datagrams: true) {
                $0.handshakes = 16
            }
            let context = try authority.datagramClient()
            let established = try DTLSClient(to: host.dtlsPort, context)
            #expect(established.handshake())
            // One client may have a quarter.
            for _ in 0..<20 {
                let peer = try DTLSClient(to: host.dtlsPort, from: 2, context)
                peer.sendRaw(peer.helloWithCookie())
            }
            #expect(await eventually { host.refused("too_many_handshakes", .dtls) + host.refused("handshake_displaced", .dtls) == 16 })
            #expect(host.streams.census.statistics.handshaking == 4)
            #expect(established.exchange(TestPacket.access(1, secret: Self.secret)).first == 2)
            let other = try DTLSClient(to: host.dtlsPort, from: 3, context)
            #expect(other.handshake() && other.exchange(TestPacket.access(2, secret: Self.secret)).first == 2)
        }
    }

    @Test func aHandshakeThatIsNotEndedIsEndedByUs() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, datagrams: true) { $0.handshakeSeconds = 1 }
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            peer.sendRaw(peer.helloWithCookie())
            #expect(await eventually { host.refused("handshake_timeout", .dtls) == 1 })
            #expect(host.streams.census.statistics.handshaking == 0)
        }
    }

    @Test func sessionsAreBoundedForEachClient() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, datagrams: true) { $0.connectionsPerClient = 3 }
            let context = try authority.datagramClient()
            let peers = try (0..<3).map { _ in try DTLSClient(to: host.dtlsPort, context) }
            #expect(peers.allSatisfy { $0.handshake() })
            let late = try DTLSClient(to: host.dtlsPort, context)
            late.sendRaw(late.helloWithCookie())
            #expect(await eventually { host.refused("too_many_of_client", .dtls) == 1 })
            #expect(peers.allSatisfy { $0.exchange(TestPacket.access(1, secret: Self.secret)).first == 2 })
        }
    }

    @Test func hostileDatagramsOfAnyKindLeaveTheServerServing() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, datagrams: true) { $0.handshakeSeconds = 2 }
            let context = try authority.datagramClient()
            let good = try DTLSClient(to: host.dtlsPort, context)
            #expect(good.handshake())
            var random = SeededGenerator(state: 6347)
            for round in 0..<200 {
                let peer = try DTLSClient(to: host.dtlsPort, context)
                var octets = round % 4 == 0 ? peer.helloWithCookie() : []
                if round % 4 == 1 {
                    peer.tls.start()
                    octets = peer.takeDatagrams().first ?? []
                }
                if round % 4 == 2 {
                    octets = [22, 0xfe, 0xfd, 0, UInt8(round / 4 & 1)]
                    for _ in 0..<40 { octets.append(UInt8.random(in: 0...255, using: &random)) }
                }
                for _ in 0..<Int.random(in: 0...6, using: &random) {
                    let place = Int.random(in: 0...octets.count, using: &random)
                    octets.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
                peer.sendRaw(octets)
                if round % 8 == 0 { peer.sendRaw(Array(octets.shuffled(using: &random))) }
                if round % 5 == 0 {
                    #expect(good.exchange(TestPacket.access(UInt8(round), secret: Self.secret)).prefix(2) == [2, UInt8(round)])
                }
            }
            #expect(await eventually { host.open == 1 && host.streams.census.statistics.handshaking == 0 })
            #expect(good.exchange(TestPacket.access(250, secret: Self.secret)).prefix(2) == [2, 250])
        }
    }
}
