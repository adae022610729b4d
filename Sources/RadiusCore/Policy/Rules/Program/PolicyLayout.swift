/// What a program asks of a login, and where each answer is kept.
struct PolicyPlace: BitwiseCopyable {
    var slot: UInt8
    var loader: PolicyLoader
    /// 1 + the next place for the same attribute number; 0 at the end.
    var next: UInt8
    /// 0 for a standard attribute.
    var vendor: UInt32
    var member: UInt32
    var typeOctets: UInt8
    var lengthOctets: UInt8
    var hasContinuation: Bool
}

/// A value that is no attribute.
struct PolicyQuestion: BitwiseCopyable {
    enum Source: UInt8, BitwiseCopyable {
        case subscriberName, subscriberRealm, subscriberProfile, subscriberStatus, subscriberLevel
        case nasName, nasHuntgroup, nasVendor, nasAddress, method, timeOfDay, weekday, date
    }

    var slot: UInt8
    var source: Source

    init?(_ source: RuleSource, slot: UInt8) {
        self.slot = slot
        switch source {
        case .attribute, .vendor: return nil
        case .subscriberName: self.source = .subscriberName
        case .subscriberRealm: self.source = .subscriberRealm
        case .subscriberProfile: self.source = .subscriberProfile
        case .subscriberStatus: self.source = .subscriberStatus
        case .subscriberLevel: self.source = .subscriberLevel
        case .nasName: self.source = .nasName
        case .nasHuntgroup: self.source = .nasHuntgroup
        case .nasVendor: self.source = .nasVendor
        case .nasAddress: self.source = .nasAddress
        case .method: self.source = .method
        case .timeOfDay: self.source = .timeOfDay
        case .weekday: self.source = .weekday
        case .date: self.source = .date
        }
    }
}

/// A compiled rule as plain octets.
struct PolicyRow: BitwiseCopyable {
    var entry: UInt16
    var outcome: Outcome
    var profile: Int64
    var methods: UInt64
    var firstEdit: Int
    var editCount: Int
    /// Reply-Message attributes, in the arena.
    var message: Int
    var messageCount: Int
    /// Where it forwards to; 0 in a rule that does not.
    var realm: Int64

    enum Outcome: UInt8, BitwiseCopyable {
        case proceed, stop, reject

        init(_ outcome: PolicyRule.Outcome) {
            switch outcome {
            case .proceed: self = .proceed
            case .stop: self = .stop
            case .reject: self = .reject
            }
        }
    }
}

/// An edit as plain octets: a removal, or octets of the arena.
struct PolicyEdit: BitwiseCopyable {
    var target: ReplyTarget?
    var first: Int
    var count: Int
}
