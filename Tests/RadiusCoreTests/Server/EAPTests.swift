import Support
import Testing

@testable import RadiusCore

/// EAP over the server's own sockets, spoken by Debian's eapol_test.
@Suite struct EAPTests {
    private static func peer(
        _ host: TestServer, _ method: String, user: String = "nemo", password: String = "arctangent", keys: Bool = false
    ) -> EAPOLTest {
        EAPOLTest(
            port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", method: method, user: user, password: password,
            expectsKeys: keys)
    }

    @Test(arguments: [("MD5", false), ("GTC", false), ("MSCHAPV2", true)])
    func eapolTestSucceeds(method: String, keys: Bool) async throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let outcome = try await Self.peer(host, method, keys: keys).run()
        #expect(outcome.isSuccess, "\(outcome.transcript)")
        #expect(outcome.keysMatched == (keys ? 1 : 0), "\(outcome.transcript)")
        #expect(outcome.replies.last == "Access-Accept")
        #expect(host.count(.accepted as AccessReason) == 1)
    }
}
