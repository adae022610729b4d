import Testing

@testable import RadiusCore

/// Hidden values that no honest peer sends. What honest peers send is in `Tests/Vectors/hiding.txt`.
@Suite struct HiddenValueTests {
    private let secret = SharedSecret(Array("correct horse battery staple".utf8))
    private let authenticator: Digest16 = InlineArray { UInt8(0xf0 + $0) }

    @Test(arguments: [0, 1, 15, 17, 127, 129, 144, 253])
    func refusesPasswordOfLength(_ count: Int) {
        let hidden = [UInt8](repeating: 0x5a, count: count)
        #expect(throws: DecodeError.passwordLength) {
            try filling(256) {
                try UserPassword.reveal(hidden.span, requestAuthenticator: authenticator, secret: secret, into: &$0)
            }
        }
    }

    @Test(arguments: [0, 1, 2, 3, 16, 17, 19, 33, 35, 243, 258])
    func refusesSaltedValueOfLength(_ count: Int) {
        #expect(throws: DecodeError.saltedValueLength) { try revealSalted([UInt8](repeating: 0x80, count: count)) }
    }

    @Test func refusesSaltedValueThatLiesAboutItsLength() throws {
        let clear = [UInt8](repeating: 0x41, count: 15)
        var salted = filling(250) {
            SaltEncryption.hide(clear.span, salt: 1, authenticator: authenticator, secret: secret, into: &$0)
        }
        salted[2] ^= 15 ^ 16
        #expect(throws: DecodeError.saltedValueLength) { try revealSalted(salted) }
        salted[2] ^= 16 ^ 255
        #expect(throws: DecodeError.saltedValueLength) { try revealSalted(salted) }
        salted[2] ^= 255 ^ 3
        #expect(try revealSalted(salted) == [0x41, 0x41, 0x41])
    }

    @Test func saltGetsItsHighestBit() {
        let clear: [UInt8] = [1]
        let salted = filling(250) {
            SaltEncryption.hide(clear.span, salt: 0x0102, authenticator: authenticator, secret: secret, into: &$0)
        }
        #expect(salted[0] == 0x81)
        #expect(salted[1] == 0x02)
    }

    @Test(arguments: [0, 15, 17, 32])
    func refusesAscendSecretOfLength(_ count: Int) {
        let hidden = [UInt8](repeating: 0x5a, count: count)
        #expect(throws: DecodeError.passwordLength) {
            try filling(64) {
                try AscendSecret.reveal(hidden.span, requestAuthenticator: authenticator, secret: secret, into: &$0)
            }
        }
    }

    @Test func revealingWithAnotherSecretGivesAnotherPassword() throws {
        let clear = Array("arctangent".utf8)
        let hidden = filling(128) {
            UserPassword.hide(clear.span, requestAuthenticator: authenticator, secret: secret, into: &$0)
        }
        let revealed = try filling(128) {
            try UserPassword.reveal(
                hidden.span, requestAuthenticator: authenticator, secret: SharedSecret([1]), into: &$0)
        }
        #expect(revealed != clear)
    }

    private func revealSalted(_ salted: [UInt8]) throws -> [UInt8] {
        try filling(256) {
            try SaltEncryption.reveal(salted.span, authenticator: authenticator, secret: secret, into: &$0)
        }
    }
}
