import Support
import Testing

extension SpineTests {
    /// What no honest peer sends: counted, never fatal, and nothing acknowledged is lost over it.
    @Suite struct HostileInput {
        /// The daemon's counter of one reason for dropping packets.
        private static func drops(_ daemon: DaemonProcess, _ reason: String) async throws -> Int {
            let metrics = try await daemon.client.send("GET", "/metrics").text
            let prefix = #"lastmile_radius_drops_total{reason="\#(reason)"} "#
            let line = metrics.split(separator: "\n").first { $0.hasPrefix(prefix) }
            return try #require(line.flatMap { Int($0.dropFirst(prefix.count)) })
        }

        private static let header: [UInt8] = [UInt8](repeating: 7, count: 16)

        /// RFC 2865 §3 and §5: each packet breaks one rule.
        private static let malformed: [(reason: String, packet: [UInt8])] = [
            ("shorterThanHeader", [1, 1, 0]),
            ("lengthOutOfRange", [1, 1, 0, 19] + header),
            ("lengthBeyondDatagram", [1, 1, 0, 200] + header),
            ("attributeTooShort", [1, 1, 0, 22] + header + [1, 1]),
            ("attributeOverrun", [1, 1, 0, 23] + header + [1, 9, 65]),
            ("unsupportedCode", [99, 1, 0, 20] + header),
        ]

        @Test func malformedPacketsAreCountedByReasonAndTheServerGoesOn() async throws {
            let daemon = try await SharedDaemon.get()
            let peer = try DatagramPeer(port: daemon.authenticationPort)
            for (reason, packet) in Self.malformed {
                let before = try await Self.drops(daemon, reason)
                // Again and again: a test beside this one may have filled the socket's buffer.
                try await eventually {
                    peer.send(packet)
                    return try await Self.drops(daemon, reason) > before
                }
            }
            #expect(try await Radclient(daemon).login("alice").code == "Access-Accept")
        }

        @Test func noiseDoesNotStopTheServer() async throws {
            let daemon = try await SharedDaemon.get()
            let peers = [try DatagramPeer(port: daemon.authenticationPort), try DatagramPeer(port: daemon.accountingPort)]
            var generator = SystemRandomNumberGenerator()
            for _ in 0..<2000 {
                var packet = (0..<Int.random(in: 0...300)).map { _ in UInt8.random(in: 0...255, using: &generator) }
                if packet.count >= 4 {
                    packet.replaceSubrange(
                        0..<4, with: [[1, 4, 12].randomElement() ?? 1, 1, UInt8(packet.count >> 8), UInt8(packet.count & 0xff)])
                }
                for peer in peers { peer.send(packet) }
            }
            #expect(try await Radclient(daemon).login("alice").code == "Access-Accept")
            #expect(try await Radclient(daemon).status("acct").code == "Accounting-Response")
            #expect(daemon.exitStatus == nil)
        }

        @Test(arguments: [
            #"a\000b"#, #"line\r\nbreak"#, #"\377\376\300"#, #"\033[2Jwiped"#, #"\342\200\256desrever"#, String(repeating: "x", count: 253),
            "'; DROP TABLE aaa.session; --", #"{\"json\": [}"#,
        ])
        func aHostileNameIsAccountedForAndShownInOneLine(name: String) async throws {
            let daemon = try await SharedDaemon.get()
            let client = Radclient(daemon)
            let session = "hostile-\(await Serial.next())"
            #expect(try await client.login(name).code == "Access-Reject")
            #expect(try await client.account("Start", session: session, user: name).code == "Accounting-Response")
            let counters = ["Acct-Input-Octets = 1", "Acct-Output-Octets = 2", "Acct-Session-Time = 3"]
            #expect(try await client.account("Stop", session: session, user: name, counters).code == "Accounting-Response")
            var rows: [JSONValue] = []
            try await eventually {
                rows = try await Operator(daemon).list("sessions?acct_session_id=\(session)&state=closed")
                return !rows.isEmpty
            }
            #expect(rows.count == 1)
            #expect(rows.first?["download_octets"]?.integer == 2)
            let id = try #require(rows.first?["id"]?.integer)
            let table = try await CommandLineTool(daemon).run("session", "list", "--since", "1h", "--state", "closed", "--all")
            #expect(table.status == 0, "\(table.errors)")
            #expect(table.lines.count { $0.hasPrefix("\(id)\t") } == 1, "\(table.output)")
            #expect(table.output.unicodeScalars.allSatisfy(Self.isHarmless), "\(table.output)")
        }

        /// Nothing but the columns' tabs and the lines' ends moves a terminal's cursor or turns its direction.
        private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
            let category = scalar.properties.generalCategory
            return scalar == "\t" || scalar == "\n" || (category != .control && category != .format)
        }
    }
}
