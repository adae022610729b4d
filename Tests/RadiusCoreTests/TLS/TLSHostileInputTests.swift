import RadiusCore
import Support
import Testing

/// Octets that no honest peer sends: the conversation fails with a reason, and nothing else happens.
@Suite struct TLSHostileInputTests {
    /// Reproducible octets (xorshift).
    private struct Noise {
        var state: UInt64

        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }

    @Test func noiseFailsAtOnceOrWaits() async throws {
        try await TestAuthority.withPair { authority in
            let context = try authority.server()
            var noise = Noise(state: 0x9e37_79b9_7f4a_7c15)
            for _ in 0..<500 {
                let conversation = try TLSConversation(context)
                let octets = (0..<Int(noise.next() % 300) + 1).map { _ in UInt8(truncatingIfNeeded: noise.next()) }
                conversation.receive(octets.span)
                if case .failed(.malformed(let text)) = conversation.state { #expect(!text.isEmpty) }
                #expect(conversation.state != .established && conversation.peer == nil && conversation.read() == [])
            }
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func everyFlippedOctetIsNoticedOrHarmless(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            let context = try authority.server { $0.allow(only: version) }
            let client = try authority.client()
            var noise = Noise(state: 42)
            for flight in 0..<2 {
                for _ in 0..<150 {
                    let (server, peer) = (try TLSConversation(context), try TLSConversation(client))
                    peer.start()
                    if flight == 1 {
                        server.receive(peer.takeOutput().span)
                        peer.receive(server.takeOutput().span)
                    }
                    var octets = peer.takeOutput()
                    let position = Int(noise.next() % UInt64(octets.count))
                    octets[position] ^= UInt8(truncatingIfNeeded: noise.next() | 1)
                    server.receive(octets.span)
                    // Changed proofs never pass; a ClientHello that was changed is found out by the digest of the whole handshake.
                    if flight == 1 { #expect(server.state != .established || server.eapKeys(type: 13) != peer.eapKeys(type: 13)) }
                }
            }
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func truncatedHandshakesWait(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            let context = try authority.server { $0.allow(only: version) }
            let client = try authority.client()
            let peer = try TLSConversation(client)
            peer.start()
            let hello = peer.takeOutput()
            for count in stride(from: 0, to: hello.count, by: 3) {
                let server = try TLSConversation(context)
                server.receive(Array(hello.prefix(count)).span)
                #expect(server.state == .handshaking && server.outputCount == 0)
            }
        }
    }

    @Test func endlessHandshakesStopAtTheLimit() async throws {
        try await TestAuthority.withPair { authority in
            let server = try TLSConversation(try authority.server(), limits: .init(handshakeOctets: 1000))
            // A handshake record that announces a message of 16 MB less one octet, and never ends.
            let record = [22, 3, 1, 0, 100, 1, 0xff, 0xff, 0xff] + [UInt8](repeating: 0, count: 96)
            for _ in 0..<20 where server.state == .handshaking { server.receive(record.span) }
            guard case .failed(let failure) = server.state else { return #expect(Bool(false), "\(server.state)") }
            #expect(failure == .tooLong || failure == .malformed("excessive message size"))
            let patient = try TLSConversation(try authority.server(), limits: .init(handshakeOctets: 200))
            for octet in record + record { patient.receive([octet].span) }
            #expect(patient.state == .failed(failure) || patient.state == .failed(.tooLong))
        }
    }

    @Test func longChainsAreRefused() async throws {
        try await TestAuthority.withPair { authority in
            let own = TextFile.read(authority.path + "/alice.pem")
            try TextFile.write(
                own + String(repeating: TextFile.read(authority.path + "/ca.pem"), count: 99), to: authority.path + "/alice.pem")
            var pair = try TLSPair(try authority.server(), try authority.client())
            pair.talk()
            #expect(pair.server.state == .failed(.malformed("excessive message size")), "\(pair.server.state)")
        }
    }

    @Test func nothingIsTakenAfterAFailure() async throws {
        try await TestAuthority.withPair { authority in
            let server = try TLSConversation(try authority.server())
            server.receive(Array("GET / HTTP/1.0\r\n\r\n".utf8).span)
            guard case .failed(let failure) = server.state else { return #expect(Bool(false), "\(server.state)") }
            #expect(failure.description.contains("http request"))
            let client = try TLSConversation(try authority.client())
            client.start()
            server.receive(client.takeOutput().span)
            #expect(server.state == .failed(failure) && !server.write([1]) && !server.keepSession(remembering: []))
            #expect(server.exportKeyingMaterial(label: "x", count: 8) == nil)
            server.close()
            #expect(server.state == .failed(failure))
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func changedRecordsEndAnEstablishedConversation(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(try authority.server { $0.allow(only: version) }, try authority.client())
            pair.talk()
            #expect(pair.client.write([1, 2, 3]))
            var octets = pair.client.takeOutput()
            octets[octets.count - 1] ^= 1
            pair.server.receive(octets.span)
            #expect(pair.server.state == .failed(.malformed("decryption failed or bad record mac")), "\(pair.server.state)")
            #expect(pair.server.read() == [])
        }
    }
}
