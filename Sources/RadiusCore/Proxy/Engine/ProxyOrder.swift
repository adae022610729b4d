/// One request that is to go to a home server of a pool, and who is told what came of it.
final class ProxyOrder: Sendable {
    enum Kind: Sendable {
        /// An Access-Request, hidden under the NAS's secret.
        case access(SharedSecret)
        /// An Accounting-Request that was received at this time, in microseconds since 1970.
        case accounting(receivedMicroseconds: Int64)
    }

    let kind: Kind
    let pool: HomeServerPool
    /// The NAS's packet, verified.
    let received: [UInt8]
    /// What the home server is told as User-Name; nil: what the NAS said.
    let userName: [UInt8]?
    let filter: AttributeFilter
    let dictionary: RadiusDictionary
    /// The NAS's Operator-NAS-Identifier, encoded; nil: none is added.
    let operatorNAS: [UInt8]?
    /// Of the station or the user, for a keyed pool.
    let key: UInt64
    /// Of State, and of the station of an EAP conversation, for `StickyServers`.
    let stateKey: UInt64?
    let stationKey: UInt64?
    /// Called once, on the proxy's thread; must not block.
    let completion: @Sendable (ProxyOutcome) -> Void

    init(
        _ kind: Kind, to pool: HomeServerPool, received: [UInt8], userName: [UInt8]?, filter: AttributeFilter,
        dictionary: RadiusDictionary, operatorNAS: [UInt8]? = nil, key: UInt64, stateKey: UInt64? = nil, stationKey: UInt64? = nil,
        completion: @escaping @Sendable (ProxyOutcome) -> Void
    ) {
        self.kind = kind
        self.pool = pool
        self.received = received
        self.userName = userName
        self.filter = filter
        self.dictionary = dictionary
        self.operatorNAS = operatorNAS
        self.key = key
        self.stateKey = stateKey
        self.stationKey = stationKey
        self.completion = completion
    }

    var isAccess: Bool {
        if case .access = kind { return true }
        return false
    }
}

/// What came of a forwarded request.
enum ProxyOutcome: Sendable {
    /// A reply that verified.
    case reply(ProxyReply)
    /// None; the number is that of the server that was asked last, or 0. The cause is what that server said, and nobody else can help.
    case failed(AccessReason, server: Int64, cause: ErrorCause? = nil)
}

struct ProxyReply: Sendable {
    /// The home server's packet, without padding.
    let octets: [UInt8]
    let server: HomeServer
    /// Of the request that it answers.
    let authenticator: Digest16

    var code: PacketCode { PacketCode(rawValue: octets[0]) }
}
