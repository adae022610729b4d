/// What a subscriber may do, from the mildest to the most severe.
public enum AccessLevel: UInt8, Comparable, Sendable, CaseIterable {
    /// Full service.
    case active
    /// Logs in, but sees only the walled garden.
    case captive
    /// Is refused.
    case suspended

    public static func < (left: AccessLevel, right: AccessLevel) -> Bool {
        left.rawValue < right.rawValue
    }

    public var name: String {
        switch self {
        case .active: "active"
        case .captive: "captive"
        case .suspended: "suspended"
        }
    }
}

/// Why a lock stands. A lock of one reason never clears that of another.
public enum LockReason: UInt8, Sendable, CaseIterable {
    case overdue, prepaid, fairUse, customerHold, admin, fraud, system, quota

    public init?(name: some StringProtocol) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }

    public var name: String {
        switch self {
        case .overdue: "overdue"
        case .prepaid: "prepaid"
        case .fairUse: "fair_use"
        case .customerHold: "customer_hold"
        case .admin: "admin"
        case .fraud: "fraud"
        case .system: "system"
        case .quota: "quota"
        }
    }
}

/// The locks in force on one subscriber: a bit a reason for each level.
public struct LockSet: Hashable, Sendable, BitwiseCopyable {
    var captive: UInt8
    var suspended: UInt8

    public init() {
        captive = 0
        suspended = 0
    }

    init(captive: UInt8, suspended: UInt8) {
        self.captive = captive
        self.suspended = suspended
    }

    /// Adds a lock; `active` adds nothing.
    public mutating func insert(_ reason: LockReason, at level: AccessLevel) {
        switch level {
        case .active: break
        case .captive: captive |= 1 << reason.rawValue
        case .suspended: suspended |= 1 << reason.rawValue
        }
    }

    /// The most severe level that a lock demands.
    public var level: AccessLevel {
        if suspended != 0 { return .suspended }
        return captive != 0 ? .captive : .active
    }

    /// The locks, most severe first.
    public var locks: [(reason: LockReason, level: AccessLevel)] {
        LockReason.allCases.filter { suspended & 1 << $0.rawValue != 0 }.map { ($0, .suspended) }
            + LockReason.allCases.filter { captive & 1 << $0.rawValue != 0 }.map { ($0, .captive) }
    }
}

/// The life of a subscription as far as RADIUS needs to know it.
public enum SubscriberStatus: UInt8, Sendable, CaseIterable {
    case pending, active, quarantined, suspended, disconnected, terminated

    public init?(name: some StringProtocol) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }

    public var name: String {
        switch self {
        case .pending: "pending"
        case .active: "active"
        case .quarantined: "quarantined"
        case .suspended: "suspended"
        case .disconnected: "disconnected"
        case .terminated: "terminated"
        }
    }

    /// The level that the status alone demands. Each status stands here exactly once.
    public var level: AccessLevel {
        switch self {
        case .active: .active
        case .quarantined: .captive
        case .pending, .suspended, .disconnected, .terminated: .suspended
        }
    }
}
