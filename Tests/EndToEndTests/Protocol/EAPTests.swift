import Support
import Testing

extension ProtocolTests {
    /// EAP, by Debian's eapol_test.
    @Suite struct EAP {
        private static func test(
            _ daemon: DaemonProcess, _ method: String, user: String, password: String = TestSubscriber.password
        ) -> EAPOLTest {
            EAPOLTest(
                port: daemon.authenticationPort, secret: "testing123", method: method, user: user, password: password,
                expectsKeys: method == "MSCHAPV2")
        }

        /// Waits until the authentication log has a row for `user` with this method and reason.
        private static func awaitLog(_ owner: Operator, _ user: String, _ method: String, _ reason: String) async throws {
            var last: [String] = []
            do {
                try await eventually {
                    last = try await owner.list("auth-log?user=\(user)").map { "\($0["method"]?.text ?? "") \($0["reason"]?.text ?? "")" }
                    return last.contains("\(method) \(reason)")
                }
            } catch is ConditionNotMet {
                throw ProcessFailure("no \(method) \(reason) for \(user) in the authentication log, only \(last)")
            }
        }

        @Test(arguments: ["MD5", "GTC", "MSCHAPV2"])
        func succeedsAndTheKeysMatch(method: String) async throws {
            let daemon = try await SharedDaemon.get()
            var test = Self.test(daemon, method, user: "alice")
            test.repetitions = Scale.of(1, large: 100)
            let outcome = try await test.run()
            #expect(outcome.isSuccess, "\(outcome.transcript)")
            #expect(outcome.keysMatched == (method == "MSCHAPV2" ? test.repetitions + 1 : 0), "\(outcome.transcript)")
            #expect(outcome.replies.count { $0 == "Access-Accept" } == test.repetitions + 1)
        }

        @Test(arguments: [("MD5", "eap-md5"), ("GTC", "eap-gtc"), ("MSCHAPV2", "eap-mschapv2")])
        func aWrongPasswordFailsAndIsLogged(method: String, name: String) async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let user = try await TestSubscriber.create(owner).name
            try await eventually { try await Radclient(daemon).login(user).code == "Access-Accept" }
            let outcome = try await Self.test(daemon, method, user: user, password: "looking-glass").run()
            #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
            try await Self.awaitLog(owner, user, name, "wrong_password")
        }

        @Test(arguments: [("MD5", "eap-md5"), ("GTC", "eap-gtc"), ("MSCHAPV2", "eap-mschapv2")])
        func anUnknownUserFailsLikeAWrongPassword(method: String, name: String) async throws {
            let daemon = try await SharedDaemon.get()
            let user = "nobody-\(await Serial.next())"
            let outcome = try await Self.test(daemon, method, user: user).run()
            let wrong = try await Self.test(daemon, method, user: "alice", password: "looking-glass").run()
            #expect(!outcome.isSuccess && outcome.replies == wrong.replies, "\(outcome.transcript)")
            try await Self.awaitLog(Operator(daemon), user, name, "unknown_subscriber")
        }

        @Test func aMethodThatIsNotServedEndsWithItsReason() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let user = try await TestSubscriber.create(owner).awaited(owner).name
            let outcome = try await Self.test(daemon, "FAST", user: user).run()
            #expect(!outcome.isSuccess && outcome.replies == ["Access-Challenge", "Access-Reject"], "\(outcome.transcript)")
            try await Self.awaitLog(owner, user, "eap-mschapv2", "eap_no_common_method")
        }

        @Test func aLockedSubscriberIsTurnedAwayAfterTheProof() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let tool = CommandLineTool(daemon)
            let user = try await TestSubscriber.create(owner).name
            try await eventually { try await Self.test(daemon, "MSCHAPV2", user: user).run().isSuccess }
            #expect(try await tool.run("subscriber", "lock", user, "--reason", "overdue", "--level", "suspended").status == 0)
            try await eventually { try await !Self.test(daemon, "MSCHAPV2", user: user).run().isSuccess }
            try await Self.awaitLog(owner, user, "eap-mschapv2", "locked")
            #expect(try await tool.run("subscriber", "unlock", user, "--reason", "overdue").status == 0)
            try await eventually { try await Self.test(daemon, "MSCHAPV2", user: user).run().isSuccess }
        }

        @Test func theFiguresCountConversations() async throws {
            let daemon = try await SharedDaemon.get()
            _ = try await Self.test(daemon, "MD5", user: "alice").run()
            let text = try await daemon.client.send("GET", "/metrics").text
            let begun = text.split(separator: "\n").first { $0.hasPrefix("lastmile_eap_begun_total ") }?.split(separator: " ").last
            #expect(try #require(begun.flatMap { Int($0) }) > 0)
            #expect(text.contains("lastmile_radius_packets_total{kind=\"access_challenges\"}"))
            #expect(text.contains("lastmile_eap_displaced_total{stage=\"begun\"} 0"))
        }
    }
}
