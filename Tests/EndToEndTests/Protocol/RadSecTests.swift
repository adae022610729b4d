import Glibc
import Support
import Testing

extension ProtocolTests {
    /// RADIUS over TLS, DTLS and TCP, with Debian's radsecproxy as the peer.
    @Suite struct RadSec {
        private static let server = "radius.example.net"

        /// A daemon that has been told of certificates which `lastmile pki` makes only after its start.
        private static func with(
            _ body: (_ daemon: DaemonProcess, _ tool: CommandLineTool, _ pki: String) async throws -> Void
        ) async throws {
            try await TemporaryDirectory.use { directory in
                let pki = directory + "/pki"
                let settings = [
                    "LASTMILE_RADSEC_CERTIFICATE": "\(pki)/issued/\(server).pem", "LASTMILE_RADSEC_AUTHORITY": "\(pki)/ca.pem",
                    "LASTMILE_RADIUS_TCP": "yes", "LASTMILE_RADSEC_DTLS": "yes", "LASTMILE_RADIUS_REJECT_DELAY_MILLISECONDS": "0",
                ]
                try await DaemonProcess.run(settings) { daemon in
                    let tool = CommandLineTool(daemon)
                    #expect(daemon.output.contains("RADIUS over TLS is off until this is mended"))
                    #expect(daemon.output.contains(" radsec-off=") && !daemon.output.contains(" radsec="))
                    try await issue(tool, pki, "init", "--common-name", "Example Access")
                    try await issue(tool, pki, "issue", "server", "--common-name", server)
                    try await issue(tool, pki, "issue", "radsec", "--common-name", "gw1.example.net")
                    try await eventually { daemon.output.contains("RADIUS over TLS is on") }
                    try await body(daemon, tool, pki)
                }
            }
        }

        private static func issue(_ tool: CommandLineTool, _ pki: String, _ arguments: String...) async throws {
            let result = try await Tool.run("lastmile", ["pki"] + arguments + ["--directory", pki], settings: tool.settings)
            #expect(result.status == 0, "\(result.errors)")
        }

        private static func figure(_ daemon: DaemonProcess, _ name: String) async throws -> Int {
            let text = try await daemon.client.send("GET", "/metrics").text
            return text.split(separator: "\n").first { $0.hasPrefix("lastmile_\(name) ") }?.split(separator: " ").last.flatMap { Int($0) }
                ?? 0
        }

        @Test(arguments: ["tls", "dtls"])
        func logInsAccountingAndEAPComeThroughTheProxy(transport: String) async throws {
            try await Self.with { daemon, _, pki in
                try await TemporaryDirectory.use { directory in
                    let proxy = try await RadSecProxy.start(to: daemon, pki: pki, over: transport, in: directory)
                    defer { proxy.stop() }
                    let client = Radclient(daemon)
                    let login = [#"User-Name = "alice""#, #"User-Password = "wonderland""#, "Message-Authenticator = 0x00"]
                    let accept = try await client.send("auth", login, port: proxy.port)
                    #expect(
                        accept.code == "Access-Accept" && !accept.values("Mikrotik-Rate-Limit").isEmpty,
                        "\(accept.transcript)\(proxy.transcript)")
                    let wrong = [#"User-Name = "alice""#, #"User-Password = "looking-glass""#, "Message-Authenticator = 0x00"]
                    #expect(try await client.send("auth", wrong, port: proxy.port).code == "Access-Reject")
                    let start = [
                        "Acct-Status-Type = Start", #"Acct-Session-Id = "over-tls""#, #"User-Name = "alice""#, "NAS-Port = 7",
                    ]
                    #expect(try await client.send("acct", start, port: proxy.port).code == "Accounting-Response")
                    let owner = Operator(daemon)
                    try await eventually { try await owner.list("sessions?username=alice").count == 1 }
                    var eap = EAPOLTest(
                        port: proxy.port, secret: "testing123", method: "MSCHAPV2", user: "alice", password: "wonderland", expectsKeys: true
                    )
                    eap.repetitions = Scale.of(1, large: 50)
                    let outcome = try await eap.run()
                    #expect(outcome.isSuccess && outcome.keysMatched == eap.repetitions + 1, "\(outcome.transcript)")
                    #expect(try await Self.figure(daemon, #"stream_connections{tenant="1",nas="loopback",transport="\#(transport)"}"#) == 1)
                    #expect(try await Self.figure(daemon, "stream_handshakes_total") == 1)
                    let cookies = try await Self.figure(daemon, "dtls_hello_verify_requests_total")
                    #expect((cookies > 0) == (transport == "dtls"))
                }
            }
        }

        @Test func aNASThatNobodyCanReachIsToldOverItsOwnConnection() async throws {
            try await Self.with { daemon, tool, pki in
                let owner = Operator(daemon)
                let change = try await tool.run("nas", "update", "loopback", "--coa-over", "connection")
                #expect(change.status == 0, "\(change.errors)")
                let nas = ConnectedNAS(to: daemon, pki: pki)
                defer { nas.stop() }
                // Acct-Status-Type Start, Acct-Session-Id, User-Name.
                try nas.account([40, 6, 0, 0, 0, 1, 44, 3, 0x41, 1, 7] + Array("alice".utf8))
                try await eventually { try await owner.list("sessions?username=alice&state=open").count == 1 || nas.ending != nil }
                let id = try #require(try await owner.list("sessions?username=alice").first?["id"]?.integer, "\(nas.ending ?? "")")
                #expect(try await owner.act("sessions/\(id)/coa")["outcome"]?.text == "ack")
                let end = try await tool.run("session", "disconnect", "\(id)")
                #expect(end.status == 0, "\(end)")
                #expect(nas.heard == ["CoA-Request", "Disconnect-Request"])
                #expect(try await Self.figure(daemon, #"coa_connection_requests_total{outcome="ack"}"#) == 2)
                nas.stop()
                let connected = #"stream_connections{tenant="1",nas="loopback",transport="tls"}"#
                try await eventually { try await Self.figure(daemon, connected) == 0 }
                let alone = try await tool.run("session", "disconnect", "\(id)")
                #expect(alone.status != 0 && alone.output.contains("has none to this node"), "\(alone)")
            }
        }

        @Test func aCertificateOfAnotherNASIsRefusedAndTheLogSaysWhy() async throws {
            try await Self.with { daemon, tool, pki in
                try await TemporaryDirectory.use { directory in
                    let nas = try await TestNAS.create(Operator(daemon), fields: #","tls_identity":"gw2.example.net""#)
                    // Before that its address is the demonstration's, which lets any certificate in.
                    try await eventually { try await daemon.client.send("GET", "/metrics").text.contains(#"nas="\#(nas.name)""#) }
                    let proxy = try await RadSecProxy.start(to: daemon, pki: pki, from: nas.address, in: directory)
                    defer { proxy.stop() }
                    try await eventually { daemon.output.contains("the certificate or key names gw1.example.net") }
                    let reason = #"stream_refused_total{transport="tls",reason="certificate_wrong_identity"}"#
                    #expect(try await Self.figure(daemon, reason) >= 1)
                    // Mended while the daemon runs. The proxy waits between two tries as long as it has tried; a new one tries at once.
                    proxy.stop()
                    let change = try await tool.run("nas", "update", nas.name, "--tls-identity", "*.example.net")
                    #expect(change.status == 0, "\(change.errors)")
                    let next = try await RadSecProxy.start(to: daemon, pki: pki, from: nas.address, in: directory)
                    defer { next.stop() }
                    let connected = #"stream_connections{tenant="1",nas="\#(nas.name)",transport="tls"}"#
                    try await eventually { try await Self.figure(daemon, connected) == 1 }
                }
            }
        }

        @Test func opensslsClientShakesHandsOverDTLSAndAStrangerDoesNot() async throws {
            try await Self.with { daemon, tool, pki in
                try await TemporaryDirectory.use { directory in
                    try await Self.issue(tool, directory + "/pki", "init", "--common-name", "Somebody Else")
                    try await Self.issue(tool, directory + "/pki", "issue", "radsec", "--common-name", "gw1.example.net")
                    for (folder, isTaken) in [(pki, true), (directory + "/pki", false)] {
                        let stem = folder + "/issued/gw1.example.net"
                        let result = try await Tool.run(
                            "openssl",
                            ["s_client", "-dtls1_2", "-connect", "127.0.0.1:\(daemon.dtlsPort)", "-CAfile", "\(pki)/ca.pem"]
                                + ["-verify_return_error", "-cert", stem + ".pem", "-key", stem + ".key"])
                        #expect((result.status == 0) == isTaken, "\(result.output)\(result.errors)")
                    }
                    try await eventually { daemon.output.contains("none of the authorities that are trusted here signed it") }
                    let reason = #"stream_refused_total{transport="dtls",reason="certificate_unknown_authority"}"#
                    #expect(try await Self.figure(daemon, reason) == 1)
                    #expect(try await Self.figure(daemon, "stream_handshakes_total") == 1)
                }
            }
        }

        @Test func aStrangersCertificateIsRefusedAndTheLogSaysWhy() async throws {
            try await Self.with { daemon, tool, _ in
                try await TemporaryDirectory.use { directory in
                    try await Self.issue(tool, directory + "/pki", "init", "--common-name", "Somebody Else")
                    try await Self.issue(tool, directory + "/pki", "issue", "radsec", "--common-name", "gw1.example.net")
                    let stem = directory + "/pki/issued/gw1.example.net"
                    let result = try await Tool.run(
                        "openssl",
                        [
                            "s_client", "-connect", "127.0.0.1:\(daemon.radSecPort)", "-cert", stem + ".pem", "-key", stem + ".key",
                            "-tls1_3",
                        ])
                    #expect(result.output.contains("CONNECTED"))
                    try await eventually { daemon.output.contains("none of the authorities that are trusted here signed it") }
                }
            }
        }

        @Test func aRenewedCertificateIsShownWithoutARestart() async throws {
            try await Self.with { daemon, tool, pki in
                try await Self.issue(tool, pki, "issue", "server", "--common-name", Self.server, "--replace", "--dns", "new.example.net")
                try await eventually { daemon.output.contains("new connections get the new files of radsec") }
                let shown = try await Tool.run(
                    "openssl", ["s_client", "-connect", "127.0.0.1:\(daemon.radSecPort)", "-tls1_2", "-servername", "x"])
                let text = try await Tool.run("openssl", ["x509", "-noout", "-ext", "subjectAltName"], input: shown.output)
                #expect(text.output.contains("new.example.net"), "\(text.output)\(text.errors)")
            }
        }

        @Test func filesThatGoAndComeBackAreToldOfOnceEach() async throws {
            try await Self.with { daemon, _, pki in
                #expect(try await Self.figure(daemon, "radsec_certificates_broken") == 0)
                try #require(rename(pki + "/issued", pki + "/away") == 0)
                try await eventually { try await Self.figure(daemon, "radsec_certificates_broken") == 1 }
                try await eventually { daemon.output.contains("the files of radsec cannot be used, what was in force before stays: ") }
                try #require(rename(pki + "/away", pki + "/issued") == 0)
                try await eventually { daemon.output.contains("the files of radsec are as they were") }
                #expect(try await Self.figure(daemon, "radsec_certificates_broken") == 0)
            }
        }

        @Test func preSharedKeysThatOthersMayReadAreWarnedOf() async throws {
            try await TemporaryDirectory.use { directory in
                let keys = directory + "/keys"
                try TextFile.write("gw1:9f0c6c1b7d5a44e29b1d0a7f3e2c5b48\n", to: keys)
                var settings = DaemonProcess.variables(state: directory)
                settings["LASTMILE_RADSEC_CERTIFICATE"] = directory + "/missing.pem"
                settings["LASTMILE_RADSEC_PRESHARED_KEYS"] = keys
                for (mode, isWarnedOf) in [(mode_t(0o644), true), (0o640, false)] {
                    try #require(chmod(keys, mode) == 0)
                    let result = try await Tool.run("lastmiled", ["check"], settings: settings)
                    #expect(result.errors.contains("run: chmod o= \(keys)") == isWarnedOf, "\(result)")
                }
            }
        }

        @Test func radclientGetsItsAnswerOverTCP() async throws {
            try await Self.with { daemon, _, _ in
                #expect(daemon.tcpAuthenticationPort != 0)
                let proxy = Radclient(daemon)
                let lines = [#"User-Name = "bob""#, #"User-Password = "wonderland""#, "Message-Authenticator = 0x00"]
                let result = try await Tool.run(
                    "radclient",
                    ["-x", "-P", "tcp", "-t", "30", "-r", "1", "127.0.0.1:\(daemon.tcpAuthenticationPort)", "auth", proxy.secret],
                    input: lines.joined(separator: "\n") + "\n")
                #expect(RadclientReply(result.output + result.errors).code == "Access-Accept", "\(result.output)\(result.errors)")
            }
        }

        @Test(arguments: ["tls", "dtls", "tcp"])
        func theCommandLineTestsOverIt(transport: String) async throws {
            try await Self.with { daemon, tool, pki in
                let port = ["tls": daemon.radSecPort, "dtls": daemon.dtlsPort][transport] ?? daemon.tcpAuthenticationPort
                let files = ["--ca", "\(pki)/ca.pem", "--cert", "\(pki)/issued/gw1.example.net.pem", "--server-name", Self.server]
                let common = ["radius", "test", "127.0.0.1:\(port)", "--transport", transport, "--timeout", "30", "--user", "alice"]
                let rest = transport == "tcp" ? ["--secret", "testing123"] : files
                let yes = try await Tool.run("lastmile", common + ["--password", "wonderland"] + rest, settings: tool.settings)
                #expect(yes.status == 0 && yes.output.contains("Mikrotik-Rate-Limit"), "\(yes.output)\(yes.errors)")
                let no = try await Tool.run("lastmile", common + ["--password", "looking-glass"] + rest, settings: tool.settings)
                #expect(no.status == 4, "\(no.output)\(no.errors)")
                if transport != "tcp" {
                    let other = common + ["--password", "wonderland"] + files.dropLast() + ["other.example.net"]
                    let refused = try await Tool.run("lastmile", other, settings: tool.settings)
                    #expect(refused.status == 6 && refused.errors.contains("it belongs to another server"), "\(refused.errors)")
                }
                if transport == "dtls" {
                    // The port of UDP speaks no DTLS, and says nothing.
                    let silent =
                        ["radius", "test", "127.0.0.1:\(daemon.authenticationPort)", "--transport", transport, "--timeout", "1"]
                        + ["--retries", "0", "--status"] + files
                    let result = try await Tool.run("lastmile", silent, settings: tool.settings)
                    #expect(result.status == 6 && result.errors.contains("no DTLS handshake with"), "\(result.errors)")
                }
            }
        }
    }
}
