import Support
import Testing

extension ProtocolTests {
    /// TEAP, by an eapol_test that is made for it, with certificates that `lastmile pki` made.
    @Suite struct TEAP {
        /// A way to log in: as eapol_test and `eap.teap.inner` call it, and as the authentication log does.
        struct Way: Sendable, CustomTestStringConvertible {
            let inner: String
            let setting: String
            let name: String

            init(_ inner: String, _ setting: String, _ name: String) { (self.inner, self.setting, self.name) = (inner, setting, name) }

            var testDescription: String { name }
        }

        private static let methods = "mschapv2,gtc,md5,tls"

        static let ways = [
            Way("auth=MSCHAPV2", methods, "eap-teap/eap-mschapv2"), Way("auth=GTC", methods, "eap-teap/eap-gtc"),
            Way("auth=MD5", methods, "eap-teap/eap-md5"), Way("auth=TLS", methods, "eap-teap/eap-tls"),
            Way("auth=MSCHAPV2", "password", "eap-teap/password"),
        ]

        private static func test(
            _ daemon: DaemonProcess, _ way: Way, _ version: EAPOLTest.TLSVersion = .tls13, user: String = "alice",
            password: String = TestSubscriber.password, fragment: Int = 1398
        ) async throws -> EAPOLTest {
            let authority = CertifiedDaemon.authority(daemon)
            var test = try await EAPOLTest.teap(
                port: daemon.authenticationPort, secret: "testing123", user: user, password: password, version, authority: authority,
                inner: way.inner, fragment: fragment)
            test.network.append("domain_suffix_match=\"radius.example.net\"")
            if way.name.hasSuffix("tls") { test.showInside(certificate: daemon.state + "/pki/issued/alice.pem", authority: authority) }
            return test
        }

        @Test(arguments: ways, EAPOLTest.TLSVersion.allCases)
        func succeedsWithMatchingKeysInFragmentsOfAnySize(way: Way, version: EAPOLTest.TLSVersion) async throws {
            let daemon = try await TEAPDaemon.get(way.setting)
            for fragment in [1398, 100] {
                var test = try await Self.test(daemon, way, version, fragment: fragment)
                test.repetitions = Scale.of(1, large: 50)
                if fragment < 1398 { test.arguments = ["-N", "12:d:\(fragment + 64)"] }
                let outcome = try await test.run()
                #expect(outcome.isSuccess && outcome.keysMatched == test.repetitions + 1, "\(outcome.transcript)")
                #expect(outcome.transcript.contains("Using TLS version \(version.rawValue)"))
            }
            try await EAPOverTLS.awaitLog(daemon, "alice", way.name, "accepted")
        }

        @Test(arguments: ways.filter { !$0.name.hasSuffix("tls") })
        func aWrongPasswordIsLoggedForTheNameInsideTheTunnel(way: Way) async throws {
            let daemon = try await TEAPDaemon.get(way.setting)
            let user = try await EAPOverTLS.subscriber(daemon)
            let outcome = try await Self.test(daemon, way, user: user, password: "looking-glass").run()
            #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
            try await EAPOverTLS.awaitLog(daemon, user, way.name, "wrong_password")
        }

        @Test func aLockedSubscriberIsTurnedAwayAndTheAcceptNamesTheSubscriber() async throws {
            let daemon = try await TEAPDaemon.get(Self.ways[4].setting)
            let tool = CommandLineTool(daemon)
            let user = try await EAPOverTLS.subscriber(daemon)
            let test = try await Self.test(daemon, Self.ways[4], user: user)
            let outcome = try await test.run()
            #expect(outcome.isSuccess && outcome.transcript.contains("Value: '\(user)'"), "\(outcome.transcript)")
            #expect(try await tool.run("subscriber", "lock", user, "--reason", "overdue", "--level", "suspended").status == 0)
            try await eventually { try await !test.run().isSuccess }
            try await EAPOverTLS.awaitLog(daemon, user, "eap-teap/password", "locked")
        }
    }
}
