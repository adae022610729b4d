import Testing

@testable import RadiusCore

@Suite struct CHAPTests {
    @Test(arguments: [(0, 16), (16, 16), (18, 16), (17, 0)])
    func refusesLengths(_ responseCount: Int, _ challengeCount: Int) {
        let response = [UInt8](repeating: 1, count: responseCount)
        let challenge = [UInt8](repeating: 2, count: challengeCount)
        let password = Array("secret".utf8)
        #expect(throws: DecodeError.chapLength) {
            try CHAP.verify(response: response.span, challenge: challenge.span, password: password.span)
        }
    }

    @Test func papComparesClearTextAndNTHash() throws {
        let stored = Array("clientPass".utf8)
        let vectors = try VectorFile.read("ms-chap.txt")
        let vector = try #require(vectors.first { $0.kind == "nt-hash" && $0.fields["password"] == stored })
        let hash = digest16(try vector.octets("hash")[...])
        func verify(_ password: [UInt8]) -> (clear: Bool, hashed: Bool) {
            (PAP.verify(password.span, clearText: stored.span), PAP.verify(password.span, ntHash: hash))
        }
        #expect(verify(stored) == (true, true))
        #expect(verify(Array("clientpass".utf8)) == (false, false))
        #expect(verify(stored + [0]) == (false, false))
        #expect(verify([0xff]) == (false, false))
        #expect(verify([]) == (false, false))
    }
}
