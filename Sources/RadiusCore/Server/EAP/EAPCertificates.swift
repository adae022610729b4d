internal import Glibc
internal import Synchronization

/// What methods over TLS show of the server and whom they trust, as the files are now. For any number of threads.
///
/// Somebody calls `refresh` from time to time. Files that cannot be used, or are gone, leave what was in force there.
public final class EAPCertificates: Sendable {
    /// Files in PEM.
    public struct Files: Sendable, Equatable {
        /// Our certificate, then those between it and the root.
        public var certificate: String
        public var key: String
        /// Whose clients are trusted; nil: no EAP-TLS.
        public var authority: String?
        /// Who is revoked; nil: nobody is asked about.
        public var revocationList: String?
        /// Whether the list must be of `authority`, as where both were made together.
        public var demandsOwnRevocationList = false

        public init(certificate: String, key: String, authority: String? = nil, revocationList: String? = nil) {
            self.certificate = certificate
            self.key = key
            self.authority = authority
            self.revocationList = revocationList
        }
    }

    public struct Settings: Sendable {
        public var minimumVersion = TLSSettings.Version.tls12
        public var maximumVersion = TLSSettings.Version.tls13
        public var ciphers = TLSSettings.Ciphers.modern
        /// Nil: every log-in is a full one.
        public var resumption: TLSSettings.Resumption? = TLSSettings.Resumption()
        public var acceptsStaleRevocationList = false
        /// Nil: no OCSP responder is asked about clients.
        public var status: OCSPService.Settings?

        public init() {}
    }

    /// What new conversations begin with.
    public struct Contexts: Sendable {
        /// Asks for a certificate: EAP-TLS.
        public internal(set) var certificate: TLSContext?
        /// Asks for none: TTLS, PEAP and TEAP.
        public internal(set) var tunnel: TLSContext?

        public init() {}
    }

    /// What a look at the files came to.
    public enum Outcome: Sendable {
        case unchanged
        /// New files are in force.
        case replaced
        /// There are no files to be used.
        case missing
        /// The files cannot be used; what was in force before stays. The next look tries again.
        case kept(TLSFileFailure)
    }

    private struct Held {
        var files: Files?
        var contexts = Contexts()
        var isBroken = false
    }

    /// Who asks whether clients' certificates are still good; nil: nobody does.
    public let status: OCSPService?
    private let settings: Settings
    private let locate: @Sendable () throws(TLSFileFailure) -> Files?
    private let held = Mutex(Held())

    /// Reads nothing yet.
    ///
    /// - Parameters:
    ///   - settings: how TLS is spoken.
    ///   - locate: which files there are to use now; nil for none. It throws when that cannot be told. Called by `refresh` only.
    public init(_ settings: Settings, locate: @escaping @Sendable () throws(TLSFileFailure) -> Files?) {
        self.settings = settings
        self.locate = locate
        status = settings.status.map { OCSPService($0) }
    }

    public var contexts: Contexts { held.withLock { $0.contexts } }

    /// The versions of TLS that settings leave to policy rules.
    var versions: TLSSettings.Versions { settings.minimumVersion...settings.maximumVersion }

    /// The files in force; nil for none.
    public var files: Files? { held.withLock { $0.files } }

    /// Whether the last look found files that cannot be used.
    public var isBroken: Bool { held.withLock { $0.isBroken } }

    /// Looks at the files, and reads them when they are others or changed. Blocks on the disk. One caller at a time.
    public func refresh() -> Outcome {
        let outcome = look()
        if case .kept = outcome { held.withLock { $0.isBroken = true } } else { held.withLock { $0.isBroken = false } }
        return outcome
    }

    private func look() -> Outcome {
        let before = held.withLock { $0 }
        do throws(TLSFileFailure) {
            let located = try locate()
            // A file that was in force and is gone is a broken one: without its list, the authority would revoke nobody.
            guard var files = located ?? before.files else { return .missing }
            files.authority = files.authority ?? before.files?.authority
            files.revocationList = files.revocationList ?? before.files?.revocationList
            return refresh(files, before)
        } catch {
            // What is in force follows its own files on: a list with somebody more on it counts.
            if let files = before.files { _ = refresh(files, before) }
            return .kept(error)
        }
    }

    private func refresh(_ files: Files, _ before: Held) -> Outcome {
        do throws(TLSFileFailure) {
            guard let contexts = try files == before.files ? renewed(before.contexts) : make(files) else { return .unchanged }
            held.withLock { $0 = Held(files: files, contexts: contexts) }
            return .replaced
        } catch {
            return .kept(error)
        }
    }

    /// Each by itself: a new revocation list is no reason to forget the sessions of tunnels. Nil when both are as they were.
    private func renewed(_ contexts: Contexts) throws(TLSFileFailure) -> Contexts? {
        let (certificate, tunnel) = (try contexts.certificate?.renewed(), try contexts.tunnel?.renewed())
        guard certificate != nil || tunnel != nil else { return nil }
        var renewed = contexts
        if let certificate { renewed.certificate = certificate }
        if let tunnel { renewed.tunnel = tunnel }
        return renewed
    }

    private func make(_ files: Files) throws(TLSFileFailure) -> Contexts {
        var contexts = Contexts()
        contexts.tunnel = try TLSContext(tls(files, .none))
        if files.authority != nil { contexts.certificate = try TLSContext(tls(files, .required)) }
        return contexts
    }

    private func tls(_ files: Files, _ peer: TLSSettings.PeerCertificate) -> TLSSettings {
        var tls = TLSSettings(role: .server, peerCertificate: peer)
        tls.certificatePath = files.certificate
        tls.keyPath = files.key
        if peer != .none {
            tls.authorityPath = files.authority
            tls.revocationListPath = files.revocationList
            tls.demandsOwnRevocationList = files.demandsOwnRevocationList
        }
        tls.acceptsStaleRevocationList = settings.acceptsStaleRevocationList
        tls.minimumVersion = settings.minimumVersion
        tls.maximumVersion = settings.maximumVersion
        tls.ciphers = settings.ciphers
        tls.resumption = settings.resumption
        tls.asksForStatus = settings.status != nil
        return tls
    }
}
