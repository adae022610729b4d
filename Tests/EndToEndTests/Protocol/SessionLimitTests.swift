import Support
import Testing

extension ProtocolTests {
    /// How often a subscriber may be online at once.
    @Suite struct SessionLimits {
        private static func station(_ number: Int) -> String { #"Calling-Station-Id = "00-53-00-00-00-0\#(number)""# }

        private static func login(_ client: Radclient, _ user: String, _ number: Int) async throws -> String? {
            try await client.login(user, TestSubscriber.password, station(number)).code
        }

        /// A plan with a limit, and somebody who has it; until it is in force everybody gets in.
        private static func subscriber(_ owner: Operator, _ limit: Int, _ word: String) async throws -> String {
            let plan = "limited-\(await Serial.next())"
            try await owner.create(
                "profiles", #"{"name":"\#(plan)","download":10000000,"session_limit":\#(limit),"on_session_limit":"\#(word)"}"#)
            let user = try await TestSubscriber.create(owner, profile: plan).name
            try await eventually {
                let explained = try? await owner.act("subscribers/\(user)/explain")
                return explained?["sessions"]?["limit"]?.integer == Int64(limit)
            }
            return user
        }

        @Test func oneMoreIsRefusedUntilOneEnds() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let user = try await Self.subscriber(owner, 1, "reject")
            let client = Radclient(daemon)
            #expect(try await Self.login(client, user, 1) == "Access-Accept")
            let record = [Self.station(1), "NAS-Identifier = limits"]
            #expect(try await client.account("Start", session: user, user: user, record).code == "Accounting-Response")
            #expect(try await Self.login(client, user, 2) == "Access-Reject")
            // The same router, after a power cut.
            #expect(try await Self.login(client, user, 1) == "Access-Accept")
            try await eventually { try await owner.list("auth-log?user=\(user)").contains { $0["reason"]?.text == "session_limit" } }
            let explained = try await CommandLineTool(daemon).run("subscriber", "explain", user)
            #expect(explained.output.contains("online from 1 of 1 place; one more is refused"), "\(explained.output)")
            #expect(try await client.account("Stop", session: user, user: user, record).code == "Accounting-Response")
            try await eventually { try await Self.login(client, user, 2) == "Access-Accept" }
        }

        @Test func theOldestGivesWayAndItsNASIsTold() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let user = try await Self.subscriber(owner, 1, "replace")
            let nas = try await TestNAS.create(owner)
            try await eventually { try await Radclient(daemon, as: nas).impatient.login(user).code == "Access-Accept" }
            let simulator = try await Simulator.start(daemon, as: nas, user: user)
            defer { simulator.tool.remove() }
            #expect(try await Self.login(Radclient(daemon), user, 7) == "Access-Accept")
            _ = try await simulator.event("disconnected")
            try await eventually { try await owner.list("sessions?user=\(user)&state=closed").count == 1 }
            // The outcome is stored when the answer is in, which the Stop may overtake.
            try await eventually {
                try await daemon.query("SELECT outcome FROM aaa.dynamic_authorization WHERE requested_by = 'session limit'").contains([
                    "ack"
                ])
            }
        }

        @Test func anotherNodeKnowsWithinSeconds() async throws {
            try await TwoNodes.run { first, second in
                let owner = Operator(first)
                let user = try await Self.subscriber(owner, 1, "reject")
                let (here, there) = (Radclient(first), Radclient(second))
                #expect(try await here.account("Start", session: user, user: user, [Self.station(1)]).code == "Accounting-Response")
                try await eventually { try await Self.login(there, user, 2) == "Access-Reject" }
                // What that node let in before it knew lapses.
                try await eventually { try await Self.login(there, user, 1) == "Access-Accept" }
                #expect(try await here.account("Stop", session: user, user: user, [Self.station(1)]).code == "Accounting-Response")
                try await eventually { try await Self.login(here, user, 2) == "Access-Accept" }
            }
        }
    }
}
