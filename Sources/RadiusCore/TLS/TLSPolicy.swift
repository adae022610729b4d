internal import COpenSSL

/// Versions, ciphers, bounds and resumption of a context.
enum TLSPolicy {
    /// Octets of a peer's certificate chain.
    private static let chainLimit = 32 * 1024
    /// All our sessions have one origin, so the identifier of their context says only that they are ours.
    private static let sessionContext = Array("lastmile".utf8)

    /// Of a conversation that takes no session up: OpenSSL finds none of its own kind.
    private static let aloneContext = Array("lastmile, alone".utf8)

    /// Has a server's conversation begin with a full handshake, whatever the client offers.
    static func standAlone(_ connection: OpaquePointer) {
        _ = SSL_set_session_id_context(connection, aloneContext, UInt32(aloneContext.count))
    }

    /// Leaves a conversation over TLS those of `versions` that its context allows.
    ///
    /// - Returns: false when there are none.
    static func narrow(_ connection: OpaquePointer, to versions: TLSSettings.Versions, of settings: TLSSettings) -> Bool {
        let least = max(versions.lowerBound, settings.minimumVersion)
        let most = min(versions.upperBound, settings.maximumVersion)
        return least <= most && lm_ssl_set_versions(connection, number(least), number(most)) == 1
    }

    static func apply(_ settings: TLSSettings, to context: OpaquePointer) throws(TLSFileFailure) {
        let least = settings.isDatagram ? DTLS1_2_VERSION : number(settings.minimumVersion)
        let most = settings.isDatagram ? DTLS1_2_VERSION : number(settings.maximumVersion)
        guard lm_ssl_ctx_set_versions(context, least, most) == 1 else {
            throw TLSFileFailure(path: "version", reason: OpenSSLErrors.text())
        }
        SSL_CTX_set_security_level(context, settings.ciphers.securityLevel)
        guard SSL_CTX_set_cipher_list(context, settings.ciphers.names) == 1 else {
            throw TLSFileFailure(path: "ciphers", reason: "“\(settings.ciphers.names)” names no cipher suite that there is")
        }
        lm_ssl_ctx_set_habits(context)
        if settings.isDatagram {
            lm_ssl_ctx_keep_mtu(context)
            // Whoever begins a conversation has looked at the cookie.
            SSL_CTX_set_cookie_verify_cb(context) { _, _, _ in 1 }
        }
        lm_ssl_ctx_set_certificate_list_limit(context, chainLimit)
        try resume(settings, context)
    }

    private static func number(_ version: TLSSettings.Version) -> Int32 {
        version == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION
    }

    /// Sessions are kept here and not in tickets, so that one can be forgotten; and they are stored by `TLSConversation` alone, when the
    /// peer has proven all that it has to prove, which for TTLS and PEAP is more than TLS itself sees (RFC 9427 §2.4).
    private static func resume(_ settings: TLSSettings, _ context: OpaquePointer) throws(TLSFileFailure) {
        guard settings.role == .server else { return }
        lm_ssl_ctx_keep_sessions(context)
        // None of its own accord in TLS 1.3 either.
        guard SSL_CTX_set_num_tickets(context, 0) == 1,
            SSL_CTX_set_session_id_context(context, sessionContext, UInt32(sessionContext.count)) == 1
        else { throw TLSFileFailure(path: "resumption", reason: OpenSSLErrors.text()) }
        guard let resumption = settings.resumption else { return lm_ssl_ctx_set_cache_mode(context, Int(SSL_SESS_CACHE_OFF)) }
        lm_ssl_ctx_set_cache_mode(context, Int(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL))
        SSL_CTX_set_timeout(context, resumption.lifetimeSeconds)
    }
}
