import FoundationEssentials
import RadiusCore
import Support
import Testing

extension ProtocolTests {
    /// Receivers that are told of log-ins, with radclient as the NAS and a hosts file as the name server.
    @Suite struct Hooks {
        private static let key = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

        /// The events of all messages, each with its `username`, `outcome`, `reason` and `nas`.
        private static func told(_ receiver: HTTPReceiver) throws -> [String] {
            try receiver.requests.flatMap { request -> [String] in
                let events = try JSONValue(parsing: request.text)["data"]?["events"]?.elements ?? []
                return events.map { event in
                    ["username", "outcome", "reason", "nas"].map { event[$0]?.text ?? "-" }.joined(separator: " ")
                }
            }
        }

        private static func isSigned(_ request: HTTPReceiver.Request) throws -> Bool {
            let key = Array(try #require(Data(base64Encoded: Self.key)))
            let id = try #require(request.headers["webhook-id"])
            let timestamp = try #require(request.headers["webhook-timestamp"])
            let code = KeyedDigests.hmacSHA256(key, Array("\(id).\(timestamp).".utf8) + request.body)
            return request.headers["webhook-signature"] == "v1," + Data(code).base64EncodedString()
        }

        private static func create(_ tool: CommandLineTool, _ name: String, _ port: UInt16, _ more: String...) async throws {
            let made = try await Tool.run(
                "lastmile",
                [
                    "post-auth-hook", "create", "--name", name, "--url", "http://receiver.example.net:\(port)/\(name)", "--secret",
                    "whsec_" + key,
                ] + more, settings: tool.settings)
            #expect(made.status == 0, "\(made)")
        }

        @Test func receiversAreToldOfAnswersAndReachedWhereTheyMayBe() async throws {
            try await TemporaryDirectory.use { directory in
                let hosts = directory + "/hosts"
                try TextFile.write("127.0.0.1 localhost\n127.9.0.1 receiver.example.net\n", to: hosts)
                let script = PrivateMount.script("mount --bind \(hosts) /etc/hosts", then: "exec \"$@\"")
                let port = try LastingPorts.next()
                let receiver = try HTTPReceiver(address: "127.9.0.1", port: port) { _ in HTTPReceiver.Answer(200) }
                let other = try HTTPReceiver(address: "127.0.0.1", port: port) { _ in HTTPReceiver.Answer(200) }
                defer {
                    receiver.end()
                    other.end()
                }
                try await DaemonProcess.run(
                    ["LASTMILE_HOOKS_NETWORKS": "127.9.0.0/16"], launcher: ["/bin/sh", "-c", script, "sh"]
                ) { daemon in
                    let tool = CommandLineTool(daemon)
                    try await Self.create(tool, "all", port)
                    try await Self.create(tool, "bobs", port, "--outcome", "reject", "--condition", "subscriber.name == \"bob\"")
                    let client = Radclient(daemon)
                    // Hooks are read anew every two seconds.
                    try await eventually {
                        _ = try await client.login("alice")
                        return try Self.told(receiver).contains("alice accept accepted loopback")
                    }
                    #expect(try await client.login("bob", "looking-glass").code == "Access-Reject")
                    #expect(try await client.login("alice", "looking-glass").code == "Access-Reject")
                    try await eventually {
                        let told = try Self.told(receiver)
                        return told.count { $0 == "bob reject wrong_password loopback" } == 2
                            && told.count { $0 == "alice reject wrong_password loopback" } == 1
                    }
                    for request in receiver.requests {
                        #expect(try Self.isSigned(request), "\(request.headers)")
                        #expect(!request.text.contains("wonderland") && !request.text.contains("looking-glass"))
                    }
                    #expect(receiver.requests.allSatisfy { $0.line == "POST /all HTTP/1.1" || $0.text.contains("\"bob\"") })
                    let shown = try await tool.run("post-auth-hook", "get", "bobs", "-o", "json")
                    let hook = try JSONValue(parsing: shown.output)
                    #expect(hook["delivered_events"]?.integer == 1 && hook["problem"] == .null && hook["secret"] == nil, "\(shown)")

                    // The name leads elsewhere from now on.
                    try TextFile.write("127.0.0.1 localhost receiver.example.net\n", to: hosts)
                    #expect(try await client.login("bob", "looking-glass").code == "Access-Reject")
                    try await eventually {
                        try await tool.run("post-auth-hook", "list").output.contains("not one that may be reached")
                    }
                    #expect(other.requests.isEmpty)
                    try await eventually {
                        let metrics = try await daemon.client.send("GET", "/metrics").text
                        return metrics.contains("lastmile_hook_waiting{tenant=\"1\",hook=\"bobs\"} 1\n")
                    }
                    #expect(try await client.login("alice").code == "Access-Accept")
                }
            }
        }
    }
}
