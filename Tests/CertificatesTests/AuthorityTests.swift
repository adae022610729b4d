import Certificates
import Glibc
import RadiusCore
import Support
import Testing

@Suite struct AuthorityTests {
    @Test func isOneForLeavesOnly() async throws {
        try await Authority.with { authority in
            let text = try await authority.text(of: authority.directory.authorityCertificate)
            #expect(text.contains("CA:TRUE, pathlen:0") && text.contains("Certificate Sign, CRL Sign"))
            #expect(text.contains("Subject: O = Example, CN = Test CA"))
            let chain = try await authority.openssl(
                "verify", "-x509_strict", "-CAfile", authority.directory.authorityCertificate, authority.directory.authorityCertificate)
            #expect(chain.status == 0, "\(chain.errors)")
        }
    }

    @Test func neverOverwritesOne() async throws {
        try await Authority.with { authority in
            let before = TextFile.read(authority.directory.authorityKey)
            let again = try failure { try authority.authority.initialize(commonName: "Another", now: authority.now) }
            #expect(again.kind == .conflict && again.message.contains("ca.key") && !again.next.isEmpty)
            #expect(TextFile.read(authority.directory.authorityKey) == before)
        }
    }

    @Test func namesTheCommandThatMakesOneWhereThereIsNone() throws {
        let nowhere = CertificateAuthority(directory: AuthorityDirectory(path: "/nonexistent/pki"))
        let missing = try failure { try nowhere.issue(CertificateRequest(kind: .client, commonName: "alice"), now: 0) }
        #expect(missing.kind == .notFound && missing.next.contains("lastmile pki init"))
        #expect(try failure { try nowhere.records() }.kind == .notFound)
    }

    @Test func twoAtOnceAreAConflict() async throws {
        try await Authority.with { authority in
            let held = open(authority.directory.path + "/lock", O_RDWR | O_CLOEXEC)
            try #require(held >= 0 && flock(held, LOCK_EX) == 0)
            let busy = try failure { try authority.issue(.client, "alice") }
            #expect(busy.kind == .conflict && busy.message.contains("another process"))
            // Explicitly: a child that another test has just forked still has the descriptor.
            flock(held, LOCK_UN)
            close(held)
            #expect(try authority.issue(.client, "alice").record.name == "alice")
        }
    }

    @Test func refusesAKeyOfAnotherAuthority() async throws {
        try await Authority.with { one in
            try await Authority.with { other in
                try TextFile.write(TextFile.read(other.directory.authorityKey), to: one.directory.authorityKey)
                let mixed = try failure { try one.issue(.client, "alice") }
                #expect(mixed.kind == .broken && mixed.message.contains("is not the key of"))
            }
        }
    }

    @Test(arguments: ["", "nonsense\n", "serial\tkind\n"])
    func refusesABrokenIndex(text: String) async throws {
        try await Authority.with { authority in
            try TextFile.write(text, to: authority.directory.index)
            #expect(try failure { try authority.issue(.client, "alice") }.message.contains("index.tsv, line 1"))
        }
    }

    @Test func refusesALineThatIsNoCertificate() async throws {
        try await Authority.with { authority in
            _ = try authority.issue(.client, "alice")
            try TextFile.write(TextFile.read(authority.directory.index) + "4142\tclient\tbob\n", to: authority.directory.index)
            #expect(try failure { try authority.authority.records() }.message.contains("index.tsv, line 3"))
        }
    }

    /// What root makes in the daemon's folder the daemon must be able to read; anybody else only has files of their own.
    @Test func everythingBelongsToTheOwnerOfTheFolder() async throws {
        try await TemporaryDirectory.use { path in
            let owner: uid_t = geteuid() == 0 ? 54_321 : geteuid()
            _ = chown(path, owner, gid_t.max)
            let authority = CertificateAuthority(directory: AuthorityDirectory(path: path + "/state/pki"))
            try authority.initialize(commonName: "Test CA", now: Int64(time(nil)))
            _ = try authority.issue(CertificateRequest(kind: .client, commonName: "alice"), now: Int64(time(nil)))
            let listing = try await Tool.run("find", [path, "-mindepth", "1", "-printf", "%U\n"])
            #expect(listing.lines.count == 10 && Set(listing.lines) == ["\(owner)"], "\(listing.output)")
        }
    }

    @Test func leavesNoTemporaryFiles() async throws {
        try await Authority.with { authority in
            _ = try authority.issue(.client, "alice")
            let listing = try await Tool.run("find", [authority.directory.path, "-type", "f", "-printf", "%P\n"])
            #expect(
                listing.lines.sorted() == ["ca.key", "ca.pem", "crl.pem", "index.tsv", "issued/alice.key", "issued/alice.pem", "lock"])
        }
    }
}
