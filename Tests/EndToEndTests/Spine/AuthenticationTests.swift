import Support
import Testing

extension SpineTests {
    /// Logins and the server's duties, asked by Debian's radtest and radclient.
    @Suite struct Authentication {
        @Test(arguments: ["pap", "chap", "mschap"])
        func radtestIsAcceptedWithUploadFirst(method: String) async throws {
            let daemon = try await SharedDaemon.get()
            let reply = try await Radtest.run(daemon, method: method, user: "alice", password: "wonderland")
            #expect(reply.code == "Access-Accept", "\(reply.transcript)")
            #expect(reply.values("Mikrotik-Rate-Limit") == ["20M/100M"])
            #expect(reply.attributes.first?.hasPrefix("Message-Authenticator") == true)
        }

        @Test(arguments: ["pap", "chap", "mschap"])
        func radtestIsRejectedWithAWrongPassword(method: String) async throws {
            let daemon = try await SharedDaemon.get()
            let reply = try await Radtest.run(daemon, method: method, user: "alice", password: "looking-glass")
            #expect(reply.code == "Access-Reject", "\(reply.transcript)")
            #expect(reply.values("Mikrotik-Rate-Limit") == [])
        }

        @Test func msCHAPv2ProvesTheServerToo() async throws {
            let tool = CommandLineTool(try await SharedDaemon.get())
            let server = "127.0.0.1:\(tool.daemon.authenticationPort)"
            let result = try await tool.run(
                "radius", "test", server, "--user", "alice", "--password", "wonderland", "--secret", "testing123", "--method", "mschapv2")
            #expect(result.status == 0, "\(result)")
            #expect(result.output.contains("MS-CHAP2-Success"))
            #expect(result.output.contains("20M/100M"))
            let refused = try await tool.run(
                "radius", "test", server, "--user", "alice", "--password", "wrong", "--secret", "testing123", "--method", "mschapv2")
            #expect(refused.status == 4, "\(refused)")
        }

        @Test(arguments: [("carol", "wonderland"), ("nobody-here", "wonderland"), ("alice\\000", "wonderland"), ("' OR 1=1 --", "x")])
        func rejectsWhoMayNotBeOnline(user: String, password: String) async throws {
            let reply = try await Radclient(SharedDaemon.get()).login(user, password)
            #expect(reply.code == "Access-Reject", "\(reply.transcript)")
        }

        @Test func aWrongSecretGetsNoAnswer() async throws {
            var client = Radclient(try await SharedDaemon.get()).impatient
            client.secret = "not-the-secret"
            let reply = try await client.login("alice")
            #expect(reply.code == nil, "\(reply.transcript)")
            let accounting = try await client.account("Start", session: "wrong-secret", user: "alice")
            #expect(accounting.code == nil, "\(accounting.transcript)")
        }

        @Test func statusServerIsAnsweredOnBothPorts() async throws {
            let client = Radclient(try await SharedDaemon.get())
            #expect(try await client.status("auth").code == "Access-Accept")
            #expect(try await client.status("acct").code == "Accounting-Response")
        }

        @Test func anIPv6ClientIsServedFromTheSameSocket() async throws {
            let daemon = try await SharedDaemon.get()
            let input = "User-Name = \"alice\"\nUser-Password = \"wonderland\"\nMessage-Authenticator = 0x00\n"
            let result = try await Tool.run(
                "radclient", ["-x", "-6", "-t", "10", "[::1]:\(daemon.authenticationPort)", "auth", "testing123"], input: input)
            #expect(RadclientReply(result.output).code == "Access-Accept", "\(result)")
        }
    }
}
