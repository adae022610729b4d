import Support
import Testing

extension LineRateTests {
    /// `kill -9` of the daemon under accounting load, at any moment of its work.
    @Suite struct DaemonKill {
        @Test func aDaemonKilledAgainAndAgainLosesNothingAndDoublesNothing() async throws {
            let kills = Scale.of(4, large: 20)
            let sessions = Scale.of(1000, large: 10_000)
            try await DaemonProcess.run { daemon in
                let load = try await AccountingLoad.start(daemon, sessions: sessions, rate: 1000)
                let step = sessions * AccountingLoad.recordsPerSession / (kills + 1)
                for number in 1...kills {
                    // Not at round numbers: in the middle of a batch, a commit, a shipment.
                    try await load.reach(step * number - Int.random(in: 0..<step / 2))
                    try await daemon.kill()
                    try await daemon.start()
                }
                try await load.finish()
                #expect(load.acknowledged().count == sessions * AccountingLoad.recordsPerSession)
                try await load.expectExactlyOnce()
                let closed = try await daemon.query(
                    "SELECT count(*)::text FROM aaa.session_record WHERE state = 'closed' AND ended_by = 'stop'")
                #expect(closed == [["\(sessions)"]])
            }
        }

        @Test func aDaemonKilledWhileItStartsStartsTheNextTime() async throws {
            try await DaemonProcess.run { daemon in
                let load = try await AccountingLoad.start(daemon, sessions: 200, rate: 100)
                try await load.reach(200)
                for _ in 0..<Scale.of(5, large: 15) {
                    try await daemon.kill()
                    let former = daemon.identifier
                    async let starting: Void? = try? daemon.start()
                    let moment = ContinuousClock.now + .milliseconds(Int.random(in: 0..<1500))
                    try await eventually { daemon.identifier != former && ContinuousClock.now >= moment }
                    try await daemon.kill()
                    _ = await starting
                }
                try await daemon.start()
                try await load.finish()
                #expect(load.acknowledged().count == 200 * AccountingLoad.recordsPerSession)
                try await load.expectExactlyOnce()
            }
        }
    }
}
