/// How a request ended.
public enum CoAOutcome: Sendable, Equatable {
    /// Done; the reply's attributes, encoded.
    case ack(attributes: [UInt8])
    /// Refused by the NAS; its Error-Cause, if it gave one (RFC 5176 §3.5).
    case nak(errorCause: UInt32?)
    /// Nobody answered. Whether the NAS acted is unknown.
    case timeout(attempts: Int)
    /// Never sent, or stopped here.
    case refused(CoARefusal)

    /// What happened and what to do, for the operator.
    public var message: String {
        switch self {
        case .ack: "The NAS confirmed."
        case .nak(let cause?): "\(ErrorCause(rawValue: cause).name) (\(cause)). \(ErrorCause(rawValue: cause).message)"
        case .nak(nil): "The NAS refused and gave no cause. Look into its log."
        case .timeout(let attempts):
            "No answer to \(attempts) attempts. Check the CoA address, port and secret of the NAS, and that it accepts requests from here."
        case .refused(let reason): reason.message
        }
    }
}

extension CoAOutcome {
    /// The same for a request that went over a connection of the NAS.
    public var messageOfConnection: String {
        guard case .timeout = self else { return message }
        return "No answer on the connection of the NAS. Check that it takes CoA there (reverse CoA), and not only at a port of its own."
    }

    /// It may end otherwise on another node or a little later, without anybody's help.
    public var isPassing: Bool {
        switch self {
        case .timeout, .refused(.connectionLost): true
        case .ack, .nak, .refused: isUnsent
        }
    }

    /// This node's connections of the NAS could not take it; nothing was sent.
    public var isUnsent: Bool { self == .refused(.notConnected) || self == .refused(.connectionFull) }
}

/// Why a request was not sent or not waited for.
public enum CoARefusal: Error, Sendable, Equatable {
    /// Too many requests wait already.
    case queueFull
    /// The client was shut down.
    case shutDown
    /// The system refused to send: an errno.
    case transport(Int32)
    /// The request could not be made.
    case invalid(CoARequestError)
    /// The peer's address or secret is not known; whoever asked knows why.
    case unprepared
    /// It is to go over a connection of the NAS, which has none to this node.
    case notConnected
    /// As many requests as the connection of the NAS can have wait there, or the NAS does not read what it has.
    case connectionFull
    /// The connection of the NAS ended before its answer. Whether it acted is unknown.
    case connectionLost

    public var message: String {
        switch self {
        case .queueFull: "Too many CoA requests are waiting. Try again when some have ended."
        case .shutDown: "The server was stopping. Ask again after it has started."
        case .transport(let code): "The system could not send to the NAS (errno \(code)). Check the address and the route to it."
        case .invalid(let error): error.message
        case .unprepared: "The address or secret of the NAS is not known. Complete the NAS."
        case .notConnected:
            "The NAS takes CoA over its own connection, and has none to this node. Look at its link, or ask the node that has it."
        case .connectionFull: "The connection of the NAS has as many requests as it can have. Try again when some have ended."
        case .connectionLost: "The connection of the NAS ended before the answer. Whether it acted is unknown; ask again when it is back."
        }
    }
}

/// Where a NAS takes CoA and Disconnect requests.
public struct CoAPeer: Sendable {
    public let address: IPAddress
    /// 3799 by RFC 5176 §2.1; 1700 on older Cisco.
    public let port: UInt16
    public let secret: SharedSecret
    /// False for the few devices that refuse a request with Message-Authenticator.
    public let sendsMessageAuthenticator: Bool

    public init(address: IPAddress, port: UInt16 = 3799, secret: SharedSecret, sendsMessageAuthenticator: Bool = true) {
        self.address = address
        self.port = port
        self.secret = secret
        self.sendsMessageAuthenticator = sendsMessageAuthenticator
    }
}

/// What a `CoAClient` saw since it began.
public struct CoACounters: Hashable, Sendable {
    /// Datagrams sent, repetitions included.
    public var sent = 0
    /// Repetitions.
    public var resent = 0
    public var acks = 0
    public var naks = 0
    public var timeouts = 0
    public var refused = 0
    /// Replies from an address, port or identifier that nothing waits for: late, twice, or forged.
    public var unmatched = 0
    /// Replies whose Code does not answer the request.
    public var wrongCode = 0
    /// Replies that do not parse.
    public var malformed = 0
    /// Replies whose Response Authenticator or Message-Authenticator does not verify: mostly a wrong secret.
    public var unverified = 0
}
