import FoundationEssentials
import Support
import Testing

@testable import RadiusCore

/// Policy rules about versions of TLS, by Debian's eapol_test, over the server's own sockets.
@Suite struct TLSVersionRuleServerTests {
    private static func put(_ rules: [PolicyRule], into host: TestServer) throws {
        let old = host.store.snapshot
        let (program, faults) = PolicyCompiler.compile(rules, at: .handshake, dictionary: old.dictionary)
        try #require(faults.isEmpty)
        host.store.publish(
            Snapshot(
                clients: old.clients, subscribers: old.subscribers, profiles: old.profiles, policies: old.policies,
                handshakes: program.map { [1: $0] } ?? [:], dictionary: old.dictionary))
    }

    private static func rule(_ condition: String, _ version: String, id: Int64 = 1) -> PolicyRule {
        RuleDesk.rule(condition, id: id, priority: Int(id)) { $0.tlsVersions = [version] }
    }

    /// A device with one version, or with all.
    private static func device(
        _ host: TestServer, _ authority: TestAuthority, _ way: EAPOverTLSServerTests.Way, only version: EAPOLTest.TLSVersion? = nil,
        realm: String = "home.example"
    ) -> EAPOLTest {
        var test = EAPOverTLSServerTests.peer(host, authority, way, version ?? .tls13)
        test.network = test.network.map { $0.replacing("=\"anonymous\"", with: "=\"anonymous@\(realm)\"") }
        if version == nil { test.allowEveryVersion() }
        return test
    }

    private static func with(_ body: (TestAuthority) async throws -> Void) async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("nemo", usage: "clientAuth")
            try await body(authority)
        }
    }

    @Test func aRuleLooksAtTheNASAndAtItsRequest() async throws {
        try await Self.with { authority in
            let host = try EAPOverTLSServerTests.host(authority)
            let rule = Self.rule(#"nas.name == "loopback" and nas.address == 127.0.0.1 and Called-Station-Id matches "old-*""#, "1.2")
            try Self.put([rule], into: host)
            for way in EAPOverTLSServerTests.ways where [.eapTLS, .eapTTLSPAP, .eapPEAPMSCHAPv2].contains(way.name) {
                var device = Self.device(host, authority, way)
                let elsewhere = try await device.run()
                #expect(elsewhere.isSuccess && elsewhere.transcript.contains("Using TLS version TLSv1.3"), "\(elsewhere.transcript)")
                device.arguments = ["-N", "30:s:old-network"]
                let there = try await device.run()
                #expect(there.isSuccess && there.transcript.contains("Using TLS version TLSv1.2"), "\(there.transcript)")
                #expect(there.keysMatched == 1)
            }
        }
    }

    @Test func aRuleOfARealmRefusesADeviceThatIsTooOld() async throws {
        try await Self.with { authority in
            let host = try EAPOverTLSServerTests.host(authority)
            try Self.put(
                [Self.rule(#"subscriber.realm == "new.example""#, "1.3"), Self.rule("not has NAS-Port-Id", "1.2", id: 2)], into: host)
            let way = EAPOverTLSServerTests.ways[1]
            let old = Self.device(host, authority, way, only: .tls12, realm: "new.example")
            let refused = try await old.run()
            #expect(!refused.isSuccess && refused.replies.last == "Access-Reject", "\(refused.transcript)")
            #expect(host.count(.tlsNoSharedVersion as AccessReason) == 1)
            for (realm, version) in [("new.example", "TLSv1.3"), ("home.example", "TLSv1.2")] {
                let outcome = try await Self.device(host, authority, way, realm: realm).run()
                #expect(outcome.isSuccess && outcome.transcript.contains("Using TLS version \(version)"), "\(outcome.transcript)")
            }
            try Self.put([], into: host)
            let free = try await old.run()
            #expect(free.isSuccess, "\(free.transcript)")
        }
    }

    @Test func whatNeitherRuleNorSettingsAllowIsNoVersionAtAll() async throws {
        try await Self.with { authority in
            var tls = EAPCertificates.Settings()
            tls.maximumVersion = .tls12
            let host = try EAPOverTLSServerTests.host(authority, tls: tls)
            try Self.put([Self.rule("", "1.3")], into: host)
            let outcome = try await Self.device(host, authority, EAPOverTLSServerTests.ways[1]).run()
            #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
            #expect(host.count(.tlsNoSharedVersion as AccessReason) == 1)
        }
    }
}
