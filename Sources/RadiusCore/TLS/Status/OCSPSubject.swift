internal import COpenSSL

/// A certificate as its authority's OCSP responder is asked about it (RFC 6960 §4.1.1). Sendable: nothing is changed after `init`, and
/// OpenSSL counts references atomically.
final class OCSPSubject: @unchecked Sendable {
    /// CertID in DER: digests of the issuer's name and key, and the serial number. What names the certificate here.
    let identifier: [UInt8]
    /// Where the certificate says that it is to be asked for (RFC 5280 §4.2.2.1); nil when it does not say, or by another way than HTTP.
    let responder: String?
    /// `X509 *`, of ours.
    private let issuer: OpaquePointer
    private let trust: OCSPTrust

    /// Nil when OpenSSL cannot describe them.
    ///
    /// - Parameters:
    ///   - certificate: an `X509 *`.
    ///   - issuer: an `X509 *`, who signed it.
    ///   - trust: whose responders are believed.
    init?(_ certificate: OpaquePointer, issuer: OpaquePointer, trust: OCSPTrust) {
        guard let identifier = OCSP_cert_to_id(nil, certificate, issuer) else { return nil }
        defer { OCSP_CERTID_free(identifier) }
        var octets: UnsafeMutablePointer<UInt8>?
        let count = i2d_OCSP_CERTID(identifier, &octets)
        guard count > 0, let octets else { return nil }
        self.identifier = Array(UnsafeBufferPointer(start: octets, count: Int(count)))
        lm_openssl_free(octets)
        responder = Self.responder(of: certificate)
        guard X509_up_ref(issuer) == 1 else { return nil }
        self.issuer = issuer
        self.trust = trust
    }

    deinit { X509_free(issuer) }

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
        /// `end`: until when, in seconds since 1970; nil when the responder does not say.
        case good(end: Int64?)
        case revoked
        /// The responder does not know the certificate.
        case unknown
        /// There is no answer, or none that counts; in words.
        case unreachable(String)
    }

    /// Asks the responder at `url`, and waits `seconds` at most. Not for a thread that others wait for.
    func ask(_ url: String, seconds: Int) -> Answer {
        defer { _ = OpenSSLErrors.drain() }
        guard let request = request() else { return .unreachable("no request could be made: \(OpenSSLErrors.text())") }
        defer { OCSP_REQUEST_free(request) }
        var octets: UnsafeMutablePointer<UInt8>?
        let count = i2d_OCSP_REQUEST(request, &octets)
        guard count > 0, let octets else { return .unreachable("no request could be made: \(OpenSSLErrors.text())") }
        defer { lm_openssl_free(octets) }
        guard let answer = lm_ocsp_post(url, octets, count, Int32(clamping: seconds)) else {
            return .unreachable("\(url) does not answer: \(OpenSSLErrors.text(else: "no answer in time"))")
        }
        defer { BIO_free_all(answer) }
        guard let response = lm_ocsp_response(answer) else { return .unreachable("\(url) answers, but not by OCSP") }
        defer { OCSP_RESPONSE_free(response) }
        return read(response, request, url)
    }

    private func request() -> OpaquePointer? {
        guard let request = OCSP_REQUEST_new() else { return nil }
        guard let identifier = certificateIdentifier() else {
            OCSP_REQUEST_free(request)
            return nil
        }
        guard OCSP_request_add0_id(request, identifier) != nil else {
            OCSP_CERTID_free(identifier)
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

    private func read(_ response: OpaquePointer, _ request: OpaquePointer, _ url: String) -> Answer {
        let status = OCSP_response_status(response)
        guard status == OCSP_RESPONSE_STATUS_SUCCESSFUL, let basic = OCSP_response_get1_basic(response) else {
            return .unreachable("\(url) refuses to answer: \(String(cString: OCSP_response_status_str(Int(status))))")
        }
        defer { OCSP_BASICRESP_free(basic) }
        // A response without a nonce counts by its times; one with another's was made for somebody else.
        guard OCSP_check_nonce(request, basic) != 0 else { return .unreachable("\(url) answers another question: the nonce differs") }
        guard trust.believes(basic, issuer: issuer) else {
            return .unreachable("the answer of \(url) is not signed by the authority or its responder: \(OpenSSLErrors.text())")
        }
        guard let identifier = certificateIdentifier() else { return .unreachable("the certificate cannot be named") }
        defer { OCSP_CERTID_free(identifier) }
        return verdict(basic, identifier, url)
    }

    private func verdict(_ basic: OpaquePointer, _ identifier: OpaquePointer, _ url: String) -> Answer {
        var status: Int32 = 0
        var reason: Int32 = 0
        var revoked: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var begin: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var end: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        guard OCSP_resp_find_status(basic, identifier, &status, &reason, &revoked, &begin, &end) == 1 else {
            return .unreachable("\(url) answers about other certificates")
        }
        guard OCSP_check_validity(begin, end, Self.clockSkewSeconds, -1) == 1 else {
            return .unreachable("the answer of \(url) is not of this time; look at both clocks")
        }
        switch status {
        case V_OCSP_CERTSTATUS_GOOD: return .good(end: CertificateDescription.seconds(UnsafePointer(end)))
        case V_OCSP_CERTSTATUS_REVOKED: return .revoked
        default: return .unknown
        }
    }

    /// How far the responder's clock may be from ours.
    private static let clockSkewSeconds = 300
}

/// Whose responders are believed: the authorities of a context. Sendable: nothing is changed after `init`.
final class OCSPTrust: @unchecked Sendable {
    /// `X509_STORE *`. Not that of the handshakes, whose lists would be asked about a responder's own certificate.
    private let store: OpaquePointer

    /// Nil when OpenSSL has no memory.
    init?(_ authorities: [OpaquePointer]) {
        guard let store = X509_STORE_new() else { return nil }
        self.store = store
        for authority in authorities { X509_STORE_add_cert(store, authority) }
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }

    deinit { X509_STORE_free(store) }

    /// Whether a response is signed by `issuer`, or by whom it appointed for that (RFC 6960 §4.2.2.2).
    fileprivate func believes(_ response: OpaquePointer, issuer: OpaquePointer) -> Bool {
        guard let others = lm_x509_list() else { return false }
        defer { lm_x509_list_free(others) }
        guard lm_x509_list_append(others, issuer) > 0 else { return false }
        return OCSP_basic_verify(response, others, store, 0) == 1
    }
}

extension TLSConversation {
    /// The peer's certificate for its authority's responder; nil when the peer showed none in this handshake, or nobody issued it.
    var statusSubject: OCSPSubject? {
        guard let trust = context.statusTrust, let chain = SSL_get0_verified_chain(handle), lm_x509_count(chain) >= 2,
            let certificate = lm_x509(chain, 0), let issuer = lm_x509(chain, 1)
        else { return nil }
        return OCSPSubject(certificate, issuer: issuer, trust: trust)
    }
}
