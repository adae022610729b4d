import Support
import Testing

extension ProtocolTests {
    /// NAS behind one address, told apart by NAS-Identifier, with radclient and simulated NAS as peers.
    @Suite struct SharedAddresses {
        /// Two NAS at one address that differ in secret, make and huntgroup; known to the daemon.
        private struct Scene {
            let daemon: DaemonProcess
            let owner: Operator
            let tool: CommandLineTool
            let first: TestNAS
            let second: TestNAS
            let user: String
            static let secondSecret = "another-secret-of-one-test"

            static func open() async throws -> Scene {
                let daemon = try await SharedDaemon.get()
                let (owner, tool) = (Operator(daemon), CommandLineTool(daemon))
                let number = await Serial.next()
                let address = "127.78.\(number / 250).\(number % 250 + 1)"
                let first = TestNAS(name: "ap-\(number)-1", address: address, vendor: "mikrotik")
                let second = TestNAS(name: "ap-\(number)-2", address: address, vendor: "cisco")
                let scene = Scene(
                    daemon: daemon, owner: owner, tool: tool, first: first, second: second,
                    user: try await TestSubscriber.create(owner).awaited(owner).name)
                try await scene.create(first, identifier: first.name, secret: TestNAS.secret, more: ["--huntgroup", first.name])
                try await scene.create(second, identifier: second.name, secret: secondSecret, more: ["--huntgroup", second.name])
                try await eventually { try await scene.login(as: first.name, TestNAS.secret).code == "Access-Accept" }
                return scene
            }

            func create(_ nas: TestNAS, identifier: String?, secret: String, more: [String] = []) async throws {
                let named = identifier.map { ["--nas-identifier", $0] } ?? []
                let place = ["--name", nas.name, "--address", nas.address + "/32"]
                let made = try await Tool.run(
                    "lastmile", ["nas", "create", "--secret", secret, "--vendor", nas.vendor] + place + named + more,
                    settings: tool.settings)
                #expect(made.status == 0, "\(made)")
            }

            /// A login of the NAS that says it is `identifier`; an empty one says nothing.
            func login(as identifier: String, _ secret: String) async throws -> RadclientReply {
                var client = Radclient(daemon, as: first).impatient
                client.secret = secret
                if identifier.isEmpty { return try await client.login(user) }
                return try await client.login(user, TestSubscriber.password, #"NAS-Identifier = "\#(identifier)""#)
            }
        }

        @Test func eachHasItsSecretItsMakeAndItsHuntgroup() async throws {
            let scene = try await Scene.open()
            let (first, second) = (scene.first, scene.second)
            let rule = try await scene.tool.run(
                "policy-rule", "create", "--name", second.name, "--priority", "10", "--condition", "nas.huntgroup == \"\(second.name)\"",
                "--add-attribute", "Filter-Id=of-the-second")
            #expect(rule.status == 0, "\(rule)")
            try await eventually {
                try await scene.login(as: second.name, Scene.secondSecret).values("Filter-Id") == ["of-the-second"]
            }
            let other = try await scene.login(as: second.name, Scene.secondSecret)
            #expect(!other.values("Cisco-AVPair").isEmpty && other.values("Mikrotik-Rate-Limit").isEmpty, "\(other.transcript)")
            let one = try await scene.login(as: first.name, TestNAS.secret)
            #expect(!one.values("Mikrotik-Rate-Limit").isEmpty && one.values("Filter-Id").isEmpty, "\(one.transcript)")
            // Neither may speak for the other, and nobody for one that is not there.
            #expect(try await scene.login(as: first.name, Scene.secondSecret).code == nil)
            #expect(try await scene.login(as: second.name, TestNAS.secret).code == nil)
            #expect(try await scene.login(as: "ap-nobody", TestNAS.secret).code == nil)
            #expect(try await scene.login(as: "", TestNAS.secret).code == nil)
            try await eventually {
                let logged = try await scene.owner.list("auth-log?user=\(scene.user)").compactMap { $0["nas"]?.text }
                return Set(logged) == [first.name, second.name]
            }

            let rest = TestNAS(name: first.name + "-rest", address: first.address, vendor: "mikrotik")
            try await scene.create(rest, identifier: nil, secret: "secret-of-all-others")
            try await eventually { try await scene.login(as: "", "secret-of-all-others").code == "Access-Accept" }
            #expect(try await scene.login(as: "ap-nobody", "secret-of-all-others").code == "Access-Accept")
            #expect(try await scene.login(as: first.name, "secret-of-all-others").code == nil)
            try await scene.owner.delete("policy-rules/\(second.name)")
        }

        @Test func whatTheAddressHasAlreadyIsAConflict() async throws {
            let scene = try await Scene.open()
            let twin = try await scene.tool.run(
                "nas", "create", "--name", scene.first.name + "-twin", "--address", scene.first.address + "/32", "--secret", "s",
                "--nas-identifier", scene.first.name)
            #expect(twin.status == 5 && twin.errors.contains("nas_identifier"), "\(twin)")
        }

        @Test func sessionsAreOfTheirNASAndDisconnectNamesIt() async throws {
            let scene = try await Scene.open()
            let first = try await Simulator.start(scene.daemon, as: scene.first, user: scene.user)
            defer { first.tool.remove() }
            let second = try await Simulator.start(
                scene.daemon, as: scene.second, user: scene.user, options: ["--secret", Scene.secondSecret])
            defer { second.tool.remove() }
            try await eventually { try await scene.owner.list("sessions?user=\(scene.user)&state=open").count == 2 }
            let sessions = try await scene.owner.list("sessions?user=\(scene.user)&state=open")
            #expect(Set(sessions.compactMap { $0["nas"]?.text }) == [scene.first.name, scene.second.name])
            let id = try #require(sessions.first { $0["nas"]?.text == scene.second.name }?["id"]?.integer)
            let result = try await scene.tool.run("session", "disconnect", "\(id)")
            #expect(result.status == 0 && result.output.contains("ack"), "\(result)")
            let event = try await second.event("disconnected")
            #expect(first.count("disconnected") == 0, "\(event)")
        }
    }
}
