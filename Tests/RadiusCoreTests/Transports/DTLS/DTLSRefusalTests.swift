import Support
import Testing

@testable import RadiusCore

/// Who gets no session, who loses it, and what is counted for it.
@Suite struct DTLSRefusalTests {
    private static let secret = DTLSClient.secret

    private static func dropped(_ host: StreamHost, _ drop: DTLSDrop) -> UInt64 { host.streams.census.statistics.dropped[drop] ?? 0 }

    @Test func anAddressThatIsNoClientsGetsNothing() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, datagrams: true)
            let peer = try DTLSClient(to: host.dtlsPort, from: 9, try authority.datagramClient())
            peer.tls.start()
            peer.flush()
            #expect(await eventually { Self.dropped(host, .unknownClient) == 1 })
            #expect(host.streams.census.statistics.helloVerifyRequests == 0)
            #expect(host.environment.unknownClients.drain().keys.map(\.address.text) == ["127.0.0.9"])
        }
    }

    @Test(arguments: [
        (String?.none, "certificate_missing"), ("stranger", "certificate_unknown_authority"), ("revoked", "certificate_revoked"),
    ])
    func aCertificateThatIsNotGoodIsRefusedWithItsReason(name: String?, reason: String) async throws {
        try await TestAuthority.withPair { authority in
            try await authority.makeAuthority("other")
            try await authority.issue("stranger", usage: "clientAuth", by: "other")
            try await authority.issue("revoked", usage: "clientAuth")
            try await authority.revoke("revoked")
            try await authority.makeList()
            let host = try StreamHost(authority, datagrams: true, tls: { $0.revocationListPath = "\(authority.path)/crl.pem" })
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient(name))
            #expect(!peer.handshake())
            // It is told so by an alert, not by silence.
            guard case .failed(.alert) = peer.tls.state else {
                Issue.record("no alert came: \(peer.tls.state)")
                return
            }
            #expect(await eventually { host.refused(reason, .dtls) == 1 }, "\(host.streams.census.statistics.refused)")
            #expect(host.streams.census.statistics.handshaking == 0 && host.open == 0)
        }
    }

    @Test func aCertificateOfAnotherNASIsRefusedAndThePeerIsTold() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, client: StreamHost.client(1, identities: ["gw2.example.net"]), datagrams: true)
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake() && peer.ends() && peer.tls.state == .closed)
            #expect(host.refused("certificate_wrong_identity", .dtls) == 1)
        }
    }

    @Test func aClientThatIsRemovedLosesItsSession() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, others: [StreamHost.client(2)], datagrams: true)
            let context = try authority.datagramClient()
            let peer = try DTLSClient(to: host.dtlsPort, from: 2, context)
            let other = try DTLSClient(to: host.dtlsPort, context)
            #expect(peer.handshake() && other.handshake())
            #expect(!peer.exchange(TestPacket.access(1, secret: Self.secret)).isEmpty)
            let before = host.environment.store.snapshot
            host.environment.store.publish(
                Snapshot(
                    clients: ClientTable([host.client]), subscribers: before.subscribers, profiles: before.profiles,
                    policies: before.policies, dictionary: before.dictionary))
            #expect(peer.ends() && peer.tls.state == .closed)
            #expect(host.refused("client_changed", .dtls) == 1)
            #expect(other.exchange(TestPacket.access(2, secret: Self.secret)).prefix(2) == [2, 2])
        }
    }

    /// Malformed ones, and one under another secret (RFC 7360 §5.1.1).
    @Test(arguments: [
        [1, 1, 0], [1, 1, 0, 19] + [UInt8](repeating: 0, count: 20), [1, 1, 0x10, 1] + [UInt8](repeating: 0, count: 4100),
        TestPacket.accounting(1, status: 1, session: "a", secret: StreamPeer.radsec),
    ])
    func aPacketThatIsNoneEndsTheSession(packet: [UInt8]) async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, datagrams: true)
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake())
            peer.send(packet)
            #expect(peer.ends() && peer.tls.state == .closed)
            #expect(host.refused("bad_packet", .dtls) == 1 && host.open == 0)
        }
    }

    @Test func aCodeThatIsNotServedIsDroppedAndTheSessionStays() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, datagrams: true)
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            #expect(peer.handshake())
            var packet = TestPacket.access(1, secret: Self.secret)
            packet[0] = 11
            peer.send(packet)
            #expect(peer.exchange(TestPacket.access(2, secret: Self.secret)).prefix(2) == [2, 2])
            #expect(host.streams.counters.reduce(0) { $0 + $1[DecodeError.unsupportedCode] } == 1)
        }
    }

    @Test func whatIsNoDTLSIsCountedAndHarmsNobody() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, datagrams: true)
            let context = try authority.datagramClient()
            let stranger = try DTLSClient(to: host.dtlsPort, context)
            stranger.sendRaw(TestPacket.access())
            #expect(await eventually { Self.dropped(host, .noSession) == 1 })
            stranger.sendRaw([UInt8](repeating: 1, count: 40_000))
            #expect(await eventually { Self.dropped(host, .tooLong) == 1 })
            let hello = stranger.helloWithCookie()
            stranger.sendRaw(Array(hello.prefix(50)))
            #expect(await eventually { Self.dropped(host, .malformedHello) == 1 })
            // Of a session, and damaged or repeated.
            let peer = try DTLSClient(to: host.dtlsPort, context)
            #expect(peer.handshake())
            peer.tls.write(TestPacket.access(1, secret: Self.secret))
            let record = peer.takeDatagrams().first ?? []
            var damaged = record
            damaged[damaged.count - 1] ^= 1
            peer.sendRaw(damaged)
            #expect(await eventually { Self.dropped(host, .noRecord) == 1 })
            peer.sendRaw(record)
            #expect(peer.receive().prefix(2) == [2, 1])
            peer.sendRaw(record)
            #expect(await eventually { Self.dropped(host, .noRecord) == 2 })
            #expect(peer.exchange(TestPacket.access(2, secret: Self.secret)).prefix(2) == [2, 2])
            #expect(host.count(.accessRequests) == 2)
        }
    }

    @Test func thePortServesOnceThereAreCertificates() async throws {
        try await TestAuthority.with { authority in
            let host = try StreamHost(authority, datagrams: true)
            try await authority.issue("server", usage: "serverAuth")
            try await authority.issue("alice", usage: "clientAuth")
            let peer = try DTLSClient(to: host.dtlsPort, try authority.datagramClient())
            peer.tls.start()
            peer.flush()
            #expect(await eventually { Self.dropped(host, .notServing) == 1 })
            guard case .ready = host.streams.refreshCertificates() else {
                Issue.record("the files were not taken")
                return
            }
            #expect(peer.handshake())
        }
    }

    @Test func newFilesAreGoodForNewSessions() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, datagrams: true)
            let context = try authority.datagramClient()
            let before = try DTLSClient(to: host.dtlsPort, context)
            #expect(before.handshake())
            try await authority.issue("server", usage: "serverAuth", names: "DNS:renewed.example.net")
            guard case .replaced = host.streams.refreshCertificates() else {
                Issue.record("the files were not taken")
                return
            }
            let after = try DTLSClient(to: host.dtlsPort, context)
            #expect(after.handshake() && after.tls.peer?.names.dnsNames == ["renewed.example.net"])
            for peer in [before, after] { #expect(peer.exchange(TestPacket.status(secret: Self.secret)).first == 2) }
        }
    }
}
