import Support
import Testing

@testable import RadiusCore

/// Methods over TLS, by Debian's eapol_test, over the server's own sockets.
@Suite struct EAPOverTLSServerTests {
    /// A way to log in, as eapol_test calls it.
    struct Way: Sendable, CustomTestStringConvertible {
        let method: String
        var inner: String?
        let name: AuthenticationMethod

        var testDescription: String { name.name }
        var hasPassword: Bool { method != "TLS" }
    }

    static let ways = [
        Way(method: "TLS", name: .eapTLS),
        Way(method: "TTLS", inner: "auth=PAP", name: .eapTTLSPAP),
        Way(method: "TTLS", inner: "auth=CHAP", name: .eapTTLSCHAP),
        Way(method: "TTLS", inner: "auth=MSCHAP", name: .eapTTLSMSCHAP),
        Way(method: "TTLS", inner: "auth=MSCHAPV2", name: .eapTTLSMSCHAPv2),
        Way(method: "TTLS", inner: "autheap=MSCHAPV2", name: .eapTTLSEAPMSCHAPv2),
        Way(method: "TTLS", inner: "autheap=MD5", name: .eapTTLSEAPMD5),
        Way(method: "TTLS", inner: "autheap=GTC", name: .eapTTLSEAPGTC),
        Way(method: "PEAP", inner: "auth=MSCHAPV2", name: .eapPEAPMSCHAPv2),
        Way(method: "PEAP", inner: "auth=GTC", name: .eapPEAPGTC),
    ]

    /// A server with the authority's files, and what is different about it.
    private static func host(
        _ authority: TestAuthority, _ subscribers: [SubscriberEntry] = [TestServer.subscriber("nemo")], workers: Int = 1,
        list: Bool = false, _ adjust: (inout EAPService.Settings) -> Void = { _ in }
    ) throws -> TestServer {
        let path = authority.path
        let certificates = EAPCertificates(EAPCertificates.Settings()) {
            EAPCertificates.Files(
                certificate: "\(path)/server.pem", key: "\(path)/server.key", authority: "\(path)/ca.pem",
                revocationList: list ? "\(path)/crl.pem" : nil)
        }
        guard case .replaced = certificates.refresh() else { throw ProcessFailure("the certificates were not read") }
        var settings = EAPService.Settings()
        adjust(&settings)
        return try TestServer(subscribers: subscribers, workers: workers, eap: settings, certificates: certificates)
    }

    private static func peer(
        _ host: TestServer, _ authority: TestAuthority, _ way: Way, _ version: EAPOLTest.TLSVersion, password: String = "arctangent",
        certificate: String = "nemo", fragment: Int = 1398
    ) -> EAPOLTest {
        var test = EAPOLTest(
            port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", method: way.method, user: "nemo", password: password,
            expectsKeys: true)
        test.overTLS(version, authority: "\(authority.path)/ca.pem", inner: way.inner, anonymous: "anonymous", fragment: fragment)
        if !way.hasPassword { test.show(certificate: "\(authority.path)/\(certificate).pem") }
        return test
    }

    private static func withAuthority(_ body: (TestAuthority) async throws -> Void) async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("nemo", usage: "clientAuth")
            try await body(authority)
        }
    }

    @Test(arguments: ways, EAPOLTest.TLSVersion.allCases)
    func eapolTestSucceedsAndTheKeysMatch(way: Way, version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            let host = try Self.host(authority)
            let outcome = try await Self.peer(host, authority, way, version).run()
            #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
            #expect(outcome.transcript.contains("Using TLS version \(version.rawValue)"))
            #expect(host.count(.accepted as AccessReason) == 1)
        }
    }

    @Test(arguments: ways, EAPOLTest.TLSVersion.allCases)
    func eapolTestTakesItsSessionUpAgain(way: Way, version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            let host = try Self.host(authority, workers: 2)
            var test = Self.peer(host, authority, way, version)
            test.repetitions = 2
            let outcome = try await test.run()
            #expect(outcome.isSuccess && outcome.keysMatched == 3, "\(outcome.transcript)")
            #expect(outcome.resumptions == [false, true, true], "\(outcome.transcript)")
        }
    }
}
