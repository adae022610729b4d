import Support
import Testing

extension ProtocolTests {
    /// RADIUS/1.1 between daemons of ours and our own tools, and RADIUS/1.0 with Debian's radsecproxy, which knows no ALPN.
    @Suite struct RadiusVersion {
        /// Makes an authority with two certificates that are good for both ends of TLS.
        private static func withCertificates(_ body: (_ pki: String, _ directory: String) async throws -> Void) async throws {
            try await TemporaryDirectory.use { directory in
                let pki = directory + "/pki"
                let steps = [
                    ["init", "--common-name", "Example Access"], ["issue", "radsec", "--common-name", "radius.example.net"],
                    ["issue", "radsec", "--common-name", "gw1.example.net"],
                ]
                for step in steps {
                    let result = try await Tool.run("lastmile", ["pki"] + step + ["--directory", pki])
                    #expect(result.status == 0, "\(result.errors)")
                }
                try await body(pki, directory)
            }
        }

        private static func settings(_ pki: String, versions: String = "1.0,1.1") -> [String: String] {
            [
                "LASTMILE_RADSEC_CERTIFICATE": "\(pki)/issued/radius.example.net.pem", "LASTMILE_RADSEC_AUTHORITY": "\(pki)/ca.pem",
                "LASTMILE_RADSEC_VERSIONS": versions, "LASTMILE_RADIUS_REJECT_DELAY_MILLISECONDS": "0",
            ]
        }

        private static func test(
            _ daemon: DaemonProcess, port: UInt16, _ pki: String, name: String, _ more: [String]
        ) async throws -> ToolResult {
            let common = ["radius", "test", "127.0.0.1:\(port)", "--transport", "tls", "--timeout", "30", "--server-name", name]
            let files = ["--ca", "\(pki)/ca.pem", "--cert", "\(pki)/issued/gw1.example.net.pem"]
            return try await Tool.run("lastmile", common + files + more, settings: CommandLineTool(daemon).settings)
        }

        private static func figure(_ daemon: DaemonProcess, _ name: String) async throws -> Int {
            let text = try await daemon.client.send("GET", "/metrics").text
            let line = text.split(separator: "\n").first { $0.hasPrefix("lastmile_\(name) ") }
            return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
        }

        @Test func theCommandLineSpeaksBoth() async throws {
            try await Self.withCertificates { pki, _ in
                try await DaemonProcess.run(Self.settings(pki)) { daemon in
                    let test = { (more: [String]) in
                        try await Self.test(daemon, port: daemon.radSecPort, pki, name: "radius.example.net", more)
                    }
                    for method in ["pap", "chap", "mschap", "mschapv2"] {
                        let yes = try await test(["--user", "alice", "--password", "wonderland", "--method", method])
                        #expect(yes.status == 0 && yes.errors.contains("RADIUS/1.1"), "\(method): \(yes.output)\(yes.errors)")
                        #expect(yes.output.contains("Mikrotik-Rate-Limit"), "\(method): \(yes.output)")
                        let no = try await test(["--user", "alice", "--password", "looking-glass", "--method", method])
                        #expect(no.status == 4, "\(method): \(no.output)\(no.errors)")
                    }
                    for more in [["--status"], ["--acct", "start", "--user", "alice"]] {
                        let answer = try await test(more)
                        #expect(answer.status == 0 && answer.errors.contains("RADIUS/1.1"), "\(answer.output)\(answer.errors)")
                    }
                    let old = try await test(["--status", "--versions", "1.0", "-o", "json"])
                    #expect(old.status == 0 && old.output.contains(#""radius_version": "1.0""#), "\(old.output)\(old.errors)")
                    #expect(try await Self.figure(daemon, #"stream_versions_total{version="1.1"}"#) == 10)
                    #expect(try await Self.figure(daemon, #"stream_versions_total{version="1.0"}"#) == 1)
                    #expect(try await test(["--status", "--versions", "1.2"]).status == 2)
                }
            }
        }

        @Test func whoDemands11RefusesOthersAndTheLogSaysWhy() async throws {
            try await Self.withCertificates { pki, directory in
                try await DaemonProcess.run(Self.settings(pki, versions: "1.1")) { daemon in
                    let name = "radius.example.net"
                    let new = try await Self.test(daemon, port: daemon.radSecPort, pki, name: name, ["--status", "--versions", "1.1"])
                    #expect(new.status == 0, "\(new.errors)")
                    let old = try await Self.test(daemon, port: daemon.radSecPort, pki, name: name, ["--status", "--versions", "1.0"])
                    #expect(old.status == 6 && old.errors.contains("no application protocol in common"), "\(old.errors)")
                    let proxy = try await RadSecProxy.start(to: daemon, pki: pki, in: directory)
                    defer { proxy.stop() }
                    try await eventually { daemon.output.contains("radsec.versions demands 1.1") }
                    #expect(try await Self.figure(daemon, #"stream_refused_total{transport="tls",reason="version_missing"}"#) >= 1)
                }
            }
        }

        /// The daemon has one home server for all names without a realm; `isThere` waits for the connection to it.
        private static func withHome(
            _ pki: String, port: UInt16, name: String, versions: String,
            _ body: (_ daemon: DaemonProcess, _ isThere: (String) async throws -> Void) async throws -> Void
        ) async throws {
            try await DaemonProcess.run(settings(pki)) { daemon in
                let owner = Operator(daemon)
                try await owner.create(
                    "home-servers",
                    #"{"name":"home","address":"127.0.0.1","transport":"tls","auth_port":\#(port),"tls_name":"\#(name)""#
                        + #","secret":"not-used-over-tls","radius_versions":"\#(versions)","response_milliseconds":20000}"#)
                try await owner.create("home-server-pools", #"{"name":"home","servers":["home"]}"#)
                try await owner.create("realms", #"{"name":"home","kind":"null","pool":"home","accounting_pool":"home"}"#)
                try await body(daemon) { version in
                    try await eventually {
                        let status = try await owner.act("home-servers/status")["home_servers"]?.elements.first
                        return status?["radius_version"]?.text == version
                    }
                }
            }
        }

        @Test func aDaemonForwardsToADaemon() async throws {
            try await Self.withCertificates { pki, _ in
                try await DaemonProcess.run(Self.settings(pki, versions: "1.1")) { home in
                    let name = "radius.example.net"
                    try await Self.withHome(pki, port: home.radSecPort, name: name, versions: "1.0,1.1") { daemon, isThere in
                        try await isThere("1.1")
                        for method in ["pap", "chap", "mschap"] {
                            let accept = try await Radtest.run(daemon, method: method, user: "alice", password: "wonderland")
                            #expect(accept.code == "Access-Accept", "\(method): \(accept.transcript)")
                            let reject = try await Radtest.run(daemon, method: method, user: "alice", password: "looking-glass")
                            #expect(reject.code == "Access-Reject", "\(method): \(reject.transcript)")
                        }
                        let outcome = try await EAPOLTest(
                            port: daemon.authenticationPort, secret: "testing123", method: "MSCHAPV2", user: "alice",
                            password: "wonderland", expectsKeys: true
                        ).run()
                        #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
                        let session = "forwarded-\(await Serial.next())"
                        let record = try await Radclient(daemon).account("Start", session: session, user: "alice")
                        #expect(record.code == "Accounting-Response")
                        try await eventually { try await Operator(home).list("sessions?username=alice").count == 1 }
                    }
                }
            }
        }

        @Test func aHomeServerWithoutALPNIsAskedBy10() async throws {
            try await Self.withCertificates { pki, directory in
                let server = try await FreeRADIUS.home(user: "bob", in: directory)
                defer { server.stop() }
                let proxy = try await RadSecProxy.home(before: server, pki: pki, over: "tls", in: directory)
                defer { proxy.stop() }
                try await Self.withHome(pki, port: proxy.port, name: "radius.example.net", versions: "1.0,1.1") { daemon, isThere in
                    try await isThere("1.0")
                    for method in ["pap", "chap", "mschap"] {
                        let accept = try await Radtest.run(daemon, method: method, user: "bob", password: FreeRADIUS.password)
                        #expect(accept.values("Reply-Message") == ["from home"], "\(accept.transcript)\(proxy.transcript)")
                    }
                    let test = { (more: [String]) in
                        let login = ["--user", "bob", "--password", FreeRADIUS.password]
                        return try await Self.test(daemon, port: proxy.port, pki, name: "radius.example.net", login + more)
                    }
                    let old = try await test([])
                    #expect(old.status == 0 && old.errors.contains("RADIUS/1.0"), "\(old.output)\(old.errors)")
                    let new = try await test(["--versions", "1.1"])
                    #expect(new.status == 6 && new.errors.contains("here 1.1 is demanded"), "\(new.errors)")
                    _ = try await CommandLineTool(daemon).run("home-server", "update", "home", "--radius-versions", "1.1")
                    try await eventually { try await Self.figure(daemon, Self.failures) >= 1 }
                    let status = try await CommandLineTool(daemon).run("home-server", "status")
                    #expect(!status.output.contains("\t1.0\t"), "\(status.output)")
                }
            }
        }

        private static let failures = #"home_server_packets_total{tenant="1",home_server="home",kind="connection_failures"}"#
    }
}
