internal import COpenSSL
internal import RadiusCore

/// A private key in libcrypto's memory.
final class PrivateKey {
    /// `EVP_PKEY *`.
    let handle: OpaquePointer

    private init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { EVP_PKEY_free(handle) }

    /// A new one; RSA takes up to a second.
    static func make(_ type: KeyType) throws(CertificateFailure) -> PrivateKey {
        let name = type == .rsa3072 ? "RSA" : "EC"
        guard let context = EVP_PKEY_CTX_new_from_name(nil, name, nil) else { throw .openSSL("make a key") }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, configure(context, type), EVP_PKEY_keygen(context, &key) == 1, let key else {
            throw .openSSL("make a key")
        }
        return PrivateKey(key)
    }

    private static func configure(_ context: OpaquePointer, _ type: KeyType) -> Bool {
        switch type {
        case .ecdsaP256: EVP_PKEY_CTX_set_group_name(context, "P-256") == 1
        case .rsa3072: EVP_PKEY_CTX_set_rsa_keygen_bits(context, 3072) == 1
        }
    }

    /// From PEM that is not encrypted.
    static func read(_ pem: [UInt8], path: String) throws(CertificateFailure) -> PrivateKey {
        guard let bio = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { throw .openSSL("read \(path)") }
        defer { BIO_free(bio) }
        // A callback that has no password keeps libcrypto from asking the terminal for one.
        guard let key = PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil) else {
            throw CertificateFailure(
                .broken, "\(path) holds no private key: \(OpenSSLErrors.text())", next: "It must be PEM without a password.")
        }
        return PrivateKey(key)
    }

    /// PKCS#8 in PEM, not encrypted.
    func pem() throws(CertificateFailure) -> [UInt8] {
        try PEMText.write("write a key") { PEM_write_bio_PKCS8PrivateKey($0, handle, nil, nil, 0, nil, nil) }
    }
}

/// PEM out of libcrypto.
enum PEMText {
    static func write(_ what: String, _ body: (OpaquePointer) -> Int32) throws(CertificateFailure) -> [UInt8] {
        guard let bio = BIO_new(BIO_s_mem()) else { throw .openSSL(what) }
        defer { BIO_free(bio) }
        guard body(bio) == 1 else { throw .openSSL(what) }
        var octets: UnsafePointer<UInt8>?
        let count = lm_bio_contents(bio, &octets)
        return Array(UnsafeBufferPointer(start: octets, count: max(0, count)))
    }
}

extension CertificateFailure {
    /// OpenSSL refused to `what`.
    static func openSSL(_ what: String) -> CertificateFailure {
        CertificateFailure(.broken, "OpenSSL could not \(what): \(OpenSSLErrors.text())")
    }
}
