import RadiusCore
import Testing

/// Test case 16 of McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)".
@Suite struct AES256GCMTests {
    private let key = Self.octets("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
    private let nonce = Self.octets("cafebabefacedbaddecaf888")
    private let header = Self.octets("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    private let clear = Self.octets(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
    private let sealed = Self.octets(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            + "76fc6ece0f4e1768cddf8853bb2d551b")

    private static func octets(_ hex: String) -> [UInt8] {
        let nibbles = hex.compactMap { $0.hexDigitValue }
        return stride(from: 0, to: nibbles.count, by: 2).map { UInt8(nibbles[$0] << 4 | nibbles[$0 + 1]) }
    }

    private func open(_ cipher: AES256GCM, _ sealed: [UInt8], header: [UInt8]) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: sealed.count)
        let count = sealed.withUnsafeBytes { sealed in
            header.withUnsafeBytes { header in
                output.withUnsafeMutableBytes { cipher.open(sealed, header: header, into: $0) }
            }
        }
        return count.map { Array(output[..<$0]) }
    }

    @Test func agreesWithThePublishedVector() throws {
        #expect(AES256GCM.seal(clear, key: key, nonce: nonce, header: header) == nonce + sealed)
        let cipher = try #require(key.withUnsafeBytes { AES256GCM(key: $0) })
        #expect(open(cipher, nonce + sealed, header: header) == clear)
    }

    @Test func oneCipherOpensManyAndForgetsAFailure() throws {
        let cipher = try #require(key.withUnsafeBytes { AES256GCM(key: $0) })
        for round in 0..<UInt8(50) {
            let text = [UInt8](repeating: round, count: Int(round))
            let octets = try #require(AES256GCM.seal(text, key: key, nonce: [UInt8](repeating: round, count: 12), header: [round]))
            #expect(open(cipher, octets, header: [round &+ 1]) == nil)
            #expect(open(cipher, octets, header: [round]) == text)
            #expect(open(cipher, Array(octets.dropLast()), header: [round]) == nil)
        }
    }

    @Test func wrongLengthsAreRefused() throws {
        #expect(Array(key.dropLast()).withUnsafeBytes { AES256GCM(key: $0) } == nil)
        #expect(AES256GCM.seal([1], key: key, nonce: [1], header: []) == nil)
        let cipher = try #require(key.withUnsafeBytes { AES256GCM(key: $0) })
        #expect(open(cipher, [UInt8](repeating: 0, count: 27), header: []) == nil)
    }
}
