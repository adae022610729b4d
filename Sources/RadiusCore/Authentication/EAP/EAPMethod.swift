/// What a method does with a Response.
enum EAPStep {
    /// Goes on with a Request that holds these octets behind its type.
    case request([UInt8])
    /// The peer has proven itself, to be who it said it was, or inside a tunnel, somebody else.
    case proven(EAPKeys?, as: [UInt8]? = nil)
    case refused(AccessReason)
    /// The peer has proven itself, and may not be online.
    case turnedAway(AccessReason, as: [UInt8])
    /// The Response is none that the method can read now; it is ignored.
    case invalid
    /// The method goes on by itself once an answer about the peer's certificate is there.
    case waiting(OCSPInquiry)
}

/// What the server brings to every step of a conversation, besides the packet. Confined to one step.
public struct EAPSurroundings {
    /// The methods that may be proposed, the first first.
    public var methods: [EAPType]
    /// What the server calls itself towards the peer.
    public var serverName: [UInt8]
    /// Whether a peer that is turned away, although MD5-Challenge has proven it, is told why (RFC 3748 §5.2).
    public var notifiesRefused: Bool
    /// Octets that a peer may send in one conversation.
    public var octetLimit: Int
    /// The subscriber of a name; nil for an unknown one.
    public var account: (_ identity: [UInt8]) -> EAPAccount?
    /// Sixteen octets that nobody can foretell.
    public var random: () -> Digest16
    /// Of methods over TLS; nil where there are none.
    public var tls: EAPTLSSurroundings?
    /// Of methods of SIM cards; nil where they are not proposed.
    public var card: EAPCardSurroundings?

    public init(
        methods: [EAPType] = EAPType.served, serverName: [UInt8] = Array("lastmile".utf8), notifiesRefused: Bool = false,
        octetLimit: Int = 65_536, account: @escaping (_ identity: [UInt8]) -> EAPAccount?, random: @escaping () -> Digest16,
        tls: EAPTLSSurroundings? = nil, card: EAPCardSurroundings? = nil
    ) {
        self.methods = methods
        self.serverName = serverName
        self.notifiesRefused = notifiesRefused
        self.octetLimit = octetLimit
        self.account = account
        self.random = random
        self.tls = tls
        self.card = card
    }

    /// The methods that can be proposed at this moment.
    var available: [EAPType] {
        methods.filter { $0.isOfCard ? card != nil : !$0.isOverTLS || tls?.context(of: $0) != nil }
    }
}

/// Who talks, as far as a method needs to know.
struct EAPPeer {
    let identity: [UInt8]
    /// Nil: no subscriber has this name. The conversation goes on as for a wrong password, so that nobody can find out names.
    let account: EAPAccount?
}

/// One method in the course of a conversation: a value for each, which takes Responses and gives steps.
enum EAPMethod {
    case md5(EAPMD5)
    case gtc(EAPGTC)
    case msCHAPv2(EAPMSCHAPv2)
    case overTLS(EAPOverTLS)
    case sim(EAPSIM)
    case aka(EAPAKA)
    case pwd(EAPPWD)

    /// Begins a method.
    ///
    /// - Parameters:
    ///   - type: the method's.
    ///   - identifier: of the Request that will carry the first octets.
    ///   - identity: who the peer says to be.
    ///   - surroundings: of the conversation.
    /// - Returns: the method and the octets of its first Request; nil for a type that is not served.
    static func begin(
        _ type: EAPType, identifier: UInt8, identity: [UInt8], _ surroundings: EAPSurroundings
    ) -> (method: EAPMethod, data: [UInt8])? {
        switch type {
        case .md5Challenge:
            let method = EAPMD5(identifier: identifier, challenge: surroundings.random())
            return (.md5(method), method.request)
        case .gtc:
            return (.gtc(EAPGTC()), EAPGTC.request)
        case .msCHAPv2:
            let method = EAPMSCHAPv2(identifier: identifier, challenge: surroundings.random())
            return (.msCHAPv2(method), method.request(serverName: surroundings.serverName))
        case .sim:
            let begun = EAPSIM.begin(identifier: identifier, identity: identity, surroundings)
            return (.sim(begun.method), begun.data)
        case .aka, .akaPrime:
            let begun = EAPAKA.begin(type, identifier: identifier, identity: identity, surroundings)
            return (.aka(begun.method), begun.data)
        case .pwd:
            let begun = EAPPWD.begin(identity: identity, surroundings)
            return (.pwd(begun.method), begun.data)
        default:
            guard let tls = surroundings.tls, let context = tls.context(of: type) else { return nil }
            let method = EAPOverTLS(type, context, serverName: surroundings.serverName, tls)
            return (.overTLS(method), method.start)
        }
    }

    /// Octets that the value takes, about.
    var memoryOctets: Int {
        switch self {
        case .overTLS(let method): method.memoryOctets
        case .sim, .aka, .pwd: Self.secretOctets
        default: 0
        }
    }

    /// Identity, packets that asked for it, fragments, and keys.
    private static let secretOctets = 1536

    /// Who a peer says to be inside a tunnel, or is by its certificate or card; empty where the method has none, or it did not say yet.
    var claimed: [UInt8] {
        switch self {
        case .overTLS(let method): method.claimed
        case .sim(let method): method.claimed
        case .aka(let method): method.claimed
        case .pwd(let method): method.claimed
        default: []
        }
    }

    /// Why the peer will be refused, whatever it says now; nil while that is open.
    var verdict: AccessReason? {
        switch self {
        case .md5, .gtc, .pwd: nil
        case .msCHAPv2(let method): method.verdict
        case .overTLS(let method): method.verdict
        case .sim(let method): method.verdict
        case .aka(let method): method.verdict
        }
    }

    /// What a peer does inside a tunnel.
    var inner: EAPInnerMethod? { if case .overTLS(let method) = self { method.inner } else { nil } }

    /// Goes on after `waiting`.
    mutating func goOn(_ surroundings: EAPSurroundings) -> EAPStep {
        guard case .overTLS(var method) = self else { return .invalid }
        let step = method.goOn(surroundings.keeping(method.versions))
        self = .overTLS(method)
        return step
    }

    /// Takes what stands behind the type of a Response to the method's last Request.
    mutating func receive(_ data: [UInt8], from peer: EAPPeer, _ surroundings: EAPSurroundings) -> EAPStep {
        switch self {
        case .md5(let method): return method.receive(data, from: peer)
        case .gtc(let method): return method.receive(data, from: peer)
        case .msCHAPv2(var method):
            let step = method.receive(data, from: peer, surroundings)
            self = .msCHAPv2(method)
            return step
        case .overTLS(var method):
            let step = method.receive(data, surroundings.keeping(method.versions))
            self = .overTLS(method)
            return step
        case .sim(var method):
            let step = method.receive(data, surroundings)
            self = .sim(method)
            return step
        case .aka(var method):
            let step = method.receive(data, surroundings)
            self = .aka(method)
            return step
        case .pwd(var method):
            let step = method.receive(data, surroundings)
            self = .pwd(method)
            return step
        }
    }
}
