/// What the subscriber's own state allows, apart from the password.
///
/// A pure function of record and snapshot: the packet path and `explain` ask the same one.
public struct AccessDecision {
    public let reason: AccessReason
    public let level: AccessLevel
    /// The profile whose template is sent; nil with every reject.
    public let profile: ReplyProfile?

    public var isAccepted: Bool { reason == .accepted || reason == .acceptedCaptive }

    public init(_ subscriber: SubscriberRecord, in snapshot: Snapshot) {
        level = max(subscriber.status.level, subscriber.locks.level)
        switch level {
        case .suspended:
            profile = nil
            reason = Self.refusal(of: subscriber)
        case .captive:
            let garden = snapshot.policy(of: subscriber.tenant).walledGardenProfile
            profile = garden == 0 ? nil : snapshot.profiles[garden]
            reason = profile == nil ? .noWalledGarden : .acceptedCaptive
        case .active:
            profile = subscriber.profile == 0 ? nil : snapshot.profiles[subscriber.profile]
            reason = profile == nil ? .profileMissing : .accepted
        }
    }

    private static func refusal(of subscriber: SubscriberRecord) -> AccessReason {
        switch subscriber.status {
        case .pending: .statusPending
        case .suspended: .statusSuspended
        case .disconnected: .statusDisconnected
        case .terminated: .statusTerminated
        case .active, .quarantined: .locked
        }
    }

    /// Session-Timeout in seconds; 0 for none.
    public func sessionTimeoutSeconds(_ subscriber: SubscriberRecord) -> UInt32 {
        own(subscriber.sessionTimeoutSeconds, profile?.sessionTimeoutSeconds)
    }

    /// Idle-Timeout in seconds; 0 for none.
    public func idleTimeoutSeconds(_ subscriber: SubscriberRecord) -> UInt32 {
        own(subscriber.idleTimeoutSeconds, profile?.idleTimeoutSeconds)
    }

    /// Acct-Interim-Interval in seconds.
    public func interimSeconds(_ subscriber: SubscriberRecord, in snapshot: Snapshot) -> UInt32 {
        let nearest = own(subscriber.interimSeconds, profile?.interimSeconds)
        return nearest != 0 ? nearest : snapshot.policy(of: subscriber.tenant).interimSeconds
    }

    /// A subscriber's own value does not reach into the walled garden.
    private func own(_ subscriber: UInt32, _ profile: UInt32?) -> UInt32 {
        level == .active && subscriber != 0 ? subscriber : profile ?? 0
    }
}
