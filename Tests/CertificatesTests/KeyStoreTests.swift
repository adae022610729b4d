import Certificates
import RadiusCore
import Support
import Testing

@Suite struct KeyStoreTests {
    @Test(arguments: [
        (PKCS12Encryption.aes256, "AES-256-CBC", "MAC: sha256"), (.tripleDES, "pbeWithSHA1And3-KeyTripleDES-CBC", "MAC: sha1"),
    ])
    func opensslOpensIt(encryption: PKCS12Encryption, cipher: String, digest: String) async throws {
        try await Authority.with { authority in
            let path = try issue(authority, password: "grüße", encryption)
            let opened = try await Tool.run(
                "openssl", ["pkcs12", "-info", "-noenc", "-in", path, "-passin", "stdin"], input: "grüße\n")
            #expect(opened.status == 0, "\(opened.errors)")
            #expect(opened.errors.contains(cipher) && opened.errors.contains(digest), "\(opened.errors)")
            #expect(opened.output.contains("BEGIN PRIVATE KEY") && opened.output.components(of: "BEGIN CERTIFICATE") == 2)
            #expect(opened.output.contains("friendlyName: alice") && opened.output.contains("Test CA"))
            #expect(mode(of: path) == 0o600)
            let closed = try await Tool.run("openssl", ["pkcs12", "-noout", "-in", path, "-passin", "stdin"], input: "other\n")
            #expect(closed.status != 0 && closed.errors.contains("invalid password"))
        }
    }

    @Test(arguments: ["", "abc", String(repeating: "x", count: 513), "ab\0cd"])
    func refusesPasswords(password: String) async throws {
        try await Authority.with { authority in
            let refused = try failure { try issue(authority, password: password, .aes256) }
            #expect(refused.kind == .invalid)
            // Nothing was issued then.
            #expect(try authority.authority.records() == [])
        }
    }

    private func issue(_ authority: Authority, password: String, _ encryption: PKCS12Encryption) throws -> String {
        let order = CertificateAuthority.KeyStoreOrder(password: Array(password.utf8), encryption: encryption)
        let issued = try authority.authority.issue(
            CertificateRequest(kind: .client, commonName: "alice"), keyStore: order, now: authority.now)
        return try #require(issued.keyStorePath)
    }
}
