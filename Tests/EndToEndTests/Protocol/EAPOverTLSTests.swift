import Glibc
import Support
import Testing

extension ProtocolTests {
    /// EAP-TLS, TTLS and PEAP, by Debian's eapol_test, with certificates that `lastmile pki` made.
    @Suite struct EAPOverTLS {
        /// A way to log in: as eapol_test calls it, and as the authentication log does.
        struct Way: Sendable, CustomTestStringConvertible {
            let method: String
            let inner: String?
            let name: String

            init(_ method: String, _ inner: String?, _ name: String) { (self.method, self.inner, self.name) = (method, inner, name) }

            var testDescription: String { name }
        }

        static let ways = [
            Way("TLS", nil, "eap-tls"), Way("TTLS", "auth=PAP", "eap-ttls/pap"), Way("TTLS", "auth=CHAP", "eap-ttls/chap"),
            Way("TTLS", "auth=MSCHAP", "eap-ttls/mschap"), Way("TTLS", "auth=MSCHAPV2", "eap-ttls/mschapv2"),
            Way("TTLS", "autheap=MSCHAPV2", "eap-ttls/eap-mschapv2"), Way("TTLS", "autheap=MD5", "eap-ttls/eap-md5"),
            Way("TTLS", "autheap=GTC", "eap-ttls/eap-gtc"), Way("PEAP", "auth=MSCHAPV2", "eap-peap/eap-mschapv2"),
            Way("PEAP", "auth=GTC", "eap-peap/eap-gtc"),
        ]

        private static func test(
            _ daemon: DaemonProcess, _ way: Way, _ version: EAPOLTest.TLSVersion = .tls13, user: String = "alice",
            password: String = TestSubscriber.password, fragment: Int = 1398
        ) -> EAPOLTest {
            var test = EAPOLTest(
                port: daemon.authenticationPort, secret: "testing123", method: way.method, user: user, password: password,
                expectsKeys: true)
            test.overTLS(
                version, authority: CertifiedDaemon.authority(daemon), inner: way.inner, anonymous: "anonymous", fragment: fragment)
            test.network.append("domain_suffix_match=\"radius.example.net\"")
            if way.method == "TLS" { test.show(certificate: daemon.state + "/pki/issued/\(user).pem") }
            return test
        }

        /// Waits until the authentication log has a row for the subscriber, whose name was not seen outside the tunnel.
        static func awaitLog(_ daemon: DaemonProcess, _ user: String, _ method: String, _ reason: String) async throws {
            let owner = Operator(daemon)
            try await eventually {
                try await owner.list("auth-log?user=\(user)").contains {
                    $0["method"]?.text == method && $0["reason"]?.text == reason
                }
            }
        }

        /// A subscriber whom the daemon knows already.
        static func subscriber(_ daemon: DaemonProcess) async throws -> String {
            let user = try await TestSubscriber.create(Operator(daemon)).name
            try await eventually { try await Radclient(daemon).login(user).code == "Access-Accept" }
            return user
        }

        @Test(arguments: ways, EAPOLTest.TLSVersion.allCases)
        func succeedsWithMatchingKeysAndResumes(way: Way, version: EAPOLTest.TLSVersion) async throws {
            let daemon = try await CertifiedDaemon.get()
            var test = Self.test(daemon, way, version)
            test.repetitions = Scale.of(1, large: 50)
            let outcome = try await test.run()
            #expect(outcome.isSuccess && outcome.keysMatched == test.repetitions + 1, "\(outcome.transcript)")
            #expect(outcome.transcript.contains("Using TLS version \(version.rawValue)"))
            #expect(outcome.resumptions == [false] + [Bool](repeating: true, count: test.repetitions))
        }

        @Test(arguments: ways)
        func theLogNamesTheSubscriberAndTheWay(way: Way) async throws {
            let daemon = try await CertifiedDaemon.get()
            let user = try await Self.subscriber(daemon)
            if way.method == "TLS" { try await CertifiedDaemon.pki(daemon, "issue", "client", "--common-name", user) }
            let outcome = try await Self.test(daemon, way, user: user).run()
            #expect(outcome.isSuccess, "\(outcome.transcript)")
            try await Self.awaitLog(daemon, user, way.name, "accepted")
        }

        @Test(arguments: ways.filter { $0.method != "TLS" })
        func aWrongPasswordIsLoggedForTheNameInsideTheTunnel(way: Way) async throws {
            let daemon = try await CertifiedDaemon.get()
            let user = try await Self.subscriber(daemon)
            let outcome = try await Self.test(daemon, way, user: user, password: "looking-glass").run()
            #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
            try await Self.awaitLog(daemon, user, way.name, "wrong_password")
        }

        @Test(arguments: ways, [100, 300])
        func fragmentsOfAnySizeArrive(way: Way, fragment: Int) async throws {
            let daemon = try await CertifiedDaemon.get()
            var test = Self.test(daemon, way, fragment: fragment)
            test.arguments = ["-N", "12:d:\(fragment + 64)"]
            let outcome = try await test.run()
            #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
            #expect(outcome.packetLengths.max() ?? 0 == fragment + 64)
        }

        @Test func rulesChooseTheVersionByNASAndByRealm() async throws {
            let daemon = try await CertifiedDaemon.get()
            let (owner, tool) = (Operator(daemon), CommandLineTool(daemon))
            let nas = try await TestNAS.create(owner)
            let user = try await Self.subscriber(daemon)
            let realm = "\(nas.name).example"
            let rules = [("old", "1.2", "nas.name == \"\(nas.name)\""), ("new", "1.3", "subscriber.realm == \"\(realm)\"")]
            for (name, version, condition) in rules {
                let rule = try await tool.run(
                    "policy-rule", "create", "--name", "\(nas.name)-\(name)", "--priority", "10", "--tls-version", version, "--condition",
                    condition)
                #expect(rule.status == 0, "\(rule)")
            }
            let wrong = try await tool.run("policy-rule", "update", "\(nas.name)-new", "--tls-version", "1.1")
            #expect(wrong.status != 0 && (wrong.output + wrong.errors).contains("of TLS here; there are 1.2 and 1.3"), "\(wrong)")
            try await eventually {
                let explained = try await tool.run("policy-rule", "test", user, "--nas", nas.name)
                return explained.output.contains("\(nas.name)-old (10) holds: has EAP speak TLS 1.2 only")
                    && explained.output.contains("\(nas.name)-new (10) not reached")
            }
            var device = Self.test(daemon, Self.ways[1], user: user)
            device.allowEveryVersion()
            let elsewhere = try await device.run()
            #expect(elsewhere.isSuccess && elsewhere.transcript.contains("Using TLS version TLSv1.3"), "\(elsewhere.transcript)")
            (device.secret, device.arguments) = (TestNAS.secret, ["-A", nas.address])
            let there = try await device.run()
            #expect(there.isSuccess && there.transcript.contains("Using TLS version TLSv1.2"), "\(there.transcript)")

            var old = Self.test(daemon, Self.ways[1], .tls12, user: user)
            old.network = old.network.map { $0.replacing("=\"anonymous\"", with: "=\"anonymous@\(realm)\"") }
            let refused = try await old.run()
            #expect(!refused.isSuccess && refused.replies.last == "Access-Reject", "\(refused.transcript)")
            try await Self.awaitLog(daemon, "anonymous@\(realm)", "eap-ttls", "tls_no_shared_version")
            // The log's row is enough to find the rule, though nobody has this name.
            let untold = try await tool.run("policy-rule", "test", "anonymous@\(realm)")
            let told = try await tool.run("policy-rule", "test", "anonymous@\(realm)", "--method", "eap-ttls")
            for outside in [untold, told] {
                #expect(
                    outside.status == 0 && outside.output.contains("\(nas.name)-new (10) holds: has EAP speak TLS 1.3 only"), "\(outside)")
                #expect(outside.output.contains("“anonymous@\(realm)” is no subscriber's name"), "\(outside)")
            }
            let plain = try await tool.run("policy-rule", "test", "anonymous@\(realm)", "--method", "pap")
            #expect(plain.status == 3 && plain.errors.contains("does not exist; a new one"), "\(plain)")
            let undecided = try await tool.run("policy-rule", "test", user, "--method", "eap-ttls")
            #expect(undecided.status == 0 && undecided.output.contains("by one of eap-ttls/pap,"), "\(undecided)")
            let unwanted = try await tool.run("policy-rule", "test", user, "--method", "eap-teap/eap-md5")
            #expect(unwanted.output.contains("Access-Reject") && unwanted.output.contains("eap.teap.inner"), "\(unwanted)")
            // The recorded Identity of a conversation, of which it is not known yet what it becomes.
            let identity = "0100001900000000000000000000000000000000" + "4f05020000"
            let early = try await tool.run("policy-rule", "test", user, "--packet", identity)
            #expect(early.status == 0 && early.output.contains("undecided"), "\(early)")
            let known = try await tool.run("policy-rule", "test", user, "--packet", identity, "--method", "eap-ttls/pap")
            #expect(known.status == 0 && known.output.contains("Access-Accept"), "\(known)")
            let strange = try await tool.run("policy-rule", "test", user, "--packet", identity, "--method", "pap")
            #expect(strange.status != 0 && strange.errors.contains("a method of EAP"), "\(strange)")
            let none = try await tool.run("policy-rule", "test", user, "--method", "none")
            #expect(none.status != 0 && none.errors.contains("there are pap, chap"), "\(none)")
            let nobody = try await tool.run("policy-rule", "test", "nobody")
            #expect(nobody.status == 3 && nobody.errors.contains("as a name outside of a tunnel"), "\(nobody)")
            #expect(nobody.errors.contains("lastmile subscriber list"), "\(nobody)")
            for (name, _, _) in rules { try await owner.delete("policy-rules/\(nas.name)-\(name)") }
        }

        /// A daemon of its own: with a new revocation list it forgets the TLS sessions that tests beside this one take up.
        @Test func aRevokedCertificateIsRefusedWithoutARestart() async throws {
            try await DaemonProcess.run(CertifiedDaemon.settings) { daemon in
                try await CertifiedDaemon.certify(daemon)
                for version in EAPOLTest.TLSVersion.allCases {
                    let user = try await Self.subscriber(daemon)
                    try await CertifiedDaemon.pki(daemon, "issue", "client", "--common-name", user)
                    let test = Self.test(daemon, Self.ways[0], version, user: user)
                    let outcome = try await test.run()
                    #expect(outcome.isSuccess, "\(outcome.transcript)")
                    try await CertifiedDaemon.pki(daemon, "revoke", user, "--reason", "key-compromise")
                    try await eventually { try await !test.run().isSuccess }
                    try await Self.awaitLog(daemon, user, "eap-tls", "certificate_revoked")
                }
            }
        }

        /// The folder's list, which no setting names: without it nobody would be revoked.
        @Test func aRevocationListThatIsGoneRevokesOn() async throws {
            try await DaemonProcess.run(CertifiedDaemon.settings) { daemon in
                try await CertifiedDaemon.certify(daemon)
                let user = try await Self.subscriber(daemon)
                try await CertifiedDaemon.pki(daemon, "issue", "client", "--common-name", user)
                try await CertifiedDaemon.pki(daemon, "revoke", user)
                let test = Self.test(daemon, Self.ways[0], user: user)
                try await eventually { try await !test.run().isSuccess }
                try #require(rename(daemon.state + "/pki/crl.pem", daemon.state + "/crl.pem") == 0)
                try await eventually {
                    try await daemon.client.send("GET", "/metrics").text.contains("lastmile_eap_certificates_broken 1")
                }
                let outcome = try await test.run()
                #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
                try await eventually { daemon.output.contains("pki/crl.pem: No such file or directory") }
                let settings = DaemonProcess.variables(state: daemon.state)
                let result = try await Tool.run("lastmiled", ["check"], settings: settings)
                #expect(result.status == 1 && result.errors.contains("pki/crl.pem: No such file or directory"), "\(result.errors)")
            }
        }

        /// An authority and a server's certificate in that folder.
        private static func make(_ folder: String) async throws {
            for arguments in [["init"], ["issue", "server"]] {
                let made = try await Tool.run(
                    "lastmile", ["pki"] + arguments + ["--common-name", "radius.example.net", "--directory", folder])
                try #require(made.status == 0, "\(made.errors)")
            }
        }

        @Test(arguments: [
            ("crl.pem", "pki/crl.pem: No such file or directory; lastmile pki crl makes it"),
            ("index.tsv", "pki/index.tsv, which says what certificates are for. Copy it"),
        ])
        func filesThatWereNeverGoodOfferNothingAndSaySo(name: String, words: String) async throws {
            try await DaemonProcess.run(CertifiedDaemon.settings) { daemon in
                try await eventually { daemon.output.contains("no certificate for EAP in \(daemon.state)/pki, so that peap") }
                let folder = daemon.state + "/made"
                try await Self.make(folder)
                try #require(rename(folder + "/" + name, daemon.state + "/away") == 0 && rename(folder, daemon.state + "/pki") == 0)
                try await eventually {
                    daemon.output.split(separator: "\n").contains {
                        $0.contains("eap.tls cannot be used, so that peap, ttls, tls and teap are not offered: ") && $0.contains(words)
                    }
                }
                #expect(!daemon.output.contains("what was in force before"))
                #expect(try await daemon.client.send("GET", "/metrics").text.contains("lastmile_eap_certificates_broken 1"))
                try #require(rename(daemon.state + "/away", daemon.state + "/pki/" + name) == 0)
                try await eventually { daemon.output.contains("EAP shows the certificate CN=radius.example.net") }
            }
        }

        @Test func theCheckNamesWhatIsWrongInTheFolder() async throws {
            try await TemporaryDirectory.use { state in
                let settings = DaemonProcess.variables(state: state)
                let none = try await Tool.run("lastmiled", ["check"], settings: settings)
                #expect(none.status == 0 && none.output.contains("eap: no certificate in \(state)/pki, so that peap"), "\(none)")
                try await Self.make(state + "/pki")
                let good = try await Tool.run("lastmiled", ["check"], settings: settings)
                #expect(good.status == 0 && good.output.contains("eap: certificate CN=radius.example.net"), "\(good)")
                try await Self.make(state + "/other")
                try TextFile.write(TextFile.read(state + "/other/crl.pem"), to: state + "/pki/crl.pem")
                let foreign = try await Tool.run("lastmiled", ["check"], settings: settings)
                #expect(foreign.status == 1 && foreign.errors.contains("pki/crl.pem: it is not signed by the authority CN="), "\(foreign)")
                try TextFile.write("garbage\n", to: state + "/pki/index.tsv")
                let damaged = try await Tool.run("lastmiled", ["check"], settings: settings)
                #expect(damaged.status == 1 && damaged.errors.contains("pki/index.tsv, line 1: "), "\(damaged)")
                try #require(unlink(state + "/pki/index.tsv") == 0)
                let gone = try await Tool.run("lastmiled", ["check"], settings: settings)
                #expect(gone.status == 1 && gone.errors.contains("there is no \(state)/pki/index.tsv"), "\(gone)")
            }
        }

        @Test func theKeyIsFoundInTheCertificatesFileOrBesideIt() async throws {
            try await TemporaryDirectory.use { directory in
                try await Self.make(directory + "/made")
                let stem = directory + "/made/issued/radius.example.net"
                let pem = TextFile.read(stem + ".pem")
                // A key that stands beside a file with its own is another's.
                try TextFile.write(pem + TextFile.read(stem + ".key"), to: directory + "/both.pem")
                try TextFile.write(TextFile.read(directory + "/made/ca.key"), to: directory + "/both.key")
                try TextFile.write(pem, to: directory + "/alone.pem")
                let cases: [(String, String?)] = [
                    (stem, nil), (directory + "/both", nil), (directory + "/alone", "/alone.key: No such file or directory"),
                ]
                for (certificate, mistake) in cases {
                    var settings = DaemonProcess.variables(state: directory)
                    settings["LASTMILE_EAP_TLS_CERTIFICATE"] = certificate + ".pem"
                    let result = try await Tool.run("lastmiled", ["check"], settings: settings)
                    if let mistake {
                        #expect(result.status == 1 && result.errors.contains(mistake), "\(result)")
                    } else {
                        #expect(result.status == 0 && result.output.contains("eap: certificate CN=radius.example.net"), "\(result)")
                    }
                }
            }
        }

        @Test func aCertificateOfNobodyIsRefused() async throws {
            let daemon = try await CertifiedDaemon.get()
            let user = "nobody-\(await Serial.next())"
            try await CertifiedDaemon.pki(daemon, "issue", "client", "--common-name", user)
            let outcome = try await Self.test(daemon, Self.ways[0], user: user).run()
            #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
            try await Self.awaitLog(daemon, user, "eap-tls", "unknown_subscriber")
        }

        @Test func aMethodThatIsNotServedEndsWithItsReason() async throws {
            let daemon = try await CertifiedDaemon.get()
            let user = try await Self.subscriber(daemon)
            let test = EAPOLTest(
                port: daemon.authenticationPort, secret: "testing123", method: "FAST", user: user, password: "x", expectsKeys: false)
            let outcome = try await test.run()
            #expect(!outcome.isSuccess && outcome.replies == ["Access-Challenge", "Access-Reject"], "\(outcome.transcript)")
            try await Self.awaitLog(daemon, user, "eap-peap", "eap_no_common_method")
        }

        @Test func aLockedSubscriberIsTurnedAwayAndTheAcceptNamesTheSubscriber() async throws {
            let daemon = try await CertifiedDaemon.get()
            let tool = CommandLineTool(daemon)
            let user = try await Self.subscriber(daemon)
            let test = Self.test(daemon, Self.ways[8], user: user)
            let outcome = try await test.run()
            #expect(outcome.isSuccess && outcome.transcript.contains("Value: '\(user)'"), "\(outcome.transcript)")
            #expect(try await tool.run("subscriber", "lock", user, "--reason", "overdue", "--level", "suspended").status == 0)
            try await eventually { try await !test.run().isSuccess }
            try await Self.awaitLog(daemon, user, Self.ways[8].name, "locked")
        }

        @Test func aRenewedCertificateIsShownWithoutARestart() async throws {
            try await DaemonProcess.run(CertifiedDaemon.settings) { daemon in
                try await CertifiedDaemon.pki(daemon, "init", "--common-name", "Example Access")
                try await CertifiedDaemon.pki(daemon, "issue", "server", "--common-name", "radius.example.net")
                let test = Self.test(daemon, Self.ways[1])
                try await eventually { try await test.run().isSuccess }
                // A second server's does not take its place; a renewed one does.
                try await CertifiedDaemon.pki(daemon, "issue", "server", "--common-name", "other.example.net")
                try await CertifiedDaemon.pki(daemon, "issue", "server", "--common-name", "radius.example.net", "--replace")
                let shown = "EAP shows the certificate CN=radius.example.net"
                try await eventually { daemon.output.split(separator: "\n").count { $0.contains(shown) } >= 2 }
                let outcome = try await test.run()
                #expect(outcome.isSuccess, "\(outcome.transcript)")
                #expect(!daemon.output.contains("EAP shows the certificate CN=other.example.net"))
            }
        }

        @Test(arguments: ["LASTMILE_EAP_TLS_CERTIFICATE", "LASTMILE_RADSEC_CERTIFICATE"])
        func aFileThatSettingsNameMustBeGoodAtTheStart(key: String) async throws {
            try await TemporaryDirectory.use { directory in
                var settings = DaemonProcess.variables(state: directory)
                settings[key] = directory + "/missing.pem"
                let result = try await Tool.run("lastmiled", ["check"], settings: settings)
                #expect(result.status == 1 && result.errors.contains("missing.pem: No such file or directory"), "\(result.errors)")
            }
        }
    }
}
