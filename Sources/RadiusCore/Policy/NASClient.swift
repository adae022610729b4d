public import Synchronization

/// A rule that an operator sets, or leaves to what the client is seen to do (CVE-2024-3596).
public enum TriState: UInt8, Sendable, CaseIterable {
    case no, yes, auto

    public init?(name: some StringProtocol) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }

    public var name: String {
        switch self {
        case .no: "no"
        case .yes: "yes"
        case .auto: "auto"
        }
    }
}

/// What a client was seen to do. Shared by all snapshots and workers, so that nothing learned is lost at a change of snapshot.
public final class ClientObservation: Sendable {
    /// 0 unknown, 1 no, 2 yes.
    private let requires: Atomic<UInt8>
    private let limits: Atomic<UInt8>
    /// Bumped whenever a rule changes, so that it is written to the database.
    public let revision = Atomic<UInt64>(0)
    /// Wall clock seconds of the last packet that verified; 0 for never.
    public let lastSeenSeconds = Atomic<Int64>(0)
    public let accepts = Atomic<UInt64>(0)
    public let rejects = Atomic<UInt64>(0)
    public let accountingResponses = Atomic<UInt64>(0)
    /// Packets from the client's address that were dropped: wrong secret, malformed, unsigned where signing is demanded.
    public let drops = Atomic<UInt64>(0)
    /// Access-Requests dropped because the client was over its rate limit.
    public let rateLimited = Atomic<UInt64>(0)
    /// Wall clock seconds of the last of them; 0 for never.
    public let rateLimitedSeconds = Atomic<Int64>(0)
    /// Datagrams dropped because the client had more than its share of an overloaded worker.
    public let shed = Atomic<UInt64>(0)
    /// Why it was told no, or nothing.
    public let refusals = RefusalCounts()
    /// What the client may still send of its rate limit.
    let tokens = TokenBucket()

    public init(requiresMessageAuthenticator: Bool? = nil, limitsProxyState: Bool? = nil) {
        requires = Atomic(Self.encode(requiresMessageAuthenticator))
        limits = Atomic(Self.encode(limitsProxyState))
    }

    /// What `require_message_authenticator = auto` has come to; nil before the first packet.
    public var requiresMessageAuthenticator: Bool? { Self.decode(requires.load(ordering: .relaxed)) }
    /// What `limit_proxy_state = auto` has come to.
    public var limitsProxyState: Bool? { Self.decode(limits.load(ordering: .relaxed)) }

    /// Learns from a packet that verified. A client that once signed is held to it; EAP packets must not be passed here.
    func learn(signed: Bool, hasProxyState: Bool) {
        if signed {
            set(requires, 2)
        } else if requires.load(ordering: .relaxed) == 0 {
            set(requires, 1)
        }
        if limits.load(ordering: .relaxed) == 0 { set(limits, hasProxyState && !signed ? 1 : 2) }
    }

    /// Forgets what was learned, at an operator's word.
    public func reset() {
        set(requires, 0)
        set(limits, 0)
    }

    private func set(_ rule: borrowing Atomic<UInt8>, _ value: UInt8) {
        // A plain load first: nothing is new for each packet, and an exchange takes the line from all other workers.
        guard rule.load(ordering: .relaxed) != value else { return }
        if rule.exchange(value, ordering: .relaxed) != value { revision.add(1, ordering: .relaxed) }
    }

    private static func encode(_ value: Bool?) -> UInt8 {
        guard let value else { return 0 }
        return value ? 2 : 1
    }

    private static func decode(_ value: UInt8) -> Bool? {
        value == 0 ? nil : value == 2
    }
}

/// A router, gateway or access point that may ask (RFC 2865 §1, "client").
public final class NASClient: Sendable {
    public let id: Int64
    public let tenant: Int64
    public let name: String
    /// The group of NAS that it is of, which policy rules can ask for; empty for none.
    public let huntgroup: String
    /// The NAS-Identifier that all of its packets have, which tells it from others at its address; empty: any that no other there has.
    public let identifier: String
    public let network: IPAddress
    /// Bits of `network` that count, 0...128; 128 for a single host, 96 + n for an IPv4 prefix of n bits.
    public let prefixLength: Int
    public let secret: SharedSecret
    public let vendor: NASVendor
    public let requireMessageAuthenticator: TriState
    public let limitProxyState: TriState
    /// False for the few devices that refuse a reply with Message-Authenticator.
    public let sendsMessageAuthenticator: Bool
    /// Access-Requests that are looked at in a second, on this node; 0 for no limit.
    public let rateLimitPerSecond: UInt32
    /// Whom the certificate of a connection of TLS or DTLS must name, one of them; nil: any certificate that is trusted will do.
    public let tlsIdentities: [TLSIdentity]?
    public let observation: ClientObservation
    /// What stands in for a client on connections of TLS and DTLS.
    private let isBehindTLS: Bool

    public init(
        id: Int64, tenant: Int64, name: String, huntgroup: String = "", identifier: String = "", network: IPAddress, prefixLength: Int,
        secret: SharedSecret, vendor: NASVendor, requireMessageAuthenticator: TriState = .auto, limitProxyState: TriState = .auto,
        sendsMessageAuthenticator: Bool = true, rateLimitPerSecond: UInt32 = 0, tlsIdentities: [TLSIdentity]? = nil,
        observation: ClientObservation = ClientObservation()
    ) {
        self.id = id
        self.tenant = tenant
        self.name = name
        self.huntgroup = huntgroup
        self.identifier = identifier
        self.network = network.masked(to: prefixLength)
        self.prefixLength = prefixLength
        self.secret = secret
        self.vendor = vendor
        self.requireMessageAuthenticator = requireMessageAuthenticator
        self.limitProxyState = limitProxyState
        self.sendsMessageAuthenticator = sendsMessageAuthenticator
        self.rateLimitPerSecond = rateLimitPerSecond
        self.tlsIdentities = tlsIdentities
        self.observation = observation
        isBehindTLS = false
    }

    /// The same client on a connection of TLS or DTLS: the secret is the one that all share, and neither a Message-Authenticator nor
    /// what was seen over UDP says anything about the sender, whom TLS has proven.
    init(_ client: NASClient, behind transport: StreamTransport) {
        id = client.id
        tenant = client.tenant
        name = client.name
        huntgroup = client.huntgroup
        identifier = client.identifier
        network = client.network
        prefixLength = client.prefixLength
        secret = transport == .dtls ? .ofDTLS : .ofTLS
        vendor = client.vendor
        requireMessageAuthenticator = .no
        limitProxyState = .no
        sendsMessageAuthenticator = client.sendsMessageAuthenticator
        rateLimitPerSecond = client.rateLimitPerSecond
        tlsIdentities = client.tlsIdentities
        observation = client.observation
        isBehindTLS = true
    }

    /// Only a single host teaches: behind a prefix or a translator stand several devices with several habits.
    var learns: Bool { prefixLength == 128 && !isBehindTLS }

    /// An unsigned Access-Request is dropped.
    var demandsMessageAuthenticator: Bool {
        switch requireMessageAuthenticator {
        case .yes: true
        case .no: false
        case .auto: learns && observation.requiresMessageAuthenticator == true
        }
    }

    /// An unsigned Access-Request with Proxy-State is dropped.
    var refusesUnsignedProxyState: Bool {
        switch limitProxyState {
        case .yes: true
        case .no: false
        case .auto: learns && observation.limitsProxyState == true
        }
    }
}
