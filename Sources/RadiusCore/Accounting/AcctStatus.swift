/// What an Accounting-Request reports: `Acct-Status-Type` (RFC 2866 §5.1). Other numbers are kept as they came.
public struct AcctStatus: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let start = AcctStatus(rawValue: 1)
    public static let stop = AcctStatus(rawValue: 2)
    public static let interimUpdate = AcctStatus(rawValue: 3)
    public static let accountingOn = AcctStatus(rawValue: 7)
    public static let accountingOff = AcctStatus(rawValue: 8)

    /// Whether the record is about one session, not about the NAS as a whole.
    public var isAboutSession: Bool { self == .start || self == .stop || self == .interimUpdate }

    /// The RFC's name, or the number.
    public var name: String {
        switch self {
        case .start: "Start"
        case .stop: "Stop"
        case .interimUpdate: "Interim-Update"
        case .accountingOn: "Accounting-On"
        case .accountingOff: "Accounting-Off"
        default: String(rawValue)
        }
    }
}

/// Why a session ended: `Acct-Terminate-Cause` (RFC 2866 §5.10).
public struct TerminateCause: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let lostCarrier = TerminateCause(rawValue: 2)
    public static let adminReset = TerminateCause(rawValue: 6)
    public static let nasReboot = TerminateCause(rawValue: 11)

    private static let names = [
        "User-Request", "Lost-Carrier", "Lost-Service", "Idle-Timeout", "Session-Timeout", "Admin-Reset", "Admin-Reboot", "Port-Error",
        "NAS-Error", "NAS-Request", "NAS-Reboot", "Port-Unneeded", "Port-Preempted", "Port-Suspended", "Service-Unavailable", "Callback",
        "User-Error", "Host-Request",
    ]

    /// The cause that `name` gives.
    public init?(name: String) {
        guard let number = Self.names.firstIndex(of: name).map({ UInt32($0 + 1) }) ?? UInt32(name) else { return nil }
        rawValue = number
    }

    /// The RFC's name, or the number.
    public var name: String {
        guard rawValue > 0, rawValue <= Self.names.count else { return String(rawValue) }
        return Self.names[Int(rawValue) - 1]
    }
}
