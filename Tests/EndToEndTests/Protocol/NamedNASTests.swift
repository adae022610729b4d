import Support
import Testing

extension ProtocolTests {
    /// NAS whose address DNS knows, with radclient as the NAS and a hosts file as the name server.
    @Suite struct NamedNAS {
        private static func withDaemon(_ hosts: String, _ body: (DaemonProcess, CommandLineTool, String) async throws -> Void) async throws
        {
            try await TemporaryDirectory.use { directory in
                let path = directory + "/hosts"
                try TextFile.write(hosts, to: path)
                let script = PrivateMount.script("mount --bind \(path) /etc/hosts", then: "exec \"$@\"")
                try await DaemonProcess.run(
                    ["LASTMILE_DNS_REFRESH_SECONDS": "5"], launcher: ["/bin/sh", "-c", script, "sh"]
                ) { daemon in try await body(daemon, CommandLineTool(daemon), path) }
            }
        }

        private static func isLetIn(_ daemon: DaemonProcess, _ address: String) async throws -> Bool {
            let client = Radclient(daemon, as: TestNAS(name: "gw7", address: address, vendor: "cisco")).impatient
            return try await client.login("alice", "wonderland").code == "Access-Accept"
        }

        @Test func aNASIsFollowedToItsNewAddress() async throws {
            try await Self.withDaemon("127.0.0.1 localhost\n127.79.0.1 gw7.example.net\n") { daemon, tool, hosts in
                let made = try await tool.run(
                    "nas", "create", "--name", "gw7", "--dns-name", "gw7.example.net", "--secret", TestNAS.secret, "--vendor", "cisco")
                #expect(made.status == 0, "\(made)")
                try await eventually { try await Self.isLetIn(daemon, "127.79.0.1") }
                try TextFile.write("127.0.0.1 localhost\n127.79.0.2 gw7.example.net\n", to: hosts)
                try await eventually { try await Self.isLetIn(daemon, "127.79.0.2") }
                let shown = try await tool.run("nas", "get", "gw7")
                #expect(shown.output.contains("127.79.0.2/32"), "\(shown)")
                try TextFile.write("127.0.0.1 localhost\n", to: hosts)
                try await eventually {
                    try await tool.run("nas", "get", "gw7").output.contains("DNS has no address for it")
                }
                #expect(try await Self.isLetIn(daemon, "127.79.0.2"))
                let examined = try await tool.run("nas", "doctor", "gw7")
                #expect(
                    examined.output.contains("WARNING dns_error: gw7.example.net: DNS has no address for it. It stays at 127.79.0.2"),
                    "\(examined)")
            }
        }

        @Test func whatDNSDoesNotKnowIsToldWhereOneLooks() async throws {
            try await Self.withDaemon("127.0.0.1 localhost\n") { daemon, tool, _ in
                let made = try await tool.run(
                    "nas", "create", "--name", "gw8", "--dns-name", "gw8.example.net", "--secret", TestNAS.secret, "--vendor", "cisco")
                #expect(made.status == 0, "\(made)")
                try await eventually { try await tool.run("nas", "get", "gw8").output.contains("DNS has no address for it") }
                for examined in [try await tool.run("nas", "doctor", "gw8"), try await tool.run("nas", "doctor")] {
                    #expect(examined.status == 1, "\(examined)")
                    #expect(examined.output.contains("gw8 (no address, cisco, never seen)"), "\(examined)")
                    #expect(
                        examined.output.contains("PROBLEM dns_error: gw8.example.net: DNS has no address for it."), "\(examined)")
                }
                let refusals = [
                    try await tool.run("subscriber", "explain", "alice", "--nas", "gw8"),
                    try await tool.run("policy-rule", "test", "alice", "--nas", "gw8"),
                ]
                for refused in refusals {
                    #expect(refused.status == 1, "\(refused)")
                    #expect(
                        refused.errors.contains("“gw8” has no address yet (gw8.example.net: DNS has no address for it)"), "\(refused)")
                }
                // It may have had one before.
                #expect(try await tool.run("radius", "trace", "--nas", "gw8").status == 0)
                #expect(try await tool.run("nas", "doctor", "gw9").status == 3)
            }
        }

        @Test func twoThatExchangeAddressesAreFollowed() async throws {
            func hosts(_ first: Int, _ second: Int) -> String {
                "127.0.0.1 localhost\n127.79.1.\(first) gw1.example.net\n127.79.1.\(second) gw2.example.net\n"
            }
            try await Self.withDaemon(hosts(1, 2)) { daemon, tool, path in
                for name in ["gw1", "gw2"] {
                    let made = try await tool.run(
                        "nas", "create", "--name", name, "--dns-name", "\(name).example.net", "--secret", TestNAS.secret, "--vendor",
                        "cisco")
                    #expect(made.status == 0, "\(made)")
                }
                for address in ["127.79.1.1", "127.79.1.2"] { try await eventually { try await Self.isLetIn(daemon, address) } }
                try TextFile.write(hosts(2, 1), to: path)
                try await eventually { try await tool.run("nas", "get", "gw1").output.contains("127.79.1.2/32") }
                try await eventually { try await tool.run("nas", "get", "gw2").output.contains("127.79.1.1/32") }
                for address in ["127.79.1.1", "127.79.1.2"] { try await eventually { try await Self.isLetIn(daemon, address) } }
                let network = try await tool.run("nas", "update", "gw2", "--address", "127.79.1.0/24")
                #expect(network.status != 0 && network.errors.contains("is a network"), "\(network)")
            }
        }
    }
}
