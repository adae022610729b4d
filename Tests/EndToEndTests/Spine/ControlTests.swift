import Support
import Testing

extension SpineTests {
    /// CoA and Disconnect to a simulated NAS, and what becomes of the session.
    @Suite struct Control {
        /// A daemon, a NAS of the test's own, and a subscriber who is online there.
        private struct Scene {
            let daemon: DaemonProcess
            let owner: Operator
            let nas: TestNAS
            let user: String
            let simulator: Simulator

            static func open(options: [String] = [], vendor: String = "mikrotik", profile: String = "home100") async throws -> Scene {
                let daemon = try await SharedDaemon.get()
                let owner = Operator(daemon)
                let nas = try await TestNAS.create(owner, vendor: vendor)
                let user = try await TestSubscriber.create(owner, profile: profile).name
                try await eventually { try await Radclient(daemon, as: nas).impatient.login(user).code == "Access-Accept" }
                let simulator = try await Simulator.start(daemon, as: nas, user: user, options: options)
                return Scene(daemon: daemon, owner: owner, nas: nas, user: user, simulator: simulator)
            }

            /// The session's row, once it is in `state`.
            func session(_ state: String) async throws -> JSONValue {
                var row: JSONValue?
                try await eventually {
                    row = try await owner.list("sessions?user=\(user)&state=\(state)").first
                    return row != nil
                }
                return try #require(row)
            }

            /// The id of the open session's row.
            func sessionID() async throws -> Int64 { try #require(try await session("open")["id"]?.integer) }
        }

        @Test func disconnectReachesTheNASAndItsStopClosesTheSession() async throws {
            let scene = try await Scene.open()
            defer { scene.simulator.tool.remove() }
            let id = try await scene.sessionID()
            let result = try await CommandLineTool(scene.daemon).run("session", "disconnect", "\(id)")
            #expect(result.status == 0, "\(result)")
            #expect(result.output.contains("ack"), "\(result.output)")
            _ = try await scene.simulator.event("disconnected")
            let closed = try await scene.session("closed")
            #expect(closed["id"]?.integer == id)
            #expect(closed["ended_by"]?.text == "stop")
            #expect(closed["terminate_cause"]?.text == "Admin-Reset")
            let stored = try await scene.daemon.query("SELECT kind, outcome FROM aaa.dynamic_authorization WHERE session_id = \(id)")
            #expect(stored == [["disconnect", "ack"]])
        }

        @Test func applyingAProfileReRatesItsLiveSessions() async throws {
            let daemon = try await SharedDaemon.get()
            let plan = "plan-\(await Serial.next())"
            try await Operator(daemon).create("profiles", #"{"name":"\#(plan)","download":10000000,"upload":2000000}"#)
            let scene = try await Scene.open(profile: plan)
            defer { scene.simulator.tool.remove() }
            #expect(try await scene.simulator.event("accepted").attribute("Mikrotik-Rate-Limit") == ["2M/10M"])
            _ = try await scene.sessionID()
            let answer = try await scene.owner.change("profiles/\(plan)?apply=true", #"{"download":50000000,"upload":7000000}"#)
            #expect(answer["applied"]?["ack"]?.integer == 1, "\(answer)")
            #expect(try await scene.simulator.event("coa").attribute("Mikrotik-Rate-Limit") == ["7M/50M"])
            #expect(try await scene.session("open")["stopped_at"] == .null)

            let changed = try await CommandLineTool(scene.daemon).run(
                "profile", "update", plan, "--download", "60M", "--apply", "-o", "json")
            #expect(changed.status == 0, "\(changed)")
            #expect(try await scene.simulator.event("coa", number: 2).attribute("Mikrotik-Rate-Limit") == ["7M/60M"])
        }

        @Test func applyingAProfileThatTheNASRefusesStoresItAndFails() async throws {
            let daemon = try await SharedDaemon.get()
            let plan = "plan-\(await Serial.next())"
            try await Operator(daemon).create("profiles", #"{"name":"\#(plan)","download":10000000,"upload":2000000}"#)
            let scene = try await Scene.open(options: ["--answer", "nak:501"], profile: plan)
            defer { scene.simulator.tool.remove() }
            _ = try await scene.sessionID()
            let result = try await CommandLineTool(scene.daemon).run("profile", "update", plan, "--download", "60M", "--apply")
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.contains("the change is stored, but the network did not take all of it"), "\(result.errors)")
            #expect(try await scene.owner.get("profiles/\(plan)")["download"]?.integer == 60_000_000)
        }

        @Test func anotherPlanReachesTheRunningSessionByItself() async throws {
            let scene = try await Scene.open(profile: "home20")
            defer { scene.simulator.tool.remove() }
            _ = try await scene.sessionID()
            try await scene.owner.change("subscribers/\(scene.user)", #"{"profile":"home100"}"#)
            #expect(try await scene.simulator.event("coa").attribute("Mikrotik-Rate-Limit") == ["20M/100M"])
        }

        @Test func suspendingASubscriberEndsTheRunningSession() async throws {
            let scene = try await Scene.open()
            defer { scene.simulator.tool.remove() }
            _ = try await scene.sessionID()
            let lock = try await CommandLineTool(scene.daemon).run(
                "subscriber", "lock", scene.user, "--reason", "fraud", "--level", "suspended")
            #expect(lock.status == 0, "\(lock)")
            _ = try await scene.simulator.event("disconnected")
            #expect(try await scene.session("closed")["ended_by"]?.text == "stop")
        }

        @Test func aNASThatDoesNotKnowTheSessionProvesItAGhost() async throws {
            let scene = try await Scene.open(options: ["--answer", "nak:503"])
            defer { scene.simulator.tool.remove() }
            let id = try await scene.sessionID()
            let answer = try await scene.owner.act("sessions/\(id)/disconnect")
            #expect(answer["outcome"]?.text == "nak")
            #expect(answer["error_cause"]?.integer == 503)
            #expect(try await scene.session("closed")["ended_by"]?.text == "ghost")
        }

        @Test func theSessionsOfADeletedNASCanBeEnded() async throws {
            let scene = try await Scene.open()
            defer { scene.simulator.tool.remove() }
            let id = try await scene.sessionID()
            let nas = try #require(try await scene.session("open")["nas_id"]?.integer)
            try await scene.owner.delete("nas/\(scene.nas.name)")
            // It is found by what the table calls its NAS now.
            for name in ["id:\(nas)", "\(nas)"] {
                let listed = try await CommandLineTool(scene.daemon).run("session", "list", "--nas", name)
                #expect(listed.status == 0 && listed.output.contains(scene.user), "\(listed)")
            }
            let result = try await CommandLineTool(scene.daemon).run("session", "disconnect", "\(id)")
            #expect(result.status == 0 && result.output.contains("deleted: nobody can be told. The session was closed here."), "\(result)")
            let closed = try await scene.session("closed")
            #expect(closed["ended_by"]?.text == "ghost" && closed["terminate_cause"]?.text == "Admin-Reset")
        }

        @Test func anotherRefusalLeavesTheSessionOpen() async throws {
            let scene = try await Scene.open(options: ["--answer", "nak:501"])
            defer { scene.simulator.tool.remove() }
            let id = try await scene.sessionID()
            let result = try await CommandLineTool(scene.daemon).run("session", "disconnect", "\(id)")
            #expect(result.status == 1, "\(result)")
            #expect(result.output.contains("Administratively-Prohibited"), "\(result.output)")
            #expect(try await scene.owner.get("sessions/\(id)")["state"]?.text == "open")
        }

        @Test func aSilentNASLeavesTheSessionOpenWithOutcomeTimeout() async throws {
            let scene = try await Scene.open(options: ["--answer", "silent"])
            defer { scene.simulator.tool.remove() }
            let id = try await scene.sessionID()
            let answer = try await scene.owner.act("sessions/\(id)/disconnect")
            #expect(answer["outcome"]?.text == "timeout")
            // RFC 5080: attempts 2, 4 and 8 s apart, each give or take a tenth, within 30 s.
            #expect((4...5).contains(scene.simulator.count("ignored")))
            #expect(try await scene.owner.get("sessions/\(id)")["state"]?.text == "open")
            let stored = try await scene.daemon.query("SELECT outcome FROM aaa.dynamic_authorization WHERE session_id = \(id)")
            #expect(stored == [["timeout"]])
        }

        @Test func aNASWithManySessionsClosesThemAllAtItsEnd() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let nas = try await TestNAS.create(owner)
            let user = try await TestSubscriber.create(owner).name
            try await eventually { try await Radclient(daemon, as: nas).impatient.login(user).code == "Access-Accept" }
            let simulator = try await Simulator.start(daemon, as: nas, user: user, sessions: 25, options: ["--interim", "1"])
            defer { simulator.tool.remove() }
            _ = try await simulator.event("interim", number: 25)
            #expect(try await simulator.tool.interrupt().status == 0, "\(simulator.tool.errors)")
            try await eventually { try await owner.list("sessions?user=\(user)&state=closed").count == 25 }
            let rows = try await owner.list("sessions?user=\(user)")
            #expect(rows.count == 25)
            // The simulator's subscribers download ten times what they upload.
            #expect(rows.allSatisfy { ($0["download_octets"]?.integer ?? 0) > ($0["upload_octets"]?.integer ?? .max) })
        }
    }
}
