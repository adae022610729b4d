internal import COpenSSL
internal import RadiusCore

/// Puts a certificate together (RFC 5280 §4).
struct CertificateBuilder {
    private let certificate: Certificate
    private var handle: OpaquePointer { certificate.handle }

    /// Clocks of supplicants go slow: certificates count as valid from an hour before they were made.
    static let backdateSeconds: Int64 = 3600

    /// `serialNumber`: 20 octets, most significant first, the highest bit clear.
    init(key: PrivateKey, serialNumber: [UInt8], now: Int64, days: Int) throws(CertificateFailure) {
        guard let handle = X509_new() else { throw .openSSL("make a certificate") }
        certificate = Certificate(handle)
        // The value 2 is version 3.
        guard X509_set_version(handle, 2) == 1, X509_set_pubkey(handle, key.handle) == 1,
            let number = BN_bin2bn(serialNumber, Int32(serialNumber.count), nil)
        else { throw .openSSL("make a certificate") }
        defer { BN_free(number) }
        guard BN_to_ASN1_INTEGER(number, X509_get_serialNumber(handle)) != nil,
            ASN1_TIME_set(X509_getm_notBefore(handle), Int(now - Self.backdateSeconds)) != nil,
            ASN1_TIME_set(X509_getm_notAfter(handle), Int(now + Int64(days) * 86400)) != nil
        else { throw .openSSL("make a certificate") }
    }

    /// 20 octets for a positive number of 159 bits at most, from the system's generator (RFC 5280 §4.1.2.2).
    static func randomSerialNumber() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var octets = (0..<20).map { _ in UInt8.random(in: 0...255, using: &generator) }
        // Positive, and always 20 octets: one bit set keeps zeros from the front.
        octets[0] = octets[0] & 0x7f | 0x40
        return octets
    }

    func setSubject(commonName: String, organization: String?) throws(CertificateFailure) {
        guard let subject = X509_get_subject_name(handle) else { throw .openSSL("name a certificate") }
        for (field, value) in [("O", organization), ("CN", commonName)] {
            guard let value else { continue }
            let octets = Array(value.utf8)
            guard X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, octets, Int32(octets.count), -1, 0) == 1 else {
                throw .openSSL("name a certificate")
            }
        }
    }

    /// Extensions of an authority that signs leaves and lists only.
    func addAuthorityExtensions() throws(CertificateFailure) {
        try setIssuer(certificate)
        try add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0", issuer: certificate)
        try add(NID_key_usage, "critical,keyCertSign,cRLSign", issuer: certificate)
        try add(NID_subject_key_identifier, "hash", issuer: certificate)
        try add(NID_authority_key_identifier, "keyid:always", issuer: certificate)
    }

    func addLeafExtensions(_ request: CertificateRequest, issuer: Certificate) throws(CertificateFailure) {
        try setIssuer(issuer)
        // RSA key exchange of TLS 1.2 needs keyEncipherment.
        let usage = request.keyType == .rsa3072 ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature"
        let extended = request.kind.extendedKeyUsages + (request.isForEAPOverLAN ? ["1.3.6.1.5.5.7.3.14"] : [])
        try add(NID_basic_constraints, "critical,CA:FALSE", issuer: issuer)
        try add(NID_key_usage, usage, issuer: issuer)
        try add(NID_ext_key_usage, extended.joined(separator: ","), issuer: issuer)
        try add(NID_subject_key_identifier, "hash", issuer: issuer)
        try add(NID_authority_key_identifier, "keyid:always", issuer: issuer)
        try AlternativeNames.add(request, to: handle)
    }

    func signed(with key: PrivateKey) throws(CertificateFailure) -> Certificate {
        try certificate.sign(with: key)
        return certificate
    }

    private func setIssuer(_ issuer: Certificate) throws(CertificateFailure) {
        guard X509_set_issuer_name(handle, X509_get_subject_name(issuer.handle)) == 1 else { throw .openSSL("name the issuer") }
    }

    /// `value` is OpenSSL's own notation: only constants come here, never names from outside.
    private func add(_ identifier: Int32, _ value: String, issuer: Certificate) throws(CertificateFailure) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer.handle, handle, nil, nil, 0)
        guard let made = X509V3_EXT_conf_nid(nil, &context, identifier, value) else { throw .openSSL("make an extension") }
        defer { X509_EXTENSION_free(made) }
        guard X509_add_ext(handle, made, -1) == 1 else { throw .openSSL("add an extension") }
    }
}
