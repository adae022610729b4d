internal import COpenSSL
internal import Glibc

/// What a certificate says of its holder (RFC 5280), in Swift's own memory.
///
/// Names that hold control characters, or are not UTF-8, are left out: they could read as another name (CVE-2009-2408).
public struct CertificateDescription: Sendable, Equatable {
    /// The subject, such as `CN=alice,O=Example` (RFC 4514).
    public let subject: String
    public let issuer: String
    /// The last Common Name of the subject.
    public let commonName: String?
    /// Subject alternative names, in the order of the certificate.
    public let names: CertificateNames
    /// The number without leading zeros, most significant octet first; 20 octets at most in honest certificates.
    public let serialNumber: [UInt8]
    /// First and last second of validity, in seconds since 1970.
    public let notBefore: Int64
    public let notAfter: Int64
    /// May sign certificates (basicConstraints CA).
    public let isAuthority: Bool
    /// Its usages allow it to be a client's: there are none, or clientAuth is among them.
    public let isForClients: Bool
    /// SHA-256 of the whole certificate.
    public let fingerprint: [UInt8]

    /// Reads `certificate` (an `X509 *`), which stays the caller's.
    public init?(_ certificate: OpaquePointer) {
        guard let notBefore = Self.seconds(X509_get0_notBefore(certificate)),
            let notAfter = Self.seconds(X509_get0_notAfter(certificate))
        else { return nil }
        self.notBefore = notBefore
        self.notAfter = notAfter
        subject = Self.text(X509_get_subject_name(certificate))
        issuer = Self.text(X509_get_issuer_name(certificate))
        commonName = Self.commonName(X509_get_subject_name(certificate))
        names = CertificateNames(of: certificate)
        serialNumber = Self.serialNumber(X509_get0_serialNumber(certificate))
        isAuthority = X509_check_ca(certificate) > 0
        isForClients = X509_check_purpose(certificate, X509_PURPOSE_SSL_CLIENT, 0) == 1
        fingerprint = Self.fingerprint(certificate)
        _ = OpenSSLErrors.drain()
    }

    /// The certificates of a PEM file, in its order; 100 at most.
    ///
    /// - Throws: `TLSFileFailure` when it cannot be read, or holds none.
    public static func read(path: String) throws(TLSFileFailure) -> [CertificateDescription] {
        let descriptions = try PEMFile(path: path).certificates().compactMap { CertificateDescription($0.handle) }
        guard !descriptions.isEmpty else { throw TLSFileFailure(path: path, reason: "it holds no certificate") }
        return descriptions
    }

    /// `serialNumber` in hexadecimal digits, as `openssl x509 -serial` prints it.
    public var serialText: String { Hexadecimal.text(serialNumber, uppercase: true) }

    /// Seconds since 1970 of an ASN.1 time; nil when it is none.
    static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Int64(timegm(&parts))
    }

    private static func serialNumber(_ number: UnsafePointer<ASN1_INTEGER>?) -> [UInt8] {
        guard let number, let data = number.pointee.data, number.pointee.length > 0 else { return [] }
        return Array(UnsafeBufferPointer(start: data, count: Int(number.pointee.length)))
    }

    private static func fingerprint(_ certificate: OpaquePointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(certificate, EVP_sha256(), &digest, &count) == 1 else { return [] }
        return Array(digest.prefix(Int(count)))
    }

    private static func text(_ name: OpaquePointer?) -> String {
        guard let name, let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        guard X509_NAME_print_ex(bio, name, 0, lm_name_flags()) >= 0 else { return "" }
        var octets: UnsafePointer<UInt8>?
        let count = lm_bio_contents(bio, &octets)
        return String(decoding: UnsafeBufferPointer(start: octets, count: max(0, count)), as: UTF8.self)
    }

    private static func commonName(_ name: OpaquePointer?) -> String? {
        guard let name else { return nil }
        var position: Int32 = -1
        var last: Int32 = -1
        while true {
            position = X509_NAME_get_index_by_NID(name, NID_commonName, position)
            if position < 0 { break }
            last = position
        }
        guard last >= 0, let value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)) else { return nil }
        return CertificateNames.text(value)
    }
}
