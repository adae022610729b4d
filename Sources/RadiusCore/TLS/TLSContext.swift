internal import COpenSSL
internal import Glibc

/// Certificates, trust and policy of one kind of TLS conversations: made once, never changed, shared by all of them.
///
/// Files that change make a new context (`renewed`); conversations go on with the one that they began with, and sessions of the old one
/// are not resumed by the new: who was revoked in between needs a certificate again.
///
/// Sendable: nothing is changed after `init` but the session cache, which has a lock; OpenSSL counts references atomically.
public final class TLSContext: @unchecked Sendable {
    public let settings: TLSSettings
    /// Our own certificate and those above it; empty for a client without one.
    public let certificates: [CertificateDescription]
    /// Whom we trust.
    public let authorities: [CertificateDescription]
    /// When the first of the revocation lists becomes stale, in seconds since 1970; nil without any.
    public let revocationListEnd: Int64?
    /// `SSL_CTX *`.
    let handle: OpaquePointer
    /// Of a server with resumption.
    let sessions: TLSSessionCache?
    /// Of a server that takes such.
    let presharedKeys: PresharedKeys?
    /// OpenSSL has their addresses.
    private let protocols: ApplicationProtocols?
    let revocation = TLSRevocationChecks()
    /// When the first certificate ends that was put above ours, in seconds since 1970; nil without any.
    private let chainEnd: Int64?
    /// Whose answers about peers' certificates are believed; nil where none is asked for.
    let statusTrust: OCSPTrust?
    private let stamps: [FileStamp?]

    /// Reads all files.
    ///
    /// - Throws: `TLSFileFailure` that names the file, or the setting, and why it cannot be used.
    public init(_ settings: TLSSettings) throws(TLSFileFailure) {
        // Before the files are read: what changes meanwhile is noticed by the next look.
        stamps = settings.paths.map { FileStamp(path: $0) }
        try Self.validate(settings)
        guard let handle = SSL_CTX_new(Self.method(of: settings)) else { throw TLSFileFailure(path: "TLS", reason: OpenSSLErrors.text()) }
        self.settings = settings
        self.handle = handle
        sessions = settings.role == .server ? settings.resumption.map { TLSSessionCache(limit: $0.sessionLimit) } : nil
        protocols = settings.applicationProtocols.isEmpty ? nil : ApplicationProtocols(settings.applicationProtocols)
        protocols?.attach(to: handle, role: settings.role)
        do throws(TLSFileFailure) {
            try TLSPolicy.apply(settings, to: handle)
            certificates = try TLSTrust.present(settings, on: handle)
            let trusted = try TLSTrust.trust(settings, on: handle, revocation)
            (authorities, revocationListEnd, statusTrust) = (trusted.authorities, trusted.revocationListEnd, trusted.statusTrust)
            chainEnd = try TLSTrust.fixChain(of: settings, on: handle)
            sessions?.attach(to: handle)
            presharedKeys = try PresharedKeys.read(settings)
            try presharedKeys?.attach(to: handle)
        } catch {
            SSL_CTX_free(handle)
            _ = OpenSSLErrors.drain()
            throw error
        }
    }

    deinit { SSL_CTX_free(handle) }

    /// Whether a file was replaced, changed, removed or made since this context was, or a certificate ended for which the files may have
    /// another.
    public var isStale: Bool { needsRenewal(at: Int64(time(nil))) }

    /// The same at an instant, in seconds since 1970.
    func needsRenewal(at seconds: Int64) -> Bool {
        chainEnd.map { $0 < seconds } == true || settings.paths.map { FileStamp(path: $0) } != stamps
    }

    /// A context of the files as they are now; nil when they are as they were.
    ///
    /// - Throws: `TLSFileFailure`; keep this context then, and try again later: a key may just be on its way to its certificate.
    public func renewed() throws(TLSFileFailure) -> TLSContext? {
        isStale ? try TLSContext(settings) : nil
    }

    /// The first end of all certificates here, in seconds since 1970; nil without any.
    public var notAfter: Int64? { (certificates + authorities).map(\.notAfter).min() }

    /// Sessions that may be taken up.
    public var sessionCount: Int { sessions?.count ?? 0 }

    private static func method(of settings: TLSSettings) -> OpaquePointer? {
        switch settings.role {
        case .server: settings.isDatagram ? DTLS_server_method() : TLS_server_method()
        case .client: settings.isDatagram ? DTLS_client_method() : TLS_client_method()
        }
    }

    private static func validate(_ settings: TLSSettings) throws(TLSFileFailure) {
        guard settings.role == .client || settings.certificatePath != nil else {
            throw TLSFileFailure(path: "certificate", reason: "a server needs one")
        }
        guard (settings.certificatePath == nil) == (settings.keyPath == nil) else {
            throw TLSFileFailure(path: "certificate", reason: "a certificate and its key go together; one of the two is not named")
        }
        guard settings.peerCertificate == .none || settings.authorityPath != nil else {
            throw TLSFileFailure(path: "authority", reason: "without one no certificate of a peer can be trusted")
        }
        guard settings.minimumVersion <= settings.maximumVersion else {
            throw TLSFileFailure(path: "version", reason: "the least is above the greatest")
        }
        guard !settings.isDatagram || settings.minimumVersion == .tls12 else {
            throw TLSFileFailure(path: "version", reason: "over datagrams there is 1.2 only")
        }
        guard ApplicationProtocols(settings.applicationProtocols) != nil else {
            throw TLSFileFailure(path: "protocols", reason: "at most 16 names of 1 to 255 octets are possible")
        }
        guard let resumption = settings.resumption else { return }
        guard (1...604_800).contains(resumption.lifetimeSeconds), resumption.sessionLimit >= 1 else {
            throw TLSFileFailure(path: "resumption", reason: "1 to 604800 seconds and at least one session are possible")
        }
    }
}
