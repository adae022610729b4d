import Glibc
import Support
import Testing

extension LineRateTests {
    /// PostgreSQL that does not come to its feet: RADIUS goes on, and afterwards every record is where it belongs.
    @Suite struct DatabaseOutage {
        @Test func aPostmasterKilledAtEachStartCostsNeitherRecordsNorLogins() async throws {
            let seconds = Scale.of(10, large: 60)
            try await DaemonProcess.run { daemon in
                let logins = try await LoginLoad.start(daemon)
                defer { logins.remove() }
                let load = try await AccountingLoad.start(daemon, sessions: nil)
                defer { load.remove() }
                try await load.reach(300)
                let before = load.count
                // On a machine that stands still now and then the outage lasts longer.
                let (leastKills, leastRecords) = (Scale.of(4, large: 8), 300 * seconds / 2)
                let kills = try await killAtEachStart(daemon, seconds: seconds) {
                    $0 >= leastKills && load.count - before > leastRecords
                }
                #expect(kills >= leastKills)
                #expect(load.count - before > leastRecords, "accounting was hardly acknowledged while PostgreSQL was away")
                try await load.end()
                try await eventually { try await daemon.client.send("GET", "/readyz").status == 200 }
                try await load.expectExactlyOnce()
                try await logins.finish()
                // Whoever asks while a connection is being made again hears that the database does not answer.
                try await eventually { try await daemon.client.send("GET", "/api/v1/subscribers").status == 200 }
                #expect(try await Operator(daemon).list("subscribers").isEmpty == false)
                #expect(try await daemon.stop() == 0)
                print("line rate: PostgreSQL was killed \(kills) times in \(seconds) s")
            }
        }

        @Test func aDatabaseThatHangsIsSeenAndDoesNotStopLogins() async throws {
            try await DaemonProcess.run { daemon in
                let ready = { try await daemon.client.send("GET", "/readyz") }
                #expect(try await ready().status == 200)
                let database = daemon.databaseProcesses
                #expect(database.count > 1)
                database.forEach { kill($0, SIGSTOP) }
                defer { database.forEach { kill($0, SIGCONT) } }
                try await eventually {
                    let answer = try await ready()
                    return answer.status == 503 && answer.text.contains("no answer for ")
                }
                try await eventually { await daemon.metric("lastmile_snapshot_connected") == 0 }
                #expect(try await Radclient(daemon).login("alice").code == "Access-Accept")
                database.forEach { kill($0, SIGCONT) }
                try await eventually { try await ready().status == 200 }
                #expect(await daemon.metric("lastmile_snapshot_connected") == 1)
            }
        }

        /// Waits for answers, each of which takes the daemon some seconds while its database stands still.
        @Test func aDatabaseThatHangsIsToldToOperatorsInWords() async throws {
            try await DaemonProcess.run { daemon in
                let database = daemon.databaseProcesses
                #expect(database.count > 1)
                database.forEach { kill($0, SIGSTOP) }
                defer { database.forEach { kill($0, SIGCONT) } }
                let failures = try #require(await daemon.metric("lastmile_database_failures_total"))
                let profile = #"{"name":"late","download":1000000,"upload":1000000}"#
                let (listed, created) = (
                    try await daemon.client.send("GET", "/api/v1/subscribers"),
                    try await daemon.client.send("POST", "/api/v1/profiles", body: Array(profile.utf8))
                )
                for answer in [listed, created] {
                    #expect(answer.status == 503 && answer.text.contains("the database does not answer"), "\(answer)")
                }
                #expect(try #require(await daemon.metric("lastmile_database_failures_total")) > failures)
                #expect(daemon.output.split(separator: "PostgreSQL stands still").count == 2, "not told once:\n\(daemon.logTail)")
                #expect(try await Radclient(daemon).account("Start", session: "meanwhile", user: "alice").code == "Accounting-Response")
                try await eventually { try await daemon.client.send("GET", "/readyz").text.contains("1 records behind, the oldest for ") }
                database.forEach { kill($0, SIGCONT) }
                try await eventually { try await daemon.client.send("GET", "/api/v1/subscribers").status == 200 }
                // What was refused before anything was sent did not happen behind the caller's back.
                #expect(try await Operator(daemon).list("profiles?name=late").isEmpty)
                try await eventually { try await Operator(daemon).list("sessions?user=alice&state=open").count == 1 }
            }
        }

        /// Kills each postmaster within 50 milliseconds of its start, for so long, and then until it is enough, for a minute at most.
        ///
        /// - Returns: how many.
        private func killAtEachStart(_ daemon: DaemonProcess, seconds: Int, isEnough: (Int) -> Bool) async throws -> Int {
            let end = ContinuousClock.now + .seconds(seconds)
            var killed: Set<Int32> = []
            while ContinuousClock.now < end || (ContinuousClock.now < end + .seconds(60) && !isEnough(killed.count)) {
                try await eventually {
                    daemon.postmaster.map { !killed.contains($0) } == true || (ContinuousClock.now >= end && isEnough(killed.count))
                }
                guard let postmaster = daemon.postmaster, !killed.contains(postmaster) else { continue }
                let moment = ContinuousClock.now + .milliseconds(killed.isEmpty ? 0 : Int.random(in: 0..<50))
                try await eventually { ContinuousClock.now >= moment }
                kill(postmaster, SIGKILL)
                killed.insert(postmaster)
            }
            return killed.count
        }
    }
}
