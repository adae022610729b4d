import Testing

@testable import RadiusCore

/// Runs every cryptographic vector of `Tests/Vectors`.
@Suite struct VectorTests {
    static let files = ["digests.txt", "des.txt", "rfc-packets.txt", "signed-requests.txt", "hiding.txt", "ms-chap.txt"]

    @Test(arguments: files)
    func holds(_ file: String) throws {
        let vectors = try VectorFile.read(file)
        #expect(vectors.count >= 6)
        for vector in vectors { try check(vector) }
    }

    func check(_ vector: Vector) throws {
        switch vector.kind {
        case "md4", "md5", "sha1", "hmac-md5": try checkDigest(vector)
        case "des": try checkDES(vector)
        case "reply": try checkReply(vector)
        case "request": try checkRequest(vector)
        case "signed": try checkSigned(vector)
        case "user-password": try checkUserPassword(vector)
        case "salted": try checkSalted(vector)
        case "ascend": try checkAscend(vector)
        case "chap", "ms-chap": try checkChallenge(vector)
        case "ms-chap-v2": try checkMSCHAPV2(vector)
        case "nt-hash", "lm-hash", "nt-hash-hash": try checkPasswordDigest(vector)
        default: Issue.record("\(vector.testDescription): nobody checks this kind")
        }
    }

    private func checkDigest(_ vector: Vector) throws {
        let input = try vector.octets("input")
        let digest: [UInt8]
        switch vector.kind {
        case "md4":
            var state = MD4()
            state.update(input.span)
            digest = octets(state.finish())
        case "md5":
            var state = MD5()
            state.update(input.span)
            digest = octets(state.finish())
        case "sha1":
            var state = SHA1()
            state.update(input.span)
            digest = octets(state.finish())
        default:
            let key = try vector.octets("key")
            var state = HMACMD5(key: HMACMD5.Key(key.span))
            state.update(input.span)
            digest = octets(state.finish())
        }
        #expect(try digest == vector.octets("digest"), "\(vector.testDescription)")
    }

    private func checkDES(_ vector: Vector) throws {
        let key = try vector.octets("key7")
        let block = try vector.octets("block")
        let hidden = DES.encrypt(block: InlineArray { block[$0] }, key7: InlineArray { key[$0] })
        #expect(try octets(hidden) == vector.octets("hidden"), "\(vector.testDescription)")
    }

    private func checkReply(_ vector: Vector) throws {
        let secret = SharedSecret(try vector.octets("secret"))
        var reply = try vector.octets("reply")
        let authenticator = digest16(try vector.octets("request")[4..<20])
        func verifies() -> Bool {
            ResponseAuthenticator.verify(reply.span, requestAuthenticator: authenticator, secret: secret)
        }
        #expect(verifies(), "\(vector.testDescription)")
        let expected = reply
        for i in 4..<20 { reply[i] = 0 }
        #expect(!verifies(), "\(vector.testDescription)")
        withMutableSpan(&reply) { ResponseAuthenticator.sign(&$0, requestAuthenticator: authenticator, secret: secret) }
        #expect(reply == expected, "\(vector.testDescription)")
    }

    private func checkRequest(_ vector: Vector) throws {
        let secret = SharedSecret(try vector.octets("secret"))
        var packet = try vector.octets("packet")
        func verifies() -> Bool { RequestAuthenticator.verify(packet.span, secret: secret) }
        #expect(verifies(), "\(vector.testDescription)")
        let expected = packet
        for i in 4..<20 { packet[i] = 0 }
        #expect(!verifies(), "\(vector.testDescription)")
        withMutableSpan(&packet) { RequestAuthenticator.sign(&$0, secret: secret) }
        #expect(packet == expected, "\(vector.testDescription)")
    }

    private func checkSigned(_ vector: Vector) throws {
        let secret = SharedSecret(try vector.octets("secret"))
        var packet = try vector.octets("packet")
        let offset = try vector.octets("offset").reduce(0) { $0 * 256 + Int($1) }
        let authenticator = digest16(vector.fields["authenticator"]?[...] ?? packet[4..<20])
        func verifies() -> Bool {
            MessageAuthenticator.verify(packet.span, attributeOffset: offset, authenticator: authenticator, secret: secret)
        }
        #expect(verifies(), "\(vector.testDescription)")
        let expected = packet
        packet[offset + 17] ^= 1
        #expect(!verifies(), "\(vector.testDescription)")
        withMutableSpan(&packet) {
            MessageAuthenticator.sign(&$0, attributeOffset: offset, authenticator: authenticator, secret: secret)
        }
        #expect(packet == expected, "\(vector.testDescription)")
    }
}
