import Certificates
import Glibc
import RadiusCore
import Support
import Testing

@Suite struct IssueTests {
    @Test(arguments: KeyType.allCases)
    func opensslTakesServerCertificatesForServersOnly(keyType: KeyType) async throws {
        try await Authority.with(keyType: keyType) { authority in
            let issued = try authority.issue(.server, "radius.example.net") {
                $0.keyType = keyType
                $0.dnsNames = ["radius.example.net"]
            }
            #expect(try await authority.verify(issued.certificatePath, purpose: "sslserver").status == 0)
            let asClient = try await authority.verify(issued.certificatePath, purpose: "sslclient")
            #expect(asClient.status != 0 && asClient.errors.contains("unsuitable certificate purpose"))
            let text = try await authority.text(of: issued.certificatePath)
            #expect(text.contains("TLS Web Server Authentication") && text.contains("DNS:radius.example.net"))
            #expect(text.contains(keyType == .rsa3072 ? "Public-Key: (3072 bit)" : "NIST CURVE: P-256"))
        }
    }

    @Test func opensslTakesClientCertificatesForClientsOnly() async throws {
        try await Authority.with { authority in
            let issued = try authority.issue(.client, "alice")
            #expect(try await authority.verify(issued.certificatePath, purpose: "sslclient").status == 0)
            #expect(try await authority.verify(issued.certificatePath, purpose: "sslserver").status != 0)
        }
    }

    @Test func opensslTakesRadSecCertificatesForBoth() async throws {
        try await Authority.with { authority in
            let issued = try authority.issue(.radsec, "peer.example.net")
            #expect(try await authority.verify(issued.certificatePath, purpose: "sslclient").status == 0)
            #expect(try await authority.verify(issued.certificatePath, purpose: "sslserver").status == 0)
        }
    }

    @Test func writesEveryKindOfName() async throws {
        try await Authority.with { authority in
            let issued = try authority.issue(.radsec, "Ünï, CN=admin") {
                $0.name = "everything"
                $0.dnsNames = ["a.example.net", "*.example.net"]
                $0.ipAddresses = ["192.0.2.1", "2001:db8::1"]
                $0.emailAddresses = ["alice@example.net"]
                $0.userPrincipalNames = ["alice@corp.example.net"]
                $0.naiRealms = ["example.org"]
                $0.isForEAPOverLAN = true
            }
            let text = try await authority.text(of: issued.certificatePath)
            for expected in [
                "DNS:a.example.net", "DNS:*.example.net", "IP Address:192.0.2.1", "IP Address:2001:DB8:0:0:0:0:0:1",
                "email:alice@example.net",
                "othername: UPN::alice@corp.example.net", "NAIRealm::example.org", "1.3.6.1.5.5.7.3.14",
            ] {
                let found = text.contains(expected) || (expected.hasPrefix("1.3.6") && text.contains("id-kp-eapOverLAN"))
                #expect(found, "\(expected) in \(text)")
            }
            let subject = try await authority.openssl(
                "x509", "-in", issued.certificatePath, "-noout", "-subject", "-nameopt", "RFC2253,utf8,-esc_msb")
            #expect(subject.output == "subject=CN=Ünï\\, CN=admin\n")
        }
    }

    @Test func readsItsOwnNamesAgain() async throws {
        try await Authority.with { authority in
            let issued = try authority.issue(.client, "alice") {
                $0.ipAddresses = ["2001:db8::1", "192.0.2.1"]
                $0.emailAddresses = ["alice@example.net"]
                $0.userPrincipalNames = ["alice@corp.example.net"]
                $0.naiRealms = ["example.org"]
                $0.dnsNames = ["host.example.net"]
            }
            let read = try #require(try CertificateDescription.read(path: issued.certificatePath).first)
            #expect(read.commonName == "alice" && read.subject == "CN=alice" && read.issuer == "CN=Test CA,O=Example" && !read.isAuthority)
            #expect(read.names.emailAddresses == ["alice@example.net"] && read.names.userPrincipalNames == ["alice@corp.example.net"])
            #expect(read.names.ipAddresses == ["2001:db8::1", "192.0.2.1"] && read.names.naiRealms == ["example.org"])
            #expect(read.names.dnsNames == ["host.example.net"])
            #expect(read.notAfter == authority.now + 397 * 86400 && read.serialText == issued.record.serial)
            let serial = try await authority.openssl("x509", "-in", issued.certificatePath, "-noout", "-serial")
            #expect(serial.output == "serial=\(issued.record.serial)\n")
        }
    }

    @Test func serialNumbersHaveTwentyOctetsAndDiffer() async throws {
        try await Authority.with { authority in
            let serials = try (0..<20).map { try authority.issue(.client, "user\($0)").record.serial }
            #expect(Set(serials).count == 20)
            #expect(serials.allSatisfy { $0.count == 40 && ("4"..."7").contains($0.prefix(1)) })
        }
    }

    @Test func keysAreTheirOwnersAlone() async throws {
        try await Authority.with { authority in
            let issued = try authority.issue(.client, "alice")
            #expect(mode(of: authority.directory.authorityKey) == 0o600 && mode(of: issued.keyPath) == 0o600)
            #expect(mode(of: issued.certificatePath) == 0o644 && mode(of: authority.directory.revocationList) == 0o644)
            let pair = try await authority.openssl("pkey", "-in", issued.keyPath, "-pubout")
            let certified = try await authority.openssl("x509", "-in", issued.certificatePath, "-noout", "-pubkey")
            #expect(pair.status == 0 && pair.output == certified.output && !pair.output.isEmpty)
        }
    }

    @Test func refusesANameInForceUntilItIsRevoked() async throws {
        try await Authority.with { authority in
            _ = try authority.issue(.client, "alice")
            let taken = try failure { try authority.issue(.client, "alice") }
            #expect(taken.kind == .conflict && taken.message.contains("“alice” in force"))
            _ = try authority.authority.revoke("alice", now: authority.now)
            let leftovers = try failure { try authority.issue(.client, "alice") }
            #expect(leftovers.kind == .conflict && leftovers.message.contains("alice.key exists already"))
            #expect(try authority.issue(.client, "alice") { $0.name = "alice-2" }.record.name == "alice-2")
        }
    }

    @Test func renewsInPlaceOnlyWhenAsked() async throws {
        try await Authority.with { authority in
            let old = try authority.issue(.server, "radius.example.net")
            let request = CertificateRequest(kind: .server, commonName: "radius.example.net")
            let new = try authority.authority.issue(request, replaces: true, now: authority.now)
            #expect(new.certificatePath == old.certificatePath && new.record.serial != old.record.serial)
            #expect(try CertificateDescription.read(path: new.certificatePath).first?.serialText == new.record.serial)
            #expect(mode(of: new.keyPath) == 0o600)
            // The name means the new one; the old one is there by its number.
            #expect(try authority.authority.revoke("radius.example.net", now: authority.now).serial == new.record.serial)
            #expect(try authority.authority.revoke(old.record.serial, now: authority.now).serial == old.record.serial)
        }
    }

    @Test func refusesToOutliveTheAuthority() async throws {
        try await Authority.with(days: 30) { authority in
            let late = try failure { try authority.issue(.client, "alice") { $0.days = 31 } }
            #expect(late.kind == .invalid && late.next.contains("--days 30 or fewer"))
            #expect(try authority.issue(.client, "alice") { $0.days = 30 }.record.daysLeft(at: authority.now) == 30)
        }
    }

    @Test(
        arguments: [
            { (request: inout CertificateRequest) in request.commonName = "" },
            { $0.commonName = String(repeating: "x", count: 65) },
            { $0.commonName = "al\nice" },
            { $0.name = "../ca" },
            { $0.name = ".hidden" },
            { $0.dnsNames = ["a..b"] },
            { $0.dnsNames = ["a.example.net,DNS:b"] },
            { $0.dnsNames = ["*"] },
            { $0.ipAddresses = ["192.0.2.256"] },
            { $0.emailAddresses = ["alice"] },
            { $0.userPrincipalNames = ["a@b@c"] },
            { $0.naiRealms = ["exa mple"] },
            { $0.days = 0 },
            { $0.days = .max },
            { $0.dnsNames = (0...100).map { "a\($0).example.net" } },
        ] as [@Sendable (inout CertificateRequest) -> Void])
    func refusesRequests(change: @Sendable (inout CertificateRequest) -> Void) async throws {
        try await Authority.with { authority in
            let refused = try failure { try authority.issue(.server, "radius.example.net", change) }
            #expect(refused.kind == .invalid)
            #expect(try authority.authority.records() == [])
        }
    }

    @Test(arguments: [
        ("radius.example.net", "radius.example.net"), ("Alice B.", "Alice-B."), ("../etc", "_./etc".replacing("/", with: "-")),
        ("-rf", "_rf"), ("alice@example.net", "alice@example.net"), ("Ü", "-".replacing("-", with: "_")),
    ])
    func fileNamesAreHarmless(commonName: String, expected: String) {
        #expect(CertificateRequest.fileName(for: commonName) == expected)
    }

    @Test func theFirstValidCertificateOfAServerIsTheOneInForce() async throws {
        try await Authority.with { authority in
            #expect(try authority.directory.firstServer(now: authority.now) == nil)
            _ = try authority.issue(.client, "alice")
            _ = try authority.issue(.radsec, "proxy.example.net") { $0.days = 150 }
            _ = try authority.issue(.server, "radius.example.net") { $0.days = 10 }
            _ = try authority.issue(.server, "other.example.net") { $0.days = 100 }
            #expect(try authority.directory.firstServer(now: authority.now)?.name == "radius.example.net")
            // Revoked, or ended, it gives way to the next.
            #expect(try authority.directory.firstServer(now: authority.now + 11 * 86_400)?.name == "other.example.net")
            #expect(try authority.directory.firstServer(now: authority.now + 101 * 86_400) == nil)
        }
    }

    @Test func aRadSecPeersCertificateStandsInForAServersThatIsRevoked() async throws {
        try await Authority.with { authority in
            let server = try authority.issue(.server, "radius.example.net")
            let peer = CertificateRequest(kind: .radsec, commonName: "radius.example.net")
            let issued = try authority.authority.issue(peer, replaces: true, now: authority.now)
            #expect(try authority.directory.firstServer(now: authority.now) == server.record)
            _ = try authority.authority.revoke(server.record.serial, now: authority.now)
            #expect(try authority.directory.firstServer(now: authority.now) == issued.record)
            // A gateway's, whose key has gone where it belongs.
            try #require(unlink(issued.keyPath) == 0)
            #expect(try authority.directory.firstServer(now: authority.now) == nil)
        }
    }

    @Test func amongRadSecPeersAloneOnlyTheFirstServesEAP() async throws {
        try await Authority.with { authority in
            let own = try authority.issue(.radsec, "radius.example.net") { $0.days = 10 }
            _ = try authority.issue(.radsec, "gw1.example.net") { $0.days = 100 }
            #expect(try authority.directory.firstServer(now: authority.now) == own.record)
            #expect(try authority.directory.firstServer(now: authority.now + 11 * 86_400) == nil)
        }
    }

    @Test func anIndexThatIsGoneOrDamagedIsNamed() async throws {
        try await Authority.with { authority in
            _ = try authority.issue(.server, "radius.example.net")
            let index = authority.directory.index
            for content in ["", "garbage\n"] {
                try TextFile.write(content, to: index)
                let found = try failure { try authority.directory.firstServer(now: authority.now) }
                #expect(found.kind == .broken && found.message.contains(index), "\(found)")
            }
            try #require(unlink(index) == 0)
            let found = try failure { try authority.directory.firstServer(now: authority.now) }
            #expect(found.kind == .notFound && found.message.contains(index) && found.next.contains("Copy it"), "\(found)")
            let none = AuthorityDirectory(path: authority.directory.path + "/none")
            #expect(try none.firstServer(now: authority.now) == nil)
        }
    }
}
