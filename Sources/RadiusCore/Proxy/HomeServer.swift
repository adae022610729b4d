/// Another RADIUS server that requests are forwarded to (RFC 2865 §2.3).
public final class HomeServer: Sendable {
    public enum Transport: String, Sendable, CaseIterable {
        case udp, tcp, tls, dtls

        /// Who speaks is proven by certificates, and the secret is one that everybody knows.
        var isProtected: Bool { self == .tls || self == .dtls }
        /// What gets lost on the way is lost, unless it is sent again.
        var losesPackets: Bool { self == .udp || self == .dtls }
    }

    /// How long is waited, and what then.
    public struct Timing: Sendable, Equatable {
        /// For a reply to one request, its repetition included; 100...60000.
        public var responseMilliseconds = 4000
        /// How long a server that stopped answering is asked only when no other is there.
        public var zombieSeconds = 40
        /// From one Status-Server to the next, while the server is not alive.
        public var checkSeconds = 10
        /// Status-Servers in a row that must be answered before the server counts as alive.
        public var answersToRevive = 3
        /// After which a dead server that never answered a Status-Server is tried again.
        public var reviveSeconds = 120

        public init() {}
    }

    public let id: Int64
    public let tenant: Int64
    public let name: String
    public let address: IPAddress
    public let transport: Transport
    /// Over all but UDP both kinds go to this one port.
    public let accessPort: UInt16
    public let accountingPort: UInt16
    public let secret: SharedSecret
    public let timing: Timing
    /// Whether liveness is asked for by Status-Server (RFC 5997).
    public let usesStatusServer: Bool
    /// A reply to an Access-Request without Message-Authenticator is dropped (CVE-2024-3596).
    public let requiresMessageAuthenticator: Bool
    /// Requests that may wait for its replies, 1...2048.
    public let outstandingLimit: Int
    /// The DNS name or address that its certificate must have over TLS and DTLS; nil: its address.
    public let tlsName: String?
    /// What may be spoken over TLS (RFC 9765); over DTLS it must have 1.0 among them.
    public let versions: RadiusVersions

    public init(
        id: Int64, tenant: Int64, name: String, address: IPAddress, transport: Transport = .udp, accessPort: UInt16 = 1812,
        accountingPort: UInt16 = 1813, secret: SharedSecret, timing: Timing = Timing(), usesStatusServer: Bool = true,
        requiresMessageAuthenticator: Bool = true, outstandingLimit: Int = 2048, tlsName: String? = nil,
        versions: RadiusVersions = .both
    ) {
        self.id = id
        self.tenant = tenant
        self.name = name
        self.address = address
        self.transport = transport
        self.accessPort = accessPort
        self.accountingPort = accountingPort
        self.secret =
            switch transport {
            case .udp, .tcp: secret
            case .tls: .ofTLS
            case .dtls: .ofDTLS
            }
        self.timing = timing
        self.usesStatusServer = usesStatusServer
        self.requiresMessageAuthenticator = requiresMessageAuthenticator
        self.outstandingLimit = max(1, min(2048, outstandingLimit))
        self.tlsName = tlsName
        self.versions = versions
    }

    /// Whether `other` is reached in the same way, so that what is known of one holds for the other.
    func isSame(as other: HomeServer) -> Bool {
        address == other.address && transport == other.transport && accessPort == other.accessPort
            && accountingPort == other.accountingPort && secret.bytes == other.secret.bytes && tlsName == other.tlsName
            && versions == other.versions
    }
}

/// Home servers that stand for each other, and how one of them is chosen.
public final class HomeServerPool: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// The first that is alive.
        case failover
        /// The one that is expected to answer first.
        case balance
        /// The same one for the same station, or user.
        case keyed
    }

    public let id: Int64
    public let tenant: Int64
    public let name: String
    public let kind: Kind
    /// In the order of preference.
    public let servers: [HomeServer]

    public init(id: Int64, tenant: Int64, name: String, kind: Kind, servers: [HomeServer]) {
        self.id = id
        self.tenant = tenant
        self.name = name
        self.kind = kind
        self.servers = servers
    }
}
