import Support
import Testing

extension ProtocolTests {
    /// Quotas from the router's accounting to what the router is told: a simulated NAS uses a megabyte a second and reports each second.
    @Suite struct Quotas {
        private struct Scene {
            let daemon: DaemonProcess
            let owner: Operator
            let nas: TestNAS
            let user: String
            let quota: String
            let slow: String
            let simulator: Simulator

            /// A subscriber who is online, with a quota of five seconds a day and one threshold.
            static func open(threshold action: String, percent: Int) async throws -> Scene {
                let daemon = try await SharedDaemon.get()
                let owner = Operator(daemon)
                let number = await Serial.next()
                let (quota, slow) = ("quota-\(number)", "slow-\(number)")
                try await owner.create("quotas", #"{"name":"\#(quota)","octets":"5M","direction":"download","period":"day"}"#)
                try await owner.create("profiles", #"{"name":"\#(slow)","download":1000000,"upload":256000}"#)
                let profile = action == "throttle" ? #","profile":"\#(slow)""# : ""
                try await owner.create(
                    "quota-thresholds", #"{"quota":"\#(quota)","percent":\#(percent),"action":"\#(action)"\#(profile)}"#)
                let nas = try await TestNAS.create(owner)
                let user = try await TestSubscriber.create(owner, fields: #","quota":"\#(quota)""#).name
                try await eventually { try await Radclient(daemon, as: nas).impatient.login(user).code == "Access-Accept" }
                let simulator = try await Simulator.start(daemon, as: nas, user: user, options: ["--interim", "1"])
                return Scene(daemon: daemon, owner: owner, nas: nas, user: user, quota: quota, slow: slow, simulator: simulator)
            }

            func login() async throws -> RadclientReply { try await Radclient(daemon, as: nas).login(user) }

            /// What the API says of the subscriber's quota.
            func state() async throws -> JSONValue {
                let answer = try await owner.act("subscribers/\(user)/quota")
                return try #require(answer["quota"])
            }

            func events() async throws -> [String] {
                try await owner.list("quota-events?subscriber=\(user)&sort=id").compactMap { $0["action"]?.text }
            }

            /// Lets the day be yesterday.
            func midnight() async throws {
                let who = "subscriber_id = (SELECT id FROM aaa.subscriber WHERE username = '\(user)')"
                _ = try await daemon.query("UPDATE aaa.quota_day SET day = day - 1 WHERE \(who)")
                _ = try await daemon.query(
                    "UPDATE aaa.quota_state SET first_day = first_day - 1, end_day = end_day - 1, due_at = now() WHERE \(who)")
            }
        }

        @Test func whoHasUsedItAllIsSlowUntilThereIsMore() async throws {
            let scene = try await Scene.open(threshold: "throttle", percent: 40)
            defer { scene.simulator.tool.remove() }
            #expect(try await scene.simulator.event("accepted").attribute("Mikrotik-Rate-Limit") == ["20M/100M"])
            #expect(try await scene.simulator.event("coa").attribute("Mikrotik-Rate-Limit") == ["256k/1M"])
            #expect(try await scene.login().values("Mikrotik-Rate-Limit") == ["256k/1M"])
            let state = try await scene.state()
            #expect(state["action"]?.text == "throttle")
            #expect(state["profile"]?.text == scene.slow)
            #expect((state["used"]?.integer ?? 0) >= 2_000_000)
            #expect(state["limit"]?.integer == 5_000_000)
            let explained = try await CommandLineTool(scene.daemon).run("subscriber", "explain", scene.user, "--nas", scene.nas.name)
            #expect(explained.output.contains("throttled to \(scene.slow)"), "\(explained)")

            let more = try await CommandLineTool(scene.daemon).run(
                "quota-top-up", "create", "--subscriber", scene.user, "--octets", "1T")
            #expect(more.status == 0, "\(more)")
            #expect(try await scene.simulator.event("coa", number: 2).attribute("Mikrotik-Rate-Limit") == ["20M/100M"])
            #expect(try await scene.login().values("Mikrotik-Rate-Limit") == ["20M/100M"])
            let shown = try await CommandLineTool(scene.daemon).run("subscriber", "quota", scene.user)
            #expect(shown.output.contains("threshold   40 % throttle to \(scene.slow)"), "\(shown)")
            #expect(shown.output.contains("of 1.0 TB left"), "\(shown)")
            #expect(try await scene.events() == ["throttle", "restored"])
            let audited = try await scene.owner.list("audit?resource=quota_top_up")
            #expect(audited.contains { $0["action"]?.text == "create" })
        }

        @Test func whoIsBlockedIsDisconnectedAndBackTheNextDay() async throws {
            let scene = try await Scene.open(threshold: "block", percent: 60)
            defer { scene.simulator.tool.remove() }
            _ = try await scene.simulator.event("disconnected")
            #expect(try await scene.login().code == "Access-Reject")
            let explained = try await scene.owner.act("subscribers/\(scene.user)/explain?nas=\(scene.nas.name)")
            #expect(explained["reason"]?.text == "locked")
            #expect(explained["locks"]?.elements.first?["reason"]?.text == "quota")
            #expect(explained["quota"]?["action"]?.text == "block")
            #expect(try await scene.events() == ["block"])

            // The simulator's Stop is counted before the day ends.
            try await eventually { try await scene.owner.list("sessions?user=\(scene.user)&state=closed").count == 1 }
            // Tests beside this one use their own quotas.
            let uncounted = "SELECT count(*) FROM aaa.quota_delta d JOIN aaa.subscriber s ON s.id = d.subscriber_id"
            try await eventually { try await scene.daemon.query("\(uncounted) WHERE s.username = '\(scene.user)'") == [["0"]] }
            try await scene.midnight()
            try await eventually { try await scene.login().code == "Access-Accept" }
            #expect(try await scene.state()["used"]?.integer == 0)
            #expect(try await scene.owner.list("locks?subscriber=\(scene.user)").isEmpty)
            #expect(try await scene.events() == ["block", "restored"])
        }

        /// Of Mikrotik-Total-Limit and its gigawords; nil without them.
        private static func limit(_ values: (String) -> [String]) -> Int? {
            guard let low = values("Mikrotik-Total-Limit").first.flatMap({ Int($0) }),
                let high = values("Mikrotik-Total-Limit-Gigawords").first.flatMap({ Int($0) })
            else { return nil }
            return high << 32 + low
        }

        @Test func routersAreToldWhatIsLeftAndOfMoreWhileTheSessionRuns() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let tool = CommandLineTool(daemon)
            let quota = "quota-\(await Serial.next())"
            let made = try await tool.run("quota", "create", "--name", quota, "--octets", "10G", "--nas-limits", "true")
            #expect(made.status == 0, "\(made)")
            try await owner.create("quota-thresholds", #"{"quota":"\#(quota)","percent":100,"action":"block"}"#)
            let nas = try await TestNAS.create(owner)
            let user = try await TestSubscriber.create(owner, fields: #","quota":"\#(quota)""#).name
            // Before anything was used: a tenth more than the quota, less a first step.
            try await eventually {
                let accept = try await Radclient(daemon, as: nas).impatient.login(user)
                return Self.limit { accept.values($0) } == 10_500_000_000
            }
            #expect(try await Radclient(daemon, as: nas).login(user).values("Session-Timeout") == [])

            let other = try await TestNAS.create(owner, vendor: "cisco")
            try await eventually { try await Radclient(daemon, as: other).impatient.login(user).code == "Access-Accept" }
            let seconds = try await Radclient(daemon, as: other).login(user).values("Session-Timeout").compactMap { Int($0) }
            #expect(seconds.count == 1 && (1...31 * 86_400 + 3600).contains(seconds.first ?? 0))
            let explained = try await tool.run("subscriber", "explain", user, "--nas", other.name)
            #expect(explained.output.contains("No attribute of this vendor is known that limits a session's octets"), "\(explained)")

            let simulator = try await Simulator.start(daemon, as: nas, user: user, options: ["--interim", "1"])
            defer { simulator.tool.remove() }
            let accepted = try await simulator.event("accepted")
            #expect(Self.limit { accepted.attribute($0) } == 10_500_000_000)
            // A session that is not stored yet is told of nothing.
            try await eventually { try await owner.list("sessions?user=\(user)&state=open").count == 1 }
            let more = try await tool.run("quota-top-up", "create", "--subscriber", user, "--octets", "5G")
            #expect(more.status == 0, "\(more)")
            // What the session has used comes on top: some megabytes.
            let told = try await simulator.event("coa")
            #expect((15_750_000_000..<16_500_000_000).contains(Self.limit { told.attribute($0) } ?? 0), "\(told)")
            #expect(told.attribute("Mikrotik-Rate-Limit") == [])
        }

        @Test func mistakesAreToldByField() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let quota = "quota-\(await Serial.next())"
            try await owner.create("quotas", #"{"name":"\#(quota)","octets":"1.5G"}"#)
            #expect(try await owner.get("quotas/\(quota)")["octets"]?.integer == 1_500_000_000)
            let tool = CommandLineTool(daemon)
            let slow = try await tool.run("quota-threshold", "create", "--quota", quota, "--percent", "100", "--action", "throttle")
            #expect(slow.status == 1, "\(slow)")
            #expect(slow.errors.contains("say which profile a throttled subscriber is answered"), "\(slow)")
            let user = try await TestSubscriber.create(owner).name
            let lock = try await tool.run("lock", "create", "--subscriber", user, "--reason", "quota", "--level", "captive")
            #expect(lock.errors.contains("quotas set this lock"), "\(lock)")
            let past = try await tool.run(
                "quota-top-up", "create", "--subscriber", user, "--octets", "1G", "--expires-at", "2020-01-01T00:00:00Z")
            #expect(past.errors.contains("that is past already"), "\(past)")
            #expect(try await tool.run("subscriber", "quota", user).output == "no quota\n")
        }
    }
}
