import Glibc
import Support
import Testing

extension SpineTests {
    /// Signals to a running daemon.
    @Suite(.serialized) struct Lifecycle {
        @Test func hangUpReloadsTheDictionaryOrKeepsTheOldOne() async throws {
            try await TemporaryDirectory.use { try await Self.reload(in: $0) }
        }

        private static func reload(in directory: String) async throws {
            let file = directory + "/dictionary"
            let good = "$INCLUDE \(Programs.checkout)/dictionaries/dictionary\n"
            try TextFile.write(good, to: file)
            try await DaemonProcess.run(["LASTMILE_DICTIONARY_PATH": file]) { daemon in
                try TextFile.write(good + "ATTRIBUTE Broken\n", to: file)
                daemon.signal(SIGHUP)
                try await eventually { daemon.output.contains("nothing was reloaded") }
                #expect(daemon.output.contains("\(file):2"), "\(daemon.logTail)")
                let client = Radclient(daemon)
                #expect(try await client.login("alice").values("Mikrotik-Rate-Limit") == ["20M/100M"])

                try TextFile.write(good + "VENDOR Testing 55555\nATTRIBUTE Testing-Word 1 string Testing\n", to: file)
                let refused = try? await Operator(daemon).change("profiles/home100", attribute)
                #expect(refused == nil)
                daemon.signal(SIGHUP)
                try await eventually { (try? await Operator(daemon).change("profiles/home100", attribute)) != nil }
                try await eventually { try await client.login("alice").transcript.contains("Attr-26.55555.1 = 0x68656c6c6f") }
                #expect(try await daemon.stop() == 0)
            }
        }

        private static let attribute = #"{"attributes":[{"name":"Testing-Word","value":"hello"}]}"#

        /// A slow password check holds up the stop for a moment: meanwhile the node must say that it is not ready.
        @Test func terminationMakesTheNodeUnreadyAtOnceAndStillAnswersTheSlowLogin() async throws {
            try await DaemonProcess.run { daemon in
                // bcrypt of "arctangent" at cost 12, some tenths of a second.
                let hash = "$2b$12$cpTTW8ENQgoIX.S2yyKvA.Q9xe6cRMlbkUOYV/sv2To4HRvcdfa6q"
                try await Operator(daemon).create("subscribers", #"{"username":"slow","profile":"home100","password_hash":"\#(hash)"}"#)
                let client = Radclient(daemon).patientOnce()
                // One that is answered first tells that the snapshot has the subscriber.
                try await eventually { try await client.login("slow", "arctangent").code == "Access-Accept" }
                let parked = #"lastmile_radius_packets_total{kind="slow_checks"}"#
                let before = try #require(await daemon.metric(parked))
                async let first = client.login("slow", "arctangent")
                async let second = client.login("slow", "arctangent")
                async let third = client.login("slow", "arctangent")
                // All three have come before the signal does.
                try await eventually { await daemon.metric(parked).map { $0 >= before + 3 } == true }
                // While its database stands still, the daemon does not end before it was looked at.
                let database = daemon.databaseProcesses
                database.forEach { kill($0, SIGSTOP) }
                defer { database.forEach { kill($0, SIGCONT) } }
                async let status = daemon.stop()
                try await eventually {
                    let ready = try await daemon.client.send("GET", "/readyz")
                    return ready.status == 503 && ready.text.contains("stopping")
                }
                database.forEach { kill($0, SIGCONT) }
                #expect(try await status == 0)
                let codes = try await [first.code, second.code, third.code]
                #expect(codes == Array(repeating: "Access-Accept", count: 3))
            }
        }

        @Test func terminationEndsThoughTheDatabaseHangsAndKeepsWhatWasAcknowledged() async throws {
            try await DaemonProcess.run { daemon in
                let database = daemon.databaseProcesses
                #expect(database.count > 1)
                database.forEach { kill($0, SIGSTOP) }
                defer { database.forEach { kill($0, SIGCONT) } }
                let client = Radclient(daemon)
                #expect(try await client.account("Start", session: "in-the-journal", user: "alice").code == "Accounting-Response")
                #expect(try await daemon.stop() == 0)
                let parts = [
                    "draining: what was received", "draining: waits for ", "PostgreSQL does not end and is killed", "ended seconds=",
                ]
                for part in parts {
                    #expect(daemon.output.contains(part), "\(part) is missing in:\n\(daemon.logTail)")
                }
                try await eventually { daemon.databaseProcesses.isEmpty }

                try await daemon.start()
                try await eventually { try await Operator(daemon).list("sessions?user=alice&state=open").count == 1 }
                #expect(try await daemon.stop() == 0)
            }
        }

        @Test func aSecondSignalEndsTheDaemonWhileItWaitsForTheDatabase() async throws {
            try await DaemonProcess.run { daemon in
                let database = daemon.databaseProcesses
                database.forEach { kill($0, SIGSTOP) }
                defer { database.forEach { kill($0, SIGCONT) } }
                let client = Radclient(daemon)
                #expect(try await client.account("Start", session: "in-the-journal", user: "alice").code == "Accounting-Response")
                daemon.signal(SIGTERM)
                try await eventually { daemon.output.contains("draining: waits for ") }
                daemon.signal(SIGINT)
                try await eventually { daemon.exitStatus != nil }
                #expect(daemon.exitStatus == 1)
                #expect(daemon.output.contains("ended before its time: a second signal came"), "\(daemon.logTail)")
                // Its PostgreSQL still stands still, and is in the next one's way.
                try await daemon.start()
                try await eventually { try await Operator(daemon).list("sessions?user=alice&state=open").count == 1 }
            }
        }

        @Test func eachMistakeOfAReloadHasALineOfItsOwn() async throws {
            try await TemporaryDirectory.use { directory in
                let file = directory + "/settings.yaml"
                try TextFile.write("log:\n  level: info\n", to: file)
                // The fixture names its own file behind the program's name.
                let launcher = ["/bin/sh", "-c", "exec \"$0\" run --config '\(file)'"]
                try await DaemonProcess.run(demo: false, launcher: launcher) { daemon in
                    try TextFile.write("log:\n  level: loud\nhttp:\n  prot: 1\n", to: file)
                    daemon.signal(SIGHUP)
                    try await eventually { daemon.output.contains("http.prot") }
                    let lines = daemon.output.split(separator: "\n").filter { $0.contains("nothing was reloaded") }
                    #expect(lines.count == 2 && lines.contains { $0.contains("settings.yaml:2:10: log.level") }, "\(lines)")
                    #expect(lines.contains { $0.contains("settings.yaml:4:3: http.prot") } && !daemon.output.contains("u{a}"), "\(lines)")
                }
            }
        }

        @Test func terminationAnswersWhatIsUnderwayAndEndsWithZero() async throws {
            try await DaemonProcess.run { daemon in
                let client = Radclient(daemon)
                #expect(try await client.account("Start", session: "before-the-end", user: "alice").code == "Accounting-Response")
                // An Access-Reject is held back for a second: this one is underway when the signal comes.
                async let reply = client.patientOnce().login("alice", "wrong")
                try await eventually {
                    try await daemon.client.send("GET", "/metrics").text.contains(
                        #"lastmile_radius_answers_total{reason="wrong_password"} 1"#)
                }
                #expect(try await daemon.stop() == 0)
                #expect(try await reply.code == "Access-Reject")
                #expect(daemon.databaseProcesses.isEmpty)

                try await daemon.start()
                try await eventually { try await Operator(daemon).list("sessions?user=alice&state=open").count == 1 }
            }
        }
    }
}

extension Radclient {
    /// One packet, and time for a reply that is held back.
    fileprivate func patientOnce() -> Radclient {
        var client = self
        client.timeout = 20
        client.retries = 0
        return client
    }
}
