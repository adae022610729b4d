internal import COpenSSL
internal import Glibc

/// A session that a client can take up again. Sendable: OpenSSL counts references atomically, and nothing here changes it.
public final class TLSSession: @unchecked Sendable {
    /// `SSL_SESSION *`.
    let handle: OpaquePointer

    fileprivate init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { SSL_SESSION_free(handle) }
}

/// The end of a handshake, and sessions that outlive a conversation.
///
/// A server keeps a session only when it is told to, with octets of its own, such as the inner identity: after TTLS or PEAP have asked for
/// more than TLS itself knows. A peer that takes the session up is `established` with `isResumed` and `remembered`; the server looks at
/// the account again and either goes on, or forgets the session and refuses.
extension TLSConversation {
    /// Octets that a session may remember.
    public static let rememberLimit = 1024
    /// In front of what is remembered: the second of the full handshake.
    private static let timeCount = 8

    func establish() {
        isResumed = SSL_session_reused(handle) == 1
        if let certificate = SSL_get1_peer_certificate(handle) {
            peer = CertificateDescription(certificate)
            X509_free(certificate)
            // A certificate that cannot be described cannot be looked up either.
            guard peer != nil else { return fail(.certificate(.other(X509_V_ERR_UNSPECIFIED), depth: 0)) }
        }
        if isResumed, context.settings.role == .server {
            remembered = Array(rememberedOctets.dropFirst(Self.timeCount))
            // OpenSSL looked at it in the full handshake only.
            if let peer, peer.notAfter < Int64(time(nil)) { return fail(.certificate(.expired, depth: 0)) }
        }
        state = .established
    }

    /// A server keeps this session, so that the peer may take it up without certificates. In TLS 1.3 the peer is sent a ticket, which
    /// waits in the output (RFC 9190 §2.1.1 wants it before the protected success indication).
    ///
    /// Of a resumed session what was remembered first stays, and so does its end, counted from the full handshake.
    ///
    /// - Parameter octets: what `remembered` will be; `rememberLimit` at most.
    /// - Returns: false when the settings have no resumption, the conversation is not established, or `octets` are too many.
    @discardableResult
    public func keepSession(remembering octets: [UInt8]) -> Bool {
        guard context.settings.resumption != nil, context.settings.role == .server, state == .established,
            octets.count <= Self.rememberLimit
        else { return false }
        // A resumed session belongs to other threads as well: it is not touched. That of TLS 1.2 is kept already.
        if !isResumed, !remember(octets) { return false }
        if protocolVersion == .tls12 { return isResumed || store() }
        guard SSL_new_session_ticket(handle) == 1, SSL_do_handshake(handle) == 1 else {
            fail(TLSFailure(of: handle))
            return false
        }
        return store()
    }

    /// Nobody takes this session up any more: the account is gone, disabled, or did not prove itself.
    public func forgetSession() {
        guard let session = SSL_get_session(handle) else { return }
        SSL_CTX_remove_session(context.handle, session)
    }

    /// What a client needs to take this session up; nil when the server gave nothing for it. In TLS 1.3 it comes after the handshake.
    public var session: TLSSession? {
        guard context.settings.role == .client, let session = SSL_get1_session(handle) else { return nil }
        guard SSL_SESSION_is_resumable(session) == 1 else {
            SSL_SESSION_free(session)
            return nil
        }
        return TLSSession(session)
    }

    /// The session's identifier, for logs; empty when it has none.
    public var sessionID: [UInt8] {
        var count: UInt32 = 0
        guard let session = SSL_get_session(handle), let octets = SSL_SESSION_get_id(session, &count) else { return [] }
        return Array(UnsafeBufferPointer(start: octets, count: Int(count)))
    }

    private func remember(_ octets: [UInt8]) -> Bool {
        guard let session = SSL_get_session(handle) else { return false }
        let now = UInt64(bitPattern: Int64(time(nil)))
        let all = (0..<Self.timeCount).map { UInt8(truncatingIfNeeded: now >> UInt64(56 - 8 * $0)) } + octets
        return SSL_SESSION_set1_ticket_appdata(session, all, all.count) == 1
    }

    /// What the session holds, the time in front.
    private var rememberedOctets: [UInt8] {
        var octets: UnsafeMutableRawPointer?
        var count = 0
        guard let session = SSL_get_session(handle), SSL_SESSION_get0_ticket_appdata(session, &octets, &count) == 1, let octets else {
            return []
        }
        return Array(UnsafeRawBufferPointer(start: octets, count: count))
    }

    private func store() -> Bool {
        guard let session = SSL_get_session(handle) else { return false }
        if isResumed {
            // The new ticket is a copy with an age of its own; it shall not live longer than the first would have.
            let began = rememberedOctets.prefix(Self.timeCount).reduce(0) { $0 << 8 | Int($1) }
            SSL_SESSION_set_time(session, began)
        }
        return SSL_CTX_add_session(context.handle, session) == 1
    }
}
