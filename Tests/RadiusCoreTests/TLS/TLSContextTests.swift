import Glibc
import Support
import Testing

@testable import RadiusCore

@Suite struct TLSContextTests {
    @Test func knowsItsCertificatesAndTheirEnds() async throws {
        try await TestAuthority.withPair { authority in
            let context = try authority.server()
            #expect(context.certificates.map(\.commonName) == ["server"] && context.authorities.map(\.commonName) == ["ca"])
            #expect(context.notAfter == context.certificates.first?.notAfter)
            let printed = try await Tool.run(
                "openssl", ["x509", "-in", authority.path + "/server.pem", "-noout", "-fingerprint", "-sha256"])
            let digits = printed.output.split(separator: "=").last?.filter { $0.isHexDigit }
            #expect(digits == context.certificates.first.map { Hexadecimal.text($0.fingerprint, uppercase: true) })
        }
    }

    @Test func replacedFilesMakeANewOneAndOldConversationsGoOn() async throws {
        try await TestAuthority.withPair { authority in
            let old = try authority.server()
            #expect(!old.isStale)
            #expect(try old.renewed() == nil)
            let server = try TLSConversation(old)
            let client = try TLSConversation(try authority.client())
            client.start()
            server.receive(client.takeOutput().span)
            let before = try #require(old.certificates.first?.serialNumber)
            try await authority.issue("server", usage: "serverAuth")
            #expect(old.isStale)
            let renewed = try old.renewed()
            let new = try #require(renewed)
            #expect(new.certificates.first?.serialNumber != before && !new.isStale)
            var pair = TLSPair(server: server, client: client)
            pair.talk()
            #expect(server.state == .established && client.peer?.serialNumber == before)
        }
    }

    @Test func aKeyThatIsNotTheCertificatesIsNamedAndTheOldOneStays() async throws {
        try await TestAuthority.withPair { authority in
            let old = try authority.server()
            try TextFile.write(TextFile.read(authority.path + "/alice.key"), to: authority.path + "/server.key")
            #expect(throws: TLSFileFailure.self) { try old.renewed() }
            var pair = try TLSPair(old, try authority.client())
            pair.talk()
            #expect(pair.server.state == .established)
        }
    }

    @Test func theSlotFollowsItsFiles() async throws {
        try await TestAuthority.withPair { authority in
            let slot = TLSContextSlot(try authority.server())
            let first = slot.current
            guard case .unchanged = slot.refresh() else { return #expect(Bool(false)) }
            // The key comes first: until the certificate follows, the two do not match.
            let key = TextFile.read(authority.path + "/server.key")
            try TextFile.write(TextFile.read(authority.path + "/alice.key"), to: authority.path + "/server.key")
            guard case .kept(let failure) = slot.refresh() else { return #expect(Bool(false)) }
            #expect(failure.path.hasSuffix("server.key") && slot.current === first)
            try TextFile.write(key, to: authority.path + "/server.key")
            guard case .replaced(let second) = slot.refresh() else { return #expect(Bool(false)) }
            #expect(slot.current === second && second !== first)
        }
    }

    @Test func knowsWhenItsRevocationListEnds() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.makeList(validity: ["-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20300101000000Z"])
            #expect(try authority.server { $0.revocationListPath = authority.path + "/crl.pem" }.revocationListEnd == 1_893_456_000)
            #expect(try authority.server().revocationListEnd == nil)
        }
    }

    @Test func filesOfOtherKindsAreNamed() async throws {
        try await TestAuthority.withPair { authority in
            let cases: [(String, (inout TLSSettings) -> Void)] = [
                ("missing.pem", { $0.certificatePath = authority.path + "/missing.pem" }),
                ("server.key", { $0.certificatePath = authority.path + "/server.key" }),
                ("alice.key", { $0.keyPath = authority.path + "/alice.key" }),
                ("server.pem", { $0.keyPath = authority.path + "/server.pem" }),
                ("ca.cnf", { $0.authorityPath = authority.path + "/ca.cnf" }),
                ("ca.pem", { $0.revocationListPath = authority.path + "/ca.pem" }),
                ("certificate", { $0.certificatePath = nil }), ("certificate", { $0.keyPath = nil }),
                ("authority", { $0.authorityPath = nil }), ("ciphers", { $0.ciphers = .custom("NOPE") }),
                (
                    "version",
                    {
                        $0.minimumVersion = .tls13
                        $0.maximumVersion = .tls12
                    }
                ),
                ("protocols", { $0.applicationProtocols = [""] }),
                ("protocols", { $0.applicationProtocols = [String](repeating: "a", count: 17) }),
                ("resumption", { $0.resumption = .init(lifetimeSeconds: 0) }), ("resumption", { $0.resumption = .init(sessionLimit: 0) }),
            ]
            for (name, change) in cases {
                do {
                    _ = try authority.server("server", change)
                    Issue.record("\(name) was taken")
                } catch let failure as TLSFileFailure {
                    #expect(failure.path.hasSuffix(name) && !failure.reason.isEmpty, "\(failure)")
                }
            }
        }
    }

    @Test func damagedFilesAreNamed() async throws {
        try await TestAuthority.withPair { authority in
            let whole = TextFile.read(authority.path + "/server.pem")
            for text in ["", String(whole.prefix(whole.count / 2)), whole.replacing("M", with: "!"), whole + whole.prefix(100)] {
                try TextFile.write(text, to: authority.path + "/server.pem")
                #expect(throws: TLSFileFailure.self) { try authority.server() }
                #expect(throws: TLSFileFailure.self) { try CertificateDescription.read(path: authority.path + "/server.pem") }
            }
        }
    }

    @Test func aKeyMayBeInTheCertificatesFile() async throws {
        try await TestAuthority.withPair { authority in
            let (alone, both) = (authority.path + "/server.pem", authority.path + "/both.pem")
            try TextFile.write(TextFile.read(alone) + TextFile.read(authority.path + "/server.key"), to: both)
            #expect(TLSSettings.holdsKey(both) && !TLSSettings.holdsKey(alone) && !TLSSettings.holdsKey(authority.path + "/missing.pem"))
            let server = try authority.server {
                $0.certificatePath = both
                $0.keyPath = both
            }
            #expect(server.certificates.count == 1)
            #expect(throws: TLSFileFailure(path: alone, reason: "it holds no private key in PEM")) {
                try authority.server { $0.keyPath = alone }
            }
        }
    }

    @Test func keysWithAPasswordAreRefusedWithoutAsking() async throws {
        try await TestAuthority.withPair { authority in
            let sealed = try await Tool.run(
                "openssl",
                [
                    "pkey", "-in", authority.path + "/server.key", "-aes256", "-passout", "pass:secret", "-out",
                    authority.path + "/sealed.key",
                ])
            try #require(sealed.status == 0, "\(sealed.errors)")
            #expect(throws: TLSFileFailure.self) { try authority.server { $0.keyPath = authority.path + "/sealed.key" } }
        }
    }

    @Test func chainsAreSentWhole() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issueAuthority("sub")
            try await authority.issue("below", usage: "serverAuth", by: "sub")
            var lonely = try TLSPair(try authority.server("below"), try authority.client())
            lonely.talk()
            #expect(lonely.client.state == .failed(.certificate(.unknownAuthority, depth: 0)))
            // What the certificate's file lacks is found among the authorities, even when no list says that it is still good.
            try await authority.makeList()
            try TextFile.write(
                TextFile.read(authority.path + "/sub.pem") + TextFile.read(authority.path + "/ca.pem"), to: authority.path + "/both.pem")
            for list in [nil, authority.path + "/crl.pem"] {
                let completed = try authority.server("below") {
                    $0.authorityPath = authority.path + "/both.pem"
                    $0.revocationListPath = list
                }
                var pair = try TLSPair(completed, try authority.client())
                pair.talk()
                #expect(pair.client.state == .established)
            }
            let chain = TextFile.read(authority.path + "/below.pem") + TextFile.read(authority.path + "/sub.pem")
            try TextFile.write(chain, to: authority.path + "/below.pem")
            let server = try authority.server("below")
            #expect(server.certificates.map(\.commonName) == ["below", "sub"])
            var pair = try TLSPair(server, try authority.client())
            pair.talk()
            #expect(pair.client.state == .established)
            // The authority in between may be trusted alone.
            var partial = try TLSPair(server, try authority.client { $0.authorityPath = authority.path + "/sub.pem" })
            partial.talk()
            #expect(partial.client.state == .established)
        }
    }

    /// Of two authorities of one name and key the one is sent whose time it is, and when its time is over, the files are read again.
    @Test func anAuthorityThatEndsMakesWayForTheOneThatRenewsIt() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issueAuthority("sub", from: "20200101000000Z", to: "20210101000000Z")
            try TextFile.write(TextFile.read(authority.path + "/sub.pem"), to: authority.path + "/former.pem")
            try await authority.issueAuthority("sub", from: "20200101000000Z", keepsKey: true)
            try await authority.issue("below", usage: "serverAuth", by: "sub")
            let root = TextFile.read(authority.path + "/ca.pem")
            let (former, renewed) = (TextFile.read(authority.path + "/former.pem"), TextFile.read(authority.path + "/sub.pem"))
            for text in [former + renewed + root, renewed + former + root] {
                try TextFile.write(text, to: authority.path + "/all.pem")
                let server = try authority.server("below") { $0.authorityPath = authority.path + "/all.pem" }
                var pair = try TLSPair(server, try authority.client())
                pair.talk()
                #expect(pair.client.state == .established)
                let end = try #require(server.certificates.first?.notAfter)
                #expect(!server.isStale && !server.needsRenewal(at: end))
                // The authority ends ten days after what it issued.
                #expect(server.needsRenewal(at: end + 11 * 86_400))
            }
            // Nothing else is to be had, so looking again would be in vain.
            try TextFile.write(former, to: authority.path + "/all.pem")
            let outdated = try authority.server("below") { $0.authorityPath = authority.path + "/all.pem" }
            #expect(!outdated.isStale)
        }
    }
}
