internal import COpenSSL
internal import Glibc

/// A certificate as its authority's OCSP responder is asked about it (RFC 6960 §4.1.1).
struct OCSPSubject: Sendable {
    /// CertID in DER: digests of the issuer's name and key, and the serial number. What names the certificate here.
    let identifier: [UInt8]
    /// Where the certificate says that it is to be asked for (RFC 5280 §4.2.2.1); nil when it does not say, or by another way than HTTP.
    let responder: String?
    let issuer: OCSPIssuer

    /// Nil when OpenSSL cannot describe them.
    ///
    /// - Parameters:
    ///   - certificate: an `X509 *`.
    ///   - authorities: the `X509 *` above it up to whom is trusted; the first one signed it.
    ///   - trust: whose responders are believed.
    init?(_ certificate: OpaquePointer, authorities: [OpaquePointer], trust: OCSPTrust) {
        guard let issuer = authorities.first, let identifier = OCSP_cert_to_id(nil, certificate, issuer) else { return nil }
        defer { OCSP_CERTID_free(identifier) }
        var octets: UnsafeMutablePointer<UInt8>?
        let count = i2d_OCSP_CERTID(identifier, &octets)
        guard count > 0, let octets else { return nil }
        self.identifier = Array(UnsafeBufferPointer(start: octets, count: Int(count)))
        lm_openssl_free(octets)
        responder = Self.responder(of: certificate)
        self.issuer = OCSPIssuer(authorities, identifier, trust)
    }

    private init(_ subject: OCSPSubject, _ issuer: OCSPIssuer) {
        (identifier, responder) = (subject.identifier, subject.responder)
        self.issuer = issuer
    }

    /// The same with an issuer that is held already.
    func issued(by issuer: OCSPIssuer) -> OCSPSubject { OCSPSubject(self, issuer) }

    private static func responder(of certificate: OpaquePointer) -> String? {
        guard let list = X509_get1_ocsp(certificate) else { return nil }
        defer { X509_email_free(list) }
        for place in 0..<lm_string_count(list) {
            if let text = lm_string(list, place).map({ String(cString: $0) }), text.hasPrefix("http://") { return text }
        }
        return nil
    }

    /// What a responder said, or why it is not believed.
    enum Answer: Equatable, Sendable {
        /// For how many seconds from now; nil when the responder does not say.
        case good(seconds: Int64?)
        case revoked
        /// The responder does not know the certificate.
        case unknown
        /// It says something that does not count; in words.
        case useless(String)
        /// There is no answer; in words.
        case unreachable(String)
    }

    /// Asks the responder at `url`, and waits `seconds` at most. Not for a thread that others wait for. An answer that does not say until when
    /// it counts, nor was made for the question, may be `keptSeconds` old.
    func ask(_ url: String, seconds: Int, keptSeconds: Int) -> Answer {
        defer { _ = OpenSSLErrors.drain() }
        guard let identifier = certificateIdentifier() else { return .useless("the certificate cannot be named") }
        defer { OCSP_CERTID_free(identifier) }
        guard let request = Self.request(identifier) else { return .useless("no request could be made: \(OpenSSLErrors.text())") }
        defer { OCSP_REQUEST_free(request) }
        var octets: UnsafeMutablePointer<UInt8>?
        let count = i2d_OCSP_REQUEST(request, &octets)
        guard count > 0, let octets else { return .useless("no request could be made: \(OpenSSLErrors.text())") }
        defer { lm_openssl_free(octets) }
        var trouble: Int32 = 0
        guard let answer = lm_ocsp_post(url, octets, count, Int32(clamping: seconds), &trouble) else {
            let hasSpoken = lm_http_was_answered()
            let reason = trouble == 0 ? OpenSSLErrors.text(else: "no answer in time") : Self.reason(trouble)
            return hasSpoken ? .useless("\(url) answers, but not by OCSP: \(reason)") : .unreachable("\(url) does not answer: \(reason)")
        }
        defer { BIO_free_all(answer) }
        guard let response = lm_ocsp_response(answer) else { return .useless("\(url) answers, but not by OCSP") }
        defer { OCSP_RESPONSE_free(response) }
        let status = OCSP_response_status(response)
        guard status == OCSP_RESPONSE_STATUS_SUCCESSFUL, let basic = OCSP_response_get1_basic(response) else {
            return .useless("\(url) refuses to answer: \(String(cString: OCSP_response_status_str(Int(status))))")
        }
        defer { OCSP_BASICRESP_free(basic) }
        // A response without a nonce counts by its times; one with another's was made for somebody else.
        let nonce = OCSP_check_nonce(request, basic)
        guard nonce != 0 else { return .useless("\(url) answers another question: the nonce differs") }
        guard issuer.believes(basic) else {
            return .useless("the answer of \(url) is not signed by the authority or its responder: \(OpenSSLErrors.text())")
        }
        return Self.verdict(basic, identifier, url, oldest: nonce == 1 ? nil : keptSeconds)
    }

    /// Why there is no connection.
    private static func reason(_ trouble: Int32) -> String {
        trouble > 0 ? String(cString: strerror(trouble)) : String(cString: gai_strerror(trouble))
    }

    private static func request(_ identifier: OpaquePointer) -> OpaquePointer? {
        guard let request = OCSP_REQUEST_new() else { return nil }
        guard let own = OCSP_CERTID_dup(identifier) else {
            OCSP_REQUEST_free(request)
            return nil
        }
        guard OCSP_request_add0_id(request, own) != nil else {
            OCSP_CERTID_free(own)
            OCSP_REQUEST_free(request)
            return nil
        }
        guard OCSP_request_add1_nonce(request, nil, -1) == 1 else {
            OCSP_REQUEST_free(request)
            return nil
        }
        return request
    }

    private func certificateIdentifier() -> OpaquePointer? {
        identifier.withUnsafeBufferPointer { octets in
            var start = octets.baseAddress
            return d2i_OCSP_CERTID(nil, &start, octets.count)
        }
    }

    /// Reads an answer that may be `oldest` seconds old where it says no end; nil for one that was made just now.
    private static func verdict(_ basic: OpaquePointer, _ identifier: OpaquePointer, _ url: String, oldest: Int?) -> Answer {
        var status: Int32 = 0
        var reason: Int32 = 0
        var revoked: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var begin: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var end: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        guard OCSP_resp_find_status(basic, identifier, &status, &reason, &revoked, &begin, &end) == 1 else {
            return .useless("\(url) answers about other certificates")
        }
        var until = CertificateDescription.seconds(UnsafePointer(end))
        if until == nil, let oldest { until = CertificateDescription.seconds(UnsafePointer(begin)).map { $0 + Int64(oldest) } }
        let seconds = until.map { $0 - Int64(time(nil)) }
        guard OCSP_check_validity(begin, end, Int(clockSkewSeconds), -1) == 1, seconds.map({ $0 >= -clockSkewSeconds }) != false else {
            return .useless("the answer of \(url) is not of this time; look at both clocks")
        }
        switch status {
        case V_OCSP_CERTSTATUS_GOOD: return .good(seconds: seconds)
        case V_OCSP_CERTSTATUS_REVOKED: return .revoked
        default: return .unknown
        }
    }

    /// How far the responder's clock may be from ours.
    private static let clockSkewSeconds: Int64 = 300
}

/// Who signed a certificate, and who stands above that one. Sendable: nothing is changed after `init`, and OpenSSL counts references
/// atomically.
final class OCSPIssuer: @unchecked Sendable {
    /// Digests of its name and key. What names it here.
    let identifier: [UInt8]
    let trust: OCSPTrust
    /// `X509 *`, of ours, the issuer first.
    private let chain: [OpaquePointer]

    fileprivate init(_ chain: [OpaquePointer], _ certificate: OpaquePointer, _ trust: OCSPTrust) {
        self.chain = chain.filter { X509_up_ref($0) == 1 }
        self.trust = trust
        var (name, key): (UnsafeMutablePointer<ASN1_OCTET_STRING>?, UnsafeMutablePointer<ASN1_OCTET_STRING>?)
        OCSP_id_get0_info(&name, nil, &key, nil, certificate)
        identifier = [name, key].flatMap { digest in
            let digest = digest.map { UnsafePointer($0) }
            return Array(UnsafeBufferPointer(start: ASN1_STRING_get0_data(digest), count: Int(ASN1_STRING_length(digest))))
        }
    }

    deinit { for certificate in chain { X509_free(certificate) } }

    /// Whether a response is signed by the issuer, or by whom it appointed for that (RFC 6960 §4.2.2.2).
    fileprivate func believes(_ response: OpaquePointer) -> Bool {
        guard let others = lm_x509_list() else { return false }
        defer { lm_x509_list_free(others) }
        guard chain.allSatisfy({ lm_x509_list_append(others, $0) > 0 }) else { return false }
        return OCSP_basic_verify(response, others, trust.store, 0) == 1
    }
}

/// Whose responders are believed: the authorities of a context. Sendable: nothing is changed after `init`.
final class OCSPTrust: @unchecked Sendable {
    /// `X509_STORE *`. Not that of the handshakes, whose lists would be asked about a responder's own certificate.
    fileprivate let store: OpaquePointer

    /// Nil when OpenSSL has no memory.
    init?(_ authorities: [OpaquePointer]) {
        guard let store = X509_STORE_new() else { return nil }
        self.store = store
        for authority in authorities { X509_STORE_add_cert(store, authority) }
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }

    deinit { X509_STORE_free(store) }
}

extension TLSConversation {
    /// The peer's certificate for its authority's responder; nil when the peer showed none in this handshake, or nobody issued it.
    var statusSubject: OCSPSubject? {
        guard let trust = context.statusTrust, let chain = SSL_get0_verified_chain(handle), let certificate = lm_x509(chain, 0) else {
            return nil
        }
        return OCSPSubject(certificate, authorities: (1..<max(1, lm_x509_count(chain))).compactMap { lm_x509(chain, $0) }, trust: trust)
    }
}
