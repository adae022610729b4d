import Certificates
import RadiusCore
import Support
import Testing

@Suite struct RevocationTests {
    @Test func opensslRefusesRevokedCertificatesOnly() async throws {
        try await Authority.with { authority in
            let alice = try authority.issue(.client, "alice")
            let bob = try authority.issue(.client, "bob")
            let record = try authority.authority.revoke("alice", reason: .keyCompromise, now: authority.now)
            #expect(record.serial == alice.record.serial && record.state(at: authority.now) == .revoked)
            let refused = try await authority.verify(alice.certificatePath, purpose: "sslclient")
            #expect(refused.status != 0 && refused.errors.contains("certificate revoked"))
            #expect(try await authority.verify(bob.certificatePath, purpose: "sslclient").status == 0)
        }
    }

    @Test func listsSayReasonNumberAndTimes() async throws {
        try await Authority.with { authority in
            let serial = try authority.issue(.client, "alice").record.serial
            _ = try authority.issue(.client, "bob")
            _ = try authority.authority.revoke(serial.lowercased(), reason: .superseded, revocationListDays: 7, now: authority.now)
            _ = try authority.authority.revoke("bob", now: authority.now)
            let text = try await authority.openssl(
                "crl", "-in", authority.directory.revocationList, "-noout", "-text", "-CAfile", authority.directory.authorityCertificate)
            #expect(text.errors.contains("verify OK"))
            #expect(text.output.contains("Serial Number: \(serial)") && text.output.contains("Superseded"))
            #expect(text.output.components(of: "Serial Number:") == 2 && text.output.components(of: "CRL Reason Code") == 1)
            #expect(try authority.authority.ends().revocationList == authority.now + 365 * 86400)
        }
    }

    @Test func numbersOfListsRise() async throws {
        try await Authority.with { authority in
            var numbers: [Int] = []
            for _ in 0..<3 {
                // The same second each time.
                try authority.authority.renewRevocationList(now: authority.now)
                let text = try await authority.openssl("crl", "-in", authority.directory.revocationList, "-noout", "-crlnumber")
                numbers.append(try #require(Int(text.output.dropFirst("crlNumber=0x".count).filter { !$0.isWhitespace }, radix: 16)))
            }
            #expect(numbers[0] < numbers[1] && numbers[1] < numbers[2])
        }
    }

    @Test func staleListsRefuseEverybody() async throws {
        try await Authority.with { authority in
            let alice = try authority.issue(.client, "alice")
            try authority.authority.renewRevocationList(days: 1, now: authority.now - 2 * 86400)
            let refused = try await authority.verify(alice.certificatePath, purpose: "sslclient")
            #expect(refused.status != 0 && refused.errors.contains("CRL has expired"))
        }
    }

    @Test func refusesTwiceAndUnknown() async throws {
        try await Authority.with { authority in
            _ = try authority.issue(.client, "alice")
            _ = try authority.authority.revoke("alice", now: authority.now)
            #expect(try failure { try authority.authority.revoke("alice", now: authority.now) }.kind == .conflict)
            #expect(try failure { try authority.authority.revoke("carol", now: authority.now) }.kind == .notFound)
        }
    }

    @Test func expiredOnesLeaveTheListAndStayInTheIndex() async throws {
        try await Authority.with { authority in
            _ = try authority.issue(.client, "alice") { $0.days = 1 }
            _ = try authority.authority.revoke("alice", now: authority.now)
            try authority.authority.renewRevocationList(now: authority.now + 3 * 86400)
            let text = try await authority.openssl("crl", "-in", authority.directory.revocationList, "-noout", "-text")
            #expect(text.output.contains("No Revoked Certificates"))
            #expect(try authority.authority.records().first?.state(at: authority.now + 3 * 86400) == .revoked)
        }
    }

    @Test func daysLeftCountDown() async throws {
        try await Authority.with { authority in
            let record = try authority.issue(.client, "alice") { $0.days = 2 }.record
            #expect(record.daysLeft(at: authority.now) == 2 && record.daysLeft(at: authority.now + 1) == 1)
            #expect(record.daysLeft(at: record.notAfter) == 0 && record.daysLeft(at: record.notAfter + 1) == -1)
            #expect(record.state(at: record.notAfter) == .valid && record.state(at: record.notAfter + 1) == .expired)
        }
    }
}

extension String {
    /// How often `text` occurs.
    func components(of text: String) -> Int { ranges(of: text).count }
}
