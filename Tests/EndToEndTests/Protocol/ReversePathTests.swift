import Support
import Testing

extension ProtocolTests {
    /// CoA and Disconnect of partners, from radclient in the partner's place to freeradius in the NAS's.
    @Suite struct ReversePath {
        /// A daemon that takes CoA, a partner who answers for `realm`, another one, and a NAS where a user of each is online.
        private struct Scene {
            let daemon: DaemonProcess
            let owner: Operator
            let home: FreeRADIUS
            let nas: FreeRADIUSNAS
            let record: TestNAS

            static let realm = "partner.example"
            static let user = "bob@" + realm

            static func with(_ body: (Scene) async throws -> Void) async throws {
                let port = try LastingPorts.next()
                try await DaemonProcess.run(["LASTMILE_RADIUS_COA_PORT": "\(port)"]) { daemon in
                    try await TemporaryDirectory.use { directory in
                        let owner = Operator(daemon)
                        let record = try await TestNAS.create(owner)
                        let home = try await FreeRADIUS.home(user: "bob", in: directory)
                        defer { home.stop() }
                        let nas = try await FreeRADIUSNAS.start(address: record.address, secret: TestNAS.secret, in: directory)
                        defer { nas.stop() }
                        try await owner.change("nas/\(record.name)", #"{"coa_port":\#(nas.port)}"#)
                        try await partner("partner", address: "127.0.0.1", realm: realm, home, owner)
                        try await partner("other", address: "127.0.0.2", realm: "other.example", home, owner)
                        #expect(daemon.dynamicAuthorizationPort == port)
                        try await body(Scene(daemon: daemon, owner: owner, home: home, nas: nas, record: record))
                    }
                }
            }

            private static func partner(
                _ name: String, address: String, realm: String, _ home: FreeRADIUS, _ owner: Operator
            ) async throws {
                try await owner.create(
                    "home-servers",
                    #"{"name":"\#(name)","address":"\#(address)","auth_port":\#(home.authenticationPort),"#
                        + #""acct_port":\#(home.accountingPort),"secret":"\#(FreeRADIUS.secret)","response_milliseconds":20000}"#)
                try await owner.create("home-server-pools", #"{"name":"\#(name)","servers":["\#(name)"]}"#)
                try await owner.create("realms", #"{"name":"\#(name)","realm":"\#(realm)","pool":"\#(name)","strip":true}"#)
                try await eventually { try await owner.act("realms/match?username=x@\(realm)")["realm"]?.text == name }
            }

            /// Begins a session, as the NAS does.
            func beginSession(_ id: String, user: String = user, _ attributes: [String] = []) async throws {
                let client = Radclient(daemon, as: record)
                try await eventually {
                    try await client.impatient.account("Start", session: id, user: user, attributes).code == "Accounting-Response"
                }
                try await eventually { try await owner.list("sessions?username=\(user)&state=open").count == 1 }
            }

            /// Logs the user in there; the partner says yes.
            func login() async throws {
                let accept = try await Radclient(daemon, as: record).login(Self.user, FreeRADIUS.password)
                #expect(accept.code == "Access-Accept", "\(accept.transcript)\(home.transcript)")
            }

            /// What the partner at `source` hears.
            func ask(_ command: String, from source: String = "127.0.0.1", _ attributes: [String]) async throws -> RadclientReply {
                var client = Radclient(daemon)
                (client.secret, client.source) = (FreeRADIUS.secret, source)
                return try await client.send(command, attributes + ["Message-Authenticator = 0x00"], port: daemon.dynamicAuthorizationPort)
            }
        }

        @Test func thePartnerChangesAndEndsASession() async throws {
            try await Scene.with { scene in
                try await scene.beginSession("S-1")
                let accept = try await Radclient(scene.daemon).login(Scene.user, FreeRADIUS.password)
                #expect(accept.code == "Access-Accept", "\(accept.transcript)\(scene.home.transcript)")
                // What the partner was told of the NAS where it logged in is not where the session is.
                let elsewhere = try #require(Self.token(in: scene.home.transcript))
                let names = [#"User-Name = "bob""#, #"Acct-Session-Id = "S-1""#]
                let wrong = try await scene.ask("disconnect", names + [elsewhere])
                #expect(wrong.code == "Disconnect-NAK", "\(wrong.transcript)")
                #expect(wrong.values("Error-Cause") == ["Session-Context-Not-Found"], "\(wrong.transcript)")

                let change = try await scene.ask(
                    "coa", names + ["Session-Timeout = 60", "Proxy-State = 0x0102", "Proxy-State = 0x03"])
                #expect(change.code == "CoA-ACK", "\(change.transcript)")
                #expect(change.values("Proxy-State") == ["0x0102", "0x03"])
                let end = try await scene.ask("disconnect", names)
                #expect(end.code == "Disconnect-ACK", "\(end.transcript)")

                try await eventually { scene.nas.requests.count == 2 }
                let heard = scene.nas.requests
                #expect(heard.first?.hasPrefix("CoA-Request") == true && heard.first?.contains("Session-Timeout = 60") == true, "\(heard)")
                #expect(heard.last?.hasPrefix("Disconnect-Request") == true, "\(heard)")
                #expect(heard.allSatisfy { $0.contains("User-Name = \"\(Scene.user)\"") && !$0.contains("Proxy-State") }, "\(heard)")
                let rows = try await scene.owner.list("dynamic-authorizations?user=\(Scene.user)")
                #expect(rows.map { $0["requested_by"]?.text } == ["home server partner", "home server partner"], "\(rows)")
                let status = try await scene.owner.act("home-servers/status")["home_servers"]?.elements.first
                #expect(status?["coa_requests"]?.integer == 3, "\(String(describing: status))")
            }
        }

        @Test func theTokenLeadsToTheNAS() async throws {
            try await Scene.with { scene in
                try await scene.beginSession("00000001")
                try await scene.login()
                let token = try #require(Self.token(in: scene.home.transcript))
                let end = try await scene.ask("disconnect", [#"Acct-Session-Id = "00000001""#, token])
                #expect(end.code == "Disconnect-ACK", "\(end.transcript)")
                try await eventually { scene.nas.requests.count == 1 }
                #expect(scene.nas.requests.allSatisfy { !$0.contains("Operator-NAS-Identifier") })
                let forged = token.dropLast() + (token.last == "0" ? "1" : "0")
                let refusal = try await scene.ask("disconnect", [#"Acct-Session-Id = "00000001""#, String(forged)])
                #expect(refusal.values("Error-Cause") == ["Session-Context-Not-Found"], "\(refusal.transcript)")
            }
        }

        @Test func nobodyReachesSessionsOfOthers() async throws {
            try await Scene.with { scene in
                try await scene.beginSession("S-1")
                try await scene.beginSession("S-2", user: "alice")
                for session in ["S-1", "S-2"] {
                    for command in ["disconnect", "coa"] {
                        let refusal = try await scene.ask(command, from: "127.0.0.2", ["Acct-Session-Id = \"\(session)\""])
                        #expect(refusal.values("Error-Cause") == ["Session-Context-Not-Found"], "\(refusal.transcript)")
                    }
                }
                let own = try await scene.ask("disconnect", [#"User-Name = "alice""#, #"Acct-Session-Id = "S-2""#])
                #expect(own.values("Error-Cause") == ["Session-Context-Not-Found"], "\(own.transcript)")
                #expect(scene.nas.requests.isEmpty)
                #expect(try await scene.owner.list("dynamic-authorizations").isEmpty)
            }
        }

        @Test func whatARuleForwardedIsItsPartnersAlone() async throws {
            try await Scene.with { scene in
                try await scene.owner.create(
                    "policy-rules",
                    #"{"name":"ruled","priority":10,"forward_to":"other","condition":"nas.name == \"\#(scene.record.name)\""}"#)
                try await eventually {
                    try await scene.owner.act("realms/match?username=\(Scene.user)&nas=\(scene.record.name)")["realm"]?.text == "other"
                }
                // One whose name is another partner's, and one whose name is of no realm.
                try await scene.beginSession("S-1")
                try await scene.beginSession("S-2", user: "guest")
                let shown = try await scene.owner.list("sessions?username=\(Scene.user)")
                #expect(shown.map { $0["forwarded_realm"]?.text } == ["other"], "\(shown)")
                for names in [[#"User-Name = "bob""#, #"Acct-Session-Id = "S-1""#], [#"Acct-Session-Id = "S-2""#]] {
                    let refusal = try await scene.ask("disconnect", names)
                    #expect(refusal.values("Error-Cause") == ["Session-Context-Not-Found"], "\(refusal.transcript)")
                }
                #expect(scene.nas.requests.isEmpty)
                let change = try await scene.ask("coa", from: "127.0.0.2", [#"User-Name = "guest""#, "Session-Timeout = 60"])
                #expect(change.code == "CoA-ACK", "\(change.transcript)")
                let end = try await scene.ask(
                    "disconnect", from: "127.0.0.2", [#"User-Name = "bob""#, #"Acct-Session-Id = "S-1""#])
                #expect(end.code == "Disconnect-ACK", "\(end.transcript)")
                try await eventually { scene.nas.requests.count == 2 }
                #expect(scene.nas.requests.last?.contains("User-Name = \"\(Scene.user)\"") == true, "\(scene.nas.requests)")
            }
        }

        /// Our own requests find their way back through a proxy that the session came in through.
        @Test func whatAProxyCallsTheNASGoesBackToIt() async throws {
            try await Scene.with { scene in
                let name = "Operator-NAS-Identifier = 0x67772d3700ff"
                try await scene.beginSession("S-1", user: "through-a-proxy", [name])
                try await scene.beginSession("S-2", user: "straight")
                for (user, shown) in [("through-a-proxy", "67772d3700ff"), ("straight", nil)] as [(String, String?)] {
                    let session = try #require(try await scene.owner.list("sessions?username=\(user)").first)
                    #expect(session["operator_nas_identifier"]?.text == shown, "\(session)")
                    let id = try #require(session["id"]?.integer)
                    #expect(try await scene.owner.act("sessions/\(id)/disconnect")["outcome"]?.text == "ack")
                }
                try await eventually { scene.nas.requests.count(where: { $0.contains("Sent Disconnect-ACK") }) == 2 }
                let heard = scene.nas.requests
                #expect(heard.map { $0.contains(name) } == [true, false], "\(heard)")
                #expect(heard.allSatisfy { $0.hasPrefix("Disconnect-Request") }, "\(heard)")
                #expect(heard.last?.contains("Operator-NAS-Identifier") == false, "\(heard)")
            }
        }

        /// The attribute for radclient that the partner's log shows, of the last request that had one.
        private static func token(in transcript: String) -> String? {
            transcript.split(separator: "\n").last { $0.contains("Operator-NAS-Identifier = ") }
                .flatMap { $0.split(separator: "Operator-NAS-Identifier").last }.map { "Operator-NAS-Identifier" + $0 }
        }
    }
}
