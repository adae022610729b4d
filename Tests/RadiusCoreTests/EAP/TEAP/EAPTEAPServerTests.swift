import FoundationEssentials
import Support
import Testing

@testable import RadiusCore

/// TEAP by an eapol_test that is made for it, over the server's own sockets.
@Suite struct EAPTEAPServerTests {
    /// A way to log in, as eapol_test and the server call it.
    struct Way: Sendable {
        let inner: String
        let method: EAPInnerMethod
        let name: AuthenticationMethod
    }

    static let ways = [
        Way(inner: "auth=MSCHAPV2", method: .eapMSCHAPv2, name: .eapTEAPMSCHAPv2),
        Way(inner: "auth=GTC", method: .eapGTC, name: .eapTEAPGTC), Way(inner: "auth=MD5", method: .eapMD5, name: .eapTEAPMD5),
        Way(inner: "auth=TLS", method: .eapTLS, name: .eapTEAPTLS), Way(inner: "auth=MSCHAPV2", method: .pap, name: .eapTEAPPassword),
    ]

    private static func peer(
        _ host: TestServer, _ authority: TestAuthority, _ way: Way, _ version: EAPOLTest.TLSVersion, password: String = "arctangent",
        fragment: Int = 1398
    ) async throws -> EAPOLTest {
        var test = try await EAPOLTest.teap(
            port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", user: "nemo", password: password, version,
            authority: "\(authority.path)/ca.pem", inner: way.inner, fragment: fragment)
        if way.method == .eapTLS { test.showInside(certificate: "\(authority.path)/nemo.pem", authority: "\(authority.path)/ca.pem") }
        return test
    }

    private static func host(
        _ authority: TestAuthority, _ way: Way, _ schedule: EAPTEAPSchedule = .rfc7170,
        _ identities: EAPTEAPSettings.Identities = .any, _ subscribers: [SubscriberEntry] = [TestServer.subscriber("nemo")],
        _ adjust: (inout EAPService.Settings) -> Void = { _ in }
    ) throws -> TestServer {
        try EAPOverTLSServerTests.host(authority, subscribers) {
            $0.teap = EAPTEAPSettings(methods: [way.method], identities: identities, schedule: schedule)
            adjust(&$0)
        }
    }

    private static func withAuthority(_ body: (TestAuthority) async throws -> Void) async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("nemo", usage: "clientAuth")
            try await body(authority)
        }
    }

    private static func methods(_ host: TestServer) -> [UInt8] {
        var methods: [UInt8] = []
        for ring in host.server.authEvents { _ = ring.drain(limit: 100) { methods.append($0.event.method) } }
        return methods
    }

    @Test(arguments: EAPOLTest.TLSVersion.allCases)
    func eapolTestSucceedsAndTheKeysMatch(version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            for way in Self.ways {
                let host = try Self.host(authority, way)
                var test = try await Self.peer(host, authority, way, version)
                test.repetitions = 1
                let outcome = try await test.run()
                #expect(outcome.isSuccess && outcome.keysMatched == 2, "\(way.name): \(outcome.transcript)")
                #expect(outcome.transcript.contains("Using TLS version \(version.rawValue)"))
                #expect(outcome.transcript.contains("EAP-TEAP: Authentication completed successfully"))
                #expect(Self.methods(host) == [way.name.rawValue, way.name.rawValue])
            }
        }
    }

    @Test func aDeviceThatAsksForAPACIsLetInWithoutOne() async throws {
        try await Self.withAuthority { authority in
            let host = try Self.host(authority, Self.ways[0])
            var test = try await Self.peer(host, authority, Self.ways[0], .tls12)
            test.network = test.network.map { $0.replacing("phase1=\"", with: "phase1=\"teap_provisioning=2 ") }
            let outcome = try await test.run()
            #expect(outcome.transcript.contains("EAP-TEAP: Request Tunnel PAC"), "\(outcome.transcript)")
            #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
        }
    }

    @Test(arguments: [80, 300], EAPOLTest.TLSVersion.allCases)
    func fragmentsOfAnySizeArrive(fragment: Int, version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            for way in Self.ways {
                let host = try Self.host(authority, way) { $0.packetOctets = 128 }
                let outcome = try await Self.peer(host, authority, way, version, fragment: fragment).run()
                #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(way.name): \(outcome.transcript)")
                #expect(outcome.packetLengths.max() ?? 0 <= 128 && outcome.packetLengths.contains(128))
            }
        }
    }

    @Test(arguments: EAPOLTest.TLSVersion.allCases)
    func theKeysOfRFC9930AreTheSameWhereThatDeviceReadsItSo(version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            // A password leaves no key, and EAP-TLS is bound alike; of that device's keys EMSK is no part.
            for (way, schedule, keys) in [
                (Self.ways[4], EAPTEAPSchedule.rfc9930, 1), (Self.ways[4], .rfc9930MSK, 1), (Self.ways[3], .rfc9930MSK, 1),
                (Self.ways[3], .rfc9930, 0),
            ] {
                let host = try Self.host(authority, way, schedule)
                let outcome = try await Self.peer(host, authority, way, version).run()
                #expect(outcome.replies.last == "Access-Accept" && outcome.keysMatched == keys, "\(way.name): \(outcome.transcript)")
            }
            // MSCHAPv2's key is in another order; the device says that it is not bound.
            let host = try Self.host(authority, Self.ways[0], .rfc9930)
            let outcome = try await Self.peer(host, authority, Self.ways[0], version).run()
            #expect(!outcome.isSuccess && outcome.transcript.contains("MSK Compound MAC did not match"), "\(outcome.transcript)")
            #expect(host.count(.tunnelUnbound as AccessReason) == 1)
        }
    }

    @Test(arguments: EAPOLTest.TLSVersion.allCases)
    func aMachineAndItsUserProveThemselves(version: EAPOLTest.TLSVersion) async throws {
        try await Self.withAuthority { authority in
            for (user, machine) in [(Self.ways[0], "auth=MSCHAPV2"), (Self.ways[1], "auth=GTC"), (Self.ways[2], "auth=MD5")] {
                var computer = TestServer.subscriber("host/pc", password: "secant")
                computer.id = 43
                let host = try Self.host(authority, user, .rfc7170, .machineAndUser, [TestServer.subscriber("nemo"), computer])
                var test = try await Self.peer(host, authority, user, version)
                test.showMachine("host/pc", password: "secant", inner: machine)
                let outcome = try await test.run()
                #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(user.name): \(outcome.transcript)")
                let accept = outcome.transcript.components(separatedBy: "(Access-Accept)").last ?? ""
                #expect(accept.contains("Attribute 1 (User-Name) length=6\n      Value: 'nemo'"), "\(accept)")
                test.showMachine("host/pc", password: "cosecant", inner: machine)
                #expect(try await !test.run().isSuccess)
                #expect(host.count(.wrongPassword as AccessReason) == 1)
            }
        }
    }

    @Test func whoIsWrongUnknownOrLockedIsRefused() async throws {
        try await Self.withAuthority { authority in
            var locked = TestServer.subscriber("nemo")
            locked.locks.insert(.overdue, at: .suspended)
            let cases = [
                (locked, "arctangent", AccessReason.locked), (TestServer.subscriber("other"), "arctangent", .unknownSubscriber),
                (TestServer.subscriber("nemo"), "secant", .wrongPassword),
            ]
            for (subscriber, password, reason) in cases {
                for way in Self.ways where way.method != .eapTLS {
                    let host = try Self.host(authority, way, .rfc7170, .any, [subscriber])
                    let outcome = try await Self.peer(host, authority, way, .tls13, password: password).run()
                    #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(way.name): \(outcome.transcript)")
                    #expect(outcome.transcript.contains("EAP-TEAP: Server rejected authentication"), "\(way.name): \(outcome.transcript)")
                    #expect(host.count(reason) == 1, "\(way.name)")
                }
            }
        }
    }

    @Test func whatIsNotAllowedInTheTunnelIsRefused() async throws {
        try await Self.withAuthority { authority in
            let host = try Self.host(authority, Self.ways[0])
            let outcome = try await Self.peer(host, authority, Self.ways[2], .tls13).run()
            #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
            #expect(host.count(.tunnelMethodRefused as AccessReason) == 1)
        }
    }
}
