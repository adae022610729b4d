import COpenSSL

/// AES-256-GCM (NIST SP 800-38D): opens what was sealed under one key; made once, used for many.
///
/// Keeps the expanded key, so that opening a password costs a fraction of a microsecond. Confined to one thread at a time.
public final class AES256GCM {
    public static let keyCount = 32
    public static let nonceCount = 12
    public static let tagCount = 16
    private let context: OpaquePointer

    /// Nil when the key has not 32 octets, or the cipher is not there.
    public init?(key: UnsafeRawBufferPointer) {
        guard key.count == Self.keyCount, let context = EVP_CIPHER_CTX_new() else { return nil }
        let octets = key.bindMemory(to: UInt8.self).baseAddress
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, octets, nil) == 1 else {
            EVP_CIPHER_CTX_free(context)
            return nil
        }
        self.context = context
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    /// Opens `sealed`.
    ///
    /// - Parameters:
    ///   - sealed: nonce, cipher text and tag, one after the other.
    ///   - header: octets that were authenticated with it.
    ///   - clear: receives the clear text; as long as `sealed` at least.
    /// - Returns: octets of clear text; nil when `sealed` is too short or does not verify, and `clear` must not be used then.
    public func open(_ sealed: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, into clear: UnsafeMutableRawBufferPointer) -> Int? {
        let count = sealed.count - Self.nonceCount - Self.tagCount
        guard count >= 0, clear.count >= count, let nonce = sealed.bindMemory(to: UInt8.self).baseAddress else { return nil }
        let output = clear.bindMemory(to: UInt8.self).baseAddress
        let text = nonce + Self.nonceCount
        var length: Int32 = 0
        guard EVP_DecryptInit_ex(context, nil, nil, nil, nonce) == 1,
            EVP_DecryptUpdate(context, nil, &length, header.bindMemory(to: UInt8.self).baseAddress, Int32(header.count)) == 1,
            count == 0 || EVP_DecryptUpdate(context, output, &length, text, Int32(count)) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagCount), UnsafeMutablePointer(mutating: text + count)) == 1,
            EVP_DecryptFinal_ex(context, output, &length) == 1
        else { return nil }
        return count
    }

    /// Seals `clear` under `key`.
    ///
    /// - Parameters:
    ///   - clear: any octets.
    ///   - key: 32 octets.
    ///   - nonce: 12 octets that were never used with this key.
    ///   - header: octets to authenticate with it.
    /// - Returns: nonce, cipher text and tag, one after the other; nil when a length is wrong or the cipher is not there.
    public static func seal(_ clear: [UInt8], key: [UInt8], nonce: [UInt8], header: [UInt8]) -> [UInt8]? {
        guard key.count == keyCount, nonce.count == nonceCount, let context = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        var text = [UInt8](repeating: 0, count: clear.count)
        var tag = [UInt8](repeating: 0, count: tagCount)
        var length: Int32 = 0
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_EncryptUpdate(context, nil, &length, header, Int32(header.count)) == 1,
            clear.isEmpty || EVP_EncryptUpdate(context, &text, &length, clear, Int32(clear.count)) == 1,
            EVP_EncryptFinal_ex(context, &tag, &length) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagCount), &tag) == 1
        else { return nil }
        return nonce + text + tag
    }
}
