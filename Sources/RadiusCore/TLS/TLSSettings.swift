/// How to make a `TLSContext`: which files, whom to trust, which versions.
public struct TLSSettings: Sendable, Equatable {
    public enum Role: Sendable {
        case server, client
    }

    public enum Version: Int, Sendable, Comparable, CaseIterable {
        case tls12 = 12
        case tls13 = 13

        public static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }

        /// As settings and policy rules have it.
        public var name: String {
            switch self {
            case .tls12: "1.2"
            case .tls13: "1.3"
            }
        }
    }

    /// The least and the greatest of some.
    public typealias Versions = ClosedRange<Version>

    /// Whether the peer must show a certificate.
    public enum PeerCertificate: Sendable {
        /// It is not asked for: TTLS, PEAP, TEAP.
        case none
        /// It is asked for; one that is shown must be good.
        case optional
        case required
    }

    /// Which cipher suites of TLS 1.2 are possible; those of TLS 1.3 are all good.
    public enum Ciphers: Sendable, Equatable {
        /// Ephemeral keys and AEAD only.
        case modern
        /// Also CBC and RSA key exchange, and keys of 1024 bits, for devices that know nothing else.
        case compatible
        /// OpenSSL's notation, such as `ECDHE+AESGCM`.
        case custom(String)

        var names: String {
            switch self {
            case .modern: "ECDHE+AESGCM:ECDHE+CHACHA20"
            case .compatible: "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:RSA+AESGCM:RSA+AES:!aNULL:!eNULL:!PSK:!SRP"
            case .custom(let names): names
            }
        }

        /// OpenSSL's: 2 wants RSA of 2048 bits, 1 of 1024.
        var securityLevel: Int32 { self == .compatible ? 1 : 2 }
    }

    /// Sessions that may be taken up again without certificates.
    public struct Resumption: Sendable, Equatable {
        /// Seconds after the full handshake, 1...604800 (RFC 8446 §4.6.1).
        public var lifetimeSeconds: Int
        /// Sessions that are kept, 1 KB each; beyond it the oldest go. At least 1.
        public var sessionLimit: Int

        public init(lifetimeSeconds: Int = 86_400, sessionLimit: Int = 50_000) {
            self.lifetimeSeconds = lifetimeSeconds
            self.sessionLimit = sessionLimit
        }
    }

    public var role: Role
    /// DTLS (RFC 6347) instead of TLS; of it there is version 1.2 only, and no preshared keys.
    public var isDatagram = false
    /// PEM: our certificate, then those between it and the root. A server needs one.
    public var certificatePath: String?
    /// PEM, without a password.
    public var keyPath: String?
    /// PEM: whose certificates are trusted. Needed when a peer may show one; the system's own list is never used.
    public var authorityPath: String?
    /// PEM: revocation lists. Given them, a certificate of an authority without a list is refused.
    public var revocationListPath: String?
    /// Whether one of the lists must be of an authority in `authorityPath`. Others may be of those that peers bring.
    public var demandsOwnRevocationList = false
    /// Whether a list past its next update still counts. Revoked certificates stay refused either way.
    public var acceptsStaleRevocationList = false
    public var peerCertificate: PeerCertificate
    /// Whether peers' certificates will be asked about by OCSP.
    public var asksForStatus = false
    /// For a server: `name:hexadecimal` on each line; a peer with such a key needs no certificate, over TLS 1.3.
    public var presharedKeyPath: String?
    public var minimumVersion = Version.tls12
    public var maximumVersion = Version.tls13
    public var ciphers = Ciphers.modern
    /// Names such as `radius/1.1`, the dearest first (RFC 7301); empty neither offers nor asks.
    public var applicationProtocols: [String] = []
    /// Nil: every handshake is a full one.
    public var resumption: Resumption?

    public init(role: Role, peerCertificate: PeerCertificate = .required) {
        self.role = role
        self.peerCertificate = peerCertificate
    }

    /// All files that are named.
    var paths: [String] { [certificatePath, keyPath, authorityPath, revocationListPath, presharedKeyPath].compactMap { $0 } }
}
