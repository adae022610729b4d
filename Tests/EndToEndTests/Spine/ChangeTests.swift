import Support
import Testing

extension SpineTests {
    /// A change through the interface is in force for the next packet.
    @Suite struct Changes {
        /// Waits until a login gets `code`.
        private static func awaitLogin(
            _ client: Radclient, _ user: String, _ code: String, password: String = TestSubscriber.password, limit: String? = nil
        ) async throws {
            var last = ""
            do {
                try await eventually {
                    let reply = try await client.login(user, password)
                    last = reply.transcript
                    return reply.code == code && (limit == nil || reply.values("Mikrotik-Rate-Limit") == [limit])
                }
            } catch is ConditionNotMet {
                throw ProcessFailure("no \(code) for \(user); the last exchange was:\n\(last)")
            }
        }

        @Test func aSubscriberComesChangesAndGoes() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let client = Radclient(daemon)
            let user = try await TestSubscriber.create(owner).name
            try await Self.awaitLogin(client, user, "Access-Accept", limit: "20M/100M")

            try await owner.change("subscribers/\(user)", #"{"password":"looking-glass"}"#)
            try await Self.awaitLogin(client, user, "Access-Accept", password: "looking-glass")
            #expect(try await client.login(user).code == "Access-Reject")

            try await owner.change("subscribers/\(user)", #"{"username":"renamed-\#(user)"}"#)
            try await Self.awaitLogin(client, "renamed-\(user)", "Access-Accept", password: "looking-glass")
            #expect(try await client.login(user, "looking-glass").code == "Access-Reject")

            try await owner.delete("subscribers/renamed-\(user)")
            try await Self.awaitLogin(client, "renamed-\(user)", "Access-Reject", password: "looking-glass")
        }

        @Test func theMostSevereLockDecides() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let client = Radclient(daemon)
            let user = try await TestSubscriber.create(owner).name
            let tool = CommandLineTool(daemon)
            try await Self.awaitLogin(client, user, "Access-Accept", limit: "20M/100M")

            #expect(try await tool.run("subscriber", "lock", user, "--reason", "overdue", "--level", "captive").status == 0)
            try await Self.awaitLogin(client, user, "Access-Accept", limit: "1M/1M")
            #expect(try await tool.run("subscriber", "lock", user, "--reason", "admin", "--level", "suspended").status == 0)
            try await Self.awaitLogin(client, user, "Access-Reject")
            let explained = try await tool.run("subscriber", "explain", user, "--nas", "loopback")
            #expect(explained.output.contains("suspended") && explained.output.contains("admin"), "\(explained.output)")

            #expect(try await tool.run("subscriber", "unlock", user, "--reason", "admin").status == 0)
            try await Self.awaitLogin(client, user, "Access-Accept", limit: "1M/1M")
            #expect(try await tool.run("subscriber", "unlock", user, "--reason", "overdue").status == 0)
            try await Self.awaitLogin(client, user, "Access-Accept", limit: "20M/100M")
        }

        @Test func aNewNASIsServedAndItsNewSecretCounts() async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let user = try await TestSubscriber.create(owner).name
            try await Self.awaitLogin(Radclient(daemon), user, "Access-Accept")
            let nas = try await TestNAS.create(owner)
            try await Self.awaitLogin(Radclient(daemon, as: nas).impatient, user, "Access-Accept")

            try await owner.change("nas/\(nas.name)", #"{"secret":"another-secret"}"#)
            var client = Radclient(daemon, as: nas).impatient
            client.secret = "another-secret"
            try await Self.awaitLogin(client, user, "Access-Accept")
            #expect(try await Radclient(daemon, as: nas).impatient.login(user).code == nil)

            try await owner.delete("nas/\(nas.name)")
            // Its address belongs to the demonstration's network again.
            client.secret = "testing123"
            try await Self.awaitLogin(client, user, "Access-Accept")
        }

        @Test func explainAgreesWithThePacket() async throws {
            let daemon = try await SharedDaemon.get()
            let fields = #","static_ipv4":"192.0.2.99","vlan":77,"session_timeout":7200,"routes":["198.51.100.0/24 192.0.2.99 1"]"#
            let user = try await TestSubscriber.create(Operator(daemon), fields: fields).name
            let client = Radclient(daemon)
            try await Self.awaitLogin(client, user, "Access-Accept", limit: "20M/100M")
            let reply = try await client.login(user)
            #expect(reply.values("Framed-IP-Address") == ["192.0.2.99"])
            #expect(reply.values("Session-Timeout") == ["7200"])
            #expect(reply.values("Framed-Route") == ["198.51.100.0/24 192.0.2.99 1"])
            #expect(reply.attributes.contains { $0.hasPrefix("Tunnel-Private-Group-Id") && $0.contains("77") }, "\(reply.transcript)")
            let explained = try await Operator(daemon).act("subscribers/\(user)/explain?nas=loopback")
            let names = (explained["attributes"]?.elements ?? []).compactMap { $0["name"]?.text }
            let sent = reply.attributes.map { $0.prefix { $0 != " " && $0 != ":" }.lowercased() }
            #expect(names.map { $0.lowercased() } == sent.filter { $0 != "message-authenticator" })
        }
    }
}
