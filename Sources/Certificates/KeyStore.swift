internal import COpenSSL
internal import RadiusCore

/// Makes PKCS#12 files (RFC 7292), which phones and Windows take in by a tap.
enum KeyStore {
    /// Rounds of the password's derivation: some tens of milliseconds when it is opened.
    private static let iterations: Int32 = 100_000

    /// Key, certificate and authority in DER. `label` is what devices call it; the password has 4...512 octets without NUL.
    static func make(
        _ certificate: Certificate, key: PrivateKey, authority: Certificate, label: String, _ order: CertificateAuthority.KeyStoreOrder
    ) throws(CertificateFailure) -> [UInt8] {
        let (password, encryption) = (order.password, order.encryption)
        guard (4...512).contains(password.count), !password.contains(0) else {
            throw CertificateFailure(.invalid, "the password for the PKCS#12 file must have 4 to 512 octets", next: "Choose a longer one.")
        }
        guard let others = lm_x509_list() else { throw .openSSL("make a PKCS#12 file") }
        defer { lm_x509_list_free(others) }
        let cipher = encryption == .aes256 ? NID_aes_256_cbc : NID_pbe_WithSHA1And3_Key_TripleDES_CBC
        var text = password.map { CChar(bitPattern: $0) } + [0]
        defer { OPENSSL_cleanse(&text, text.count) }
        guard lm_x509_list_append(others, authority.handle) > 0,
            let store = PKCS12_create(text, label, key.handle, certificate.handle, others, cipher, cipher, iterations, -1, 0)
        else { throw .openSSL("make a PKCS#12 file") }
        defer { PKCS12_free(store) }
        let digest = encryption == .aes256 ? EVP_sha256() : EVP_sha1()
        guard PKCS12_set_mac(store, text, -1, nil, 0, iterations, digest) == 1 else { throw .openSSL("make a PKCS#12 file") }
        return try encoded(store)
    }

    private static func encoded(_ store: OpaquePointer) throws(CertificateFailure) -> [UInt8] {
        var octets: UnsafeMutablePointer<UInt8>?
        let count = i2d_PKCS12(store, &octets)
        defer { CRYPTO_free(octets, "", 0) }
        guard count > 0 else { throw .openSSL("make a PKCS#12 file") }
        return Array(UnsafeBufferPointer(start: octets, count: Int(count)))
    }
}
