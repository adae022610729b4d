import Glibc
import Support
import Testing

@testable import RadiusCore

/// Who is turned away, why, and what is counted for it.
@Suite struct StreamRefusalTests {
    @Test func anAddressThatIsNoClientsIsRefusedBeforeAnyTLS() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority)
            let peer = try StreamPeer(to: host.tlsPort, from: 9, try authority.client())
            #expect(!peer.handshake())
            #expect(await eventually { host.refused("unknown_client") == 1 })
            let refusal = host.streams.census.drainRefusals().first
            #expect(refusal?.address == IPAddress(text: "127.0.0.9") && refusal?.client == nil && refusal?.reason == "unknown_client")
            #expect(host.streams.census.drainRefusals().isEmpty)
        }
    }

    /// Refusals of a certificate: whose is shown, and the reason.
    @Test(arguments: [
        (String?.none, "certificate_missing"), ("stranger", "certificate_unknown_authority"), ("old", "certificate_expired"),
        ("server", "certificate_wrong_purpose"), ("revoked", "certificate_revoked"),
    ])
    func aCertificateThatIsNotGoodIsRefusedWithItsReason(name: String?, reason: String) async throws {
        try await TestAuthority.withPair { authority in
            try await authority.makeAuthority("other")
            try await authority.issue("stranger", usage: "clientAuth", by: "other")
            try await authority.issue("old", from: "20200101000000Z", to: "20200201000000Z")
            try await authority.issue("revoked", usage: "clientAuth")
            try await authority.revoke("revoked")
            try await authority.makeList()
            let host = try StreamHost(authority, tls: { $0.revocationListPath = "\(authority.path)/crl.pem" })
            let peer = try StreamPeer(to: host.tlsPort, try authority.client(name))
            _ = peer.handshake()
            #expect(peer.ends())
            #expect(await eventually { host.refused(reason) == 1 }, "\(host.streams.census.statistics.refused)")
            #expect(host.open == 0)
        }
    }

    @Test func anOlderTLSIsRefused() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, tls: { $0.allow(only: .tls13) })
            let peer = try StreamPeer(to: host.tlsPort, try authority.client { $0.allow(only: .tls12) })
            #expect(!peer.handshake())
            #expect(await eventually { host.refused("tls_no_shared_version") == 1 })
        }
    }

    @Test func plainRADIUSOnTheTLSPortIsRefused() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority)
            let peer = try StreamPeer(to: host.tlsPort)
            peer.send(TestPacket.access())
            #expect(peer.ends())
            #expect(await eventually { host.refused("tls_malformed") + host.refused("tls_no_shared_version") == 1 })
        }
    }

    @Test(arguments: [
        (["gw.example.net"], true), (["*.example.net"], true), (["192.0.2.7"], true), (["gw2.example.net", "192.0.2.7"], true),
        (["gw2.example.net"], false), (["*.net"], false), (["192.0.2.8"], false),
    ])
    func aCertificateMustNameItsNAS(identities: [String], isTaken: Bool) async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("gw", usage: "clientAuth", names: "DNS:gw.example.net,IP:192.0.2.7")
            let host = try StreamHost(authority, client: StreamHost.client(1, identities: identities))
            let peer = try StreamPeer(to: host.tlsPort, try authority.client("gw"))
            #expect(peer.handshake())
            #expect(peer.exchange(TestPacket.access(4, secret: StreamPeer.radsec)).isEmpty != isTaken)
            #expect(host.refused("certificate_wrong_identity") == (isTaken ? 0 : 1))
        }
    }

    @Test(arguments: [[1, 1, 0, 19], [1, 1, 0x10, 1], [1, 1, 0xff, 0xff], [71, 69, 84, 32]] as [[UInt8]])
    func aLengthThatNoPacketHasEndsTheConnection(start: [UInt8]) throws {
        let host = try StreamHost()
        let peer = try StreamPeer(to: host.tcpAuthenticationPort)
        #expect(!peer.exchange(TestPacket.access(1)).isEmpty)
        peer.send(start)
        #expect(peer.ends() && host.refused("bad_length", .tcp) == 1)
    }

    @Test func aWrongSecretEndsTheConnectionAndSaysSo() throws {
        let host = try StreamHost()
        let peer = try StreamPeer(to: host.tcpAccountingPort)
        peer.send(TestPacket.accounting(1, status: 1, session: "a", secret: StreamPeer.radsec))
        #expect(peer.ends())
        #expect(host.refused("bad_packet", .tcp) == 1)
        #expect(host.streams.census.drainRefusals().first?.sentence.contains("another shared secret") == true)
    }

    @Test func attributesThatLieEndTheConnection() throws {
        let host = try StreamHost()
        let peer = try StreamPeer(to: host.tcpAuthenticationPort)
        var packet = TestPacket.access(1, sign: false)
        packet[21] = 200
        peer.send(packet)
        #expect(peer.ends() && host.refused("bad_packet", .tcp) == 1)
    }

    @Test func aCodeThatThePortDoesNotServeIsDroppedAndTheConnectionStays() throws {
        let host = try StreamHost()
        let peer = try StreamPeer(to: host.tcpAuthenticationPort)
        peer.send(TestPacket.accounting(1, status: 1, session: "a"))
        #expect(peer.exchange(TestPacket.access(2)).prefix(2) == [2, 2])
    }

    @Test func aClientThatIsRemovedLosesItsConnection() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, others: [StreamHost.client(2)])
            let peer = try StreamPeer(to: host.tlsPort, from: 2, try authority.client())
            let other = try StreamPeer(to: host.tlsPort, try authority.client())
            #expect(peer.handshake() && other.handshake())
            let secret = StreamPeer.radsec
            #expect(!peer.exchange(TestPacket.access(1, secret: secret)).isEmpty)
            let before = host.environment.store.snapshot
            host.environment.store.publish(
                Snapshot(
                    clients: ClientTable([host.client]), subscribers: before.subscribers, profiles: before.profiles,
                    policies: before.policies, dictionary: before.dictionary))
            #expect(peer.ends())
            #expect(host.refused("client_changed") == 1)
            #expect(other.exchange(TestPacket.access(2, secret: secret)).prefix(2) == [2, 2])
        }
    }

    @Test func newFilesAreGoodForNewConnectionsAndTheOldGoOn() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority)
            let before = try StreamPeer(to: host.tlsPort, try authority.client())
            #expect(before.handshake())
            try await authority.issue("server", usage: "serverAuth", names: "DNS:renewed.example.net")
            guard case .replaced = host.streams.refreshCertificates() else {
                Issue.record("the files were not taken")
                return
            }
            let after = try StreamPeer(to: host.tlsPort, try authority.client())
            #expect(after.handshake() && after.tls?.peer?.names.dnsNames == ["renewed.example.net"])
            for peer in [before, after] { #expect(peer.exchange(TestPacket.status(secret: StreamPeer.radsec)).first == 2) }
        }
    }

    @Test func thePortListensOnceThereAreCertificates() async throws {
        try await TestAuthority.with { authority in
            let host = try StreamHost(authority)
            #expect(try StreamPeer(to: host.tlsPort).isEnded)
            try await authority.issue("server", usage: "serverAuth")
            try await authority.issue("alice", usage: "clientAuth")
            guard case .ready = host.streams.refreshCertificates() else {
                Issue.record("the files were not taken")
                return
            }
            let context = try authority.client()
            #expect(try StreamPeer(to: host.tlsPort, context).handshake())
        }
    }
}
