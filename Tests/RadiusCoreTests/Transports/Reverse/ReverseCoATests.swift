import Testing

@testable import RadiusCore

/// CoA and Disconnect over the connections that NAS have opened.
@Suite struct ReverseCoATests {
    /// A NAS that has shaken hands over TLS, and what the server knows of its connection.
    private static func withNAS(
        versions: [String] = [], others: [NASClient] = [], bounds: (inout StreamSettings) -> Void = { _ in },
        _ body: (_ host: StreamHost, _ peer: StreamPeer, _ connection: ReverseCoA.Connection) async throws -> Void
    ) async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, others: others, bounds: bounds, tls: { $0.applicationProtocols = versions })
            let peer = try StreamPeer(to: host.tlsPort, try authority.client { $0.applicationProtocols = versions })
            #expect(peer.handshake())
            #expect(await eventually { host.streams.reverse.connection(of: 7) != nil })
            try await body(host, peer, try #require(host.streams.reverse.connection(of: 7)))
        }
    }

    @Test func aRequestIsAnsweredOnTheConnectionThatTheNASOpened() async throws {
        try await Self.withNAS { host, peer, connection in
            let desk = ReverseDesk(host)
            #expect(connection.transport == .tls && connection.secret === SharedSecret.ofTLS)
            try desk.ask(.coa, over: connection)
            let asked = try ReverseDesk.request(peer.receive())
            #expect(asked.kind == .coa && asked.value(AttributeNumber.acctSessionID) == Array("S-1".utf8))
            // A log-in with the same identifier is another matter.
            let login = TestPacket.access(asked.identifier, sign: false, secret: StreamPeer.radsec)
            #expect(peer.exchange(login).prefix(2) == [2, asked.identifier])
            #expect(desk.outcomes.isEmpty)
            peer.send(ReverseDesk.ack(asked))
            #expect(await eventually { desk.outcomes.count == 1 })
            #expect(desk.outcomes.first?.isACK == true)
            try desk.ask(.disconnect, over: connection)
            let next = try ReverseDesk.request(peer.receive())
            #expect(next.kind == .disconnect && next.identifier == asked.identifier &+ 1)
            peer.send(ReverseDesk.nak(next))
            #expect(await eventually { desk.outcomes.last == .nak(errorCause: 503) })
            let counters = desk.reverse.counters
            #expect([counters.sent, counters.acks, counters.naks] == [2, 1, 1])
        }
    }

    /// Nothing has proven who speaks there.
    @Test func aConnectionOfTCPIsNotTheOne() async throws {
        try await Self.withNAS { host, peer, connection in
            let plain = try StreamPeer(to: host.tcpAuthenticationPort)
            #expect(plain.exchange(TestPacket.access(1)).prefix(2) == [2, 1])
            let desk = ReverseDesk(host)
            #expect(desk.reverse.connection(of: 7)?.transport == .tls)
            peer.tls?.close()
            peer.flush()
            #expect(await eventually { desk.reverse.connection(of: 7) == nil })
            #expect(plain.exchange(TestPacket.access(2)).prefix(2) == [2, 2])
            // It went after it was looked up: nothing was sent.
            try desk.ask(over: connection)
            #expect(await eventually { desk.outcomes == [.refused(.notConnected)] })
            #expect(desk.reverse.counters.sent == 0)
        }
    }

    @Test func answersThatDoNotVerifyAreDroppedAndTheTrueOneCounts() async throws {
        try await Self.withNAS { host, peer, connection in
            let desk = ReverseDesk(host)
            try desk.ask(over: connection)
            let asked = try ReverseDesk.request(peer.receive())
            let answer = ReverseDesk.ack(asked)
            var other = answer
            other[1] &+= 1
            var wrongCode = answer
            wrongCode[0] = PacketCode.coaACK.rawValue
            var cut = answer
            cut[21] = 1
            for packet in [ReverseDesk.ack(asked, secret: TestServer.secret), other, wrongCode, cut] { peer.send(packet) }
            peer.send(answer)
            #expect(await eventually { desk.outcomes.count == 1 })
            #expect(desk.outcomes.first?.isACK == true)
            // The same again, and what nobody asked for.
            peer.send(answer)
            #expect(await eventually { desk.reverse.counters.unmatched == 2 })
            let counters = desk.reverse.counters
            #expect([counters.unverified, counters.wrongCode, counters.malformed] == [1, 1, 1])
            let login = TestPacket.access(1, sign: false, secret: StreamPeer.radsec)
            #expect(peer.exchange(login).prefix(2) == [2, 1])
        }
    }

    @Test func asManyAsThereAreIdentifiersWaitAndNobodyElse() async throws {
        try await Self.withNAS(others: [StreamHost.client(9)]) { host, slow, connection in
            let desk = ReverseDesk(host)
            for number in 0...256 { try desk.ask(over: connection, session: "S-\(number)") }
            #expect(await eventually { desk.outcomes == [.refused(.connectionFull)] })
            // Nothing of that holds others up, nor the NAS's own log-ins.
            let other = try StreamPeer(to: host.tcpAuthenticationPort, from: 9)
            #expect(other.exchange(TestPacket.access(1)).prefix(2) == [2, 1])
            let asked = try (0..<256).map { _ in try ReverseDesk.request(slow.receive()) }
            #expect(Set(asked.map(\.identifier)).count == 256)
            let login = TestPacket.access(2, sign: false, secret: StreamPeer.radsec)
            #expect(slow.exchange(login).prefix(2) == [2, 2])
            slow.send(ReverseDesk.ack(asked[100]))
            #expect(await eventually { desk.outcomes.count == 2 })
            try desk.ask(over: connection, session: "last")
            let last = try ReverseDesk.request(slow.receive())
            #expect(last.identifier == asked[100].identifier && last.value(AttributeNumber.acctSessionID) == Array("last".utf8))
        }
    }

    @Test func silenceEndsInATimeoutAndTheConnectionGoesOn() async throws {
        let hasty = CoARetransmission.Timing(initial: 10_000_000, longest: 10_000_000, attempts: 1)
        try await Self.withNAS(bounds: { $0.reverse.streams = hasty }) { host, peer, connection in
            let desk = ReverseDesk(host)
            try desk.ask(over: connection)
            let asked = try ReverseDesk.request(peer.receive())
            #expect(await eventually { desk.outcomes == [.timeout(attempts: 1)] })
            #expect(desk.outcomes[0].messageOfConnection.contains("reverse CoA"))
            peer.send(ReverseDesk.ack(asked))
            #expect(await eventually { desk.reverse.counters.unmatched == 1 })
            // Nothing is sent twice over a stream.
            #expect(desk.reverse.counters.sent == 1 && desk.reverse.counters.resent == 0)
            let login = TestPacket.access(1, sign: false, secret: StreamPeer.radsec)
            #expect(peer.exchange(login).prefix(2) == [2, 1])
        }
    }

    @Test func theNewestConnectionIsTheOneAndItsEndIsTold() async throws {
        let everybody = NASClient(
            id: 7, tenant: 1, name: "all", network: IPAddress(ipv4: 0x7f00_0000), prefixLength: 104, secret: TestServer.secret,
            vendor: .generic)
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, client: everybody)
            let desk = ReverseDesk(host)
            let (first, second) = (IPAddress(ipv4: 0x7f00_0002), IPAddress(ipv4: 0x7f00_0003))
            let old = try StreamPeer(to: host.tlsPort, from: 2, try authority.client())
            #expect(old.handshake())
            #expect(await eventually { desk.reverse.connection(of: 7, from: first) != nil })
            do {
                let new = try StreamPeer(to: host.tlsPort, from: 3, try authority.client())
                #expect(new.handshake())
                #expect(await eventually { desk.reverse.connection(of: 7)?.source == second })
                #expect(desk.reverse.connection(of: 7, from: first)?.source == first)
                try desk.ask(over: try #require(desk.reverse.connection(of: 7)))
                _ = try ReverseDesk.request(new.receive())
            }
            #expect(await eventually { desk.outcomes == [.refused(.connectionLost)] })
            #expect(desk.reverse.connection(of: 7)?.source == first && desk.reverse.connection(of: 7, from: second) == nil)
            #expect(desk.reverse.connection(of: 8) == nil)
            try desk.ask(over: try #require(desk.reverse.connection(of: 7)))
            let asked = try ReverseDesk.request(old.receive())
            old.send(ReverseDesk.ack(asked))
            #expect(await eventually { desk.outcomes.last?.isACK == true })
        }
    }

    @Test func theStopEndsWhatWaits() async throws {
        try await Self.withNAS { host, peer, connection in
            let desk = ReverseDesk(host)
            try desk.ask(over: connection)
            _ = try ReverseDesk.request(peer.receive())
            host.streams.stop()
            #expect(await eventually { desk.outcomes == [.refused(.connectionLost)] })
            #expect(await eventually { !host.streams.isRunning })
            try desk.ask(over: connection)
            #expect(desk.outcomes.last == .refused(.shutDown) && desk.reverse.connection(of: 7) == nil)
        }
    }

    /// Its packets are written here octet by octet.
    @Test func overRADIUS11TokensOfOursAreAnswered() async throws {
        try await Self.withNAS(versions: ["radius/1.1"]) { host, peer, connection in
            let desk = ReverseDesk(host)
            try desk.ask(.coa, over: connection)
            let packet = peer.receive()
            #expect(packet.prefix(2) == [43, 0] && Array(packet[8..<20]) == [UInt8](repeating: 0, count: 12))
            #expect(ScriptedHomeServer.values(AttributeNumber.messageAuthenticator, in: packet).isEmpty)
            #expect(ScriptedHomeServer.values(AttributeNumber.acctSessionID, in: packet) == [Array("S-1".utf8)])
            let token = Array(packet[4..<8])
            // A request of the NAS with the same Token is another matter.
            let login = ScriptedHomeServer.attribute(1, Array("nemo".utf8)) + ScriptedHomeServer.attribute(2, Array("arctangent".utf8))
            let accept = peer.exchange(TokenTests.packet(1, login, token: token))
            #expect(accept.first == 2 && Array(accept[4..<8]) == token)
            let stranger = Array(token.dropLast()) + [token[3] &+ 1]
            peer.send(TokenTests.packet(44, [], token: stranger))
            peer.send(TokenTests.packet(45, [101, 6, 0, 0, 1, 247], token: token))
            #expect(await eventually { desk.outcomes == [.nak(errorCause: 503)] })
            #expect(desk.reverse.counters.unmatched == 1)
            // It does not process the next one, and says so.
            try desk.ask(.coa, over: connection)
            let next = Array(peer.receive()[4..<8])
            peer.send(TokenTests.packet(52, [101, 6, 0, 0, 1, 148], token: next))
            #expect(await eventually { desk.outcomes.last == .nak(errorCause: 404) })
        }
    }

    /// As after SIGHUP; here into one that knows nothing, so that it tells.
    @Test func anOpenConnectionTakesUpAnotherDictionary() async throws {
        try await Self.withNAS(versions: ["radius/1.1"]) { host, peer, connection in
            let key = (0..<32).map { UInt8($0) }
            let salted = filling(64) {
                SaltEncryption.hide(
                    key.span, salt: 0x8001, authenticator: Digest16(repeating: 0), secret: StreamPeer.radsec, into: &$0)
            }
            let hidden = [0, 0, 1, 55, 16, UInt8(salted.count + 2)] + salted
            let request = try CoARequest(
                .coa, attributes: RelayDesk.session("S-1") + ScriptedHomeServer.attribute(VendorAttribute.type, hidden))
            host.streams.reverse.send(request, over: connection) { _ in }
            #expect(ScriptedHomeServer.values(VendorAttribute.type, in: peer.receive()) == [[0, 0, 1, 55, 16, 34] + key])
            let old = host.environment.store.snapshot
            host.environment.store.publish(
                Snapshot(
                    clients: old.clients, subscribers: old.subscribers, profiles: old.profiles, policies: old.policies,
                    dictionary: try RadiusDictionary.load(paths: [])))
            host.streams.reverse.send(request, over: connection) { _ in }
            #expect(ScriptedHomeServer.values(VendorAttribute.type, in: peer.receive()) == [hidden])
        }
    }

    @Test func overDTLSAnUnansweredRequestIsRepeated() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, datagrams: true, bounds: { $0.reverse.datagrams.initial = 10_000_000 })
            let desk = ReverseDesk(host)
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake())
            #expect(await eventually { desk.reverse.connection(of: 7) != nil })
            let connection = try #require(desk.reverse.connection(of: 7))
            #expect(connection.secret === SharedSecret.ofDTLS)
            try desk.ask(over: connection)
            let first = peer.receive()
            #expect(!first.isEmpty && peer.receive() == first)
            // What follows the packet's Length is padding.
            peer.send(ReverseDesk.ack(try ReverseDesk.request(first, secret: .ofDTLS), secret: .ofDTLS) + [0, 0])
            #expect(await eventually { desk.outcomes.first?.isACK == true })
            #expect(desk.reverse.counters.sent == 1 && desk.reverse.counters.resent >= 1)
        }
    }
}
