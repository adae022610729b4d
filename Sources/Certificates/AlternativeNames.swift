internal import COpenSSL
internal import RadiusCore

/// Writes the subject alternative names of a request into a certificate, as values: nothing in a name can end it early.
enum AlternativeNames {
    /// `certificate`: an `X509 *`.
    static func add(_ request: CertificateRequest, to certificate: OpaquePointer) throws(CertificateFailure) {
        guard let list = GENERAL_NAMES_new() else { throw .openSSL("name a certificate") }
        defer { GENERAL_NAMES_free(list) }
        for name in request.dnsNames { try append(GEN_DNS, Array(name.utf8), to: list) }
        for name in request.emailAddresses { try append(GEN_EMAIL, Array(name.utf8), to: list) }
        for address in request.ipAddresses { try append(GEN_IPADD, CertificateRequest.octets(ofAddress: address) ?? [], to: list) }
        for name in request.userPrincipalNames { try append(CertificateNames.userPrincipalNameOID, name, to: list) }
        for realm in request.naiRealms { try append(CertificateNames.naiRealmOID, realm, to: list) }
        guard lm_general_name_count(list) > 0 else { return }
        guard X509_add1_ext_i2d(certificate, NID_subject_alt_name, UnsafeMutableRawPointer(list), 0, UInt(X509V3_ADD_DEFAULT)) == 1 else {
            throw .openSSL("name a certificate")
        }
    }

    private static func append(_ type: Int32, _ octets: [UInt8], to list: OpaquePointer) throws(CertificateFailure) {
        let stringType = type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING
        guard let name = GENERAL_NAME_new() else { throw .openSSL("name a certificate") }
        guard let value = string(octets, type: stringType) else {
            GENERAL_NAME_free(name)
            throw .openSSL("name a certificate")
        }
        GENERAL_NAME_set0_value(name, type, value)
        try append(name, to: list)
    }

    /// An otherName with a UTF8String.
    private static func append(_ objectIdentifier: String, _ text: String, to list: OpaquePointer) throws(CertificateFailure) {
        guard let name = GENERAL_NAME_new() else { throw .openSSL("name a certificate") }
        guard let value = ASN1_TYPE_new(), let octets = string(Array(text.utf8), type: V_ASN1_UTF8STRING) else {
            GENERAL_NAME_free(name)
            throw .openSSL("name a certificate")
        }
        ASN1_TYPE_set(value, V_ASN1_UTF8STRING, octets)
        guard GENERAL_NAME_set0_othername(name, OBJ_txt2obj(objectIdentifier, 1), value) == 1 else {
            ASN1_TYPE_free(value)
            GENERAL_NAME_free(name)
            throw .openSSL("name a certificate")
        }
        try append(name, to: list)
    }

    private static func append(_ name: UnsafeMutablePointer<GENERAL_NAME>, to list: OpaquePointer) throws(CertificateFailure) {
        guard lm_general_names_append(list, name) > 0 else {
            GENERAL_NAME_free(name)
            throw .openSSL("name a certificate")
        }
    }

    private static func string(_ octets: [UInt8], type: Int32) -> UnsafeMutablePointer<ASN1_STRING>? {
        guard let string = ASN1_STRING_type_new(type) else { return nil }
        guard ASN1_STRING_set(string, octets, Int32(octets.count)) == 1 else {
            ASN1_STRING_free(string)
            return nil
        }
        return string
    }
}
