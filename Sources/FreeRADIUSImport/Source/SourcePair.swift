/// The operators of check and reply items.
public enum PairOperator: String, Sendable, CaseIterable {
    case set = ":="
    case equal = "="
    case add = "+="
    case subtract = "-="
    case isEqual = "=="
    case isNotEqual = "!="
    case isLess = "<"
    case isAtMost = "<="
    case isGreater = ">"
    case isAtLeast = ">="
    case matches = "=~"
    case matchesNot = "!~"
    case isPresent = "=*"
    case isAbsent = "!*"

    /// Whether a check item with it compares the request instead of setting something.
    var compares: Bool {
        switch self {
        case .set, .equal, .add, .subtract: false
        default: true
        }
    }
}

/// One check or reply item.
public struct SourcePair: Hashable, Sendable {
    /// How a value is quoted, which decides whether FreeRADIUS expands it.
    public enum Quote: UInt8, Sendable { case none, single, double, back }

    /// As it was written, perhaps with a tag: `Tunnel-Type:1`.
    public var attribute: String
    public var operation: PairOperator
    public var value: String
    public var quote: Quote
    public var place: Place

    public init(_ attribute: String, _ operation: PairOperator, _ value: String, quote: Quote = .none, at place: Place) {
        self.attribute = attribute
        self.operation = operation
        self.value = value
        self.quote = quote
        self.place = place
    }

    /// For comparisons: attribute names have no case.
    var key: String { attribute.lowercased() }

    /// FreeRADIUS would compute the value at each login.
    var isExpanded: Bool { quote == .back || (quote != .single && value.contains("%{")) }

    /// By its name (Tunnel-Password, Ascend-Send-Secret, Mikrotik-Wireless-PSK, MS-MPPE-Send-Key) or by what a pair of the vendor's own
    /// in it is called (Cisco-AVPair with psk=...): rather one too many.
    private var holdsSecret: Bool {
        let words = ["passw", "passphrase", "secret", "psk", "-key", "wep"]
        let pair = key.contains("avpair") || value.contains("=") ? value.lowercased() : ""
        return words.contains { key.contains($0) || pair.contains($0) } || pair.contains("key=")
    }

    /// Without the value where that is a secret.
    var shown: String {
        ServerAttribute.isPassword(key) || holdsSecret ? attribute : "\(attribute) \(operation.rawValue) \(value)"
    }
}

/// Attributes that exist only inside of FreeRADIUS.
enum ServerAttribute {
    private static let passwords: Set<String> = [
        "cleartext-password", "user-password", "nt-password", "lm-password", "crypt-password", "password-with-header", "md5-password",
        "smd5-password", "sha-password", "ssha-password", "sha1-password", "ssha1-password", "sha2-password", "ssha2-224-password",
        "ssha2-256-password", "ssha2-384-password", "ssha2-512-password", "sha3-password", "pbkdf2-password", "ns-mta-md5-password",
        "digest-ha1", "smb-account-ctrl-text",
    ]
    private static let controls: Set<String> = [
        "auth-type", "autz-type", "acct-type", "session-type", "post-auth-type", "simultaneous-use", "expiration", "login-time",
        "current-time", "pool-name", "max-daily-session", "max-weekly-session", "max-monthly-session", "max-all-session", "access-period",
        "expire-after", "max-octets", "max-daily-octets", "max-monthly-octets", "max-all-octets", "proxy-to-realm", "replicate-to-realm",
        "user-profile", "user-category", "strip-user-name", "fall-through", "exec-program", "exec-program-wait", "use-tunneled-reply",
    ]

    static func isPassword(_ key: String) -> Bool { passwords.contains(key) }

    /// A check item of it sets something, whatever its operator.
    static func isControl(_ key: String) -> Bool { passwords.contains(key) || controls.contains(key) }
}
