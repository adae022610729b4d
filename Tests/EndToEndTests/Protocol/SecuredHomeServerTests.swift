import Support
import Testing

extension ProtocolTests {
    /// Home servers over TLS and DTLS: Debian's radsecproxy, which hands on to freeradius.
    @Suite struct SecuredHomeServers {
        private static let user = "bob@partner.example"

        private static func pki(_ directory: String, _ arguments: String...) async throws {
            let result = try await Tool.run("lastmile", ["pki"] + arguments + ["--directory", directory])
            #expect(result.status == 0, "\(result.errors)")
        }

        private struct Setting {
            let daemon: DaemonProcess
            let tool: CommandLineTool
            let home: FreeRADIUS
            let directory: String
            var pki: String { directory + "/pki" }
        }

        /// A daemon and a freeradius, with certificates for the way between them.
        private static func with(_ body: (Setting) async throws -> Void) async throws {
            try await TemporaryDirectory.use { directory in
                let pki = directory + "/pki"
                try await Self.pki(pki, "init", "--common-name", "Roaming")
                try await Self.pki(pki, "issue", "server", "--common-name", "radius.example.net")
                try await Self.pki(pki, "issue", "radsec", "--common-name", "gw1.example.net")
                let settings = [
                    "LASTMILE_RADSEC_CERTIFICATE": "\(pki)/issued/gw1.example.net.pem", "LASTMILE_RADSEC_AUTHORITY": "\(pki)/ca.pem",
                ]
                let home = try await FreeRADIUS.home(user: user, in: directory)
                defer { home.stop() }
                try await DaemonProcess.run(settings) { daemon in
                    try await body(Setting(daemon: daemon, tool: CommandLineTool(daemon), home: home, directory: directory))
                }
            }
        }

        private static func run(_ setting: Setting, _ arguments: String...) async throws {
            let result = try await Tool.run("lastmile", arguments, settings: setting.tool.settings)
            #expect(result.status == 0, "\(result.errors)")
        }

        /// Has the daemon ask the proxy, and waits for the first login.
        private static func forward(_ setting: Setting, to proxy: RadSecProxy, over transport: String) async throws {
            try await run(
                setting, "home-server", "create", "--name", "home", "--address", "127.0.0.1", "--transport", transport, "--auth-port",
                "\(proxy.port)", "--secret", "not-the-one-of-the-way", "--tls-name", "radius.example.net", "--response-milliseconds",
                "3000")
            try await run(setting, "home-server-pool", "create", "--name", "home", "--server", "home")
            try await run(
                setting, "realm", "create", "--name", "partner", "--realm", "partner.example", "--pool", "home", "--accounting-pool",
                "home")
            try await logsIn(setting)
        }

        private static func logsIn(_ setting: Setting) async throws {
            try await eventually {
                let reply = try await Radclient(setting.daemon).impatient.login(user, FreeRADIUS.password)
                return reply.code == "Access-Accept" && reply.values("Reply-Message") == ["from home"]
            }
        }

        private static func status(_ setting: Setting) async throws -> JSONValue? {
            try await Operator(setting.daemon).act("home-servers/status")["home_servers"]?.elements.first
        }

        @Test(arguments: ["tls", "dtls"])
        func logInsAccountingAndEAPGoThrough(transport: String) async throws {
            try await Self.with { setting in
                let proxy = try await RadSecProxy.home(before: setting.home, pki: setting.pki, over: transport, in: setting.directory)
                defer { proxy.stop() }
                try await Self.forward(setting, to: proxy, over: transport)
                let reject = try await Radclient(setting.daemon).login(Self.user, "wonderland")
                #expect(reject.code == "Access-Reject", "\(reject.transcript)\(proxy.transcript)")
                let eap = try await EAPOLTest(
                    port: setting.daemon.authenticationPort, secret: "testing123", method: "MSCHAPV2", user: Self.user,
                    password: FreeRADIUS.password, expectsKeys: true
                ).run()
                #expect(eap.isSuccess && eap.keysMatched == 1, "\(eap.transcript)\(proxy.transcript)")
                let start = try await Radclient(setting.daemon).account("Start", session: "over-\(transport)", user: Self.user)
                #expect(start.code == "Accounting-Response", "\(start.transcript)")
                try await eventually { TextFile.read(setting.directory + "/detail").contains("over-\(transport)") }
                let status = try await Self.status(setting)
                #expect(status?["transport"]?.text == transport && status?["state"]?.text == "alive", "\(String(describing: status))")
                #expect(status?["connection_failure"] == .null)
            }
        }

        /// It is killed, so it says no goodbye; over DTLS only its silence tells.
        @Test(arguments: ["tls", "dtls"])
        func aHomeServerThatComesBackIsFoundAgain(transport: String) async throws {
            try await Self.with { setting in
                let proxy = try await RadSecProxy.home(before: setting.home, pki: setting.pki, over: transport, in: setting.directory)
                try await Self.forward(setting, to: proxy, over: transport)
                proxy.stop()
                try await eventually {
                    _ = try await Radclient(setting.daemon).impatient.login(Self.user, FreeRADIUS.password)
                    return try await Self.status(setting)?["connection_failure"]?.text?.isEmpty == false
                }
                let next = try await RadSecProxy.home(
                    before: setting.home, pki: setting.pki, over: transport, port: proxy.port, in: setting.directory)
                defer { next.stop() }
                try await Self.logsIn(setting)
                #expect(try await Self.status(setting)?["connection_failure"] == .null)
            }
        }

        @Test func theCommandLineAsksItOverDTLS() async throws {
            try await Self.with { setting in
                let proxy = try await RadSecProxy.home(before: setting.home, pki: setting.pki, over: "dtls", in: setting.directory)
                defer { proxy.stop() }
                let common =
                    ["radius", "test", "127.0.0.1:\(proxy.port)", "--transport", "dtls", "--timeout", "30"]
                    + ["--ca", "\(setting.pki)/ca.pem"]
                let ours = ["--cert", "\(setting.pki)/issued/gw1.example.net.pem"]
                func ask(_ arguments: [String]) async throws -> ToolResult {
                    try await Tool.run("lastmile", common + arguments, settings: setting.tool.settings)
                }
                let login = ["--user", Self.user, "--password", FreeRADIUS.password, "--server-name", "radius.example.net"]
                // It may not listen yet.
                try await eventually { try await ask(ours + login).output.contains("from home") }
                let alive = try await ask(ours + ["--status", "--server-name", "radius.example.net"])
                #expect(alive.status == 0, "\(alive.output)\(alive.errors)")
                let other = try await ask(ours + ["--status", "--server-name", "other.example.net"])
                #expect(other.status == 6 && other.errors.contains("it belongs to another server"), "\(other.errors)")
                let without = try await ask(["--status"])
                #expect(without.status == 2 && without.errors.contains("--cert is missing"), "\(without.errors)")
            }
        }
    }
}
