import RadiusCore

/// What is counted, one kind of request at a time. The raw value is the name in `thresholds.txt`.
enum CountedCase: String, CaseIterable {
    case pap, chap
    case msCHAPv2 = "mschapv2"
    /// A wrong password; the refusal is held for the reject delay, and then sent.
    case reject
    case accounting
    /// A PAP request that was answered before, octet for octet.
    case duplicate
    case status
    /// A PAP request under 200 policy rules, one of which holds and changes the reply. Last: the rules stay in force.
    case policy

    var isAccounting: Bool { self == .accounting }

    /// The code that answers it.
    var reply: PacketCode {
        switch self {
        case .pap, .chap, .msCHAPv2, .duplicate, .status, .policy: .accessAccept
        case .reject: .accessReject
        case .accounting: .accountingResponse
        }
    }
}

/// Makes the same requests in every run: what a broadband gateway sends, from a generator with a fixed seed.
struct CountedRequests {
    private static let gateway = gatewayAttributes()
    private let secret: SharedSecret
    private var seed: UInt64 = 0x9e37_79b9_7f4a_7c15
    private var sequence = 0

    init(secret: SharedSecret) {
        self.secret = secret
    }

    /// The next `count` requests of `kind`, at most 256: identifiers do not repeat among them.
    mutating func batch(_ kind: CountedCase, _ count: Int) throws -> [ClientPacket] {
        try (0..<count).map { try request(kind, identifier: UInt8($0)) }
    }

    private mutating func request(_ kind: CountedCase, identifier: UInt8) throws -> ClientPacket {
        sequence += 1
        switch kind {
        case .pap, .duplicate, .policy: return try access(.pap, CountedServer.password, identifier)
        case .chap: return try access(.chap, CountedServer.password, identifier)
        case .msCHAPv2: return try access(.msCHAPv2, CountedServer.password, identifier)
        case .reject: return try access(.pap, "not the password", identifier)
        case .accounting: return try .accounting(identifier: identifier, attributes: interim(), secret: secret)
        case .status: return try .status(identifier: identifier, secret: secret, random: octets(16))
        }
    }

    private mutating func access(_ method: AuthenticationMethod, _ password: String, _ identifier: UInt8) throws -> ClientPacket {
        guard let credential = ClientCredential(method, password: Array(password.utf8)) else {
            throw CountFault("the client cannot prove a password by \(method)")
        }
        return try .access(
            identifier: identifier, userName: CountedServer.userName(sequence % CountedServer.subscribers), credential: credential,
            attributes: Self.gateway, secret: secret, random: octets(48))
    }

    /// An Interim-Update with the counters of RFC 2866 §5 and RFC 2869 §5.
    private func interim() -> [UInt8] {
        var attributes = attribute(AttributeNumber.acctStatusType, number: 3)
        attributes += attribute(AttributeNumber.userName, CountedServer.userName(sequence % CountedServer.subscribers))
        attributes += attribute(AttributeNumber.acctSessionID, Array("81a00\(100_000 + sequence)".utf8))
        attributes += attribute(AttributeNumber.framedIPAddress, number: 0x0a00_0000 + UInt32(sequence))
        attributes += attribute(AttributeNumber.acctSessionTime, number: 3600)
        for number in [
            AttributeNumber.acctInputOctets, AttributeNumber.acctOutputOctets, AttributeNumber.acctInputPackets,
            AttributeNumber.acctOutputPackets, AttributeNumber.acctInputGigawords, AttributeNumber.acctOutputGigawords,
        ] {
            attributes += attribute(number, number: UInt32(sequence))
        }
        return attributes + Self.gateway
    }

    /// SplitMix64; its octets need only to be the same in each run.
    private mutating func octets(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in
            seed &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (seed ^ seed >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return UInt8(truncatingIfNeeded: mixed ^ mixed >> 31)
        }
    }

    private static func gatewayAttributes() -> [UInt8] {
        attribute(AttributeNumber.nasIPAddress, number: 0x7f00_0001)
            + attribute(AttributeNumber.nasIdentifier, Array("core1.example.net".utf8))
            + attribute(AttributeNumber.nasPort, number: 15_728_640)
            + attribute(AttributeNumber.serviceType, number: 2)
            + attribute(AttributeNumber.framedProtocol, number: 1)
            + attribute(AttributeNumber.callingStationID, Array("00:53:00:12:34:56".utf8))
            + attribute(AttributeNumber.calledStationID, Array("internet".utf8))
    }
}

/// One attribute with its header.
func attribute(_ number: UInt8, _ value: [UInt8]) -> [UInt8] { [number, UInt8(value.count + 2)] + value }

/// One attribute whose value is a number of four octets.
func attribute(_ number: UInt8, number value: UInt32) -> [UInt8] {
    attribute(number, (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) })
}
