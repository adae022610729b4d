internal import COpenSSL

/// One side of one TLS conversation, over octets instead of a socket: what the peer sent goes in, what it shall get comes out.
///
/// Bounded both ways, and confined to one thread at a time. Ends with its last reference; nothing of it stays in OpenSSL but a session
/// that was kept on purpose.
///
/// Sendable: it may move between threads, and whoever holds it in a table guards it.
public final class TLSConversation: @unchecked Sendable {
    public enum State: Equatable, Sendable {
        case handshaking
        /// Both sides have proven themselves as far as TLS goes, and octets can be written.
        case established
        /// The peer has said that nothing more comes; octets can still be written (RFC 8446 §6.1).
        case closed
        case failed(TLSFailure)
    }

    /// How much one conversation may have.
    public struct Limits: Sendable {
        /// Octets that a peer may send until the handshake is done.
        public var handshakeOctets: Int
        /// Octets that may wait to be taken, in each direction, encrypted or not.
        public var waitingOctets: Int

        public init(handshakeOctets: Int = 65_536, waitingOctets: Int = 131_072) {
            self.handshakeOctets = handshakeOctets
            self.waitingOctets = waitingOctets
        }
    }

    public let context: TLSContext
    /// Changes by `receive`, `start`, `write` and `close` only. After a failure there may still be an alert to take.
    public internal(set) var state = State.handshaking
    /// Whether an earlier session was taken up, so that no certificate was shown now. The account needs a look all the same.
    public internal(set) var isResumed = false
    /// What the peer's certificate says, also that of a resumed session; nil when it showed none.
    public internal(set) var peer: CertificateDescription?
    /// What the certificate says of itself for which the handshake failed: nobody attests it.
    public internal(set) var refusedPeer: CertificateDescription?
    /// What `keepSession` remembered in the session that is resumed; empty else.
    public internal(set) var remembered: [UInt8] = []
    /// The session that was taken up, of a server.
    var resumedIdentifier: TLSSessionCache.Identifier?
    /// The ticket is out.
    var hasOffered = false

    /// `SSL *`.
    let handle: OpaquePointer
    private let incoming: OpaquePointer
    let outgoing: OpaquePointer
    private let limits: Limits
    private var handshakeOctets = 0
    /// A server's first datagram is a ClientHello with the right cookie.
    private var awaitsHello = false
    /// Octets of a datagram of the handshake.
    var datagramLimit = TLSConversation.datagramOctets
    private var clear: [UInt8] = []

    /// - Parameters:
    ///   - context: decides the role, too.
    ///   - serverName: for a client: the DNS name or address that the server's certificate must have; nil checks no name.
    ///   - protocols: for a client: what it offers by ALPN; empty leaves that to the context.
    ///   - session: for a client: one of an earlier conversation to take up.
    ///   - resumes: for a server: whether the client may take a session up.
    ///   - versions: over TLS: of those that the context allows, it has these only; nil for all.
    ///   - limits: beyond which it fails.
    /// - Throws: `TLSFailure.broken` when OpenSSL has no memory, or the name is none; `noSharedVersion` when the context allows none of
    ///   `versions`.
    public init(
        _ context: TLSContext, serverName: String? = nil, offering protocols: [String] = [], resuming session: TLSSession? = nil,
        resumes: Bool = true, versions: TLSSettings.Versions? = nil, limits: Limits = Limits()
    ) throws(TLSFailure) {
        guard let handle = SSL_new(context.handle) else { throw .broken(OpenSSLErrors.text()) }
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(handle)
            throw .broken(OpenSSLErrors.text())
        }
        // The SSL owns both from here on.
        SSL_set_bio(handle, incoming, outgoing)
        (self.context, self.handle, self.incoming, self.outgoing, self.limits) = (context, handle, incoming, outgoing, limits)
        if context.settings.role == .server { SSL_set_accept_state(handle) } else { SSL_set_connect_state(handle) }
        if context.settings.isDatagram {
            lm_ssl_set_mtu(handle, datagramLimit)
            awaitsHello = context.settings.role == .server
        }
        if let session { _ = SSL_set_session(handle, session.handle) }
        if !protocols.isEmpty, !ApplicationProtocols.offer(protocols, on: handle) { throw .broken(OpenSSLErrors.text()) }
        if !resumes { TLSPolicy.standAlone(handle) }
        if let versions, !TLSPolicy.narrow(handle, to: versions, of: context.settings) { throw .noSharedVersion }
        if let serverName, !TLSPeerName.expect(serverName, on: handle) { throw .broken("“\(serverName)” is no server's name") }
    }

    deinit {
        // A client's session would not be resumable after a conversation that just ends; after a failure it shall not be.
        if case .failed = state {} else { SSL_set_shutdown(handle, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        X509_free(TLSVerification.takeRefused(of: handle))
        SSL_free(handle)
        _ = OpenSSLErrors.drain()
    }

    /// A client's first octets; a server has none.
    public func start() { advance() }

    /// Takes octets from the peer, in portions of any size, or one whole datagram, and goes on as far as they reach.
    public func receive(_ octets: Span<UInt8>) {
        guard isAlive, !octets.isEmpty else { return }
        if state == .handshaking {
            handshakeOctets += octets.count
            guard handshakeOctets <= limits.handshakeOctets else { return fail(.tooLong) }
        }
        guard BIO_ctrl_pending(incoming) + octets.count <= limits.waitingOctets else { return fail(.tooLong) }
        let taken = octets.withUnsafeBufferPointer { BIO_write(incoming, $0.baseAddress, Int32(clamping: $0.count)) }
        guard Int(taken) == octets.count else { return fail(.broken(OpenSSLErrors.text())) }
        if awaitsHello {
            awaitsHello = false
            if !listen() { return fail(TLSFailure(of: handle)) }
        }
        advance()
    }

    /// Octets that the peer wrote, as clear text; empty when none are there. Over datagrams `readRecord` has them.
    public func read() -> [UInt8] {
        defer { clear = [] }
        if state == .established, !context.settings.isDatagram { pump() }
        return clear
    }

    /// Encrypts octets for the peer, also after it has closed its side.
    ///
    /// - Returns: false when the conversation is not established, or what waits already is too much; nothing is sent then.
    @discardableResult
    public func write(_ octets: [UInt8]) -> Bool {
        // A record of 16 KB grows by its header, type and tag.
        let room = limits.waitingOctets - outputCount
        guard state == .established || state == .closed, octets.count + (octets.count / 16384 + 1) * 64 <= room else { return false }
        guard !octets.isEmpty else { return true }
        ERR_clear_error()
        let written = SSL_write(handle, octets, Int32(clamping: octets.count))
        guard Int(written) == octets.count else {
            settle(written)
            return false
        }
        return true
    }

    /// Tells the peer that nothing more comes; `write` is over with it. What the peer still sends is read.
    public func close() {
        guard state == .established || state == .closed else { return }
        ERR_clear_error()
        _ = SSL_shutdown(handle)
        _ = OpenSSLErrors.drain()
    }

    /// Octets that `takeOutput` has for the peer.
    public var outputCount: Int { BIO_ctrl_pending(outgoing) }

    /// Takes at most `limit` octets for the peer; empty when there are none.
    public func takeOutput(limit: Int = .max) -> [UInt8] {
        let count = min(outputCount, limit, Int(Int32.max))
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, Int(BIO_read(outgoing, buffer.baseAddress, Int32(count))))
        }
    }

    private var isAlive: Bool { state == .handshaking || state == .established }

    private func advance() {
        if state == .handshaking { handshake() }
        if state == .established, !context.settings.isDatagram { pump() }
        if isAlive, outputCount > limits.waitingOctets { fail(.tooLong) }
    }

    private func handshake() {
        ERR_clear_error()
        let result = SSL_do_handshake(handle)
        if result == 1 { return establish() }
        settle(result)
    }

    /// Decrypts as much as may wait.
    private func pump() {
        var block = [UInt8](repeating: 0, count: 16384)
        while state == .established, clear.count + block.count <= limits.waitingOctets {
            ERR_clear_error()
            let count = SSL_read(handle, &block, Int32(block.count))
            guard count > 0 else { return settle(count) }
            clear += block[..<Int(count)]
        }
    }

    /// Finds out why OpenSSL could not go on: for want of octets, or for good.
    func settle(_ result: Int32) {
        switch SSL_get_error(handle, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: _ = OpenSSLErrors.drain()
        case SSL_ERROR_ZERO_RETURN: state = .closed
        default: fail(TLSFailure(of: handle))
        }
    }

    func fail(_ failure: TLSFailure) {
        // A session does not outlive a fatal error (RFC 5246 §7.2.2).
        if state == .established { forgetSession() }
        if let certificate = TLSVerification.takeRefused(of: handle) {
            refusedPeer = CertificateDescription(certificate)
            X509_free(certificate)
        }
        state = .failed(failure)
        clear = []
    }
}
