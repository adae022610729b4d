/// The Code octet of a RADIUS packet (RFC 2865 §4, RFC 2866 §4, RFC 5176 §2.3, RFC 5997 §4).
public struct PacketCode: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let accessRequest = PacketCode(rawValue: 1)
    public static let accessAccept = PacketCode(rawValue: 2)
    public static let accessReject = PacketCode(rawValue: 3)
    public static let accountingRequest = PacketCode(rawValue: 4)
    public static let accountingResponse = PacketCode(rawValue: 5)
    public static let accessChallenge = PacketCode(rawValue: 11)
    public static let statusServer = PacketCode(rawValue: 12)
    public static let disconnectRequest = PacketCode(rawValue: 40)
    public static let disconnectACK = PacketCode(rawValue: 41)
    public static let disconnectNAK = PacketCode(rawValue: 42)
    public static let coaRequest = PacketCode(rawValue: 43)
    public static let coaACK = PacketCode(rawValue: 44)
    public static let coaNAK = PacketCode(rawValue: 45)
    public static let protocolError = PacketCode(rawValue: 52)

    /// The standard's name, such as `Access-Request`; `Code-N` for a number without one.
    public var name: String {
        switch self {
        case .accessRequest: "Access-Request"
        case .accessAccept: "Access-Accept"
        case .accessReject: "Access-Reject"
        case .accountingRequest: "Accounting-Request"
        case .accountingResponse: "Accounting-Response"
        case .accessChallenge: "Access-Challenge"
        case .statusServer: "Status-Server"
        case .disconnectRequest: "Disconnect-Request"
        case .disconnectACK: "Disconnect-ACK"
        case .disconnectNAK: "Disconnect-NAK"
        case .coaRequest: "CoA-Request"
        case .coaACK: "CoA-ACK"
        case .coaNAK: "CoA-NAK"
        case .protocolError: "Protocol-Error"
        default: "Code-\(rawValue)"
        }
    }
}
