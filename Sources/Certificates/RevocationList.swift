internal import COpenSSL
internal import Glibc
internal import RadiusCore

/// Makes certificate revocation lists (RFC 5280 §5).
enum RevocationList {
    /// A list in PEM, stale after `days`. Of `records` those get on it that are revoked and have not expired; `previous` is the list
    /// before, whose number the new one goes beyond.
    static func make(
        of records: [CertificateRecord], authority: Certificate, key: PrivateKey, previous: [UInt8]?, now: Int64, days: Int
    ) throws(CertificateFailure) -> [UInt8] {
        guard let list = X509_CRL_new() else { throw .openSSL("make a revocation list") }
        defer { X509_CRL_free(list) }
        // The value 1 is version 2.
        guard X509_CRL_set_version(list, 1) == 1, X509_CRL_set_issuer_name(list, X509_get_subject_name(authority.handle)) == 1 else {
            throw .openSSL("make a revocation list")
        }
        try setTimes(list, now: now, days: days)
        for record in records where record.notAfter >= now {
            if let revocation = record.revocation { try add(record.serial, revocation, to: list) }
        }
        try addExtensions(list, authority: authority, number: max(now, number(of: previous) + 1))
        guard X509_CRL_sort(list) == 1, X509_CRL_sign(list, key.handle, EVP_sha256()) > 0 else { throw .openSSL("sign a revocation list") }
        return try PEMText.write("write a revocation list") { PEM_write_bio_X509_CRL($0, list) }
    }

    /// When the list in PEM becomes stale, in seconds since 1970.
    static func nextUpdate(_ pem: [UInt8]) -> Int64? {
        guard let list = read(pem) else { return nil }
        defer { X509_CRL_free(list) }
        return seconds(X509_CRL_get0_nextUpdate(list))
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Int64(timegm(&parts))
    }

    private static func read(_ pem: [UInt8]) -> OpaquePointer? {
        guard let bio = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { return nil }
        defer {
            BIO_free(bio)
            _ = OpenSSLErrors.drain()
        }
        return PEM_read_bio_X509_CRL(bio, nil, nil, nil)
    }

    /// The CRL number; 0 when there is none.
    private static func number(of pem: [UInt8]?) -> Int64 {
        guard let pem, let list = read(pem) else { return 0 }
        defer { X509_CRL_free(list) }
        guard let found = X509_CRL_get_ext_d2i(list, NID_crl_number, nil, nil) else { return 0 }
        let number = found.assumingMemoryBound(to: ASN1_INTEGER.self)
        defer { ASN1_INTEGER_free(number) }
        return Int64(max(0, min(ASN1_INTEGER_get(number), Int.max - 1)))
    }

    private static func setTimes(_ list: OpaquePointer, now: Int64, days: Int) throws(CertificateFailure) {
        guard let last = ASN1_TIME_set(nil, Int(now - CertificateBuilder.backdateSeconds)),
            let next = ASN1_TIME_set(nil, Int(now + Int64(days) * 86400))
        else { throw .openSSL("make a revocation list") }
        defer {
            ASN1_TIME_free(last)
            ASN1_TIME_free(next)
        }
        guard X509_CRL_set1_lastUpdate(list, last) == 1, X509_CRL_set1_nextUpdate(list, next) == 1 else {
            throw .openSSL("make a revocation list")
        }
    }

    private static func add(_ serial: String, _ revocation: CertificateRecord.Revocation, to list: OpaquePointer) throws(CertificateFailure)
    {
        var number: OpaquePointer?
        guard BN_hex2bn(&number, serial) > 0, let entry = X509_REVOKED_new() else { throw .openSSL("revoke a certificate") }
        defer { BN_free(number) }
        let serialNumber = BN_to_ASN1_INTEGER(number, nil)
        let time = ASN1_TIME_set(nil, Int(revocation.time))
        defer {
            ASN1_INTEGER_free(serialNumber)
            ASN1_TIME_free(time)
        }
        let isFilled = X509_REVOKED_set_serialNumber(entry, serialNumber) == 1 && X509_REVOKED_set_revocationDate(entry, time) == 1
        guard isFilled, addReason(revocation.reason, to: entry), X509_CRL_add0_revoked(list, entry) == 1 else {
            X509_REVOKED_free(entry)
            throw .openSSL("revoke a certificate")
        }
    }

    /// Unspecified is said by silence (RFC 5280 §5.3.1).
    private static func addReason(_ reason: RevocationReason, to entry: OpaquePointer) -> Bool {
        guard reason != .unspecified else { return true }
        guard let value = ASN1_ENUMERATED_new() else { return false }
        defer { ASN1_ENUMERATED_free(value) }
        return ASN1_ENUMERATED_set(value, reason.code) == 1
            && X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value, 0, UInt(X509V3_ADD_DEFAULT)) == 1
    }

    private static func addExtensions(_ list: OpaquePointer, authority: Certificate, number: Int64) throws(CertificateFailure) {
        guard let value = ASN1_INTEGER_new() else { throw .openSSL("number a revocation list") }
        defer { ASN1_INTEGER_free(value) }
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, authority.handle, nil, nil, list, 0)
        guard ASN1_INTEGER_set_int64(value, number) == 1,
            X509_CRL_add1_ext_i2d(list, NID_crl_number, value, 0, UInt(X509V3_ADD_DEFAULT)) == 1,
            let issuer = X509V3_EXT_conf_nid(nil, &context, NID_authority_key_identifier, "keyid:always")
        else { throw .openSSL("number a revocation list") }
        defer { X509_EXTENSION_free(issuer) }
        guard X509_CRL_add_ext(list, issuer, -1) == 1 else { throw .openSSL("number a revocation list") }
    }
}
