internal import COpenSSL
internal import RadiusCore

/// A certificate in libcrypto's memory.
final class Certificate {
    /// `X509 *`.
    let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { X509_free(handle) }

    /// The first certificate in PEM.
    static func read(_ pem: [UInt8], path: String) throws(CertificateFailure) -> Certificate {
        guard let bio = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { throw .openSSL("read \(path)") }
        defer { BIO_free(bio) }
        guard let certificate = PEM_read_bio_X509(bio, nil, nil, nil) else {
            throw CertificateFailure(.broken, "\(path) holds no certificate in PEM: \(OpenSSLErrors.text())")
        }
        return Certificate(certificate)
    }

    func pem() throws(CertificateFailure) -> [UInt8] {
        try PEMText.write("write a certificate") { PEM_write_bio_X509($0, handle) }
    }

    func description() throws(CertificateFailure) -> CertificateDescription {
        guard let description = CertificateDescription(handle) else { throw .openSSL("read a certificate") }
        return description
    }

    /// Whether `key` is the other half of this certificate's.
    func belongs(to key: PrivateKey) -> Bool {
        defer { _ = OpenSSLErrors.drain() }
        return X509_check_private_key(handle, key.handle) == 1
    }

    /// The key with which its authority signs as OpenSSL's digest for it: SHA-256.
    func sign(with key: PrivateKey) throws(CertificateFailure) {
        guard X509_sign(handle, key.handle, EVP_sha256()) > 0 else { throw .openSSL("sign a certificate") }
    }
}
