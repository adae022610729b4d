import Glibc
import Support
import Testing

extension LineRateTests {
    /// The journal's disk is full: no Accounting-Response, an alarm, and recovery without a restart.
    @Suite struct DiskFull {
        @Test func aFullDiskIsNotAcknowledgedAndRecoversByItself() async throws {
            if let obstacle = await SmallDisk.obstacle() {
                try Test.cancel("\(obstacle)")
            }
            let rounds = Scale.of(2, large: 6)
            // A segment, which is filled ahead, holds few records.
            try await DaemonProcess.run(["LASTMILE_JOURNAL_SEGMENT_BYTES": "65536"], launcher: SmallDisk.launcher) { daemon in
                let disk = SmallDisk(daemon)
                let logins = try await LoginLoad.start(daemon)
                defer { logins.remove() }
                let load = try await AccountingLoad.start(daemon, sessions: nil)
                defer { load.remove() }
                for _ in 1...rounds {
                    try await load.reach(load.count + 800)
                    // What is shipped would make room.
                    let database = daemon.databaseProcesses
                    database.forEach { kill($0, SIGSTOP) }
                    defer { database.forEach { kill($0, SIGCONT) } }
                    try await fillUntilSilent(daemon, disk, load)
                    try await expectSilence(daemon, load)
                    try disk.free()
                    database.forEach { kill($0, SIGCONT) }
                    try await eventually { try await daemon.client.send("GET", "/readyz").status == 200 }
                    #expect(await daemon.metric("lastmile_journal_healthy") == 1)
                    // Every record that was refused comes again within half a second, and finds the disk free.
                    let later = ContinuousClock.now + .seconds(1)
                    try await eventually { ContinuousClock.now >= later }
                }
                try await load.end()
                try await logins.finish()
                try await load.expectExactlyOnce()
                #expect(daemon.exitStatus == nil)
            }
        }

        @Test func whatIsShippedMakesRoomOnAFullDisk() async throws {
            if let obstacle = await SmallDisk.obstacle() {
                try Test.cancel("\(obstacle)")
            }
            try await DaemonProcess.run(["LASTMILE_JOURNAL_SEGMENT_BYTES": "65536"], launcher: SmallDisk.launcher) { daemon in
                // Several segments, of which each but the newest may go.
                let before = try await AccountingLoad.start(daemon, sessions: 400, rate: 1000)
                try await before.finish()
                try await before.expectExactlyOnce()
                let kept = try #require(await daemon.metric("lastmile_journal_segments"))
                #expect(kept > 3)
                try SmallDisk(daemon).fill()
                let after = try await AccountingLoad.start(daemon, sessions: 200, rate: 1000)
                try await after.finish()
                try await daemon.awaitShipping()
                let all = RecordComparison(
                    acknowledged: before.acknowledged() + after.acknowledged(), stored: try await daemon.storedRecords())
                #expect(all.isExact, "\(all)")
                #expect(daemon.output.contains("shipped segments were removed before journal.retention_hours"))
            }
        }

        /// Fills the disk until the journal refuses and nothing more is acknowledged; a refused write may free a last page.
        private func fillUntilSilent(_ daemon: DaemonProcess, _ disk: SmallDisk, _ load: AccountingLoad) async throws {
            try await eventually {
                try disk.fill()
                guard await daemon.metric("lastmile_journal_healthy") == 0 else { return false }
                let before = load.count
                try await awaitRefusals(daemon, 200)
                return load.count == before
            }
        }

        /// While it is full: the alarm stands, no record is acknowledged however often it comes, logins go on.
        private func expectSilence(_ daemon: DaemonProcess, _ load: AccountingLoad) async throws {
            let before = load.count
            try await awaitRefusals(daemon, Scale.of(200, large: 1000))
            #expect(load.count == before)
            #expect(load.isRunning)
            #expect(await daemon.metric("lastmile_journal_healthy") == 0)
            let ready = try await daemon.client.send("GET", "/readyz")
            #expect(ready.status == 503)
            #expect(ready.text.contains("No space left"), "\(ready.text)")
            #expect(try await Radclient(daemon).login("alice").code == "Access-Accept")
        }

        /// Waits until `count` more records have come and were refused.
        private func awaitRefusals(_ daemon: DaemonProcess, _ count: Double) async throws {
            let before = try #require(await daemon.metric("lastmile_journal_refused_total"))
            try await eventually { await daemon.metric("lastmile_journal_refused_total").map { $0 >= before + count } == true }
        }
    }
}
