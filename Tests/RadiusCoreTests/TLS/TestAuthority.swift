import Glibc
import RadiusCore
import Support

/// Certificates that `openssl` made, in a folder that goes away with the test.
struct TestAuthority {
    let path: String

    static func with(_ body: (TestAuthority) async throws -> Void) async throws {
        try await TemporaryDirectory.use { path in
            let authority = TestAuthority(path: path)
            try await authority.makeAuthority("ca")
            try await body(authority)
        }
    }

    /// A root of that name with an empty index, whose key is there for `usage`.
    func makeAuthority(_ name: String, usage: String = "keyCertSign,cRLSign") async throws {
        try await openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", "\(path)/\(name).key", "-out",
            "\(path)/\(name).pem", "-subj", "/CN=\(name)", "-days", "30", "-addext", "keyUsage=critical,\(usage)")
        try makeIndex(of: name)
    }

    /// What `openssl ca` needs of an authority.
    private func makeIndex(of name: String) throws {
        try TextFile.write("", to: "\(path)/\(name).index")
        try TextFile.write("01\n", to: "\(path)/\(name).number")
        let settings = """
            [ca]
            default_ca=own
            [own]
            database=\(path)/\(name).index
            crlnumber=\(path)/\(name).number
            default_md=sha256
            new_certs_dir=\(path)
            rand_serial=yes
            unique_subject=no
            policy=any
            [any]
            commonName=supplied
            """
        try TextFile.write(settings, to: "\(path)/\(name).cnf")
    }

    /// A certificate: `usage` is such as `clientAuth`, `validity` options of `openssl x509`.
    func issue(
        _ name: String, usage: String, by authority: String = "ca", names: String? = nil, validity: [String] = ["-days", "10"],
        key: [String] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    ) async throws {
        let extensions = "extendedKeyUsage=\(usage)\nkeyUsage=digitalSignature\n" + (names.map { "subjectAltName=\($0)\n" } ?? "")
        try TextFile.write(extensions, to: "\(path)/\(name).ext")
        try await Self.openssl(
            ["req"] + key + ["-noenc", "-keyout", "\(path)/\(name).key", "-out", "\(path)/\(name).csr", "-subj", "/CN=\(name)"])
        try await Self.openssl(
            ["x509", "-req", "-in", "\(path)/\(name).csr", "-CA", "\(path)/\(authority).pem", "-CAkey", "\(path)/\(authority).key"]
                + ["-CAcreateserial", "-out", "\(path)/\(name).pem", "-extfile", "\(path)/\(name).ext"] + validity)
    }

    /// An authority below another, with times in `YYYYMMDDHHMMSSZ`; with `keepsKey` it has the key of the one of that name.
    func issueAuthority(
        _ name: String, by authority: String = "ca", from start: String? = nil, to end: String? = nil, keepsKey: Bool = false
    ) async throws {
        try TextFile.write("basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n", to: "\(path)/\(name).ext")
        let key =
            keepsKey
            ? ["-new", "-key", "\(path)/\(name).key"]
            : ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", "\(path)/\(name).key"]
        try await Self.openssl(["req"] + key + ["-subj", "/CN=\(name)", "-out", "\(path)/\(name).csr"])
        try await Self.openssl(
            signing(name, by: authority) + (start.map { ["-startdate", $0] } ?? []) + (end.map { ["-enddate", $0] } ?? ["-days", "20"]))
        try makeIndex(of: name)
    }

    /// A client's certificate with other times, in `YYYYMMDDHHMMSSZ`.
    func issue(_ name: String, by authority: String = "ca", from start: String, to end: String) async throws {
        try await issue(name, usage: "clientAuth", by: authority)
        try await Self.openssl(signing(name, by: authority) + ["-startdate", start, "-enddate", end])
    }

    private func signing(_ name: String, by authority: String) -> [String] {
        ["ca", "-batch", "-config", "\(path)/\(authority).cnf", "-keyfile", "\(path)/\(authority).key"]
            + ["-cert", "\(path)/\(authority).pem", "-notext", "-in", "\(path)/\(name).csr", "-out", "\(path)/\(name).pem"]
            + ["-extfile", "\(path)/\(name).ext"]
    }

    /// Puts a certificate on the authority's list.
    func revoke(_ name: String, by authority: String = "ca") async throws {
        try await openssl(
            "ca", "-config", "\(path)/\(authority).cnf", "-keyfile", "\(path)/\(authority).key", "-cert", "\(path)/\(authority).pem",
            "-revoke", "\(path)/\(name).pem")
    }

    /// Writes `crl.pem`, valid as `validity` says.
    func makeList(by authority: String = "ca", validity: [String] = ["-crldays", "5"]) async throws {
        try await Self.openssl(
            ["ca", "-config", "\(path)/\(authority).cnf", "-keyfile", "\(path)/\(authority).key", "-cert", "\(path)/\(authority).pem"]
                + ["-gencrl", "-out", "\(path)/crl.pem"] + validity)
    }

    private func openssl(_ arguments: String...) async throws { try await Self.openssl(arguments) }

    private static func openssl(_ arguments: [String]) async throws {
        let result = try await Tool.run("openssl", arguments)
        guard result.status == 0 else { throw ProcessFailure("openssl \(arguments): \(result.errors)") }
    }

    /// A server with the certificate of that name, which asks for certificates of `ca`.
    func server(_ name: String = "server", _ change: (inout TLSSettings) -> Void = { _ in }) throws -> TLSContext {
        var settings = TLSSettings(role: .server)
        settings.certificatePath = "\(path)/\(name).pem"
        settings.keyPath = "\(path)/\(name).key"
        settings.authorityPath = "\(path)/ca.pem"
        change(&settings)
        return try TLSContext(settings)
    }

    /// A client with the certificate of that name, or none, which trusts `ca`.
    func client(_ name: String? = "alice", _ change: (inout TLSSettings) -> Void = { _ in }) throws -> TLSContext {
        var settings = TLSSettings(role: .client)
        settings.certificatePath = name.map { "\(path)/\($0).pem" }
        settings.keyPath = name.map { "\(path)/\($0).key" }
        settings.authorityPath = "\(path)/ca.pem"
        change(&settings)
        return try TLSContext(settings)
    }

    /// With a good server's and a good client's certificate.
    static func withPair(_ body: (TestAuthority) async throws -> Void) async throws {
        try await with { authority in
            try await authority.issue("server", usage: "serverAuth", names: "DNS:radius.example.net,IP:192.0.2.1")
            try await authority.issue("alice", usage: "clientAuth", names: "email:alice@example.net")
            try await body(authority)
        }
    }
}

extension TLSSettings {
    /// Only that version.
    mutating func allow(only version: Version) {
        minimumVersion = version
        maximumVersion = version
    }
}
