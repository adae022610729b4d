import Glibc
import Support
import Testing

extension LineRateTests {
    /// Reloads and changes while logins run: every answer is the old state or the new one.
    @Suite struct ChangesUnderLoad {
        private static let settings = ["LASTMILE_RADIUS_REJECT_DELAY_MILLISECONDS": "0"]
        private static let accepted = LoginClient.Reply(isAccepted: true, limit: "20M/100M")
        private static let rejected = LoginClient.Reply(isAccepted: false, limit: nil)

        @Test func everyAnswerIsTheOldStateOrTheNewOne() async throws {
            try await DaemonProcess.run(Self.settings) { daemon in
                let logins = try await LoginLoad.start(daemon, rate: 500)
                defer { logins.remove() }
                let owner = Operator(daemon)
                let rounds = Scale.of(20, large: 300)
                async let speed = changeSpeeds(daemon, owner, rounds)
                async let password = changePasswords(daemon, owner, rounds)
                async let lock = lockAndUnlock(daemon, owner, rounds)
                async let life = deleteAndCreate(daemon, owner, rounds)
                async let reloads = reload(daemon, Scale.of(10, large: 100))
                let watched = [try await speed, try await password, try await lock, try await life]
                #expect(watched.flatMap(\.faults) == [])
                for one in watched { #expect(one.seen > 0 && one.answers > one.seen) }
                let loads = try await reloads
                #expect(daemon.output.contains("nothing was reloaded") == false)
                let accepted = try await logins.finish()
                print(
                    "line rate: \(watched.map(\.answers).reduce(0, +)) answers during \(4 * rounds) changes and \(loads) reloads, \(accepted) logins beside them"
                )
            }
        }

        /// Runs `changes` while a NAS watches.
        private func watched(
            _ timeline: Timeline, _ daemon: DaemonProcess, _ changes: () async throws -> Void
        ) async throws -> Timeline.Watched {
            try await eventually { try await LoginClient(daemon).login(timeline.user).isAccepted }
            async let watching = timeline.watch(daemon)
            defer { timeline.end() }
            try await changes()
            timeline.end()
            return try await watching
        }

        private func changeSpeeds(_ daemon: DaemonProcess, _ owner: Operator, _ rounds: Int) async throws -> Timeline.Watched {
            try await owner.create("profiles", #"{"name":"rising","download":1000000,"upload":1000000}"#)
            let user = try await TestSubscriber.create(owner, profile: "rising").name
            let timeline = Timeline(user, .init(isAccepted: true, limit: "1M/1M"))
            return try await watched(timeline, daemon) {
                for round in 2..<rounds + 2 {
                    timeline.expect(.init(isAccepted: true, limit: "1M/\(round)M"))
                    try await owner.change("profiles/rising", #"{"download":\#(round)000000}"#)
                }
            }
        }

        private func changePasswords(_ daemon: DaemonProcess, _ owner: Operator, _ rounds: Int) async throws -> Timeline.Watched {
            let user = try await TestSubscriber.create(owner).name
            let timeline = Timeline(user, Self.accepted)
            return try await watched(timeline, daemon) {
                for round in 0..<rounds {
                    timeline.expect(round.isMultiple(of: 2) ? Self.rejected : Self.accepted)
                    let password = round.isMultiple(of: 2) ? "looking-glass" : TestSubscriber.password
                    try await owner.change("subscribers/\(user)", #"{"password":"\#(password)"}"#)
                }
            }
        }

        private func lockAndUnlock(_ daemon: DaemonProcess, _ owner: Operator, _ rounds: Int) async throws -> Timeline.Watched {
            let user = try await TestSubscriber.create(owner).name
            let timeline = Timeline(user, Self.accepted)
            return try await watched(timeline, daemon) {
                for _ in 0..<rounds / 2 {
                    timeline.expect(.init(isAccepted: true, limit: "1M/1M"))
                    let lock = try await owner.create("locks", #"{"subscriber":"\#(user)","reason":"overdue","level":"captive"}"#)
                    timeline.expect(Self.accepted)
                    try await owner.delete("locks/\(try #require(lock["id"]?.integer))")
                }
            }
        }

        private func deleteAndCreate(_ daemon: DaemonProcess, _ owner: Operator, _ rounds: Int) async throws -> Timeline.Watched {
            let user = try await TestSubscriber.create(owner).name
            let timeline = Timeline(user, Self.accepted)
            return try await watched(timeline, daemon) {
                for _ in 0..<rounds / 2 {
                    timeline.expect(Self.rejected)
                    try await owner.delete("subscribers/\(user)")
                    timeline.expect(Self.accepted)
                    let fields = #"{"username":"\#(user)","password":"\#(TestSubscriber.password)","profile":"home100"}"#
                    try await owner.create("subscribers", fields)
                }
            }
        }

        /// SIGHUP, each once the one before was done.
        ///
        /// - Returns: full loads of the snapshot.
        private func reload(_ daemon: DaemonProcess, _ times: Int) async throws -> Int {
            let name = "lastmile_snapshot_loads_total"
            let first = try #require(await daemon.metric(name))
            for _ in 0..<times {
                let before = try #require(await daemon.metric(name))
                daemon.signal(SIGHUP)
                try await eventually { await daemon.metric(name).map { $0 > before } == true }
            }
            return Int(try #require(await daemon.metric(name)) - first)
        }
    }
}
