import Support
import Testing

@testable import RadiusCore

/// Peers that prove themselves with a key, by the `openssl` program.
@Suite struct PresharedKeyTests {
    private static let key = "9f0c6c1b7d5a44e29b1d0a7f3e2c5b48a1f60d3c7e8b92a4"

    private static func host(_ authority: TestAuthority, identities: [String] = []) throws -> StreamHost {
        try TextFile.write("# keys\n\ngw1:\(key)\r\n gw2:00112233445566778899aabbccddeeff \n", to: "\(authority.path)/keys")
        return try StreamHost(
            authority, client: StreamHost.client(1, identities: identities), tls: { $0.presharedKeyPath = "\(authority.path)/keys" })
    }

    /// What `openssl s_client` says of a connection that it ends at once; without `suites` it wishes for what it likes, SHA-384 first.
    private static func connect(_ host: StreamHost, _ name: String, _ key: String, suites: String? = nil) async throws -> String {
        let result = try await Tool.run(
            "openssl",
            ["s_client", "-connect", "127.0.0.1:\(host.tlsPort)", "-tls1_3", "-psk_identity", name, "-psk", key]
                + (suites.map { ["-ciphersuites", $0] } ?? []))
        return result.output + result.errors
    }

    @Test func aPeerWithAKeyNeedsNoCertificate() async throws {
        try await TestAuthority.withPair { authority in
            let host = try Self.host(authority, identities: ["psk:gw1"])
            let said = try await Self.connect(host, "gw1", Self.key)
            #expect(said.contains("Reused, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256"), "\(said)")
            #expect(await eventually { host.streams.census.statistics.closed[.tls]?["peer"] == 1 })
            #expect(host.streams.census.statistics.handshakes == 1 && host.streams.census.statistics.refused == [:])
        }
    }

    @Test func anotherNASsKeyIsRefused() async throws {
        try await TestAuthority.withPair { authority in
            let host = try Self.host(authority, identities: ["psk:gw1"])
            _ = try await Self.connect(host, "gw2", "00112233445566778899aabbccddeeff")
            #expect(await eventually { host.refused("certificate_wrong_identity") == 1 })
            #expect(host.streams.census.drainRefusals().first?.sentence.contains("psk:gw2") == true)
        }
    }

    @Test(arguments: [
        ("gw3", key, "TLS_AES_128_GCM_SHA256", "preshared_key_unknown"),
        ("gw1", "00112233445566778899aabbccddeeff", "TLS_AES_128_GCM_SHA256", "preshared_key_wrong"),
        ("gw1", key, "TLS_AES_256_GCM_SHA384", "preshared_key_unusable"),
    ])
    func aKeyThatIsOfNoUseIsRefusedByItsOwnReason(name: String, key: String, suite: String, reason: String) async throws {
        try await TestAuthority.withPair { authority in
            let host = try Self.host(authority)
            // Its own key goes with SHA-256; s_client offers it beside a suite that does not.
            _ = try await Self.connect(host, name, key, suites: suite)
            #expect(await eventually { host.refused(reason) == 1 }, "\(host.streams.census.statistics.refused)")
            #expect(host.streams.census.statistics.handshakes == 0)
        }
    }

    @Test func certificatesGoOnBesideKeys() async throws {
        try await TestAuthority.withPair { authority in
            let host = try Self.host(authority)
            for version in TLSSettings.Version.allCases {
                let peer = try StreamPeer(to: host.tlsPort, try authority.client { $0.allow(only: version) })
                #expect(peer.handshake() && peer.exchange(TestPacket.access(1, secret: StreamPeer.radsec)).first == 2)
            }
            let stranger = try StreamPeer(to: host.tlsPort, try authority.client(nil))
            _ = stranger.handshake()
            #expect(stranger.ends())
            #expect(await eventually { host.refused("certificate_missing") == 1 })
        }
    }

    @Test(arguments: [
        ("", "it holds no key"), ("gw1", "line 1"), ("# one\ngw1:00", "line 2"), ("gw 1:\(key)", "line 1"), ("gw1:\(key)g0", "line 1"),
        ("gw1:\(key)\ngw1:\(key)", "line 2"), (":\(key)", "line 1"),
    ])
    func aFileThatDoesNotReadIsRefusedWithItsLine(text: String, reason: String) async throws {
        try await TemporaryDirectory.use { directory in
            try TextFile.write(text, to: directory + "/keys")
            let failure = #expect(throws: TLSFileFailure.self) { _ = try PresharedKeys(path: directory + "/keys") }
            #expect(failure?.reason.contains(reason) == true, "\(String(describing: failure))")
        }
    }
}
