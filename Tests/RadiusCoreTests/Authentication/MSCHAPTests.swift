import Testing

@testable import RadiusCore

/// Hostile shapes and the texts of success and failure. Answers and keys are in `Tests/Vectors/ms-chap.txt`.
@Suite struct MSCHAPTests {
    private let hash = Digest16(repeating: 7)
    private let name = Array("User".utf8)

    @Test(arguments: [(0, 8), (49, 8), (51, 8), (50, 0), (50, 7), (50, 16)])
    func versionOneRefusesLengths(_ responseCount: Int, _ challengeCount: Int) {
        let response = [UInt8](repeating: 1, count: responseCount)
        let challenge = [UInt8](repeating: 2, count: challengeCount)
        #expect(throws: DecodeError.msCHAPLength) {
            try MSCHAP.V1.verify(response: response.span, challenge: challenge.span, ntHash: hash)
        }
    }

    @Test(arguments: [(0, 16), (49, 16), (51, 16), (50, 0), (50, 8), (50, 17)])
    func versionTwoRefusesLengths(_ responseCount: Int, _ challengeCount: Int) {
        let response = [UInt8](repeating: 1, count: responseCount)
        let challenge = [UInt8](repeating: 2, count: challengeCount)
        #expect(throws: DecodeError.msCHAPLength) {
            try MSCHAP.V2.verify(response: response.span, challenge: challenge.span, ntHash: hash, userName: name.span)
        }
        #expect(throws: DecodeError.msCHAPLength) {
            let text = try MSCHAP.V2.authenticatorResponse(
                response: response.span, challenge: challenge.span, ntHash: hash, userName: name.span)
            return text[0]
        }
    }

    @Test func keysRefuseShortResponse() {
        let response = [UInt8](repeating: 1, count: 49)
        #expect(throws: DecodeError.msCHAPLength) { try MSCHAP.V2.mppeKeys(response: response.span, ntHash: hash).send[0] }
    }

    @Test func versionOneIgnoresTheLANManagerAnswer() throws {
        let vectors = try VectorFile.read("ms-chap.txt")
        let vector = try #require(vectors.first { $0.kind == "ms-chap" })
        var response = try vector.octets("response")
        let challenge = try vector.octets("challenge")
        let hash = digest16(try vector.octets("nt-hash")[...])
        response[1] = 0
        let verified = try MSCHAP.V1.verify(response: response.span, challenge: challenge.span, ntHash: hash)
        #expect(!verified)
    }

    @Test(arguments: [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x61, 0xe2, 0x82]] as [[UInt8]])
    func passwordThatIsNotUTF8HasNoHash(_ password: [UInt8]) {
        let hash = MSCHAP.ntHash(ofUTF8: password.span)
        #expect(hash == nil)
    }

    @Test func nulBelongsToThePassword() throws {
        let password = Array("a\0b".utf8)
        var expected = MD4()
        let units: [UInt8] = [0x61, 0, 0, 0, 0x62, 0]
        expected.update(units.span)
        let hash = MSCHAP.ntHash(ofUTF8: password.span)
        #expect(octets(try #require(hash)) == octets(expected.finish()))
    }

    @Test func lanManagerHashNeedsASCII() {
        let password = Array("müller".utf8)
        let hash = MSCHAP.lmHash(ofASCII: password.span)
        #expect(hash == nil)
    }

    /// RFC 3079 §2.3 with RFC 2759 §9.2's hash of the hash; the first eight octets are the LAN Manager hash's.
    @Test func versionOneKeysHoldBothHashes() throws {
        let vectors = try VectorFile.read("ms-chap.txt")
        let vector = try #require(vectors.first { $0.kind == "nt-hash-hash" })
        let hash = digest16(try vector.octets("hash")[...])
        let hashHash = try vector.octets("hash-hash")
        let zeros = [UInt8](repeating: 0, count: 8)
        #expect(octets(MSCHAP.V1.mppeKeys(ntHash: hash, lmHash: nil)) == zeros + hashHash + zeros)
        let lmHash: Digest16 = InlineArray { UInt8($0 + 1) }
        #expect(octets(MSCHAP.V1.mppeKeys(ntHash: hash, lmHash: lmHash)) == [1, 2, 3, 4, 5, 6, 7, 8] + hashHash + zeros)
    }

    @Test func failureOfVersionTwoCarriesAMessage() {
        let challenge: [UInt8] = (0..<16).map { UInt8($0 * 17) }
        let message = Array("Wrong password".utf8)
        let value = filling(247) {
            MSCHAP.writeFailure(
                identifier: 0x17, reason: .authenticationFailure, retry: true, challenge: challenge.span, message: message.span,
                into: &$0)
        }
        #expect(value.first == 0x17)
        let text = String(decoding: value.dropFirst(), as: UTF8.self)
        #expect(text == "E=691 R=1 C=00112233445566778899AABBCCDDEEFF V=3 M=Wrong password")
    }

    @Test func failureOfVersionOneHasNoMessage() {
        let challenge: [UInt8] = [0x10, 0x2d, 0xb5, 0xdf, 0x08, 0x5d, 0x30, 0x41]
        let message = Array("unused".utf8)
        let value = filling(247) {
            MSCHAP.writeFailure(
                identifier: 1, reason: .passwordExpired, retry: false, challenge: challenge.span, message: message.span, into: &$0)
        }
        #expect(String(decoding: value.dropFirst(), as: UTF8.self) == "E=648 R=0 C=102DB5DF085D3041 V=2")
    }

    @Test func failureCutsItsMessageToTheAttribute() {
        let challenge = [UInt8](repeating: 0, count: 16)
        let message = [UInt8](repeating: 0x78, count: 300)
        let value = filling(247) {
            MSCHAP.writeFailure(
                identifier: 1, reason: .accountDisabled, retry: false, challenge: challenge.span, message: message.span, into: &$0)
        }
        #expect(value.count == 247)
        #expect(value.last == 0x78)
    }

    @Test func successIsIdentifierAndText() throws {
        let vectors = try VectorFile.read("ms-chap.txt")
        let vector = try #require(vectors.first { $0.kind == "ms-chap-v2" })
        let text = try vector.octets("success")
        let value = filling(64) {
            MSCHAP.writeSuccess(identifier: 9, authenticatorResponse: InlineArray { text[$0] }, into: &$0)
        }
        #expect(value == [9] + text)
    }
}
