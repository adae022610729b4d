/// The Type of an EAP Request or Response (RFC 3748 §5).
///
/// An Expanded Type of vendor 0 is the same as the number that it holds (RFC 3748 §5.7).
public struct EAPType: Hashable, Sendable {
    /// Private Enterprise Number; 0 for the IETF's own types.
    public let vendor: UInt32
    public let number: UInt32

    public init(vendor: UInt32 = 0, _ number: UInt32) {
        self.vendor = vendor
        self.number = number
    }

    public static let identity = EAPType(1)
    public static let notification = EAPType(2)
    public static let nak = EAPType(3)
    public static let md5Challenge = EAPType(4)
    public static let gtc = EAPType(6)
    public static let tls = EAPType(13)
    public static let sim = EAPType(18)
    public static let ttls = EAPType(21)
    public static let aka = EAPType(23)
    public static let peap = EAPType(25)
    public static let msCHAPv2 = EAPType(26)
    public static let akaPrime = EAPType(50)
    public static let pwd = EAPType(52)
    public static let teap = EAPType(55)

    /// The octet that says that vendor and number follow (RFC 3748 §5.7).
    static let expanded: UInt8 = 254

    /// The word in settings and logs; nil for a type that is not served.
    public var name: String? {
        switch self {
        case .md5Challenge: "md5"
        case .gtc: "gtc"
        case .msCHAPv2: "mschapv2"
        case .tls: "tls"
        case .ttls: "ttls"
        case .peap: "peap"
        case .sim: "sim"
        case .aka: "aka"
        case .akaPrime: "aka-prime"
        case .pwd: "pwd"
        case .teap: "teap"
        default: nil
        }
    }

    /// The methods that the server has, in the order in which they are proposed. The first four need certificates, and are left out
    /// where there are none; those of SIM cards come first for who has nothing else.
    public static let served: [EAPType] = [.peap, .ttls, .tls, .teap, .msCHAPv2, .md5Challenge, .gtc, .akaPrime, .aka, .sim, .pwd]

    /// Whether the method begins with a TLS handshake.
    var isOverTLS: Bool { self == .tls || self == .ttls || self == .peap || self == .teap }

    /// Whether a SIM card proves itself.
    var isOfCard: Bool { self == .sim || self == .aka || self == .akaPrime }

    /// The method of that name.
    public init?(name: String) {
        guard let type = Self.served.first(where: { $0.name == name }) else { return nil }
        self = type
    }
}
