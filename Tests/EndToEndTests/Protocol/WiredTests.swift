import Support
import Testing

extension ProtocolTests {
    /// IEEE 802.1X on a wire, with an authenticator that is in use: Debian's hostapd and wpa_supplicant.
    @Suite struct Wired {
        /// Method, inside, and how the authentication log calls it.
        private static let ways: [(method: String, inner: String?, name: String)] = [
            ("PEAP", "auth=MSCHAPV2", "eap-peap/eap-mschapv2"), ("TTLS", "auth=PAP", "eap-ttls/pap"), ("TLS", nil, "eap-tls"),
        ]

        /// Runs `body` where namespaces can be made; where they cannot, the suite fails when it was asked for by name.
        private static func with(_ body: (WiredPort) async throws -> Void) async throws {
            if let obstacle = await NetworkNamespace.obstacle() {
                if Scale.isLarge { throw ProcessFailure(obstacle) }
                try Test.cancel("\(obstacle)")
            }
            try await WiredPort.with(body)
        }

        /// The newest session, once it fulfils `condition`.
        private static func session(_ port: WiredPort, _ condition: (JSONValue) -> Bool) async throws -> JSONValue {
            var last: [JSONValue] = []
            do {
                try await eventually {
                    last = try await port.rows("session", "list", "--user", "alice")
                    return last.max { ($0["id"]?.integer ?? 0) < ($1["id"]?.integer ?? 0) }.map(condition) ?? false
                }
            } catch is ConditionNotMet {
                throw ProcessFailure("no such session, only \(last)")
            }
            return try #require(last.max { ($0["id"]?.integer ?? 0) < ($1["id"]?.integer ?? 0) })
        }

        /// Logs in until the port is open on both sides.
        private static func comeIn(
            _ port: WiredPort, _ authenticator: RunningTool, _ way: (method: String, inner: String?, name: String)
        ) async throws -> RunningTool {
            let device = try await port.plugIn(way.method, way.inner)
            do {
                _ = try await device.line { $0.contains("CTRL-EVENT-CONNECTED") }
                _ = try await authenticator.line { $0.contains("AP-STA-CONNECTED") }
            } catch {
                device.remove()
                throw ProcessFailure("\(error)\n-- hostapd:\n\(authenticator.output)")
            }
            return device
        }

        @Test func aDeviceLogsInIsAccountedForAndDisconnected() async throws {
            try await Self.with { port in
                for round in 1...Scale.of(1, large: 10) {
                    for way in Self.ways {
                        let authenticator = try await port.guardPort()
                        defer { authenticator.remove() }
                        let device = try await Self.comeIn(port, authenticator, way)
                        defer { device.remove() }
                        var log: [JSONValue] = []
                        // The log is written behind the answer.
                        try await eventually {
                            log = try await port.rows("auth-log", "list", "--user", "alice").filter { $0["method"]?.text == way.name }
                            return log.count >= round
                        }
                        #expect(log.count == round && log.allSatisfy { $0["reason"]?.text == "accepted" }, "\(log)")

                        // Only an Interim-Update makes an open session last.
                        let open = try await Self.session(port) {
                            $0["state"]?.text == "open" && ($0["session_seconds"]?.integer ?? 0) > 0
                        }
                        #expect(open["nas"]?.text == "switch1" && open["mac"]?.text != nil, "\(open)")
                        let id = try #require(open["id"]?.integer)
                        let result = try await port.lastmile("session", "disconnect", "\(id)")
                        #expect(result.status == 0 && result.output.contains("ack"), "\(result)\n\(authenticator.output)")
                        _ = try await authenticator.line { $0.contains("AP-STA-DISCONNECTED") }
                        let closed = try await Self.session(port) { $0["id"]?.integer == id && $0["state"]?.text == "closed" }
                        #expect(closed["ended_by"]?.text == "stop", "\(closed)")
                    }
                }
            }
        }

        @Test func aDeviceThatLogsOffEndsItsSession() async throws {
            try await Self.with { port in
                let authenticator = try await port.guardPort()
                defer { authenticator.remove() }
                let device = try await Self.comeIn(port, authenticator, Self.ways[0])
                defer { device.remove() }
                _ = try await Self.session(port) { $0["state"]?.text == "open" }
                try await port.logOff()
                let closed = try await Self.session(port) { $0["state"]?.text == "closed" }
                #expect(closed["terminate_cause"]?.text == "User-Request" && closed["ended_by"]?.text == "stop", "\(closed)")
            }
        }

        @Test func aLockClosesThePort() async throws {
            try await Self.with { port in
                let authenticator = try await port.guardPort()
                defer { authenticator.remove() }
                let device = try await Self.comeIn(port, authenticator, Self.ways[1])
                defer { device.remove() }
                _ = try await Self.session(port) { $0["state"]?.text == "open" }
                #expect(try await port.lastmile("subscriber", "lock", "alice", "--reason", "overdue", "--level", "suspended").status == 0)
                _ = try await authenticator.line { $0.contains("AP-STA-DISCONNECTED") }
                let closed = try await Self.session(port) { $0["state"]?.text == "closed" }
                #expect(closed["ended_by"]?.text == "stop", "\(closed)")
                device.remove()
                let refused = try await port.plugIn("TTLS", "auth=PAP")
                defer { refused.remove() }
                _ = try await refused.line { $0.contains("CTRL-EVENT-EAP-FAILURE") }
                #expect(try await port.rows("session", "list", "--user", "alice").count == 1)
            }
        }

        @Test func aWrongPasswordLeavesThePortClosed() async throws {
            try await Self.with { port in
                let authenticator = try await port.guardPort()
                defer { authenticator.remove() }
                let device = try await port.plugIn("PEAP", "auth=MSCHAPV2", password: "looking-glass")
                defer { device.remove() }
                _ = try await authenticator.line { $0.contains("authentication failed") }
                try await eventually {
                    try await port.rows("auth-log", "list", "--user", "alice").contains { $0["reason"]?.text == "wrong_password" }
                }
                #expect(!authenticator.output.contains("AP-STA-CONNECTED"))
                #expect(try await port.rows("session", "list", "--user", "alice").isEmpty)
            }
        }
    }
}
