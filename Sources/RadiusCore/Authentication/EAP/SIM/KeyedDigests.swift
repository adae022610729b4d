import COpenSSL

/// Digests with and without a key, and one block of AES, as the methods of SIM cards, EAP-pwd, TEAP and hooks need them; libcrypto does
/// the work.
public enum KeyedDigests {
    /// Which digest, where a cipher suite says so.
    enum Kind: Sendable {
        case sha1, sha256, sha384
    }

    /// HMAC-SHA1 (RFC 2104); 20 octets.
    static func hmacSHA1(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] { hmac(EVP_sha1(), key, message, count: 20) }

    /// HMAC-SHA-256 (RFC 4231); 32 octets.
    public static func hmacSHA256(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] { hmac(EVP_sha256(), key, message, count: 32) }

    /// HMAC by the digest that `kind` names; 20, 32 or 48 octets.
    static func hmac(_ kind: Kind, _ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        switch kind {
        case .sha1: hmacSHA1(key, message)
        case .sha256: hmacSHA256(key, message)
        case .sha384: hmac(EVP_sha384(), key, message, count: 48)
        }
    }

    static func sha1(_ message: [UInt8]) -> [UInt8] {
        var digest = SHA1()
        digest.update(message.span)
        let octets = digest.finish()
        return octets.indices.map { octets[$0] }
    }

    static func sha256(_ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let done = EVP_Digest(message, message.count, &digest, &count, EVP_sha256(), nil)
        precondition(done == 1 && count == 32, "libcrypto has no SHA-256")
        return digest
    }

    private static func hmac(_ kind: OpaquePointer?, _ key: [UInt8], _ message: [UInt8], count: Int) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: count)
        var written: UInt32 = 0
        // An empty array has no address, which libcrypto would take for the key of before.
        let key = key.isEmpty ? [0] : key
        let done = HMAC(kind, key, Int32(key.count), message, message.count, &digest, &written)
        precondition(done != nil && Int(written) == count, "libcrypto has no such digest")
        return digest
    }
}

/// AES with a key of 128 bits, block by block (FIPS 197): what Milenage is made of.
struct AES128 {
    static let blockCount = 16
    private let key: [UInt8]

    /// - Parameter key: 16 octets.
    init(key: [UInt8]) {
        precondition(key.count == Self.blockCount)
        self.key = key
    }

    /// One block of 16 octets.
    func encrypt(_ block: [UInt8]) -> [UInt8] {
        precondition(block.count == Self.blockCount)
        var output = [UInt8](repeating: 0, count: 2 * Self.blockCount)
        var count: Int32 = 0
        guard let context = EVP_CIPHER_CTX_new() else { preconditionFailure("no memory for a block of AES") }
        defer { EVP_CIPHER_CTX_free(context) }
        let done =
            EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), nil, key, nil) == 1
            && EVP_EncryptUpdate(context, &output, &count, block, Int32(block.count)) == 1
        precondition(done && count == 16, "libcrypto has no AES")
        return Array(output.prefix(Self.blockCount))
    }
}
