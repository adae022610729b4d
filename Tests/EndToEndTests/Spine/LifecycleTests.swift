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
