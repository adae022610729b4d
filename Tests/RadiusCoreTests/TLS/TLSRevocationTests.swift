import Support
import Testing

@testable import RadiusCore

/// A revocation list's signature is verified once, and everything else about it each time.
@Suite struct TLSRevocationTests {
    /// `X509_V_ERR_CRL_SIGNATURE_FAILURE`.
    private static let badSignature = TLSFailure.certificate(.other(8), depth: 0)

    private static func server(_ authority: TestAuthority) throws -> TLSContext {
        try authority.server { $0.revocationListPath = authority.path + "/crl.pem" }
    }

    /// How the server sees a handshake with the client of that name end.
    private static func end(_ server: TLSContext, _ authority: TestAuthority, _ name: String) throws -> TLSConversation.State {
        var pair = try TLSPair(server, try authority.client(name))
        pair.talk()
        return pair.server.state
    }

    @Test func aListIsVerifiedOnceAndStillRefusesWhoIsOnIt() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("bob", usage: "clientAuth")
            try await authority.revoke("alice")
            try await authority.makeList()
            let server = try Self.server(authority)
            for _ in 0..<3 { #expect(try Self.end(server, authority, "bob") == .established) }
            #expect(server.revocation.savedCount == 2)
            #expect(try Self.end(server, authority, "alice") == .failed(.certificate(.revoked, depth: 0)))
            #expect(try Self.end(server, authority, "bob") == .established)
            #expect(server.revocation.savedCount == 4)
        }
    }

    /// A list of the authority's name that another one signed.
    @Test func aForgedListIsNeverTaken() async throws {
        try await TestAuthority.withPair { authority in
            try await TestAuthority.with { namesake in
                try await namesake.makeList()
                let server = try authority.server { $0.revocationListPath = namesake.path + "/crl.pem" }
                let ends = try (0..<3).map { _ in try Self.end(server, authority, "alice") }
                #expect(ends == Array(repeating: .failed(Self.badSignature), count: 3))
                #expect(server.revocation.savedCount == 0)
            }
        }
    }

    /// A namesake's, though its handshakes would refuse everybody, is not put in the place of a good one.
    @Test func aListThatMustBeTheAuthoritysOwnIsLookedAtFirst() async throws {
        try await TestAuthority.withPair { authority in
            try await TestAuthority.with { namesake in
                let (path, list) = (authority.path, authority.path + "/crl.pem")
                try await namesake.makeList()
                try await authority.makeList()
                let certificates = EAPCertificates(EAPCertificates.Settings()) {
                    var files = EAPCertificates.Files(
                        certificate: path + "/server.pem", key: path + "/server.key", authority: path + "/ca.pem", revocationList: list)
                    files.demandsOwnRevocationList = true
                    return files
                }
                guard case .replaced = certificates.refresh() else { throw ProcessFailure("the authority's own list was not taken") }
                let good = certificates.contexts.certificate
                try TextFile.write(TextFile.read(namesake.path + "/crl.pem"), to: list)
                guard case .kept(let failure) = certificates.refresh() else { throw ProcessFailure("a namesake's list was taken") }
                #expect(failure.path == list && failure.reason.contains("CN=ca"), "\(failure)")
                #expect(certificates.contexts.certificate === good)
            }
        }
    }

    /// Where stale lists count all the same, whoever stands on one stays out.
    @Test func aListThatBecomesStaleIsRefusedThoughItWasGood() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("bob", usage: "clientAuth")
            try await authority.revoke("bob")
            try await authority.makeList(validity: ["-crlsec", "20"])
            let server = try Self.server(authority)
            let lenient = try authority.server {
                $0.revocationListPath = authority.path + "/crl.pem"
                $0.acceptsStaleRevocationList = true
            }
            for context in [server, lenient] {
                for _ in 0..<2 { #expect(try Self.end(context, authority, "alice") == .established) }
                #expect(context.revocation.savedCount == 1)
            }
            let stale = TLSConversation.State.failed(.certificate(.staleRevocationList, depth: 0))
            try await Support.eventually { try Self.end(server, authority, "alice") == stale }
            #expect(try Self.end(lenient, authority, "alice") == .established)
            #expect(try Self.end(lenient, authority, "bob") == .failed(.certificate(.revoked, depth: 0)))
        }
    }

    @Test func aListThatReplacesAnotherHoldsInTheNewContext() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.makeList()
            let server = try Self.server(authority)
            for _ in 0..<2 { #expect(try Self.end(server, authority, "alice") == .established) }
            try await authority.revoke("alice")
            try await authority.makeList()
            let renewed = try #require(try server.renewed())
            for _ in 0..<2 { #expect(try Self.end(renewed, authority, "alice") == .failed(.certificate(.revoked, depth: 0))) }
            // Of one list in each context; what the former found is not carried over.
            #expect(server.revocation.savedCount == 1 && renewed.revocation.savedCount == 1)
        }
    }

    /// An authority whose certificate does not say that it signs lists.
    @Test func aListOfWhoMayNotSignOneIsNeverTaken() async throws {
        try await TestAuthority.with { authority in
            try await authority.makeAuthority("ca", usage: "keyCertSign")
            try await authority.issue("server", usage: "serverAuth")
            try await authority.issue("alice", usage: "clientAuth")
            try await authority.makeList()
            let server = try Self.server(authority)
            for _ in 0..<3 {
                // `X509_V_ERR_KEYUSAGE_NO_CRL_SIGN`.
                #expect(try Self.end(server, authority, "alice") == .failed(.certificate(.other(35), depth: 0)))
            }
            #expect(server.revocation.savedCount == 0)
        }
    }

    /// The authority comes anew with each handshake, and is the same one by what it says.
    @Test func aListOfAnAuthorityThatThePeerBringsIsVerifiedOnce() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issueAuthority("sub")
            for name in ["carol", "dave"] {
                try await authority.issue(name, usage: "clientAuth", by: "sub")
                let chain = TextFile.read("\(authority.path)/\(name).pem") + TextFile.read(authority.path + "/sub.pem")
                try TextFile.write(chain, to: "\(authority.path)/\(name)-chain.pem")
            }
            try await authority.revoke("dave", by: "sub")
            try await authority.makeList(by: "sub")
            let server = try Self.server(authority)
            func end(_ name: String) throws -> TLSConversation.State {
                let client = try authority.client(name) { $0.certificatePath = "\(authority.path)/\(name)-chain.pem" }
                var pair = try TLSPair(server, client)
                pair.talk()
                return pair.server.state
            }
            for _ in 0..<3 { #expect(try end("carol") == .established) }
            #expect(server.revocation.savedCount == 2)
            #expect(try end("dave") == .failed(.certificate(.revoked, depth: 0)))
        }
    }

    @Test func manyThreadsShareWhatWasFoundGood() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("bob", usage: "clientAuth")
            try await authority.revoke("bob")
            try await authority.makeList()
            let server = try Self.server(authority)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let ends = try await onOwnThread {
                            try (0..<40).map { try Self.end(server, authority, $0 % 2 == 0 ? "alice" : "bob") }
                        }
                        let revoked = TLSConversation.State.failed(.certificate(.revoked, depth: 0))
                        #expect(ends.enumerated().allSatisfy { $1 == ($0 % 2 == 0 ? .established : revoked) })
                    }
                }
                try await group.waitForAll()
            }
            // Each thread verified at most once before one of them had.
            #expect((156...159).contains(server.revocation.savedCount))
        }
    }

    /// Another authority of the same name, whose list this is not.
    @Test func aListGoodForOneAuthorityIsNotForItsNamesake() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.makeList()
            try await TestAuthority.with { namesake in
                try await namesake.issue("mallory", usage: "clientAuth")
                let both = authority.path + "/both.pem"
                let texts = [authority.path, namesake.path].map { TextFile.read($0 + "/ca.pem") }
                try TextFile.write(texts.joined(), to: both)
                let server = try authority.server {
                    $0.authorityPath = both
                    $0.revocationListPath = authority.path + "/crl.pem"
                }
                for _ in 0..<2 { #expect(try Self.end(server, authority, "alice") == .established) }
                var pair = try TLSPair(
                    server,
                    try authority.client("alice") {
                        $0.certificatePath = namesake.path + "/mallory.pem"
                        $0.keyPath = namesake.path + "/mallory.key"
                    })
                pair.talk()
                #expect(pair.server.state == .failed(Self.badSignature) && pair.server.peer == nil)
                #expect(server.revocation.savedCount == 1)
            }
        }
    }

    /// A list for some reasons only has a critical extension: OpenSSL looks at it as a whole each time.
    @Test func aListWithAScopeOfItsOwnIsCheckedAsAWhole() async throws {
        try await TestAuthority.withPair { authority in
            let settings = TextFile.read(authority.path + "/ca.cnf")
            try TextFile.write(
                settings.replacing("[own]\n", with: "[own]\ncrl_extensions=scope\n")
                    + "\n[scope]\nissuingDistributionPoint=critical,@point\n[point]\nonlyuser=TRUE\n", to: authority.path + "/ca.cnf")
            try await authority.makeList()
            let server = try Self.server(authority)
            for _ in 0..<2 { #expect(try Self.end(server, authority, "alice") == .established) }
            #expect(server.revocation.savedCount == 0)
        }
    }
}
