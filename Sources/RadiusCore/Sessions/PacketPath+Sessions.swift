internal import CLinux

/// How many sessions a subscriber may have at once. Where nobody is limited, nobody comes here.
extension PacketPath {
    /// Whether a login that may be let in otherwise is one too many.
    ///
    /// Asked before the reply is made, so that nobody who is refused takes an address, and once more when it is, with `isCertain`: nothing
    /// else refuses it any more, so it takes its place, and where the oldest gives way, that is asked to.
    @inline(__always)
    func isOneTooMany(_ verdict: AccessVerdict, _ attempt: Attempt, _ subscriber: SubscriberRecord, isCertain: Bool = false) -> Bool {
        guard snapshot.hasSessionLimits || subscriber.isBound else { return false }
        return Self.isOneTooMany(verdict, attempt.work, subscriber, in: snapshot, environment.sessions, isCertain: isCertain)
    }

    /// Static: a call on the path itself would copy all of it.
    @inline(never)
    private static func isOneTooMany(
        _ verdict: AccessVerdict, _ work: UnsafePointer<PacketWork>, _ subscriber: SubscriberRecord, in snapshot: Snapshot,
        _ sessions: SessionCensus, isCertain: Bool
    ) -> Bool {
        let limit = subscriber.sessionLimit(in: snapshot)
        guard limit.count > 0 else { return false }
        let client = work.pointee.client
        let trace = SessionTrace(work.pointee.attributes, nas: client.pointee.id, peer: octets(of: work.pointee.datagram))
        guard isCertain else { return sessions.isFull(subscriber.id, trace, limit: limit, at: verdict.seconds) }
        let silence = verdict.silenceSeconds(subscriber, in: snapshot)
        return .refused
            == sessions.admit(subscriber.id, tenant: client.pointee.tenant, trace, limit: limit, silence: silence, at: verdict.seconds)
    }

    /// Tells the census what a record of accounting says.
    @inline(never)
    static func noteSession(
        _ work: UnsafePointer<PacketWork>, _ subscriber: SubscriberRecord, in snapshot: Snapshot, _ sessions: SessionCensus,
        at seconds: UInt32
    ) {
        guard subscriber.sessionLimit(in: snapshot).count > 0 else { return }
        let request = work.pointee.attributes
        guard let status = request.first(.acctStatusType), status.count == 4 else { return }
        let type = request.packet[status.upperBound - 1]
        guard type >= 1, type <= 3 else { return }
        let client = work.pointee.client
        let trace = SessionTrace(request, nas: client.pointee.id, peer: octets(of: work.pointee.datagram))
        let silence = AccessVerdict(subscriber, in: snapshot, at: seconds).silenceSeconds(subscriber, in: snapshot)
        sessions.note(subscriber.id, tenant: client.pointee.tenant, trace, isStop: type == 2, silence: silence, at: seconds)
    }
}

extension SubscriberRecord {
    /// The subscriber's own limit, else that of its own profile, whatever quotas or policy rules choose: it is known at every record of
    /// accounting.
    func sessionLimit(in snapshot: Snapshot) -> SessionLimit {
        let own = boundTo?.sessionLimit
        let number = ownProfile
        let profile = number == 0 ? nil : snapshot.profileTable[number]
        let planned = profile?._withUnsafeGuaranteedRef { $0.sessionLimit } ?? .none
        return SessionLimit(count: own?.count ?? planned.count, replaces: own?.replaces ?? planned.replaces)
    }
}

extension AccessVerdict {
    /// Seconds after which a session that begins by this answer is a ghost when it says nothing.
    func silenceSeconds(_ subscriber: SubscriberRecord, in snapshot: Snapshot) -> UInt32 {
        SessionCell.silenceSeconds(interim: interimSeconds(subscriber, in: snapshot))
    }
}
