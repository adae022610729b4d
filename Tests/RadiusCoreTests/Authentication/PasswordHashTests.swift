import Testing

@testable import RadiusCore

/// Stored hashes. They come from OpenSSL's `passwd`, from Openwall's and argon2's published tests; those of yescrypt, argon2d and
/// bcrypt for "arctangent" from crypt(3) and libargon2 called by Python.
@Suite struct PasswordHashTests {
    private static let known: [(password: String, stored: String, scheme: PasswordHash.Scheme)] = [
        ("arctangent", "$1$saltsalt$goE80zxgRmj8C5ron0hJB/", .md5Crypt),
        ("arctangent", "$5$saltstring$ZAebeuMWbw4x2GYow0Q.HL.PRQJor3vOdYaPYiYLJX2", .sha256Crypt),
        ("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", .sha256Crypt),
        (
            "arctangent",
            "$6$saltstring$BZ0iLisyvCBK9r1aQoR7rLH.AEeFrJ3zxb8.2S/kaNpXsjFJjeLPPq5rXKSbXCpGAkja4UZ/Z4ltGeacz1nPR/",
            .sha512Crypt
        ),
        (
            "arctangent",
            "$6$rounds=1000$saltstring$t.42RW9rheu53u5928.YeCC35ot42M6gKoUMitRbk53TTbCl6JMm0k6C6pxO0QV60CrUtUAcSqvKtaRMhwdyB0",
            .sha512Crypt
        ),
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", .bcrypt),
        ("arctangent", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.3w00arBHKErIi3yjR3MjiQ7OXRCQeD2", .bcrypt),
        ("arctangent", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.3w00arBHKErIi3yjR3MjiQ7OXRCQeD2", .bcrypt),
        ("arctangent", "$y$j75$abcdefgh12345678$gNxRIj88S0ey4XX8sHr4RnXl5yOQryCwkKcNwFSOjS.", .yescrypt),
        ("password", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8", .argon2i),
        ("password", "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY", .argon2i),
        ("password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", .argon2id),
        ("password", "$argon2d$v=19$m=256,t=2,p=1$c29tZXNhbHQ$JcTui6RIBUtJ78gE5Hi52CO+H5vS6Z9R1uxAB6OhUB8", .argon2d),
    ]

    @Test(arguments: known.indices)
    func tellsTheRightPasswordFromAWrongOne(_ index: Int) {
        let (password, stored, scheme) = Self.known[index]
        #expect(outcome(password, stored) == .matches, "\(stored)")
        #expect(outcome(password + "x", stored) == .differs, "\(stored)")
        #expect(outcome("", stored) == .differs, "\(stored)")
        let found = PasswordHash.scheme(of: Array(stored.utf8).span)
        #expect(found == scheme)
    }

    @Test(arguments: ["", "arctangent", "$", "$$", "$3$salt$hash", "$2$05$x", "$argon2x$v=19$m=8,t=1,p=1$a$b", "{SSHA}abcd"])
    func namesUnknownSchemes(_ stored: String) {
        #expect(outcome("arctangent", stored) == .unusable(.unknownScheme))
    }

    @Test(
        arguments: [
            "$1$", "$6$", "$2b$", "$2b$5$CCCCCCCCCCCCCCCCCCCCC.", "$2b$05$short", "$2b$0x$CCCCCCCCCCCCCCCCCCCCC.", "$y$k9T$salt$hash",
            "$y$j$salt$hash", "$argon2id$v=19$t=2,m=256,p=1$a$b", "$argon2id$v=19$m=256,t=2,p=0$c29tZXNhbHQ$aa",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$!!!", "$argon2id$v=19$m=99999999999,t=2,p=1$c29tZXNhbHQ$aaaa", "$1$a\0b$c",
        ])
    func namesMalformedHashes(_ stored: String) {
        #expect(outcome("arctangent", stored) == .unusable(.malformed), "\(stored)")
    }

    @Test(
        arguments: [
            "$2b$17$CCCCCCCCCCCCCCCCCCCCC.3w00arBHKErIi3yjR3MjiQ7OXRCQeD2", "$6$rounds=1000001$saltstring$x",
            "$5$rounds=999999999$saltstring$x", "$y$jIT$abcdefgh$x", "$argon2id$v=19$m=1048577,t=1,p=1$c29tZXNhbHQ$aaaa",
            "$argon2id$v=19$m=65536,t=65,p=1$c29tZXNhbHQ$aaaa", "$argon2id$v=19$m=256,t=1,p=17$c29tZXNhbHQ$aaaa",
            "$argon2id$v=19$m=4294967295,t=4294967295,p=1$c29tZXNhbHQ$aaaa",
        ])
    func refusesHashesThatWouldStopTheServer(_ stored: String) {
        #expect(outcome("arctangent", stored) == .unusable(.tooCostly), "\(stored)")
    }

    @Test func refusesPasswordsThatCryptWouldCut() {
        let stored = "$1$saltsalt$goE80zxgRmj8C5ron0hJB/"
        #expect(outcome("arctangent\0x", stored) == .unusable(.passwordContainsNUL))
        #expect(outcome(String(repeating: "x", count: 512), stored) == .unusable(.passwordTooLong))
        #expect(outcome(String(repeating: "x", count: 511), stored) == .differs)
    }

    @Test func makesArgon2idThatVerifiesAndIsSaltedAnew() throws {
        let password = Array("arc\0tangent".utf8)
        let first = PasswordHash.createArgon2id(password.span)
        let second = PasswordHash.createArgon2id(password.span)
        let stored = String(decoding: try #require(first), as: UTF8.self)
        #expect(stored.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(first != second)
        #expect(outcome("arc\0tangent", stored) == .matches)
        #expect(outcome("arc", stored) == .differs)
    }

    private func outcome(_ password: String, _ stored: String) -> PasswordHash.Outcome {
        let password = Array(password.utf8)
        let stored = Array(stored.utf8)
        return PAP.verify(password.span, hash: stored.span)
    }
}
