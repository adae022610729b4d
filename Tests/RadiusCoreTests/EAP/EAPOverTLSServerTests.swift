import FoundationEssentials
import Glibc
import Support
import Testing

@testable import RadiusCore

/// Methods over TLS, by Debian's eapol_test, over the server's own sockets.
@Suite struct EAPOverTLSServerTests {
    /// A way to log in, as eapol_test calls it.
    struct Way: Sendable {
        let method: String
        var inner: String?
        let name: AuthenticationMethod

        var hasPassword: Bool { method != "TLS" && !isNested }
        /// EAP-TLS inside.
        var isNested: Bool { inner?.hasSuffix("=TLS") ?? false }
    }

    static let ways = [
        Way(method: "TLS", name: .eapTLS),
        Way(method: "TTLS", inner: "auth=PAP", name: .eapTTLSPAP),
        Way(method: "TTLS", inner: "auth=CHAP", name: .eapTTLSCHAP),
        Way(method: "TTLS", inner: "auth=MSCHAP", name: .eapTTLSMSCHAP),
        Way(method: "TTLS", inner: "auth=MSCHAPV2", name: .eapTTLSMSCHAPv2),
        Way(method: "TTLS", inner: "autheap=MSCHAPV2", name: .eapTTLSEAPMSCHAPv2),
        Way(method: "TTLS", inner: "autheap=MD5", name: .eapTTLSEAPMD5),
        Way(method: "TTLS", inner: "autheap=GTC", name: .eapTTLSEAPGTC),
        Way(method: "PEAP", inner: "auth=MSCHAPV2", name: .eapPEAPMSCHAPv2),
        Way(method: "PEAP", inner: "auth=GTC", name: .eapPEAPGTC),
        Way(method: "TTLS", inner: "autheap=TLS", name: .eapTTLSEAPTLS),
        Way(method: "PEAP", inner: "auth=TLS", name: .eapPEAPTLS),
    ]

    /// A server with the authority's files, and what is different about it.
    static func host(
        _ authority: TestAuthority, _ subscribers: [SubscriberEntry] = [TestServer.subscriber("nemo")], workers: Int = 1,
        list: Bool = false, tls: EAPCertificates.Settings = EAPCertificates.Settings(),
        _ adjust: (inout EAPService.Settings) -> Void = { _ in }
    ) throws -> TestServer {
        let path = authority.path
        let certificates = EAPCertificates(tls) {
            EAPCertificates.Files(
                certificate: "\(path)/server.pem", key: "\(path)/server.key", authority: "\(path)/ca.pem",
                revocationList: list ? "\(path)/crl.pem" : nil)
        }
        guard case .replaced = certificates.refresh() else { throw ProcessFailure("the certificates were not read") }
        var settings = EAPService.Settings()
        adjust(&settings)
        return try TestServer(subscribers: subscribers, workers: workers, eap: settings, certificates: certificates)
    }

    static func peer(
        _ host: TestServer, _ authority: TestAuthority, _ way: Way, _ version: EAPOLTest.TLSVersion, password: String = "arctangent",
        certificate: String = "nemo", fragment: Int = 1398
    ) -> EAPOLTest {
        var test = EAPOLTest(
            port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", method: way.method, user: "nemo", password: password,
            expectsKeys: true)
        test.overTLS(version, authority: "\(authority.path)/ca.pem", inner: way.inner, anonymous: "anonymous", fragment: fragment)
        let own = "\(authority.path)/\(certificate).pem"
        if way.isNested {
            test.showInside(certificate: own, authority: "\(authority.path)/ca.pem")
        } else if !way.hasPassword {
            test.show(certificate: own)
        }
        return test
    }

    private static func withAuthority(_ body: (TestAuthority) async throws -> Void) async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("nemo", usage: "clientAuth")
            try await body(authority)
        }
    }

    @Test(arguments: EAPOLTest.TLSVersion.allCases)
    func eapolTestSucceedsAndTheKeysMatch(version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            let host = try Self.host(authority)
            for way in Self.ways {
                let outcome = try await Self.peer(host, authority, way, version).run()
                #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(way.name): \(outcome.transcript)")
                #expect(outcome.transcript.contains("Using TLS version \(version.rawValue)"))
            }
            #expect(host.count(.accepted as AccessReason) == UInt64(Self.ways.count))
        }
    }

    /// Behind a tunnel wpa_supplicant answers no Notification: whoever is told why must come to an end all the same.
    @Test(arguments: EAPOLTest.TLSVersion.allCases)
    func whoMayNotBeOnlineIsRejectedAlsoWhereDevicesAreToldWhy(version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            var locked = TestServer.subscriber("nemo")
            locked.locks.insert(.overdue, at: .suspended)
            let host = try Self.host(authority, [locked]) { $0.notifiesRefused = true }
            for way in Self.ways {
                let outcome = try await Self.peer(host, authority, way, version).run()
                #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(way.name): \(outcome.transcript)")
            }
            #expect(host.count(.locked as AccessReason) == UInt64(Self.ways.count))
        }
    }

    /// All log-ins but the first take a session up: that of the tunnel, or of EAP-TLS in it. In a tunnel's session nobody would look at the
    /// certificate again.
    private static func resumes(_ outcome: EAPOLTest.Outcome, _ way: Way) -> Bool {
        guard let first = outcome.handshakes.first, !first.contains(true) else { return false }
        return outcome.handshakes.dropFirst().allSatisfy { $0.first == !way.isNested && $0.last == true }
    }

    @Test(arguments: EAPOLTest.TLSVersion.allCases)
    func eapolTestTakesItsSessionUpAgain(version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            let host = try Self.host(authority, workers: 2)
            for way in Self.ways {
                var test = Self.peer(host, authority, way, version)
                // With two layers of TLS, eapol_test itself stumbles the third time.
                test.repetitions = way.isNested ? 1 : 2
                let outcome = try await test.run()
                #expect(outcome.isSuccess && outcome.keysMatched == test.repetitions + 1, "\(way.name): \(outcome.transcript)")
                let times = outcome.resumptions.count
                #expect(Self.resumes(outcome, way) && times == test.repetitions + 1, "\(way.name): \(outcome.transcript)")
            }
        }
    }

    // MARK: Refusals

    @Test(arguments: EAPOLTest.TLSVersion.allCases)
    func aWrongPasswordIsRefused(version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            let host = try Self.host(authority)
            for way in Self.ways where way.hasPassword {
                let outcome = try await Self.peer(host, authority, way, version, password: "secant").run()
                #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(way.name): \(outcome.transcript)")
            }
            #expect(host.count(.wrongPassword as AccessReason) == UInt64(Self.ways.count { $0.hasPassword }))
        }
    }

    @Test func whoIsLockedOrUnknownIsRefused() async throws {
        try await Self.withAuthority { authority in
            var locked = TestServer.subscriber("nemo")
            locked.locks.insert(.overdue, at: .suspended)
            for (subscriber, reason) in [(locked, AccessReason.locked), (TestServer.subscriber("other"), .unknownSubscriber)] {
                let host = try Self.host(authority, [subscriber])
                for way in Self.ways {
                    let outcome = try await Self.peer(host, authority, way, .tls13).run()
                    #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(way.name): \(outcome.transcript)")
                }
                #expect(host.count(reason) == UInt64(Self.ways.count))
            }
        }
    }

    @Test(arguments: EAPOLTest.TLSVersion.allCases)
    func aBadCertificateIsRefusedForItsReason(version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            try await authority.issue("late", usage: "clientAuth", validity: ["-days", "-1"])
            try await authority.issue("shop", usage: "serverAuth")
            try await authority.issue("lost", usage: "clientAuth")
            try await authority.makeAuthority("other")
            try await authority.issue("foreign", usage: "clientAuth", by: "other")
            try await authority.revoke("lost")
            try await authority.makeList()
            let host = try Self.host(authority, list: true)
            let reasons: [(String, AccessReason)] = [
                ("late", .certificateExpired), ("shop", .certificateWrongPurpose), ("lost", .certificateRevoked),
                ("foreign", .certificateUnknownAuthority),
            ]
            for (name, reason) in reasons {
                let outcome = try await Self.peer(host, authority, Self.ways[0], version, certificate: name).run()
                #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(name): \(outcome.transcript)")
                #expect(host.count(reason) == 1, "\(name)")
            }
            let good = try await Self.peer(host, authority, Self.ways[0], version).run()
            #expect(good.isSuccess, "\(good.transcript)")
            // The log names whose certificates they are, not the name outside.
            var logged: [String] = []
            for ring in host.server.authEvents {
                _ = ring.drain(limit: 100) { logged.append(String(decoding: $0.userName, as: UTF8.self)) }
            }
            #expect(logged == reasons.map(\.0) + ["nemo"])
        }
    }

    @Test func aCertificateInsideATunnelIsCheckedToo() async throws {
        try await Self.withAuthority { authority in
            try await authority.issue("lost", usage: "clientAuth")
            try await authority.revoke("lost")
            try await authority.makeList()
            let host = try Self.host(authority, list: true)
            for way in Self.ways where way.isNested {
                let outcome = try await Self.peer(host, authority, way, .tls13, certificate: "lost").run()
                #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(way.name): \(outcome.transcript)")
            }
            #expect(host.count(.certificateRevoked as AccessReason) == 2)
        }
    }

    /// Without its list, the authority would revoke nobody.
    @Test func aFileThatWasInForceAndIsGoneIsABrokenOne() async throws {
        try await Self.withAuthority { authority in
            try await authority.makeList()
            let path = authority.path
            let existing: @Sendable (String) -> String? = { access("\(path)/\($0)", F_OK) == 0 ? "\(path)/\($0)" : nil }
            let certificates = EAPCertificates(EAPCertificates.Settings()) {
                existing("server.pem").map {
                    EAPCertificates.Files(
                        certificate: $0, key: "\(path)/server.key", authority: existing("ca.pem"), revocationList: existing("crl.pem"))
                }
            }
            guard case .replaced = certificates.refresh() else { throw ProcessFailure("the certificates were not read") }
            let files = certificates.files
            for name in ["crl.pem", "ca.pem", "server.pem"] {
                try #require(rename("\(path)/\(name)", "\(path)/away") == 0)
                guard case .kept(let failure) = certificates.refresh() else { throw ProcessFailure("nothing is said of \(name)") }
                #expect("\(failure)".contains(name) && certificates.isBroken)
                #expect(certificates.files == files && certificates.contexts.certificate?.revocationListEnd != nil)
                try #require(rename("\(path)/away", "\(path)/\(name)") == 0)
                _ = certificates.refresh()
                #expect(!certificates.isBroken && certificates.files == files)
            }
        }
    }

    /// As where the folder's index is damaged.
    @Test func whatIsInForceFollowsItsFilesWhileItIsUnknownWhichToUse() async throws {
        try await Self.withAuthority { authority in
            try await authority.makeList()
            let path = authority.path
            try TextFile.write("", to: "\(path)/index")
            let certificates = EAPCertificates(EAPCertificates.Settings()) { () throws(TLSFileFailure) in
                guard access("\(path)/index", F_OK) == 0 else { throw TLSFileFailure(path: path, reason: "there is no index") }
                return EAPCertificates.Files(
                    certificate: "\(path)/server.pem", key: "\(path)/server.key", authority: "\(path)/ca.pem",
                    revocationList: "\(path)/crl.pem")
            }
            guard case .replaced = certificates.refresh() else { throw ProcessFailure("the certificates were not read") }
            let before = certificates.contexts
            try #require(unlink("\(path)/index") == 0)
            try await authority.makeList()
            guard case .kept(let failure) = certificates.refresh() else { throw ProcessFailure("nothing is said of the index") }
            #expect(failure.reason == "there is no index" && certificates.isBroken)
            #expect(certificates.contexts.certificate !== before.certificate && certificates.contexts.tunnel === before.tunnel)
        }
    }

    @Test func aVersionThatIsNotAllowedIsRefused() async throws {
        try await Self.withAuthority { authority in
            for (version, other) in [(TLSSettings.Version.tls12, EAPOLTest.TLSVersion.tls13), (.tls13, .tls12)] {
                var tls = EAPCertificates.Settings()
                (tls.minimumVersion, tls.maximumVersion) = (version, version)
                let host = try Self.host(authority, tls: tls)
                let outcome = try await Self.peer(host, authority, Self.ways[1], other).run()
                #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
                #expect(host.count(.tlsNoSharedVersion as AccessReason) == 1)
            }
        }
    }

    @Test(arguments: EAPOLTest.TLSVersion.allCases)
    func aDeviceThatTrustsAnotherAuthoritySaysSo(version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            try await authority.makeAuthority("other")
            let host = try Self.host(authority)
            var test = Self.peer(host, authority, Self.ways[1], version)
            test.network = test.network.map { $0.replacing("/ca.pem", with: "/other.pem") }
            let outcome = try await test.run()
            #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
            #expect(host.count(.tlsPeerDistrusts as AccessReason) == 1)
        }
    }

    @Test func whatIsNotAllowedInTheTunnelIsRefused() async throws {
        try await Self.withAuthority { authority in
            let host = try Self.host(authority) {
                $0.ttlsMethods = [.pap, .eapMSCHAPv2]
                $0.peapMethods = [.msCHAPv2]
            }
            for way in Self.ways where way.hasPassword {
                let isAllowed = [.eapTTLSPAP, .eapTTLSEAPMSCHAPv2, .eapPEAPMSCHAPv2].contains(way.name)
                let outcome = try await Self.peer(host, authority, way, .tls13).run()
                #expect(outcome.isSuccess == isAllowed, "\(way.name): \(outcome.transcript)")
            }
            #expect(host.count(.tunnelMethodRefused as AccessReason) == 6)
        }
    }

    @Test func aHashWorksWithTheMethodsThatShowThePassword() async throws {
        try await Self.withAuthority { authority in
            let digest = MSCHAP.ntHash(ofUTF8: Array("arctangent".utf8).span).map { hash in hash.indices.map { hash[$0] } }
            var hashed = TestServer.subscriber("nemo", kind: .ntHash)
            hashed.credential = try #require(digest)
            let host = try Self.host(authority, [hashed])
            for way in Self.ways where way.hasPassword {
                let needsClearText = [.eapTTLSCHAP, .eapTTLSEAPMD5].contains(way.name)
                let outcome = try await Self.peer(host, authority, way, .tls12).run()
                #expect(outcome.isSuccess == !needsClearText, "\(way.name): \(outcome.transcript)")
            }
            #expect(host.count(.methodNeedsClearText as AccessReason) == 1)
        }
    }

    // MARK: Packets

    @Test(arguments: [(way: 0, fragment: 100), (way: 1, fragment: 80), (way: 8, fragment: 1398)], EAPOLTest.TLSVersion.allCases)
    func fragmentsOfAnySizeArrive(choice: (way: Int, fragment: Int), version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            let host = try Self.host(authority) { $0.packetOctets = 128 }
            let outcome = try await Self.peer(host, authority, Self.ways[choice.way], version, fragment: choice.fragment).run()
            #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
            #expect(outcome.packetLengths.max() ?? 0 <= 128 && outcome.packetLengths.contains(128))
        }
    }

    @Test func framedMTUBoundsThePackets() async throws {
        try await Self.withAuthority { authority in
            let host = try Self.host(authority) { $0.packetOctets = 3500 }
            var test = Self.peer(host, authority, Self.ways[0], .tls12)
            // eapol_test says 1400 of its own accord; this takes that one's place.
            test.arguments = ["-N", "12:d:300"]
            let outcome = try await test.run()
            #expect(outcome.isSuccess, "\(outcome.transcript)")
            #expect(outcome.packetLengths.max() ?? 0 == 300)
        }
    }

    @Test func theAcceptNamesTheSubscriberThatTheNASDidNotSee() async throws {
        try await Self.withAuthority { authority in
            let host = try Self.host(authority)
            let outcome = try await Self.peer(host, authority, Self.ways[8], .tls13).run()
            let accept = outcome.transcript.components(separatedBy: "(Access-Accept)").last ?? ""
            #expect(accept.contains("Attribute 1 (User-Name) length=6\n      Value: 'nemo'"), "\(accept)")
        }
    }

    @Test(arguments: EAPOLTest.TLSVersion.allCases)
    func peapIsBoundToItsInsideWhereTheDeviceKnowsHow(version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            for way in Self.ways where way.method == "PEAP" {
                for (server, device, succeeds) in [
                    (EAPCryptoBinding.required, 2, true), (.yes, 2, true), (.yes, 0, true), (.no, 0, true), (.no, 2, false),
                    (.required, 0, false),
                ] {
                    let host = try Self.host(authority) { $0.peapBinding = server }
                    var test = Self.peer(host, authority, way, version)
                    test.network = test.network.map { $0.replacing("phase1=\"", with: "phase1=\"crypto_binding=\(device) ") }
                    test.repetitions = 1
                    let outcome = try await test.run()
                    #expect(outcome.isSuccess == succeeds, "\(way.name) \(server) \(device): \(outcome.transcript)")
                    if succeeds { #expect(outcome.keysMatched == 2 && outcome.resumptions.count == 2 && Self.resumes(outcome, way)) }
                    if server == .required, !succeeds { #expect(host.count(.tunnelUnbound as AccessReason) > 0) }
                }
            }
        }
    }

    @Test func changedFilesAreTakenOverAndSessionsOfTheOldOnesEnd() async throws {
        try await Self.withAuthority { authority in
            try await authority.makeList()
            let host = try Self.host(authority, list: true)
            let certificates = try #require(host.server.environment.eap?.certificates)
            #expect(try await Self.peer(host, authority, Self.ways[0], .tls13).run().isSuccess)
            #expect(try await Self.peer(host, authority, Self.ways[1], .tls13).run().isSuccess)
            #expect(certificates.contexts.certificate?.sessionCount == 1 && certificates.contexts.tunnel?.sessionCount == 1)
            try await authority.revoke("nemo")
            try await authority.makeList()
            guard case .replaced = certificates.refresh() else {
                Issue.record("the new list was not read")
                return
            }
            // The list is no matter of the tunnels.
            #expect(certificates.contexts.certificate?.sessionCount == 0 && certificates.contexts.tunnel?.sessionCount == 1)
            #expect(try await !Self.peer(host, authority, Self.ways[0], .tls13).run().isSuccess)
            #expect(host.count(.certificateRevoked as AccessReason) == 1)
            try TextFile.write("broken", to: "\(authority.path)/crl.pem")
            guard case .kept = certificates.refresh(), certificates.isBroken else {
                Issue.record("a broken list was taken")
                return
            }
            #expect(try await Self.peer(host, authority, Self.ways[1], .tls12).run().isSuccess)
        }
    }
}
