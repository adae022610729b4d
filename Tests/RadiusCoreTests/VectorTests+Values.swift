import Testing

@testable import RadiusCore

extension VectorTests {
    func checkUserPassword(_ vector: Vector) throws {
        let secret = SharedSecret(try vector.octets("secret"))
        let authenticator = digest16(try vector.octets("authenticator")[...])
        let hidden = try vector.octets("hidden")
        let password = try vector.octets("password")
        let revealed = try filling(128) {
            try UserPassword.reveal(hidden.span, requestAuthenticator: authenticator, secret: secret, into: &$0)
        }
        #expect(revealed == password, "\(vector.testDescription)")
        let hiddenAgain = filling(128) {
            UserPassword.hide(password.span, requestAuthenticator: authenticator, secret: secret, into: &$0)
        }
        #expect(hiddenAgain == hidden, "\(vector.testDescription)")
    }

    func checkSalted(_ vector: Vector) throws {
        let secret = SharedSecret(try vector.octets("secret"))
        let authenticator = digest16(try vector.octets("authenticator")[...])
        let salted = try vector.octets("salted")
        let clear = try vector.octets("clear")
        let salt = try vector.octets("salt").reduce(UInt16(0)) { $0 << 8 | UInt16($1) }
        let revealed = try filling(240) {
            try SaltEncryption.reveal(salted.span, authenticator: authenticator, secret: secret, into: &$0)
        }
        #expect(revealed == clear, "\(vector.testDescription)")
        let saltedAgain = filling(250) {
            SaltEncryption.hide(clear.span, salt: salt & 0x7fff, authenticator: authenticator, secret: secret, into: &$0)
        }
        #expect(saltedAgain == salted, "\(vector.testDescription)")
    }

    func checkAscend(_ vector: Vector) throws {
        let secret = SharedSecret(try vector.octets("secret"))
        let authenticator = digest16(try vector.octets("authenticator")[...])
        let hidden = try vector.octets("hidden")
        let clear = try vector.octets("clear")
        let revealed = try filling(16) {
            try AscendSecret.reveal(hidden.span, requestAuthenticator: authenticator, secret: secret, into: &$0)
        }
        #expect(revealed == clear, "\(vector.testDescription)")
        let hiddenAgain = filling(16) {
            AscendSecret.hide(clear.span, requestAuthenticator: authenticator, secret: secret, into: &$0)
        }
        #expect(hiddenAgain == hidden, "\(vector.testDescription)")
    }

    func checkChallenge(_ vector: Vector) throws {
        let challenge = try vector.octets("challenge")
        var response = try vector.octets("response")
        func verifies() throws -> Bool {
            if vector.kind == "chap" {
                let password = try vector.octets("password")
                return try CHAP.verify(response: response.span, challenge: challenge.span, password: password.span)
            }
            let hash = digest16(try vector.octets("nt-hash")[...])
            return try MSCHAP.V1.verify(response: response.span, challenge: challenge.span, ntHash: hash)
        }
        #expect(try verifies(), "\(vector.testDescription)")
        response[response.count - 1] ^= 0x80
        #expect(try !verifies(), "\(vector.testDescription)")
    }

    func checkMSCHAPV2(_ vector: Vector) throws {
        let hash = digest16(try vector.octets("nt-hash")[...])
        let name = try vector.octets("user-name")
        let challenge = try vector.octets("challenge")
        var response = try vector.octets("response")
        let success = try MSCHAP.V2.authenticatorResponse(
            response: response.span, challenge: challenge.span, ntHash: hash, userName: name.span)
        #expect(try octets(success) == vector.octets("success"), "\(vector.testDescription)")
        let keys = try MSCHAP.V2.mppeKeys(response: response.span, ntHash: hash)
        #expect(try octets(keys.send) == vector.octets("send-key"), "\(vector.testDescription)")
        if let receive = vector.fields["receive-key"] {
            #expect(octets(keys.receive) == receive, "\(vector.testDescription)")
        }
        func verifies() throws -> Bool {
            try MSCHAP.V2.verify(response: response.span, challenge: challenge.span, ntHash: hash, userName: name.span)
        }
        #expect(try verifies(), "\(vector.testDescription)")
        response[2] ^= 1
        #expect(try !verifies(), "\(vector.testDescription)")
    }

    func checkPasswordDigest(_ vector: Vector) throws {
        let input = try vector.octets(vector.kind == "nt-hash-hash" ? "hash" : "password")
        let expected = try vector.octets(vector.kind == "nt-hash-hash" ? "hash-hash" : "hash")
        let digest: Digest16? =
            switch vector.kind {
            case "nt-hash": MSCHAP.ntHash(ofUTF8: input.span)
            case "lm-hash": MSCHAP.lmHash(ofASCII: input.span)
            default: MSCHAP.hash(ofNTHash: digest16(input[...]))
            }
        #expect(octets(try #require(digest)) == expected, "\(vector.testDescription)")
    }
}
