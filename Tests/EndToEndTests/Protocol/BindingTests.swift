import Support
import Testing

extension ProtocolTests {
    /// Subscribers that may log in from certain stations and lines, asked about by Debian's radclient.
    @Suite struct Bindings {
        private static let circuit = "bng1 eth 0/1/3:100"

        private static func station(_ text: String) -> String { #"Calling-Station-Id = "\#(text)""# }

        private static func reasons(_ owner: Operator, _ user: String, _ filter: String = "") async throws -> [String] {
            try await owner.list("auth-log?user=\(user)\(filter)").compactMap { $0["reason"]?.text }
        }

        /// Until what was changed is in force: the answer to `login` is `code`.
        private static func becomes(_ code: String, _ login: () async throws -> RadclientReply) async throws {
            try await eventually { try await login().code == code }
        }

        @Test func onlyTheBoundStationGetsInHoweverItIsSpelled() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let user = try await TestSubscriber.create(owner, fields: #","mac_binding":"enforce","macs":["0053.0012.3456"]"#).name
            let client = Radclient(daemon)
            try await Self.becomes("Access-Accept") {
                try await client.login(user, TestSubscriber.password, Self.station("00-53-00-12-34-56"))
            }
            #expect(try await client.login(user, TestSubscriber.password, Self.station("005300123456")).code == "Access-Accept")
            #expect(try await client.login(user, TestSubscriber.password, Self.station("1:0:53:0:12:34:56")).code == "Access-Accept")
            #expect(try await client.login(user, TestSubscriber.password, Self.station("00-53-00-12-34-57")).code == "Access-Reject")
            #expect(try await client.login(user).code == "Access-Reject")
            try await eventually { try await Set(Self.reasons(owner, user)).isSuperset(of: ["mac_not_bound", "mac_missing", "accepted"]) }
            let chap = try await Radtest.run(daemon, method: "chap", user: user, password: TestSubscriber.password)
            #expect(chap.code == "Access-Reject")
            let eap = EAPOLTest(
                port: daemon.authenticationPort, secret: "testing123", method: "MD5", user: user, password: TestSubscriber.password,
                expectsKeys: false)
            #expect(try await !eap.run().isSuccess)
        }

        @Test func whatIsOnlyLoggedIsLetInAndFoundAgain() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let fields = #","line_binding":"log","circuit_ids":["\#(Self.circuit)"],"mac_binding":"log","macs":["00:53:00:12:34:56"]"#
            let user = try await TestSubscriber.create(owner, fields: fields).name
            let client = Radclient(daemon)
            let elsewhere = #"ADSL-Agent-Circuit-Id = "bng1 eth 0/1/4:100""#
            try await Self.becomes("Access-Accept") {
                try await client.login(user, TestSubscriber.password, Self.station("0053.0012.3456"), elsewhere)
            }
            try await eventually { try await !owner.list("auth-log?user=\(user)&binding=line").isEmpty }
            let row = try #require(try await owner.list("auth-log?user=\(user)&binding=line").first)
            #expect(row["outcome"]?.text == "accept" && row["circuit_id"]?.text == "bng1 eth 0/1/4:100")
            let metrics = try await daemon.client.send("GET", "/metrics").text
            #expect(metrics.contains(#"kind="line_mismatches""#) && metrics.contains(#"kind="mac_mismatches""#))
        }

        @Test func theFirstLoginBindsStationAndLine() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let fields = #","mac_binding":"enforce","line_binding":"enforce","bind_on_first_use":true"#
            let user = try await TestSubscriber.create(owner, fields: fields).name
            let client = Radclient(daemon)
            let line = [
                Self.station("00-53-00-AB-CD-EF"), #"ADSL-Agent-Circuit-Id = "\#(Self.circuit)""#, "ADSL-Agent-Remote-Id = 0x0053ff00",
            ]
            try await Self.becomes("Access-Accept") { try await client.login(user, TestSubscriber.password, line[0], line[1], line[2]) }
            try await eventually { try await owner.get("subscribers/\(user)")["macs"]?.elements.map(\.text) == ["00:53:00:ab:cd:ef"] }
            let bound = try await owner.get("subscribers/\(user)")
            #expect(bound["circuit_ids"]?.elements.map(\.text) == [Self.circuit])
            #expect(bound["remote_ids"]?.elements.map(\.text) == ["0x0053ff00"])
            #expect(bound["nas_port_ids"]?.elements.isEmpty == true)
            try await Self.becomes("Access-Reject") { try await client.login(user, TestSubscriber.password, line[0]) }
            #expect(try await client.login(user, TestSubscriber.password, line[0], line[1], line[2]).code == "Access-Accept")
            try await eventually { try await Self.reasons(owner, user).contains("line_missing") }
            // A new router: cleared, and the next login binds anew.
            let cleared = try await CommandLineTool(daemon).run("subscriber", "update", user, "--clear", "macs")
            #expect(cleared.status == 0, "\(cleared.errors)")
            try await Self.becomes("Access-Accept") {
                try await client.login(user, TestSubscriber.password, Self.station("00-53-00-AB-CD-01"), line[1], line[2])
            }
            try await eventually { try await owner.get("subscribers/\(user)")["macs"]?.elements.map(\.text) == ["00:53:00:ab:cd:01"] }
        }

        @Test func theCommandLineTellsWhatIsBoundAndWhatCame() async throws {
            let daemon = try await SharedDaemon.get()
            let user = try await TestSubscriber.create(Operator(daemon)).name
            let tool = CommandLineTool(daemon)
            let change = try await tool.run(
                "subscriber", "update", user, "--mac-binding", "enforce", "--mac", "00:53:00:12:34:56", "--line-binding", "log",
                "--circuit-id", "0x0004")
            #expect(change.status == 0, "\(change.errors)")
            var text = ""
            try await eventually {
                text = try await tool.run("policy-rule", "test", user, "--attribute", "Calling-Station-Id=00-53-00-AB-CD-EF").output
                return text.contains("Access-Reject")
            }
            #expect(
                text.contains("Calling-Station-Id (enforce): 00:53:00:12:34:56; the request has 00-53-00-AB-CD-EF, which differs"),
                "\(text)")
            #expect(text.contains("ADSL-Agent-Circuit-Id (log): 0x0004; the request does not tell"), "\(text)")
            let nonsense = try await tool.run("subscriber", "update", user, "--mac", "00:53:00:12")
            #expect(nonsense.status != 0 && nonsense.errors.contains("a hardware address is expected"), "\(nonsense.errors)")
            let nothing = try await tool.run("subscriber", "create", "--username", user + "-x", "--mac-binding", "enforce")
            #expect(nothing.status != 0 && nothing.errors.contains("bind_on_first_use"), "\(nothing.errors)")
        }
    }
}
