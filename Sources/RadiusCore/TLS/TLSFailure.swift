internal import COpenSSL

/// Why a TLS conversation failed, for logs, metrics and `explain`.
public enum TLSFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The peer's certificate, or one `depth` above it, was refused.
    case certificate(CertificateProblem, depth: Int)
    /// The peer has none to show.
    case noCertificate
    /// The peer has none to show, and the key that it offers instead is of no use.
    case presharedKey(PresharedKeyProblem)
    /// The peer gave up and told why, by a number of RFC 8446 §6.
    case alert(UInt8)
    case noSharedVersion
    case noSharedCipher
    /// The peer offers other application protocols only (RFC 7301).
    case noSharedProtocol
    /// What the peer sent is no TLS, or breaks its rules; in OpenSSL's words.
    case malformed(String)
    /// More octets than a conversation may have.
    case tooLong
    /// We ourselves could not go on; in OpenSSL's words.
    case broken(String)

    /// A word for logs and metrics.
    public var word: String {
        switch self {
        case .certificate(let problem, _): problem.word
        case .noCertificate: "certificate_missing"
        case .presharedKey(let problem): problem.word
        case .alert(let number): "tls_alert_\(number)"
        case .noSharedVersion: "tls_no_shared_version"
        case .noSharedCipher: "tls_no_shared_cipher"
        case .noSharedProtocol: "tls_no_shared_protocol"
        case .malformed: "tls_malformed"
        case .tooLong: "tls_too_long"
        case .broken: "tls_broken"
        }
    }

    /// A sentence without its full stop.
    public var description: String {
        switch self {
        case .certificate(let problem, 0): "the peer's certificate was refused: \(problem.explanation)"
        case .certificate(let problem, let depth): "the certificate \(depth) above the peer's was refused: \(problem.explanation)"
        case .noCertificate: "the peer has no certificate to show"
        case .presharedKey(let problem): "the peer's preshared key was refused: \(problem.explanation)"
        case .alert(let number): "the peer gave up: \(TLSAlert.explanation(number))"
        case .noSharedVersion: "the peer has no version of TLS that is allowed here"
        case .noSharedCipher: "the peer has no cipher suite that is allowed here"
        case .noSharedProtocol: "the peer offers no application protocol (ALPN) that is allowed here; compare the versions of RADIUS"
        case .malformed(let text): "the peer broke the rules of TLS: \(text)"
        case .tooLong: "more octets than a conversation may have"
        case .broken(let text): "OpenSSL could not go on: \(text)"
        }
    }

    /// What the errors on this thread's queue mean for `connection` (an `SSL *`); empties the queue.
    init(of connection: OpaquePointer) {
        let entries = OpenSSLErrors.drain()
        self =
            entries.lazy.compactMap { Self.known($0, connection) }.first
            ?? Self.unknown(entries.first { $0.library == ERR_LIB_SSL } ?? entries.first)
    }

    /// Reasons from here on are alerts that were received: this and the alert's number.
    private static let receivedAlert = Int32(SSL_AD_REASON_OFFSET)

    private static func known(_ entry: OpenSSLErrors.Entry, _ connection: OpaquePointer) -> TLSFailure? {
        guard entry.library == ERR_LIB_SSL else { return nil }
        switch entry.reason {
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            return .certificate(
                CertificateProblem(code: Int32(clamping: SSL_get_verify_result(connection))),
                depth: TLSVerification.failedDepth(of: connection))
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return PresharedKeys.problem(of: connection).map(TLSFailure.presharedKey) ?? .noCertificate
        case SSL_R_BINDER_DOES_NOT_VERIFY: return PresharedKeys.problem(of: connection) == nil ? nil : .presharedKey(.wrongKey)
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH, SSL_R_WRONG_SSL_VERSION,
            SSL_R_NO_PROTOCOLS_AVAILABLE:
            return .noSharedVersion
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_CIPHERS_AVAILABLE, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SUITABLE_KEY_SHARE,
            SSL_R_NO_SHARED_GROUPS:
            return .noSharedCipher
        case SSL_R_NO_APPLICATION_PROTOCOL: return .noSharedProtocol
        case receivedAlert..<receivedAlert + 256: return .alert(UInt8(entry.reason - receivedAlert))
        default: return nil
        }
    }

    private static func unknown(_ entry: OpenSSLErrors.Entry?) -> TLSFailure {
        guard let entry else { return .malformed("it ended in the middle") }
        let isOurs =
            entry.reason == SSL_R_NO_CERTIFICATE_SET || entry.reason == ERR_R_MALLOC_FAILURE || entry.reason == ERR_R_INTERNAL_ERROR
        return isOurs ? .broken(entry.text) : .malformed(entry.text)
    }
}

/// Alerts of RFC 8446 §6 and RFC 5246 §7.2, as they concern an operator.
enum TLSAlert {
    /// Whether a server may say so to a client whose certificate has not the usage of one.
    static func mayBeAboutUsage(_ number: UInt8) -> Bool { [40, 42, 43, 46, 49].contains(number) }

    static func explanation(_ number: UInt8) -> String {
        switch number {
        case 40: "handshake failure; its ciphers or versions are others than ours"
        case 42:
            "it refuses our certificate (bad_certificate): it expects another name (tell it one that our certificate has), its clock is "
                + "behind, or the certificate came damaged"
        case 43:
            "it cannot use our kind of certificate (unsupported_certificate): a client's needs clientAuth, a server's serverAuth; else try "
                + "one with an RSA key"
        case 44: "it holds our certificate for revoked"
        case 45: "it holds our certificate for expired; check its clock and our certificate"
        case 46: "it refuses our certificate (certificate_unknown): its user declined, or the name is not the one it expects"
        case 48: "it does not trust our authority (unknown_ca); install ca.pem on the device"
        case 49: "access denied"
        case 51: "a signature or digest was wrong (decrypt_error)"
        case 70: "it has no version of TLS that is allowed here"
        case 71: "our keys or ciphers are too weak for it"
        case 80: "an error of its own"
        case 86: "it sees an attempt to make it use an older version"
        case 90: "its user cancelled"
        case 109: "it expected another extension"
        case 112: "it does not know the server's name"
        case 116: "it wants a certificate"
        case 120: "no application protocol in common (ALPN); compare the versions of RADIUS that both sides allow"
        default: "alert \(number)"
        }
    }
}
