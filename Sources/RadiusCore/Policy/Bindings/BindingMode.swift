/// What becomes of a login from another station or line than those that its subscriber is bound to.
public enum BindingMode: UInt8, Sendable, CaseIterable {
    /// Nobody looks.
    case ignore
    /// It is let in, and the authentication log says so.
    case log
    /// It is refused.
    case enforce

    /// As API and database spell it.
    public var name: String {
        switch self {
        case .ignore: "ignore"
        case .log: "log"
        case .enforce: "enforce"
        }
    }

    public init?(name: String) {
        guard let mode = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = mode
    }
}

/// What a subscriber can be bound to.
public enum BindingKind: UInt8, Sendable, CaseIterable {
    /// The hardware address in Calling-Station-Id.
    case mac
    /// DHCP Option 82 sub-option 1, or the access node's PPPoE tag (RFC 3046 §3.1, RFC 4679 §3.3.1).
    case circuit
    /// Sub-option 2 (RFC 3046 §3.2, RFC 4679 §3.3.2).
    case remote
    /// NAS-Port-Id (RFC 2869 §5.17).
    case port

    /// The attribute that tells it.
    public var attribute: String {
        switch self {
        case .mac: "Calling-Station-Id"
        case .circuit: "ADSL-Agent-Circuit-Id"
        case .remote: "ADSL-Agent-Remote-Id"
        case .port: "NAS-Port-Id"
        }
    }

    var bit: UInt8 { 1 << rawValue }
}
