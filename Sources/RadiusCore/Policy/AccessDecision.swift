/// What the subscriber's own state allows, apart from the password.
///
/// A pure function of record and snapshot: the packet path and `explain` ask the same one.
public struct AccessDecision {
    /// The profile whose template is sent; nil with every reject.
    public let profile: ReplyProfile?
    let verdict: AccessVerdict

    public var reason: AccessReason { verdict.reason }
    public var level: AccessLevel { verdict.level }
    public var isAccepted: Bool { verdict.isAccepted }

    /// - Parameters:
    ///   - subscriber: who logs in.
    ///   - snapshot: the one in force.
    ///   - seconds: now, since 1970.
    public init(_ subscriber: SubscriberRecord, in snapshot: Snapshot, at seconds: UInt32) {
        self.init(AccessVerdict(subscriber, in: snapshot, at: seconds))
    }

    init(_ verdict: AccessVerdict) {
        self.verdict = verdict
        profile = verdict.profile?.takeUnretainedValue()
    }

    /// Session-Timeout in seconds; 0 for none.
    public func sessionTimeoutSeconds(_ subscriber: SubscriberRecord) -> UInt32 { verdict.sessionTimeoutSeconds(subscriber) }

    /// Idle-Timeout in seconds; 0 for none.
    public func idleTimeoutSeconds(_ subscriber: SubscriberRecord) -> UInt32 { verdict.idleTimeoutSeconds(subscriber) }

    /// Acct-Interim-Interval in seconds.
    public func interimSeconds(_ subscriber: SubscriberRecord, in snapshot: Snapshot) -> UInt32 {
        verdict.interimSeconds(subscriber, in: snapshot)
    }
}

/// The decision as plain octets: valid only while the snapshot that it was made of is alive.
struct AccessVerdict {
    let reason: AccessReason
    let level: AccessLevel
    /// When it was reached, since 1970.
    let seconds: UInt32
    let profile: Unmanaged<ReplyProfile>?

    var isAccepted: Bool { reason == .accepted || reason == .acceptedCaptive }

    init(_ subscriber: SubscriberRecord, in snapshot: Snapshot, at seconds: UInt32) {
        self.seconds = seconds
        let expires = subscriber.expiresSeconds
        guard expires == 0 || expires > seconds else {
            (level, reason, profile) = (.suspended, .expired, nil)
            return
        }
        level = max(subscriber.status.level, subscriber.locks.level)
        switch level {
        case .suspended:
            profile = nil
            reason = Self.refusal(of: subscriber)
        case .captive:
            let garden = snapshot.policy(of: subscriber.tenant).walledGardenProfile
            profile = garden == 0 ? nil : snapshot.profileTable[garden]
            reason = profile == nil ? .noWalledGarden : .acceptedCaptive
        case .active:
            let number = subscriber.profile
            profile = number == 0 ? nil : snapshot.profileTable[number]
            reason = profile == nil ? .profileMissing : .accepted
        }
    }

    private init(_ reason: AccessReason, _ level: AccessLevel, _ profile: Unmanaged<ReplyProfile>?, _ seconds: UInt32) {
        self.reason = reason
        self.level = level
        self.seconds = seconds
        self.profile = profile
    }

    /// The same with the profile that a policy rule chose, which the walled garden does not let in.
    func choosing(_ profile: Unmanaged<ReplyProfile>?) -> AccessVerdict {
        guard level == .active else { return self }
        return AccessVerdict(profile == nil ? .profileMissing : .accepted, level, profile, seconds)
    }

    /// The refusal of a policy rule.
    func refused(_ reason: AccessReason) -> AccessVerdict { AccessVerdict(reason, level, nil, seconds) }

    /// Policy rules are asked about whoever may log in, and whoever lacks nothing but a profile: a rule may give one.
    var isOpenToRules: Bool { isAccepted || reason == .profileMissing }

    private static func refusal(of subscriber: SubscriberRecord) -> AccessReason {
        switch subscriber.status {
        case .pending: .statusPending
        case .suspended: .statusSuspended
        case .disconnected: .statusDisconnected
        case .terminated: .statusTerminated
        case .active, .quarantined: .locked
        }
    }

    /// At most what is left until the subscriber expires, so that the NAS ends the session by itself.
    func sessionTimeoutSeconds(_ subscriber: SubscriberRecord) -> UInt32 {
        let timeout = own(subscriber.sessionTimeoutSeconds, profile?._withUnsafeGuaranteedRef { $0.sessionTimeoutSeconds })
        guard let left = secondsLeft(subscriber) else { return timeout }
        return timeout == 0 ? left : min(timeout, left)
    }

    /// Seconds until the subscriber's account ends; nil where it has no end.
    func secondsLeft(_ subscriber: SubscriberRecord) -> UInt32? {
        let (expires, validity) = (subscriber.expiresSeconds, subscriber.validitySeconds)
        if expires | validity == 0 { return nil }
        let left = expires == 0 ? UInt32.max : expires &- seconds
        return validity == 0 ? left : min(left, validity)
    }

    func idleTimeoutSeconds(_ subscriber: SubscriberRecord) -> UInt32 {
        own(subscriber.idleTimeoutSeconds, profile?._withUnsafeGuaranteedRef { $0.idleTimeoutSeconds })
    }

    func interimSeconds(_ subscriber: SubscriberRecord, in snapshot: Snapshot) -> UInt32 {
        let nearest = own(subscriber.interimSeconds, profile?._withUnsafeGuaranteedRef { $0.interimSeconds })
        return nearest != 0 ? nearest : snapshot.policy(of: subscriber.tenant).interimSeconds
    }

    /// A subscriber's own value does not reach into the walled garden.
    private func own(_ subscriber: UInt32, _ profile: UInt32?) -> UInt32 {
        level == .active && subscriber != 0 ? subscriber : profile ?? 0
    }
}
