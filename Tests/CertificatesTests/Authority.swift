import Certificates
import Glibc
import RadiusCore
import Support
import Testing

/// An authority in a folder that goes away with the test, and OpenSSL's own programs to judge it.
struct Authority {
    let authority: CertificateAuthority
    /// Seconds since 1970.
    let now: Int64

    var directory: AuthorityDirectory { authority.directory }

    static func with(keyType: KeyType = .ecdsaP256, days: Int = 3650, _ body: (Authority) async throws -> Void) async throws {
        try await TemporaryDirectory.use { path in
            let now = Int64(time(nil))
            let authority = CertificateAuthority(directory: AuthorityDirectory(path: path + "/pki"))
            try authority.initialize(commonName: "Test CA", organization: "Example", keyType: keyType, days: days, now: now)
            try await body(Authority(authority: authority, now: now))
        }
    }

    func issue(_ kind: CertificateKind, _ commonName: String, _ change: (inout CertificateRequest) -> Void = { _ in }) throws
        -> CertificateAuthority.Issued
    {
        var request = CertificateRequest(kind: kind, commonName: commonName)
        change(&request)
        return try authority.issue(request, now: now)
    }

    /// Runs `openssl`.
    func openssl(_ arguments: String...) async throws -> ToolResult { try await Tool.run("openssl", arguments) }

    /// The output of `openssl x509 -text`.
    func text(of certificate: String) async throws -> String {
        let result = try await openssl("x509", "-in", certificate, "-noout", "-text")
        #expect(result.status == 0, "\(result.errors)")
        return result.output
    }

    /// What `openssl verify` says, with the revocation list.
    func verify(_ certificate: String, purpose: String) async throws -> ToolResult {
        try await openssl(
            "verify", "-x509_strict", "-purpose", purpose, "-crl_check", "-CRLfile", directory.revocationList, "-CAfile",
            directory.authorityCertificate, certificate)
    }
}

/// The failure that `body` throws.
func failure<Value>(_ body: () throws -> Value) throws -> CertificateFailure {
    do {
        let value = try body()
        Issue.record("did not fail: \(value)")
    } catch let failure as CertificateFailure {
        return failure
    }
    throw ProcessFailure("another error, or none")
}

/// The permissions of a file.
func mode(of path: String) -> mode_t {
    var found = stat()
    guard stat(path, &found) == 0 else { return 0 }
    return found.st_mode & 0o7777
}
