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
        // To OpenSSL a key that was shared beforehand is a session, too.
        isResumed = SSL_session_reused(handle) == 1 && presharedKeyName == nil
        if let certificate = SSL_get1_peer_certificate(handle) {
            peer = CertificateDescription(certificate)
            X509_free(certificate)
            // A certificate that cannot be described cannot be looked up either.
            guard peer != nil else { return fail(.certificate(.other(X509_V_ERR_UNSPECIFIED), depth: 0)) }
        }
        if isResumed, context.settings.role == .server, let failure = recall() { return fail(failure) }
        state = .established
    }

    /// Learns from the cache whose session it is; a reason when it may not be resumed now.
    private func recall() -> TLSFailure? {
        let now = Int64(time(nil))
        remembered = Array(rememberedOctets.dropFirst(Self.timeCount))
        resumedIdentifier = identifier
        guard let entry = identifier.flatMap({ context.sessions?.entry(of: $0, now: now) }) else {
            return .broken("the session ended while it was taken up")
        }
        peer = entry.peer
        // OpenSSL looked at the certificate in the full handshake only.
        if let peer, peer.notAfter < now { return .certificate(.expired, depth: 0) }
        return nil
    }

    /// A server of TLS 1.3 sends the ticket for this session, which waits in the output (RFC 9190 §2.1.1 wants it before the protected
    /// success indication). It is good for nothing until `keepSession`. TLS 1.2 needs none.
    ///
    /// - Returns: false when the settings have no resumption, or the conversation is not established.
    @discardableResult
    public func offerSession() -> Bool {
        guard context.sessions != nil, state == .established else { return false }
        guard protocolVersion == .tls13, !hasOffered else { return true }
        guard SSL_new_session_ticket(handle) == 1, SSL_do_handshake(handle) == 1 else {
            fail(TLSFailure(of: handle))
            return false
        }
        hasOffered = true
        return true
    }

    /// A server keeps this session, so that the peer may take it up without certificates. In TLS 1.3 the peer is offered it, unless it
    /// was before, and the one that it came with is void.
    ///
    /// Of a resumed session what was remembered first stays, and so does its end, counted from the full handshake.
    ///
    /// - Parameter octets: what `remembered` will be; `rememberLimit` at most.
    /// - Returns: false when the settings have no resumption, the conversation is not established, or `octets` are too many.
    @discardableResult
    public func keepSession(remembering octets: [UInt8]) -> Bool {
        guard let sessions = context.sessions, state == .established, octets.count <= Self.rememberLimit else { return false }
        // That of a resumed session of TLS 1.2 is kept already.
        guard protocolVersion == .tls13 || !isResumed else { return true }
        guard offerSession(), isResumed || remember(octets) else { return false }
        if let resumedIdentifier { sessions.remove(resumedIdentifier) }
        return store(in: sessions)
    }

    /// Nobody takes this session up any more: the account is gone, disabled, or did not prove itself.
    public func forgetSession() {
        if let identifier { context.sessions?.remove(identifier) }
        if let resumedIdentifier { context.sessions?.remove(resumedIdentifier) }
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
    public var sessionID: [UInt8] { withSessionID { Array($0) } ?? [] }

    private var identifier: TLSSessionCache.Identifier? { withSessionID { TLSSessionCache.Identifier($0) } ?? nil }

    private func withSessionID<Value>(_ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value? {
        var count: UInt32 = 0
        guard let session = SSL_get_session(handle), let octets = SSL_SESSION_get_id(session, &count) else { return nil }
        return body(UnsafeBufferPointer(start: octets, count: Int(count)))
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

    private func store(in sessions: TLSSessionCache) -> Bool {
        guard let session = SSL_get_session(handle), let identifier, let lifetime = context.settings.resumption?.lifetimeSeconds else {
            return false
        }
        guard let octets = SessionEncoding.octets(of: session) else { return false }
        // Counted from the full handshake, however often the session is taken up.
        let began = rememberedOctets.prefix(Self.timeCount).reduce(0) { $0 << 8 | Int64($1) }
        sessions.put(identifier, TLSSessionCache.Entry(octets: octets, peer: peer, end: began + Int64(lifetime)))
        return true
    }
}
