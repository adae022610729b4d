import Support
import Testing

@testable import RadiusCore

/// RADIUS/1.1 with the `openssl` program at the other end of TLS. All octets of these packets are ASCII, so they pass as text.
@Suite struct Version11ProgramTests {
    /// What `openssl s_client` says, or gets, when it sends `input`; with `-quiet` it goes on until the server finds it idle.
    private static func run(
        _ authority: TestAuthority, versions: RadiusVersions = .both, _ arguments: [String], input: String = ""
    ) async throws -> (said: String, host: StreamHost) {
        let client = TestServer.loopback(vendor: .generic)
        let host = try StreamHost(
            authority, client: client, bounds: { $0.idleSeconds = 5 }, tls: { $0.applicationProtocols = versions.applicationProtocols })
        let files = ["-CAfile", "ca.pem", "-cert", "alice.pem", "-key", "alice.key"].map {
            $0.hasPrefix("-") ? $0 : "\(authority.path)/\($0)"
        }
        let result = try await Tool.run(
            "openssl", ["s_client", "-connect", "127.0.0.1:\(host.tlsPort)", "-nocommands"] + files + arguments, input: input)
        return (result.output + result.errors, host)
    }

    @Test(arguments: [
        ("radius/1.1,radius/1.0", "-tls1_3", "radius/1.1"), ("radius/1.0,radius/1.1", "-tls1_3", "radius/1.1"),
        ("radius/1.0", "-tls1_3", "radius/1.0"), ("radius/1.1,radius/1.0", "-tls1_2", "radius/1.0"),
    ])
    func agreesOnAVersion(offered: String, tls: String, chosen: String) async throws {
        try await TestAuthority.withPair { authority in
            let said = try await Self.run(authority, ["-alpn", offered, tls]).said
            #expect(said.contains("ALPN protocol: \(chosen)"), "\(said)")
        }
    }

    @Test(arguments: [("radius/1.1", "-tls1_2", RadiusVersions.both), ("radius/1.0", "-tls1_3", .v11), ("h2", "-tls1_3", .both)])
    func refusesOthersByTheAlert(offered: String, tls: String, versions: RadiusVersions) async throws {
        try await TestAuthority.withPair { authority in
            let (said, host) = try await Self.run(authority, versions: versions, ["-alpn", offered, tls])
            #expect(said.contains("alert no application protocol"), "\(said)")
            #expect(await eventually { host.refused("tls_no_shared_protocol") == 1 })
        }
    }

    @Test func answersWhatItSends() async throws {
        try await TestAuthority.withPair { authority in
            let zeros = String(repeating: "\u{0}", count: 12)
            // A Status-Server with the Token "abcd", then an Access-Request with "abce".
            let status = "\u{c}\u{0}\u{0}\u{14}abcd" + zeros
            let login = "\u{1}\u{0}\u{0}\u{26}abce" + zeros + "\u{1}\u{6}nemo" + "\u{2}\u{c}arctangent"
            let (said, host) = try await Self.run(authority, ["-quiet", "-alpn", "radius/1.1", "-tls1_3"], input: status + login)
            #expect(said.hasPrefix("\u{2}\u{0}\u{0}\u{14}abcd" + zeros + "\u{2}\u{0}"), "\(said.debugDescription)")
            #expect(said.contains("abce" + zeros) && host.count(.accessAccepts) == 1, "\(said.debugDescription)")
        }
    }
}
