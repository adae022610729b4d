internal import COpenSSL

/// Why a peer's certificate was refused (RFC 5280 §6.1).
public enum CertificateProblem: Error, Equatable, Sendable {
    case expired
    case notYetValid
    case revoked
    /// No trusted authority signed it.
    case unknownAuthority
    /// It is signed by itself, and not trusted.
    case selfSigned
    /// Its usages do not allow it to be a client, or a server.
    case wrongPurpose
    case badSignature
    /// Its authority has no revocation list here.
    case noRevocationList
    case staleRevocationList
    /// It is another server's.
    case wrongName
    /// Its key or digest is too short to be trusted.
    case tooWeak
    /// `X509_V_ERR_...`.
    case other(Int32)

    /// Of `X509_V_ERR_...`.
    init(code: Int32) {
        self =
            switch code {
            case X509_V_ERR_CERT_HAS_EXPIRED: .expired
            case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid
            case X509_V_ERR_CERT_REVOKED: .revoked
            case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
                .unknownAuthority
            case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: .selfSigned
            case X509_V_ERR_INVALID_PURPOSE, X509_V_ERR_INVALID_CA, X509_V_ERR_KEYUSAGE_NO_CERTSIGN: .wrongPurpose
            case X509_V_ERR_CERT_SIGNATURE_FAILURE: .badSignature
            case X509_V_ERR_UNABLE_TO_GET_CRL: .noRevocationList
            case X509_V_ERR_CRL_HAS_EXPIRED, X509_V_ERR_CRL_NOT_YET_VALID: .staleRevocationList
            case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH, X509_V_ERR_EMAIL_MISMATCH: .wrongName
            case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK: .tooWeak
            default: .other(code)
            }
    }

    /// A word for logs and metrics.
    public var word: String {
        switch self {
        case .expired: "certificate_expired"
        case .notYetValid: "certificate_not_yet_valid"
        case .revoked: "certificate_revoked"
        case .unknownAuthority: "certificate_unknown_authority"
        case .selfSigned: "certificate_self_signed"
        case .wrongPurpose: "certificate_wrong_purpose"
        case .badSignature: "certificate_bad_signature"
        case .noRevocationList: "revocation_list_missing"
        case .staleRevocationList: "revocation_list_stale"
        case .wrongName: "certificate_wrong_name"
        case .tooWeak: "certificate_too_weak"
        case .other: "certificate_refused"
        }
    }

    /// What it means, and what to do.
    var explanation: String {
        switch self {
        case .expired: "it has expired; issue a new one"
        case .notYetValid: "it is not valid yet; check the clocks"
        case .revoked: "it is revoked"
        case .unknownAuthority: "none of the authorities that are trusted here signed it"
        case .selfSigned: "it is signed by itself and not trusted here"
        case .wrongPurpose: "its usages do not allow this; clients need clientAuth, servers serverAuth"
        case .badSignature: "its signature is wrong"
        case .noRevocationList: "there is no revocation list of its authority"
        case .staleRevocationList: "the revocation list is stale; make it anew (lastmile pki crl)"
        case .wrongName: "it belongs to another server"
        case .tooWeak: "its key or digest is too weak"
        case .other(let code): String(cString: X509_verify_cert_error_string(Int(code)))
        }
    }
}
