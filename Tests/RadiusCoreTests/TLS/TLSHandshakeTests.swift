import RadiusCore
import Support
import Testing

@Suite struct TLSHandshakeTests {
    @Test(arguments: TLSSettings.Version.allCases, [1, 7, .max])
    func establishesWithBothCertificates(version: TLSSettings.Version, step: Int) async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(
                try authority.server { $0.allow(only: version) }, try authority.client(), serverName: "radius.example.net")
            pair.talk(step: step)
            #expect(pair.server.state == .established && pair.client.state == .established)
            #expect(pair.server.protocolVersion == version && !pair.server.isResumed && !pair.server.cipherName.isEmpty)
            #expect(pair.server.peer?.commonName == "alice" && pair.server.peer?.names.emailAddresses == ["alice@example.net"])
            #expect(pair.client.peer?.names.dnsNames == ["radius.example.net"] && pair.client.peer?.names.ipAddresses == ["192.0.2.1"])
        }
    }

    @Test(arguments: TLSSettings.Version.allCases, [UInt8(13), 21, 25])
    func bothSidesDeriveTheSameKeys(version: TLSSettings.Version, type: UInt8) async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(try authority.server { $0.allow(only: version) }, try authority.client())
            #expect(pair.server.eapKeys(type: type) == nil)
            pair.talk()
            let keys = try #require(pair.server.eapKeys(type: type))
            #expect(keys == pair.client.eapKeys(type: type))
            #expect(keys.masterSessionKey.count == 64 && keys.extendedMasterSessionKey.count == 64)
            #expect(keys.sessionID.count == 65 && keys.sessionID[0] == type)
            #expect(keys.masterSessionKey != keys.extendedMasterSessionKey && Set(keys.masterSessionKey).count > 8)
            // The type is part of the keys in TLS 1.3 (RFC 9427 §2.1); in 1.2 TTLS alone has a label of its own.
            #expect(
                (keys.masterSessionKey == pair.server.eapKeys(type: 13)?.masterSessionKey)
                    == (type == 13 || version == .tls12 && type == 25))
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func carriesOctetsBothWaysAndCloses(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(try authority.server { $0.allow(only: version) }, try authority.client())
            #expect(!pair.client.write([1]))
            pair.talk()
            let long = (0..<50_000).map { UInt8(truncatingIfNeeded: $0) }
            #expect(pair.client.write([0]) && pair.server.write(long))
            pair.talk(step: 1000)
            #expect(pair.server.read() == [0] && pair.client.read() == long && pair.client.read() == [])
            pair.client.close()
            pair.talk()
            #expect(pair.server.state == .closed && pair.server.eapKeys(type: 13) != nil)
            // The other direction ends by itself.
            #expect(pair.server.write([7]))
            pair.server.close()
            pair.talk()
            #expect(pair.client.read() == [7] && pair.client.state == .closed && !pair.server.write([8]))
        }
    }

    @Test func refusesMoreThanMayWait() async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(try authority.server(), try authority.client())
            pair.talk()
            #expect(!pair.server.write([UInt8](repeating: 0, count: 200_000)) && pair.server.outputCount == 0)
            #expect(pair.server.write([UInt8](repeating: 0, count: 100_000)))
            #expect(!pair.server.write([UInt8](repeating: 0, count: 100_000)))
            // Nobody reads at the client: it holds its limit, and then gives up.
            for _ in 0..<10 where pair.client.state == .established {
                pair.talk()
                pair.server.write([UInt8](repeating: 0, count: 100_000))
            }
            #expect(pair.client.state == .failed(.tooLong))
        }
    }

    @Test func withoutAskingItSeesNoCertificate() async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(try authority.server { $0.peerCertificate = .none }, try authority.client())
            pair.talk()
            #expect(pair.server.state == .established && pair.server.peer == nil)
            var optional = try TLSPair(try authority.server { $0.peerCertificate = .optional }, try authority.client(nil))
            optional.talk()
            #expect(optional.server.state == .established && optional.server.peer == nil)
        }
    }

    @Test func versionsThatDoNotMeetAreNamed() async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(
                try authority.server { $0.allow(only: .tls13) }, try authority.client { $0.allow(only: .tls12) })
            pair.talk()
            #expect(pair.server.state == .failed(.noSharedVersion) && pair.client.state == .failed(.alert(70)))
        }
    }

    @Test func ciphersThatDoNotMeetAreNamed() async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(
                try authority.server {
                    $0.ciphers = .custom("ECDHE-ECDSA-AES256-GCM-SHA384")
                    $0.allow(only: .tls12)
                }, try authority.client { $0.ciphers = .custom("ECDHE-ECDSA-AES128-GCM-SHA256") })
            pair.talk()
            #expect(pair.server.state == .failed(.noSharedCipher) && pair.client.state == .failed(.alert(40)))
        }
    }

    @Test func compatibleServersTakeOldKeysAndCiphers() async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("old", usage: "clientAuth", key: ["-newkey", "rsa:1024"])
            let client = try authority.client("old") {
                $0.ciphers = .compatible
                $0.allow(only: .tls12)
            }
            var pair = try TLSPair(try authority.server { $0.ciphers = .compatible }, client)
            pair.talk()
            #expect(pair.server.state == .established)
            var strict = try TLSPair(try authority.server(), client)
            strict.talk()
            #expect(strict.server.state == .failed(.certificate(.tooWeak, depth: 0)))
        }
    }

    @Test func serversMustHaveTheNameThatIsExpected() async throws {
        try await TestAuthority.withPair { authority in
            for name in ["192.0.2.1", "radius.example.net"] {
                var pair = try TLSPair(try authority.server(), try authority.client(), serverName: name)
                pair.talk()
                #expect(pair.client.state == .established, "\(name)")
            }
            for name in ["192.0.2.2", "other.example.net"] {
                var pair = try TLSPair(try authority.server(), try authority.client(), serverName: name)
                pair.talk()
                #expect(pair.client.state == .failed(.certificate(.wrongName, depth: 0)), "\(name)")
                #expect(pair.server.state == .failed(.alert(42)), "\(name)")
            }
            #expect(throws: TLSFailure.self) { try TLSConversation(try authority.client(), serverName: "") }
        }
    }

    @Test(
        arguments: [
            (["radius/1.1", "radius/1.0"], ["radius/1.0", "radius/1.1"], "radius/1.1"),
            (["radius/1.0"], ["radius/1.1", "radius/1.0"], "radius/1.0"),
            ([], ["radius/1.1"], nil), (["radius/1.1"], [], nil),
        ] as [([String], [String], String?)])
    func agreesOnAnApplicationProtocol(ours: [String], theirs: [String], expected: String?) async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(
                try authority.server { $0.applicationProtocols = ours }, try authority.client { $0.applicationProtocols = theirs })
            pair.talk()
            #expect(pair.server.state == .established && pair.server.applicationProtocol == expected)
            #expect(pair.client.applicationProtocol == expected)
        }
    }

    @Test func refusesClientsThatOfferOtherProtocolsOnly() async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(
                try authority.server { $0.applicationProtocols = ["radius/1.1"] }, try authority.client { $0.applicationProtocols = ["h2"] }
            )
            pair.talk()
            #expect(pair.server.state == .failed(.noSharedProtocol) && pair.client.state == .failed(.alert(120)))
        }
    }

    @Test func exportsAreBoundedAndNeedAHandshake() async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(try authority.server(), try authority.client())
            #expect(pair.server.exportKeyingMaterial(label: "ttls challenge", count: 17) == nil)
            pair.talk()
            #expect(pair.server.exportKeyingMaterial(label: "ttls challenge", count: 17)?.count == 17)
            #expect(pair.server.exportKeyingMaterial(label: "x", count: 0) == nil)
            #expect(pair.server.exportKeyingMaterial(label: "x", count: 1025) == nil)
        }
    }
}
