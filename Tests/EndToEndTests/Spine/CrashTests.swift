import Glibc
import Support
import Testing

extension SpineTests {
    /// Kills at the worst moment: nothing that was acknowledged is lost, and what can go on goes on.
    @Suite(.serialized) struct Crashes {
        @Test func aKilledDaemonLosesNothingThatItAcknowledged() async throws {
            try await DaemonProcess.run { daemon in
                let load = try await AccountingLoad.start(daemon, sessions: 800)
                for count in [400, 1200, 2000] {
                    try await load.reach(count)
                    try await daemon.kill()
                    try await daemon.start()
                }
                try await load.finish()
                #expect(load.acknowledged().count == 3200)
                try await load.expectExactlyOnce()
                let sessions = try await daemon.query(
                    "SELECT count(*)::text FROM aaa.session_record WHERE state = 'closed' AND ended_by = 'stop'")
                #expect(sessions == [["800"]])
            }
        }

        @Test func aKilledDatabaseCostsNeitherRecordsNorLogins() async throws {
            try await DaemonProcess.run { daemon in
                let client = Radclient(daemon)
                let load = try await AccountingLoad.start(daemon, sessions: 800)
                var kills: Set<Int32> = []
                // A slow machine may take longer to its second start than the load lasts.
                while load.isRunning || kills.count < 2 {
                    try await eventually {
                        let isNew = daemon.postmaster.map { !kills.contains($0) } == true
                        return isNew || (!load.isRunning && kills.count >= 2)
                    }
                    guard let postmaster = daemon.postmaster, kills.insert(postmaster).inserted else { continue }
                    kill(postmaster, SIGKILL)
                    #expect(try await client.login("alice").code == "Access-Accept")
                }
                try await load.finish()
                #expect(kills.count >= 2)
                #expect(load.acknowledged().count == 3200)
                try await eventually { try await daemon.client.send("GET", "/readyz").status == 200 }
                try await load.expectExactlyOnce()
                // Whoever asks while a connection is being made again hears that the database does not answer.
                try await eventually { try await daemon.client.send("GET", "/api/v1/subscribers").status == 200 }
                #expect(try await Operator(daemon).list("subscribers").isEmpty == false)
                #expect(try await daemon.stop() == 0)
            }
        }

        @Test func aKilledDaemonLeavesNoDatabaseBehindAndStillKnowsWhoSigned() async throws {
            try await DaemonProcess.run { daemon in
                let nas = try await TestNAS.create(Operator(daemon))
                let client = Radclient(daemon, as: nas)
                try await eventually { try await client.impatient.login("alice").code == "Access-Accept" }
                try await eventually {
                    try await daemon.query("SELECT requires_message_authenticator::text FROM aaa.nas_observation") == [["true"]]
                }
                #expect(daemon.databaseProcesses.isEmpty == false)
                try await daemon.kill()
                try await eventually { daemon.databaseProcesses.isEmpty }

                try await daemon.start()
                let unsigned = try await client.impatient.send("auth", [#"User-Name = "alice""#, #"User-Password = "wonderland""#])
                #expect(unsigned.code == nil, "\(unsigned.transcript)")
                #expect(try await client.login("alice").code == "Access-Accept")
            }
        }
    }
}
