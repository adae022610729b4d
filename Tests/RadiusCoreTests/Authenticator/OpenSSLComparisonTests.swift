import COpenSSL
import Support
import Testing

@testable import RadiusCore

/// OpenSSL's digests and DES, from a library context of its own that may use the legacy provider.
private final class LegacyOpenSSL {
    private let context: OpaquePointer

    init() throws {
        context = try #require(OSSL_LIB_CTX_new())
        _ = try #require(OSSL_PROVIDER_load(context, "default"))
        _ = try #require(OSSL_PROVIDER_load(context, "legacy"), "OpenSSL's legacy provider is not installed")
    }

    deinit { OSSL_LIB_CTX_free(context) }

    func digest(_ name: String, _ message: [UInt8]) throws -> [UInt8] {
        let type = try #require(EVP_MD_fetch(context, name, nil))
        defer { EVP_MD_free(type) }
        var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        try #require(EVP_Digest(message, message.count, &output, &count, type, nil) == 1)
        return Array(output[..<Int(count)])
    }

    func encryptDES(_ block: [UInt8], key: [UInt8]) throws -> [UInt8] {
        let type = try #require(EVP_CIPHER_fetch(context, "DES-ECB", nil))
        defer { EVP_CIPHER_free(type) }
        let cipher = try #require(EVP_CIPHER_CTX_new())
        defer { EVP_CIPHER_CTX_free(cipher) }
        var output = [UInt8](repeating: 0, count: 16)
        var count: Int32 = 0
        try #require(EVP_EncryptInit_ex2(cipher, type, key, nil, nil) == 1)
        try #require(EVP_EncryptUpdate(cipher, &output, &count, block, Int32(block.count)) == 1)
        return Array(output[..<8])
    }
}

@Suite struct OpenSSLComparisonTests {
    /// Every length to 300, given in pieces cut at random places.
    @Test func digestsAgreeForEveryLengthAndSplit() throws {
        let reference = try LegacyOpenSSL()
        var generator = SeededGenerator(state: 2865)
        for count in 0...300 {
            let message = generator.octets(count)
            var md4 = MD4()
            var md5 = MD5()
            var sha1 = SHA1()
            var start = 0
            repeat {
                let end = Int.random(in: start...count, using: &generator)
                md4.update(message.span.extracting(start..<end))
                md5.update(message.span.extracting(start..<end))
                sha1.update(message.span.extracting(start..<end))
                start = end
            } while start < count
            #expect(try octets(md4.finish()) == reference.digest("MD4", message), "\(count) octets")
            #expect(try octets(md5.finish()) == reference.digest("MD5", message), "\(count) octets")
            #expect(try octets(sha1.finish()) == reference.digest("SHA1", message), "\(count) octets")
        }
    }

    @Test func codesAgreeForKeysAroundTheBlockSize() throws {
        var generator = SeededGenerator(state: 3579)
        for count in [0, 1, 16, 63, 64, 65, 128, 200] {
            let key = generator.octets(count)
            let message = generator.octets(130)
            var code = HMACMD5(key: HMACMD5.Key(key.span))
            code.update(message.span)
            var expected = [UInt8](repeating: 0, count: 16)
            var length: UInt32 = 0
            _ = try #require(HMAC(EVP_md5(), key, Int32(key.count), message, message.count, &expected, &length))
            #expect(octets(code.finish()) == expected, "key of \(count) octets")
        }
    }

    @Test func desAgreesForRandomKeysAndBlocks() throws {
        let reference = try LegacyOpenSSL()
        var generator = SeededGenerator(state: 2433)
        for _ in 0..<200 {
            let key = generator.octets(7)
            let block = generator.octets(8)
            let bits = key.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let expanded = (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(49 - 7 * $0)) << 1 }
            let hidden = DES.encrypt(block: InlineArray { block[$0] }, key7: InlineArray { key[$0] })
            #expect(try octets(hidden) == reference.encryptDES(block, key: expanded))
        }
    }

    @Test func aMidstateServesManyMessages() throws {
        let reference = try LegacyOpenSSL()
        let prefix = Array("shared secret".utf8)
        var midstate = MD5()
        midstate.update(prefix.span)
        for suffix in [[UInt8](), [1], [UInt8](repeating: 7, count: 100)] {
            var copy = midstate
            copy.update(suffix.span)
            #expect(try octets(copy.finish()) == reference.digest("MD5", prefix + suffix))
        }
    }
}
