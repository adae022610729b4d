import Support
import Testing

extension SpineTests {
    /// What a NAS counted, as the operator sees it afterwards.
    @Suite struct Sessions {
        private static let upload = ["Acct-Input-Octets = 705032704", "Acct-Input-Gigawords = 1"]
        private static let download = ["Acct-Output-Octets = 3", "Acct-Output-Gigawords = 7"]

        @Test func aSessionIsShownWithItsUsageWhileOpenAndAfterItClosed() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let user = try await TestSubscriber.create(owner).awaited(owner).name
            let client = Radclient(daemon)
            #expect(try await client.login(user).code == "Access-Accept")
            let place = ["Framed-IP-Address = 192.0.2.7", #"Calling-Station-Id = "02-00-5E-00-53-01""#]
            #expect(try await client.account("Start", session: user, user: user, place).code == "Accounting-Response")
            let open = try await Self.session(owner, user, "open")
            #expect(open["framed_ipv4"]?.text == "192.0.2.7")
            #expect(open["mac"]?.text == "02:00:5e:00:53:01")

            let interim = place + ["Acct-Session-Time = 60", "Acct-Input-Octets = 1000", "Acct-Output-Octets = 2000"]
            #expect(try await client.account("Interim-Update", session: user, user: user, interim).code == "Accounting-Response")
            try await eventually { try await Self.session(owner, user, "open")["download_octets"]?.integer == 2000 }
            #expect(try await Self.session(owner, user, "open")["upload_octets"]?.integer == 1000)

            let stop = place + Self.upload + Self.download + ["Acct-Session-Time = 3600", "Acct-Terminate-Cause = User-Request"]
            #expect(try await client.account("Stop", session: user, user: user, stop).code == "Accounting-Response")
            let closed = try await Self.session(owner, user, "closed")
            // 2^32 + 705,032,704 is 5 * 10^9; 7 * 2^32 + 3.
            #expect(closed["upload_octets"]?.integer == 5_000_000_000)
            #expect(closed["download_octets"]?.integer == 30_064_771_075)
            #expect(closed["session_seconds"]?.integer == 3600)
            #expect(closed["ended_by"]?.text == "stop")
            #expect(closed["id"] == open["id"])
            try await Self.usageByDay(owner, user)
        }

        /// The first session of `user` in `state`, when there is one.
        private static func session(_ owner: Operator, _ user: String, _ state: String) async throws -> JSONValue {
            var found: JSONValue?
            try await eventually {
                found = try await owner.list("sessions?user=\(user)&state=\(state)").first
                return found != nil
            }
            return try #require(found)
        }

        /// The daemon's day may have turned between two records: the days together hold what the session counted.
        private static func usageByDay(_ owner: Operator, _ user: String) async throws {
            func sum(_ name: String, _ days: [JSONValue]) -> Int64 { days.reduce(0) { $0 + ($1[name]?.integer ?? 0) } }
            try await eventually { sum("upload_octets", try await owner.list("usage?subscriber=\(user)")) == 5_000_000_000 }
            let days = try await owner.list("usage?subscriber=\(user)")
            #expect(sum("download_octets", days) == 30_064_771_075)
            #expect(sum("session_seconds", days) == 3600)
            #expect((1...2).contains(days.count))
        }

        @Test func theCommandLineListsSessionsAsJSON() async throws {
            let daemon = try await SharedDaemon.get()
            let user = try await TestSubscriber.create(Operator(daemon)).name
            let client = Radclient(daemon)
            #expect(try await client.account("Start", session: user, user: user).code == "Accounting-Response")
            let counters = ["Acct-Input-Octets = 11", "Acct-Output-Octets = 22", "Acct-Session-Time = 5"]
            #expect(try await client.account("Interim-Update", session: user, user: user, counters).code == "Accounting-Response")
            let tool = CommandLineTool(daemon)
            var row: JSONValue?
            try await eventually {
                let result = try await tool.run("session", "list", "--user", user, "-o", "json")
                guard result.status == 0 else { throw ProcessFailure("\(result)") }
                let printed = try JSONValue(parsing: result.output)
                row = (printed["data"] ?? printed).elements.first
                return row?["upload_octets"]?.integer == 11
            }
            #expect(row?["download_octets"]?.integer == 22)
            #expect(row?["username"]?.text == user)
            let table = try await tool.run("session", "list", "--user", user)
            #expect(table.lines.count == 2 && table.lines.last?.contains(user) == true, "\(table.output)")
        }

        @Test func aRetransmittedRecordCountsOnce() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let user = try await TestSubscriber.create(owner).name
            let client = Radclient(daemon)
            let counters = [
                "Acct-Input-Octets = 100", "Acct-Output-Octets = 200", "Acct-Session-Time = 10", "Event-Timestamp = 1700000000",
            ]
            for _ in 0..<3 {
                #expect(try await client.account("Stop", session: user, user: user, counters).code == "Accounting-Response")
            }
            let later = try await TestSubscriber.create(owner).name
            #expect(try await client.account("Start", session: later, user: later).code == "Accounting-Response")
            _ = try await Self.session(owner, later, "open")
            let rows = try await owner.list("sessions?user=\(user)")
            #expect(rows.count == 1)
            let days = try await owner.list("usage?subscriber=\(user)")
            #expect(days.reduce(0) { $0 + ($1["upload_octets"]?.integer ?? 0) } == 100)
        }

        @Test func theAuthenticationLogGivesReasons() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let user = try await TestSubscriber.create(owner).awaited(owner).name
            let client = Radclient(daemon)
            #expect(try await client.login(user).code == "Access-Accept")
            #expect(try await client.login(user, "wrong").code == "Access-Reject")
            try await owner.change("subscribers/\(user)", #"{"status":"suspended"}"#)
            try await eventually { try await client.login(user).code == "Access-Reject" }
            var reasons: Set<String> = []
            let expected: Set<String> = ["accept accepted", "reject wrong_password", "reject status_suspended"]
            try await eventually {
                let rows = try await owner.list("auth-log?user=\(user)")
                reasons = Set(rows.map { "\($0["outcome"]?.text ?? "") \($0["reason"]?.text ?? "")" })
                return reasons.isSuperset(of: expected)
            }
            #expect(reasons == expected)
            #expect(try await owner.list("auth-log?user=\(user)").allSatisfy { $0["method"]?.text == "pap" })
        }
    }
}
