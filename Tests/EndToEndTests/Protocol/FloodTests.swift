import Support
import Testing

extension ProtocolTests {
    /// Whoever floods the daemon: others are served, and memory stays within its bounds.
    @Suite struct Flood {
        private static let mebibyte = 1 << 20

        /// Resident memory of a process in octets.
        private static func residentOctets(_ daemon: DaemonProcess) -> Int {
            let line = TextFile.read("/proc/\(daemon.identifier)/status").split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
            return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
        }

        /// All figures whose line begins with `lastmile_` and `name`, added up.
        private static func figure(_ daemon: DaemonProcess, _ name: String) async throws -> Int {
            try await daemon.client.send("GET", "/metrics").text.split(separator: "\n").filter { $0.hasPrefix("lastmile_" + name) }
                .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0) { $0 + Int($1) }
        }

        /// Compiles the devices of the benchmark.
        private static func devices(in directory: String) async throws -> String {
            let source = Programs.checkout + "/Benchmarks/SideBySide/eapload.c"
            let result = try await Tool.run("gcc", ["-O2", "-o", directory + "/eapload", source, "-lssl", "-lcrypto"])
            guard result.status == 0 else { throw ProcessFailure("gcc: \(result.errors)") }
            return directory + "/eapload"
        }

        /// Says what it came to, for whoever asked for the suite by name.
        private static func tell(_ words: String) { if Scale.isLarge { print("flood: \(words)") } }

        /// Log-ins of another NAS, one after the other; all succeed.
        private static func honest(_ daemon: DaemonProcess, _ user: String, _ nas: TestNAS, _ count: Int) async throws {
            var client = Radclient(daemon, as: nas)
            client.timeout = 3
            for _ in 0..<count {
                let reply = try await client.login(user)
                #expect(reply.code == "Access-Accept", "\(reply.transcript)")
            }
        }

        @Test func logInsOfOthersComeThroughAFloodOfPAP() async throws {
            try await DaemonProcess.run(["LASTMILE_RADIUS_REJECT_DELAY_MILLISECONDS": "1000"]) { daemon in
                let owner = Operator(daemon)
                let nas = try await TestNAS.create(owner)
                let user = try await TestSubscriber.create(owner).name
                try await eventually { try await Radclient(daemon, as: nas).impatient.login(user).code == "Access-Accept" }
                let before = Self.residentOctets(daemon)
                let flood = try await CommandLineTool(daemon).start([
                    "radius", "load", "--target", "127.0.0.1:\(daemon.authenticationPort)", "--secret", "testing123", "--mode", "pap",
                    "--users", "nobody%06d", "--user-count", "100000", "--password", "guess", "--outstanding", "2048", "--sockets", "8",
                    "--timeout", "200", "--retries", "0", "--seconds", "86400", "-o", "json",
                ])
                defer { flood.remove() }
                try await eventually { try await Self.figure(daemon, "radius_packets_total{kind=\"access_requests\"}") > 20_000 }
                try await Self.honest(daemon, user, nas, Scale.of(20, large: 200))
                let packets = try await Self.figure(daemon, "radius_packets_total{kind=\"access_requests\"}")
                let grown = Self.residentOctets(daemon) - before
                #expect(grown < 128 * Self.mebibyte && daemon.exitStatus == nil)
                Self.tell("PAP: \(packets) requests, \(Scale.of(20, large: 200)) of another NAS all accepted, memory +\(grown >> 20) MB")
            }
        }

        // 1: they stop after the handshake's first flight, 2: after the identity.
        @Test(arguments: [1, 2])
        func devicesComeThroughAFloodOfConversationsThatAreNeverFinished(stop: Int) async throws {
            let limit = 64 * Self.mebibyte
            let settings = [
                "LASTMILE_EAP_TLS_REFRESH_SECONDS": "1", "LASTMILE_EAP_MEMORY_BYTES": "\(limit)", "LASTMILE_EAP_CONVERSATIONS": "2048",
            ]
            try await TemporaryDirectory.use { directory in
                let program = try await Self.devices(in: directory)
                try await DaemonProcess.run(settings) { daemon in
                    try await CertifiedDaemon.pki(daemon, "init", "--common-name", "Example Access")
                    try await CertifiedDaemon.pki(daemon, "issue", "server", "--common-name", "radius.example.net")
                    try await eventually { daemon.output.contains("EAP shows the certificate") }
                    let before = Self.residentOctets(daemon)
                    let nas = try await Self.crowdedNAS(daemon)
                    let flood = try await Tool.start(
                        program,
                        [
                            "port=\(daemon.authenticationPort)", "secret=testing123", "method=peap", "stop=\(stop)", "seconds=86400",
                            "users=100000",
                        ])
                    defer { flood.remove() }
                    try await eventually { try await Self.figure(daemon, "eap_displaced_total") > 200 }
                    var test = EAPOLTest(
                        port: daemon.authenticationPort, secret: TestNAS.secret, method: "PEAP", user: "alice",
                        password: TestSubscriber.password, expectsKeys: true)
                    test.arguments = ["-A", nas.address]
                    test.overTLS(.tls12, authority: CertifiedDaemon.authority(daemon), inner: "auth=MSCHAPV2")
                    for _ in 0..<Scale.of(3, large: 30) {
                        let outcome = try await test.run()
                        #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
                        #expect(try await Self.figure(daemon, "eap_memory_octets") <= limit)
                        #expect(try await Self.figure(daemon, "eap_conversations") <= 2048)
                    }
                    let begun = try await Self.figure(daemon, "eap_begun_total")
                    let grown = Self.residentOctets(daemon) - before
                    #expect(grown < 2 * limit && daemon.exitStatus == nil)
                    Self.tell(
                        "EAP (stop \(stop)): \(begun) begun, \(Scale.of(3, large: 30)) devices of another NAS all in, memory +\(grown >> 20) MB"
                    )
                }
            }
        }

        /// A daemon with certificates of its own and little patience.
        private static func withStreams(_ body: (_ daemon: DaemonProcess, _ pki: String) async throws -> Void) async throws {
            try await TemporaryDirectory.use { directory in
                let pki = directory + "/pki"
                let settings = [
                    "LASTMILE_RADSEC_CERTIFICATE": "\(pki)/issued/radius.example.net.pem", "LASTMILE_RADSEC_AUTHORITY": "\(pki)/ca.pem",
                    "LASTMILE_RADIUS_TCP": "yes", "LASTMILE_RADSEC_PACKET_SECONDS": "3", "LASTMILE_RADSEC_HANDSHAKE_SECONDS": "5",
                ]
                try await DaemonProcess.run(settings) { daemon in
                    for words in [
                        ["init", "--common-name", "Example Access"], ["issue", "server", "--common-name", "radius.example.net"],
                        ["issue", "radsec", "--common-name", "gw1.example.net"],
                    ] {
                        let result = try await Tool.run("lastmile", ["pki"] + words + ["--directory", pki])
                        #expect(result.status == 0, "\(result.errors)")
                    }
                    try await eventually { daemon.output.contains("RADIUS over TLS is on") }
                    try await body(daemon, pki)
                }
            }
        }

        /// A NAS that the daemon knows already, beside that of the demonstration.
        private static func crowdedNAS(_ daemon: DaemonProcess) async throws -> TestNAS {
            let nas = try await TestNAS.create(Operator(daemon))
            try await eventually { try await Radclient(daemon, as: nas).impatient.login("alice").code == "Access-Accept" }
            return nas
        }

        /// One log-in over a new connection from 127.0.0.1.
        private static func logIn(_ daemon: DaemonProcess, _ transport: String, _ pki: String) async throws -> ToolResult {
            let port = transport == "tls" ? daemon.radSecPort : daemon.tcpAuthenticationPort
            let files = [
                "--ca", "\(pki)/ca.pem", "--cert", "\(pki)/issued/gw1.example.net.pem", "--server-name", "radius.example.net",
            ]
            return try await Tool.run(
                "lastmile",
                [
                    "radius", "test", "127.0.0.1:\(port)", "--transport", transport, "--user", "alice", "--password", "wonderland",
                    "--timeout", "30",
                ] + (transport == "tls" ? files : ["--secret", "testing123"]), settings: CommandLineTool(daemon).settings)
        }

        @Test func gatewaysComeThroughAFloodOfConnectionsThatSayNothing() async throws {
            try await Self.withStreams { daemon, pki in
                let nas = try await Self.crowdedNAS(daemon)
                let crowd = StreamCrowd()
                let before = Self.residentOctets(daemon)
                let rounds = Scale.of(3, large: 15)
                for _ in 0..<rounds {
                    try crowd.open(200, to: daemon.radSecPort, from: nas.address)
                    let result = try await Self.logIn(daemon, "tls", pki)
                    #expect(result.status == 0, "\(result.errors)")
                    // A quarter of radsec.handshakes is one NAS's.
                    let handshaking = try await Self.figure(daemon, "stream_handshaking")
                    #expect(handshaking <= 512 / 4 + 1)
                    if rounds > 3 { crowd.leave() }
                }
                let refused = try await Self.figure(daemon, #"stream_refused_total{transport="tls",reason="too_many_handshakes"}"#)
                let grown = Self.residentOctets(daemon) - before
                #expect(refused > 0 && grown < 96 * Self.mebibyte)
                crowd.leave()
                try await eventually { try await Self.figure(daemon, "stream_handshaking") == 0 }
                Self.tell("TLS: \(200 * rounds) connections, \(refused) refused, \(rounds) log-ins, memory +\(grown >> 20) MB")
            }
        }

        @Test func gatewaysComeThroughPeersThatSendAnOctetAtATime() async throws {
            try await Self.withStreams { daemon, pki in
                let nas = try await Self.crowdedNAS(daemon)
                let crowd = StreamCrowd()
                let count = Scale.of(60, large: 240)
                try crowd.open(count, to: daemon.tcpAuthenticationPort, from: nas.address)
                // An Access-Request of 4096 octets that takes its time.
                var octets: [UInt8] = [1, 1, 16, 0]
                let ended = #"stream_refused_total{transport="tcp",reason="packet_timeout"}"#
                try await eventually {
                    _ = crowd.send(octets.isEmpty ? [0] : [octets.removeFirst()])
                    let result = try await Self.logIn(daemon, "tcp", pki)
                    #expect(result.status == 0, "\(result.errors)")
                    return try await Self.figure(daemon, ended) >= count
                }
                Self.tell("slow peers: \(count) ended, others logged in all the while")
            }
        }
    }
}
