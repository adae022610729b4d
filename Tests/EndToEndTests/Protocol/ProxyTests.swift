import Support
import Testing

extension ProtocolTests {
    /// Proxying, with Debian's freeradius as home server and as the proxy in front.
    @Suite struct Proxy {
        /// A home server for `user@realm`, made known to the daemon with its pool and realm.
        ///
        /// `patience`: milliseconds for which it is waited, longer than a machine stands still.
        private static func with(
            patience: Int = 20_000,
            _ body: (_ daemon: DaemonProcess, _ home: FreeRADIUS, _ user: String, _ directory: String) async throws -> Void
        ) async throws {
            let daemon = try await SharedDaemon.get()
            let owner = Operator(daemon)
            let number = await Serial.next()
            let (name, realm) = ("home-\(number)", "partner-\(number).example")
            try await TemporaryDirectory.use { directory in
                let home = try await FreeRADIUS.home(user: "bob@\(realm)", in: directory)
                defer { home.stop() }
                try await owner.create(
                    "home-servers",
                    #"{"name":"\#(name)","address":"127.0.0.1","auth_port":\#(home.authenticationPort),"acct_port":\#(home.accountingPort)"#
                        + #","secret":"\#(FreeRADIUS.secret)","response_milliseconds":\#(patience)}"#)
                try await owner.create("home-server-pools", #"{"name":"\#(name)","servers":["\#(name)"]}"#)
                try await owner.create(
                    "realms",
                    #"{"name":"\#(name)","realm":"\#(realm)","pool":"\#(name)","accounting_pool":"\#(name)","unanswered":"reject"}"#)
                // A second, and the realm is in force.
                try await eventually {
                    try await owner.act("realms/match?username=bob@\(realm)")["realm"]?.text == name
                }
                try await body(daemon, home, "bob@\(realm)", directory)
                try await owner.delete("realms/\(name)")
                try await owner.delete("home-server-pools/\(name)")
                try await owner.delete("home-servers/\(name)")
            }
        }

        @Test func passwordsOfAllKindsGoToTheHomeServer() async throws {
            try await Self.with { daemon, home, user, _ in
                for method in ["pap", "chap", "mschap"] {
                    let accept = try await Radtest.run(daemon, method: method, user: user, password: FreeRADIUS.password)
                    #expect(accept.code == "Access-Accept", "\(method): \(accept.transcript)\(home.transcript)")
                    #expect(accept.values("Reply-Message") == ["from home"])
                    let reject = try await Radtest.run(daemon, method: method, user: user, password: "wonderland")
                    #expect(reject.code == "Access-Reject", "\(method): \(reject.transcript)")
                }
                let owner = Operator(daemon)
                try await eventually {
                    let rows = try await owner.list("auth-log?user=\(user)")
                    let reasons = Set(rows.compactMap { $0["reason"]?.text })
                    return reasons == ["proxy_accepted", "proxy_rejected"] && rows.allSatisfy { $0["home_server"] != nil }
                }
            }
        }

        @Test(arguments: ["MD5", "MSCHAPV2"])
        func eapGoesThroughUntouched(method: String) async throws {
            try await Self.with { daemon, home, user, _ in
                let outcome = try await EAPOLTest(
                    port: daemon.authenticationPort, secret: "testing123", method: method, user: user, password: FreeRADIUS.password,
                    expectsKeys: method == "MSCHAPV2"
                ).run()
                #expect(outcome.isSuccess, "\(outcome.transcript)\(home.transcript)")
                #expect(outcome.keysMatched == (method == "MSCHAPV2" ? 1 : 0))
            }
        }

        @Test func accountingIsKeptHereAndForwarded() async throws {
            try await Self.with { daemon, home, user, directory in
                let session = "proxied-\(await Serial.next())"
                let reply = try await Radclient(daemon).account("Start", session: session, user: user)
                #expect(reply.code == "Accounting-Response", "\(reply.transcript)")
                try await eventually { TextFile.read(directory + "/detail").contains(session) }
                let owner = Operator(daemon)
                try await eventually { try await owner.list("sessions?username=\(user)").count == 1 }
                #expect(home.transcript.contains("Accounting-Request"))
            }
        }

        /// Whose network it is (RFC 5580 §4.1) towards the home server, a limit of ours towards the NAS.
        @Test func whatTheRealmSetsStandsInPlaceOfWhatOthersSay() async throws {
            try await Self.with { daemon, home, user, _ in
                let owner = Operator(daemon)
                let realm = user.replacing("bob@partner-", with: "home-").replacing(".example", with: "")
                try await owner.change(
                    "realms/\(realm)",
                    #"{"request_set":["Operator-Name = \"1example.net\""],"reply_set":["Session-Timeout = 777"]}"#)
                let login = [
                    "User-Name = \"\(user)\"", "User-Password = \"\(FreeRADIUS.password)\"", #"Operator-Name = "1elsewhere.example""#,
                    "Message-Authenticator = 0x00",
                ]
                try await eventually {
                    let accept = try await Radclient(daemon).send("auth", login)
                    return accept.code == "Access-Accept" && accept.values("Session-Timeout") == ["777"]
                }
                #expect(home.transcript.contains("Operator-Name = \"1example.net\""), "\(home.transcript)")
            }
        }

        /// Names of no realm go to a home server because of the NAS that they come from.
        @Test func aPolicyRuleForwardsWhatANASOfItsGroupSends() async throws {
            let daemon = try await SharedDaemon.get()
            let (owner, tool) = (Operator(daemon), CommandLineTool(daemon))
            let number = await Serial.next()
            let (name, user) = ("ruled-\(number)", "bob-\(number)")
            let inside = try await TestNAS.create(owner, fields: #","huntgroup":"\#(name)""#)
            try await TemporaryDirectory.use { directory in
                let home = try await FreeRADIUS.home(user: user, in: directory)
                defer { home.stop() }
                try await owner.create(
                    "home-servers",
                    #"{"name":"\#(name)","address":"127.0.0.1","auth_port":\#(home.authenticationPort),"acct_port":\#(home.accountingPort)"#
                        + #","secret":"\#(FreeRADIUS.secret)","response_milliseconds":20000}"#)
                try await owner.create("home-server-pools", #"{"name":"\#(name)","servers":["\#(name)"]}"#)
                let realm = try await tool.run(
                    "realm", "create", "--name", name, "--kind", "rule", "--pool", name, "--accounting-pool", name)
                #expect(realm.status == 0, "\(realm)")
                let early = try await tool.run(
                    "policy-rule", "create", "--name", name, "--priority", "10", "--forward-to", name,
                    "--condition", "subscriber.profile == \"home100\"", "--set-attribute", "Filter-Id=x")
                #expect(early.status != 0 && early.errors.contains("line 1, column 1"), "\(early)")
                #expect(early.errors.contains("set_attributes"), "\(early)")
                let rule = try await tool.run(
                    "policy-rule", "create", "--name", name, "--priority", "10", "--forward-to", name,
                    "--condition", "nas.huntgroup == \"\(name)\"")
                #expect(rule.status == 0, "\(rule)")
                try await eventually {
                    try await Radclient(daemon, as: inside).login(user, FreeRADIUS.password).values("Reply-Message") == ["from home"]
                }
                let reject = try await Radclient(daemon, as: inside).login(user, "wonderland")
                #expect(reject.code == "Access-Reject", "\(reject.transcript)\(home.transcript)")
                var peer = EAPOLTest(
                    port: daemon.authenticationPort, secret: TestNAS.secret, method: "MD5", user: user, password: FreeRADIUS.password,
                    expectsKeys: false)
                peer.arguments = ["-A", inside.address]
                let eap = try await peer.run()
                #expect(eap.isSuccess, "\(eap.transcript)\(home.transcript)")
                // Elsewhere nobody knows the name.
                #expect(try await Radclient(daemon).login(user, FreeRADIUS.password).code == "Access-Reject")

                let session = "ruled-session-\(number)"
                #expect(
                    try await Radclient(daemon, as: inside).account("Start", session: session, user: user).code == "Accounting-Response")
                try await eventually { TextFile.read(directory + "/detail").contains(session) }

                let tried = try await tool.run("policy-rule", "test", user, "--nas", inside.name)
                #expect(tried.output.contains("\(name) (10) holds: forwards to the pool \(name)"), "\(tried)")
                #expect(tried.output.contains("The rule \(name) sends this login"), "\(tried)")
                let match = try await tool.run("realm", "match", user, "--nas", inside.name)
                #expect(match.output.contains("The rule \(name) chooses the realm \(name)"), "\(match)")
                let kept = try await tool.run("realm", "delete", name)
                #expect(kept.status == 5 && kept.errors.contains("a policy-rule"), "\(kept)")
                for path in ["policy-rules", "realms", "home-server-pools", "home-servers"] { try await owner.delete("\(path)/\(name)") }
            }
        }

        @Test func aHomeServerThatIsGoneIsSaidToBe() async throws {
            try await Self.with(patience: 4000) { daemon, home, user, _ in
                home.stop()
                let reply = try await Radclient(daemon).login(user, FreeRADIUS.password)
                #expect(reply.code == "Access-Reject", "\(reply.transcript)")
                let owner = Operator(daemon)
                try await eventually {
                    try await owner.list("auth-log?user=\(user)").contains { $0["reason"]?.text == "proxy_timeout" }
                }
                let status = try await owner.act("home-servers/status")
                let server = try await owner.act("realms/match?username=\(user)")["home_servers"]?.elements.first
                #expect(server?["state"]?.text == "zombie", "\(status)")
            }
        }

        @Test func freeradiusInFrontHandsOn() async throws {
            let daemon = try await SharedDaemon.get()
            try await TemporaryDirectory.use { directory in
                let front = try await FreeRADIUS.proxy(to: daemon, secret: "testing123", in: directory)
                defer { front.stop() }
                var client = Radclient(daemon)
                client.secret = FreeRADIUS.secret
                let login = [
                    #"User-Name = "alice""#, #"User-Password = "wonderland""#, "Proxy-State = 0x0102", "Message-Authenticator = 0x00",
                ]
                let accept = try await client.send("auth", login, port: front.authenticationPort)
                #expect(
                    accept.code == "Access-Accept" && !accept.values("Mikrotik-Rate-Limit").isEmpty,
                    "\(accept.transcript)\(front.transcript)")
                #expect(accept.values("Proxy-State") == ["0x0102"])
                let wrong = [#"User-Name = "alice""#, #"User-Password = "looking-glass""#, "Message-Authenticator = 0x00"]
                #expect(try await client.send("auth", wrong, port: front.authenticationPort).code == "Access-Reject")
                let start = ["Acct-Status-Type = Start", #"Acct-Session-Id = "in-front""#, #"User-Name = "alice""#, "NAS-Port = 7"]
                #expect(try await client.send("acct", start, port: front.accountingPort).code == "Accounting-Response")
            }
        }

        @Test func mistakesAreRefusedWithTheirPlace() async throws {
            let owner = Operator(try await SharedDaemon.get())
            func refusal(_ path: String, _ body: String) async -> String {
                do {
                    _ = try await owner.create(path, body)
                    return "taken"
                } catch { return "\(error)" }
            }
            #expect(await refusal("home-server-pools", #"{"name":"empty","servers":[]}"#).contains("at least one home server"))
            #expect(
                await refusal("home-server-pools", #"{"name":"stranger","servers":["nobody"]}"#).contains("there is no home-server called"))
            #expect(await refusal("realms", #"{"name":"at","realm":"a@b.example"}"#).contains("a realm has no @"))
            #expect(await refusal("realms", #"{"name":"glob","kind":"pattern","realm":"[a"}"#).contains("the pattern"))
            #expect(
                await refusal("realms", #"{"name":"set","realm":"s.example","request_set":["State = 0x01"]}"#).contains(
                    "State is what a log-in or a session lives on"))
            #expect(
                await refusal("realms", #"{"name":"filter","realm":"f.example","reply_remove":["No-Such"]}"#).contains(
                    "there is no attribute No-Such"))
            #expect(
                await refusal("realms", #"{"name":"filter","realm":"f.example","reply_remove":["State"]}"#).contains("always passes"))
        }
    }
}
