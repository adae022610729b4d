import Support
import Testing

extension SpineTests {
    /// Many subscribers at once, from a file.
    @Suite struct Import {
        private static func run(_ daemon: DaemonProcess, _ lines: [String], _ options: String...) async throws -> ToolResult {
            try await TemporaryDirectory.use { directory in
                try TextFile.write(lines.joined(separator: "\n") + "\n", to: directory + "/subscribers.csv")
                return try await Tool.run(
                    "lastmile", ["subscriber", "import", directory + "/subscribers.csv"] + options,
                    settings: CommandLineTool(daemon).settings)
            }
        }

        private static func count(_ daemon: DaemonProcess, _ prefix: String) async throws -> String? {
            try await daemon.query("SELECT count(*)::text FROM aaa.subscriber WHERE username LIKE '\(prefix)%'")[0][0]
        }

        @Test func aThousandSubscribersAreOnlineAtOnce() async throws {
            let daemon = try await SharedDaemon.get()
            let prefix = "import\(await Serial.next())-"
            let rows = (0..<1000).map { "\(prefix)\($0),secret\($0),home20,100.64.\($0 / 250).\($0 % 250)" }
            let result = try await Self.run(daemon, ["username,password,profile,static_ipv4"] + rows)
            #expect(result.status == 0, "\(result)")
            #expect(try await Self.count(daemon, prefix) == "1000")
            let client = Radclient(daemon)
            try await eventually { try await client.login("\(prefix)999", "secret999").code == "Access-Accept" }
            let reply = try await client.login("\(prefix)517", "secret517")
            #expect(reply.values("Framed-IP-Address") == ["100.64.2.17"])
            #expect(reply.values("Mikrotik-Rate-Limit") == ["5M/20M"])
        }

        @Test func oneBadLineStoresNothingAndIsNamed() async throws {
            let daemon = try await SharedDaemon.get()
            let prefix = "import\(await Serial.next())-"
            let lines = ["username,password,profile", "\(prefix)a,secret,home20", "\(prefix)b,secret,home2000", "\(prefix)c,secret,home20"]
            let result = try await Self.run(daemon, lines)
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.contains("line 3") && result.errors.contains("home2000"), "\(result.errors)")
            #expect(try await Self.count(daemon, prefix) == "0")

            let rehearsed = try await Self.run(daemon, lines, "--partial", "--dry-run", "-o", "json")
            #expect(rehearsed.status == 1 && rehearsed.output.contains(#""dry_run""#), "\(rehearsed)")
            #expect(rehearsed.errors.contains("1 line would be refused") && !rehearsed.errors.contains("storing"), "\(rehearsed.errors)")
            #expect(try await Self.count(daemon, prefix) == "0")

            let partial = try await Self.run(daemon, lines, "--partial")
            #expect(partial.status == 1, "\(partial)")
            #expect(partial.errors.contains("line 3"), "\(partial.errors)")
            #expect(try await Self.count(daemon, prefix) == "2")
            #expect(try await Self.run(daemon, Array(lines.prefix(2))).status == 5)
        }

        @Test func aNameThatStandsTwiceInTheFileIsNamedWithBothLines() async throws {
            let daemon = try await SharedDaemon.get()
            let prefix = "import\(await Serial.next())-"
            let result = try await Self.run(
                daemon, ["username,password,profile", "\(prefix)a,x,home20", "\(prefix)b,x,home20", "\(prefix)a,y,home20"])
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.contains("line 4") && result.errors.contains("line 2"), "\(result.errors)")
            #expect(try await Self.count(daemon, prefix) == "0")
        }
    }
}
