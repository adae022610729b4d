/// Why a NAS refused, or what it left behind (RFC 5176 §3.5; 601 is RFC 7930 §4).
///
/// 200...299 belong into an ACK, 400...599 into a NAK. Values that no RFC names are kept as they came.
public struct ErrorCause: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let residualSessionContextRemoved = ErrorCause(rawValue: 201)
    public static let invalidEAPPacket = ErrorCause(rawValue: 202)
    public static let unsupportedAttribute = ErrorCause(rawValue: 401)
    public static let missingAttribute = ErrorCause(rawValue: 402)
    public static let nasIdentificationMismatch = ErrorCause(rawValue: 403)
    public static let invalidRequest = ErrorCause(rawValue: 404)
    public static let unsupportedService = ErrorCause(rawValue: 405)
    public static let unsupportedExtension = ErrorCause(rawValue: 406)
    public static let invalidAttributeValue = ErrorCause(rawValue: 407)
    public static let administrativelyProhibited = ErrorCause(rawValue: 501)
    public static let requestNotRoutable = ErrorCause(rawValue: 502)
    public static let sessionContextNotFound = ErrorCause(rawValue: 503)
    public static let sessionContextNotRemovable = ErrorCause(rawValue: 504)
    public static let otherProxyProcessingError = ErrorCause(rawValue: 505)
    public static let resourcesUnavailable = ErrorCause(rawValue: 506)
    public static let requestInitiated = ErrorCause(rawValue: 507)
    public static let multipleSessionSelectionUnsupported = ErrorCause(rawValue: 508)
    public static let responseTooBig = ErrorCause(rawValue: 601)

    /// The RFC's name, such as `Session-Context-Not-Found`; `Error-Cause-N` for a number without one.
    public var name: String { explanation?.name ?? "Error-Cause-\(rawValue)" }

    /// One sentence on what happened and what to do.
    public var message: String {
        explanation?.message ?? "The NAS refused with cause \(rawValue), which no RFC defines; look it up in the NAS's manual."
    }

    private var explanation: (name: String, message: String)? {
        switch rawValue {
        case 200..<300: success
        case 400..<500: requestFault
        case 500..<700: sessionFault
        default: nil
        }
    }

    private var success: (name: String, message: String)? {
        switch self {
        case .residualSessionContextRemoved:
            ("Residual-Session-Context-Removed", "The session was gone already; the NAS removed what was left of it. Nothing to do.")
        case .invalidEAPPacket:
            ("Invalid-EAP-Packet", "The NAS dropped an EAP packet that it could not read. Nothing to do.")
        default: nil
        }
    }

    private var requestFault: (name: String, message: String)? {
        switch self {
        case .unsupportedAttribute:
            (
                "Unsupported-Attribute",
                "The NAS does not know an attribute of the request. Check the vendor set for it, and the profile's own attributes."
            )
        case .missingAttribute:
            (
                "Missing-Attribute",
                "The NAS needs one more attribute to find the session. Check the vendor set for it and that its accounting carries it."
            )
        case .nasIdentificationMismatch:
            (
                "NAS-Identification-Mismatch",
                "The request reached a NAS other than the one that it names. Check the CoA address of the NAS."
            )
        case .invalidRequest:
            ("Invalid-Request", "The NAS finds the request contradictory. Check the profile's own attributes for this vendor.")
        case .unsupportedService:
            ("Unsupported-Service", "The NAS does not support the Service-Type asked for. Disconnect the session instead.")
        case .unsupportedExtension:
            (
                "Unsupported-Extension",
                "The NAS does not support this kind of request. Enable CoA on it, or disconnect the session instead."
            )
        case .invalidAttributeValue:
            (
                "Invalid-Attribute-Value",
                "The NAS refuses a value, often the name of a policy that it does not have. Create the policy or correct the profile."
            )
        default: nil
        }
    }

    private var sessionFault: (name: String, message: String)? {
        switch self {
        case .administrativelyProhibited:
            ("Administratively-Prohibited", "The NAS is configured to refuse this. Allow dynamic authorization from this server on it.")
        case .requestNotRoutable:
            ("Request-Not-Routable", "A proxy on the way cannot reach the NAS. Check the proxy's routes, or send to the NAS itself.")
        case .sessionContextNotFound:
            ("Session-Context-Not-Found", "The NAS has no such session: it ended unnoticed.")
        case .sessionContextNotRemovable:
            ("Session-Context-Not-Removable", "The NAS found the session and cannot end it. End it on the NAS itself.")
        case .otherProxyProcessingError:
            ("Other-Proxy-Processing-Error", "A proxy on the way failed. Look into that proxy's log.")
        case .resourcesUnavailable:
            ("Resources-Unavailable", "The NAS is short of resources. Try again later.")
        case .requestInitiated:
            ("Request-Initiated", "The NAS will ask for authorization anew and then apply it. Nothing to do.")
        case .multipleSessionSelectionUnsupported:
            (
                "Multiple-Session-Selection-Unsupported",
                "More than one session fits, and the NAS changes only one at a time. Its accounting must carry Acct-Session-Id."
            )
        case .responseTooBig:
            ("Response-Too-Big", "The answer does not fit a packet. Ask for less in one request.")
        default: nil
        }
    }
}
