import RadiusCore
import Support
import Testing

/// Certificates that do not do, and the reasons that an operator gets to read.
@Suite struct TLSRefusalTests {
    @Test(arguments: TLSSettings.Version.allCases)
    func expired(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("late", usage: "clientAuth", validity: ["-days", "-1"])
            try expect(.certificate(.expired, depth: 0), alert: 45, authority, "late", version)
        }
    }

    @Test func notYetValid() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("early", from: "20900101000000Z", to: "20910101000000Z")
            try expect(.certificate(.notYetValid, depth: 0), alert: 42, authority, "early", .tls13)
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func revoked(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            try await authority.revoke("alice")
            try await authority.makeList()
            try expect(.certificate(.revoked, depth: 0), alert: 44, authority, "alice", version) {
                $0.revocationListPath = authority.path + "/crl.pem"
            }
        }
    }

    @Test func revokedOfAStaleListStaysRevokedAndOthersPassWhenToldSo() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("bob", usage: "clientAuth")
            try await authority.revoke("alice")
            try await authority.makeList(validity: ["-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200102000000Z"])
            func strict(_ settings: inout TLSSettings) { settings.revocationListPath = authority.path + "/crl.pem" }
            try expect(.certificate(.staleRevocationList, depth: 0), alert: 45, authority, "bob", .tls13, strict)
            func lenient(_ settings: inout TLSSettings) {
                strict(&settings)
                settings.acceptsStaleRevocationList = true
            }
            try expect(.certificate(.revoked, depth: 0), alert: 44, authority, "alice", .tls13, lenient)
            var pair = try TLSPair(try authority.server("server", lenient), try authority.client("bob"))
            pair.talk()
            #expect(pair.server.state == .established)
        }
    }

    @Test func ofAnotherAuthority() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.makeAuthority("other")
            try await authority.issue("mallory", usage: "clientAuth", by: "other")
            try expect(.certificate(.unknownAuthority, depth: 0), alert: 48, authority, "mallory", .tls13)
            try expect(.certificate(.unknownAuthority, depth: 0), alert: 48, authority, "mallory", .tls12)
        }
    }

    @Test func withoutARevocationListOfItsAuthority() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.makeAuthority("other")
            try await authority.makeList(by: "other")
            try expect(.certificate(.noRevocationList, depth: 0), alert: 48, authority, "alice", .tls13) {
                $0.revocationListPath = authority.path + "/crl.pem"
            }
        }
    }

    @Test func selfSigned() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.makeAuthority("loner")
            try expect(.certificate(.selfSigned, depth: 0), alert: 48, authority, "loner", .tls13)
        }
    }

    @Test func ofTheWrongPurpose() async throws {
        try await TestAuthority.withPair { authority in
            try expect(.certificate(.wrongPurpose, depth: 0), alert: 43, authority, "server", .tls13)
            var pair = try TLSPair(try authority.server("alice"), try authority.client())
            pair.talk()
            #expect(pair.client.state == .failed(.certificate(.wrongPurpose, depth: 0)))
            #expect(pair.server.state == .failed(.alert(43)))
        }
    }

    @Test func none() async throws {
        try await TestAuthority.withPair { authority in
            try expect(.noCertificate, alert: 116, authority, nil, .tls13)
            try expect(.noCertificate, alert: 40, authority, nil, .tls12)
        }
    }

    @Test func expiredAuthorityIsNamedByItsDepth() async throws {
        try await TestAuthority.withPair { authority in
            // The same root, as one that ended yesterday.
            try TextFile.write("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n", to: "\(authority.path)/root.ext")
            let made = try await Tool.run(
                "openssl",
                ["x509", "-in", "\(authority.path)/ca.pem", "-signkey", "\(authority.path)/ca.key", "-days", "-1", "-out"]
                    + ["\(authority.path)/ca-old.pem", "-clrext", "-extfile", "\(authority.path)/root.ext"])
            try #require(made.status == 0, "\(made.errors)")
            try expect(.certificate(.expired, depth: 1), alert: 45, authority, "alice", .tls13) {
                $0.authorityPath = authority.path + "/ca-old.pem"
            }
        }
    }

    @Test func reasonsAreSentencesAndWords() {
        let failure = TLSFailure.certificate(.expired, depth: 0)
        #expect(failure.description == "the peer's certificate was refused: it has expired; issue a new one")
        #expect(failure.word == "certificate_expired")
        #expect(TLSFailure.alert(48).description.contains("install ca.pem") && TLSFailure.alert(48).word == "tls_alert_48")
        // What a peer that expects another name says, in OpenSSL and most others.
        #expect(TLSFailure.alert(42).description.contains("it expects another name (tell it one that our certificate has)"))
        #expect(TLSFailure.alert(200).description == "the peer gave up: alert 200")
    }

    /// Talks with a client that shows `name`, and expects the server's reason and the client's alert.
    private func expect(
        _ failure: TLSFailure, alert: UInt8, _ authority: TestAuthority, _ name: String?, _ version: TLSSettings.Version,
        _ change: (inout TLSSettings) -> Void = { _ in }, location: SourceLocation = #_sourceLocation
    ) throws {
        let server = try authority.server("server") {
            $0.allow(only: version)
            change(&$0)
        }
        var pair = try TLSPair(server, try authority.client(name))
        pair.talk()
        #expect(pair.server.state == .failed(failure), "\(pair.server.state)", sourceLocation: location)
        #expect(pair.client.state == .failed(.alert(alert)), "\(pair.client.state)", sourceLocation: location)
        #expect(pair.server.peer == nil && pair.server.eapKeys(type: 13) == nil, sourceLocation: location)
    }
}
