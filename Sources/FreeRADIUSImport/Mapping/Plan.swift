public import RadiusCore

/// What a profile of Lastmile holds.
public struct Plan: Hashable, Sendable {
    public var rate = BandwidthRate(downloadBitsPerSecond: 0, uploadBitsPerSecond: 0)
    public var sessionTimeout: Int?
    public var idleTimeout: Int?
    public var interimInterval: Int?
    public var filters: [String] = []
    public var attributes: [ReplyText] = []

    public init() {}

    /// Nothing that a profile would say.
    public var isEmpty: Bool { self == Plan() }
}

/// A reply attribute as the interface takes it.
public struct ReplyText: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A profile that is to be.
public struct ImportedProfile: Hashable, Sendable {
    public var name: String
    public var plan: Plan
    /// Fields of which the source has a value that could not be carried over: in a profile that exists they stay.
    public var unsettled: Set<String> = []
}

/// A subscriber that is to be.
public struct ImportedSubscriber: Hashable, Sendable {
    public enum Password: Hashable, Sendable {
        case clear(String)
        /// 32 hexadecimal digits.
        case nt(String)
        /// A crypt string with `$id$`.
        case hash(String)
    }

    public var username: String
    public var password: Password?
    public var isMACAuthentication = false
    public var isSuspended = false
    public var profile: String?
    /// The source has neither a group nor a rate: one who exists keeps the profile that was given here.
    public var isProfileGuessed = false
    /// Fields of which the source has a value that could not be carried over: in a subscriber who exists they stay.
    public var unsettled: Set<String> = []
    public var staticIPv4: String?
    public var ipv6Prefix: String?
    public var delegatedIPv6Prefix: String?
    public var routes: [String] = []
    public var sessionTimeout: Int?
    public var idleTimeout: Int?
    public var interimInterval: Int?
    /// RFC 3339.
    public var expiresAt: String?
    /// Seconds from the first login.
    public var validity: Int?
    /// Sessions at once.
    public var sessionLimit: Int?
    public var filters: [String] = []
    public var attributes: [ReplyText] = []
    /// Where the source has it.
    public var place: Place
}

/// A NAS that is to be.
public struct ImportedNAS: Hashable, Sendable {
    public var name: String
    /// With its prefix length; empty where `dnsName` is given.
    public var address: String
    /// Whose address the daemon looks up.
    public var dnsName: String?
    public var secret: String
    public var vendor: NASVendor
    /// Neither the source nor the operator says the make: one that exists keeps its own.
    public var isVendorGuessed: Bool
    /// `yes`, `no` or `auto`; nil where the source says nothing.
    public var requireMessageAuthenticator: String?
    public var limitProxyState: String?
    public var notes: String
    public var place: Place

    /// What tells it from all other NASes.
    public var location: String { dnsName ?? address }

    /// What it is called where another has `name`: the same in each run.
    public var furtherName: String {
        let location = String(location.prefix(64))
        let further = "\(name) \(location)"
        return further.utf8.count > 64 ? location : further
    }
}

/// All that is to be, and all that cannot.
public struct ImportPlan: Sendable {
    public var profiles: [ImportedProfile] = []
    public var subscribers: [ImportedSubscriber] = []
    public var nas: [ImportedNAS] = []
    public var remarks: [Remark] = []
}
