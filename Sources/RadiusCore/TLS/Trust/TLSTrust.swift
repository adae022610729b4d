internal import COpenSSL
internal import Glibc

/// What a context shows of itself, and whom it trusts.
enum TLSTrust {
    /// A CertificateRequest that names more authorities makes the handshake longer than the hint is worth.
    private static let namedAuthorityLimit = 10

    /// Loads our certificate, those above it, and the key.
    static func present(_ settings: TLSSettings, on context: OpaquePointer) throws(TLSFileFailure) -> [CertificateDescription] {
        guard let path = settings.certificatePath, let keyPath = settings.keyPath else { return [] }
        let chain = try PEMFile(path: path).certificates()
        guard let own = chain.first else { throw TLSFileFailure(path: path, reason: "it holds no certificate in PEM") }
        guard SSL_CTX_use_certificate(context, own.handle) == 1 else { throw TLSFileFailure(path: path, reason: OpenSSLErrors.text()) }
        for certificate in chain.dropFirst() {
            guard lm_ssl_ctx_add_chain(context, certificate.handle) == 1 else {
                throw TLSFileFailure(path: path, reason: OpenSSLErrors.text())
            }
        }
        let key = try PEMFile(path: keyPath).privateKey()
        guard X509_check_private_key(own.handle, key.handle) == 1 else {
            throw TLSFileFailure(path: keyPath, reason: "it is not the key of the first certificate in \(path)")
        }
        guard SSL_CTX_use_PrivateKey(context, key.handle) == 1 else { throw TLSFileFailure(path: keyPath, reason: OpenSSLErrors.text()) }
        return chain.compactMap { CertificateDescription($0.handle) }
    }

    /// Makes the chain that handshakes show, once: our certificate's file where it holds more than that, else the issuers among those
    /// whom we trust.
    ///
    /// - Returns: when the first of those issuers ends that has not ended yet, in seconds since 1970: another one of the same name may
    ///   be there for the time after it. Nil without any.
    static func fixChain(of settings: TLSSettings, on context: OpaquePointer) throws(TLSFileFailure) -> Int64? {
        guard let path = settings.certificatePath else { return nil }
        let isAlone = lm_ssl_ctx_chain_count(context) == 0
        if isAlone {
            guard lm_ssl_ctx_complete_chain(context) else { throw TLSFileFailure(path: path, reason: OpenSSLErrors.text()) }
            _ = OpenSSLErrors.drain()
        }
        lm_ssl_ctx_keep_chain(context)
        guard isAlone else { return nil }
        let ends = (0..<lm_ssl_ctx_chain_count(context)).compactMap { place in
            lm_ssl_ctx_chain(context, place).flatMap { CertificateDescription.seconds(X509_get0_notAfter($0)) }
        }
        let now = Int64(time(nil))
        return ends.filter { $0 >= now }.min()
    }

    /// Whom a context trusts, and until when it knows who is revoked.
    struct Trusted {
        var authorities: [CertificateDescription] = []
        /// Seconds since 1970; nil without lists, or when one of them says nothing.
        var revocationListEnd: Int64?
        var statusTrust: OCSPTrust?
    }

    /// Loads authorities and revocation lists, and sets what is checked.
    static func trust(
        _ settings: TLSSettings, on context: OpaquePointer, _ revocation: TLSRevocationChecks
    ) throws(TLSFileFailure) -> Trusted {
        guard settings.peerCertificate != .none, let path = settings.authorityPath, let store = SSL_CTX_get_cert_store(context) else {
            SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
            return Trusted()
        }
        let authorities = try PEMFile(path: path).certificates()
        guard !authorities.isEmpty else { throw TLSFileFailure(path: path, reason: "it holds no certificate in PEM") }
        for authority in authorities {
            guard X509_STORE_add_cert(store, authority.handle) == 1 else { throw TLSFileFailure(path: path, reason: OpenSSLErrors.text()) }
        }
        for authority in authorities.prefix(namedAuthorityLimit) where settings.role == .server {
            SSL_CTX_add_client_CA(context, authority.handle)
        }
        // An authority below a root may be trusted alone.
        var flags = UInt(X509_V_FLAG_PARTIAL_CHAIN)
        var trusted = Trusted(authorities: authorities.compactMap { CertificateDescription($0.handle) })
        if settings.asksForStatus { trusted.statusTrust = OCSPTrust(authorities.map(\.handle)) }
        if let lists = settings.revocationListPath {
            let signers = settings.demandsOwnRevocationList ? authorities : nil
            trusted.revocationListEnd = try addRevocationLists(lists, to: store, signedBy: signers)
            flags |= UInt(X509_V_FLAG_CRL_CHECK)
            revocation.attach(to: context, store: store)
        }
        X509_STORE_set_flags(store, flags)
        let mode = settings.peerCertificate == .required ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER
        SSL_CTX_set_verify(context, mode, settings.acceptsStaleRevocationList ? TLSVerification.lenient : TLSVerification.strict)
        return trusted
    }

    /// Gives the first end of the lists. With `signers`, one of the lists must be signed by one of these.
    private static func addRevocationLists(
        _ path: String, to store: OpaquePointer, signedBy signers: [CertificateHandle]?
    ) throws(TLSFileFailure) -> Int64? {
        let lists = try PEMFile(path: path).revocationLists()
        guard !lists.isEmpty else { throw TLSFileFailure(path: path, reason: "it holds no revocation list in PEM") }
        if let signers, !isSigned(lists, by: signers) {
            let names = signers.prefix(namedAuthorityLimit).compactMap { CertificateDescription($0.handle)?.subject }
            throw TLSFileFailure(
                path: path, reason: "it is not signed by the authority \(names.joined(separator: ", or ")); lastmile pki crl makes it anew")
        }
        for list in lists {
            guard X509_STORE_add_crl(store, list.handle) == 1 else { throw TLSFileFailure(path: path, reason: OpenSSLErrors.text()) }
        }
        return lists.compactMap { CertificateDescription.seconds(X509_CRL_get0_nextUpdate($0.handle)) }.min()
    }

    /// Whether one of the lists is of one of the signers. A name says little: an authority that was made anew often has the one before.
    private static func isSigned(_ lists: [RevocationListHandle], by signers: [CertificateHandle]) -> Bool {
        defer { _ = OpenSSLErrors.drain() }
        return lists.contains { list in
            signers.contains { signer in X509_CRL_verify(list.handle, X509_get0_pubkey(signer.handle)) == 1 }
        }
    }
}

/// What OpenSSL calls for each certificate of a peer. Sees nothing of Swift's memory: which certificate failed is left in the SSL as a number.
enum TLSVerification {
    typealias Callback = @convention(c) (Int32, OpaquePointer?) -> Int32

    static let strict: Callback = { isGood, verification in
        if isGood == 0 { TLSVerification.note(verification) }
        return isGood
    }

    /// As `strict`, but a list past its next update still counts.
    static let lenient: Callback = { isGood, verification in
        guard isGood == 0, let verification else { return isGood }
        if X509_STORE_CTX_get_error(verification) == X509_V_ERR_CRL_HAS_EXPIRED {
            X509_STORE_CTX_set_error(verification, X509_V_OK)
            return 1
        }
        TLSVerification.note(verification)
        return isGood
    }

    private static let index = lm_ssl_new_index()
    private static let certificateIndex = lm_ssl_new_index()

    /// Remembers how far above the peer's own certificate the bad one stands, and the peer's own, which libssl forgets.
    private static func note(_ verification: OpaquePointer?) {
        guard let verification,
            let connection = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx())
        else { return }
        let depth = Int(X509_STORE_CTX_get_error_depth(verification))
        SSL_set_ex_data(OpaquePointer(connection), index, UnsafeMutableRawPointer(bitPattern: depth + 1))
        guard SSL_get_ex_data(OpaquePointer(connection), certificateIndex) == nil, let certificate = X509_STORE_CTX_get0_cert(verification),
            X509_up_ref(certificate) == 1
        else { return }
        SSL_set_ex_data(OpaquePointer(connection), certificateIndex, UnsafeMutableRawPointer(certificate))
    }

    /// The peer's own certificate that was refused, once; an `X509 *` for the caller to own.
    static func takeRefused(of connection: OpaquePointer) -> OpaquePointer? {
        guard let certificate = SSL_get_ex_data(connection, certificateIndex) else { return nil }
        SSL_set_ex_data(connection, certificateIndex, nil)
        return OpaquePointer(certificate)
    }

    /// 0: the peer's own certificate; more: so many above it.
    static func failedDepth(of connection: OpaquePointer) -> Int {
        max(0, Int(bitPattern: SSL_get_ex_data(connection, index)) - 1)
    }
}
