import RadiusCore
import Support
import Testing

extension ProtocolTests {
    /// EAP-SIM, EAP-AKA, EAP-AKA' and EAP-pwd, by Debian's eapol_test; cards stand on its control socket, subscribers are made by the
    /// command line.
    @Suite struct EAPCards {
        /// A way to log in: as eapol_test calls it, the first digit of the identity, and the name in the authentication log.
        static let ways = [("SIM", "1", "eap-sim"), ("AKA", "0", "eap-aka"), ("AKA'", "6", "eap-aka-prime")]

        private static let key = "465b5ce8b199b49faa5f0a2ee238a6bc"
        private static let constant = "cd63cb71954a9f4e48a5994e37a02baf"
        private static let operatorValue = "cdc202d5123e20f62b6d676ac72cb318"
        private static let realm = "wlan.mnc001.mcc001.3gppnetwork.org"

        private static func subscriber(_ daemon: DaemonProcess, card: String) async throws -> String {
            let serial = String(1_000_000_000 + (await Serial.next()))
            let name = "00101" + serial
            let made = try await CommandLineTool(daemon).run(
                "subscriber", "create", "--username", name, "--profile", "home100", "--sim-credential", card)
            #expect(made.status == 0 && !made.output.contains(key), "\(made.output)\(made.errors)")
            return name
        }

        private static func peer(
            _ daemon: DaemonProcess, _ way: (String, String, String), _ name: String, key: String = key
        ) throws -> EAPOLTest {
            var test = EAPOLTest(
                port: daemon.authenticationPort, secret: "testing123", method: way.0, user: "\(way.1)\(name)@\(realm)", password: "",
                expectsKeys: true)
            let card = try SIMCard(credential: SIMCredential(text: "\(key):\(constant)"), sequence: "000000000000")
            test.card = { card.answer($0) }
            return test
        }

        private static func awaitLog(_ daemon: DaemonProcess, _ user: String, _ method: String, _ reason: String) async throws {
            try await eventually {
                try await Operator(daemon).list("auth-log?user=\(user)").contains {
                    $0["method"]?.text == method && $0["reason"]?.text == reason
                }
            }
        }

        @Test(arguments: ways) func aCardLogsInAndTheKeysMatch(way: (String, String, String)) async throws {
            let daemon = try await SharedDaemon.get()
            let user = try await Self.subscriber(daemon, card: "\(Self.key):op=\(Self.operatorValue)")
            var test = try Self.peer(daemon, way, user)
            test.repetitions = Scale.of(1, large: 20)
            try await eventually { try await test.run().isSuccess }
            let outcome = try await test.run()
            #expect(outcome.isSuccess && outcome.keysMatched == test.repetitions + 1, "\(outcome.transcript)")
            try await Self.awaitLog(daemon, user, way.2, "accepted")
        }

        @Test(arguments: ways) func aCardWithAnotherKeyIsRefusedAndLogged(way: (String, String, String)) async throws {
            let daemon = try await SharedDaemon.get()
            let user = try await Self.subscriber(daemon, card: "\(Self.key):\(Self.constant)")
            try await eventually { try await Self.peer(daemon, way, user).run().isSuccess }
            let outcome = try await Self.peer(daemon, way, user, key: String(Self.key.reversed())).run()
            #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
            try await Self.awaitLog(daemon, user, way.2, way.0 == "SIM" ? "sim_gave_up" : "sim_rejects_network")
        }

        @Test func aPasswordIsProvenByPWDInFragmentsToo() async throws {
            let daemon = try await SharedDaemon.get()
            for fragment in [1020, 40] {
                var test = EAPOLTest(
                    port: daemon.authenticationPort, secret: "testing123", method: "PWD", user: "alice", password: TestSubscriber.password,
                    expectsKeys: true)
                test.network.append("fragment_size=\(fragment)")
                test.repetitions = Scale.of(1, large: 50)
                let outcome = try await test.run()
                #expect(outcome.isSuccess && outcome.keysMatched == test.repetitions + 1, "\(outcome.transcript)")
            }
            try await Self.awaitLog(daemon, "alice", "eap-pwd", "accepted")
        }
    }
}
