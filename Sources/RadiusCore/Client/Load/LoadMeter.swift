internal import Synchronization

/// What one thread of a load generator counts. The thread writes, anyone may read at any time.
public final class LoadMeter: Sendable {
    private let sentCount = Atomic<UInt64>(0)
    private let answeredCount = Atomic<UInt64>(0)
    private let acceptedCount = Atomic<UInt64>(0)
    private let rejectedCount = Atomic<UInt64>(0)
    private let retransmittedCount = Atomic<UInt64>(0)
    private let lostCount = Atomic<UInt64>(0)
    private let badCount = Atomic<UInt64>(0)
    private let strayCount = Atomic<UInt64>(0)
    private let sessionCount = Atomic<UInt64>(0)
    private let dueCount = Atomic<UInt64>(0)
    private let missedCount = Atomic<UInt64>(0)

    init() {}

    /// Adds what happened since the last call.
    func add(_ step: LoadTally) {
        sentCount.wrappingAdd(step.sent, ordering: .relaxed)
        answeredCount.wrappingAdd(step.answered, ordering: .relaxed)
        acceptedCount.wrappingAdd(step.accepted, ordering: .relaxed)
        rejectedCount.wrappingAdd(step.rejected, ordering: .relaxed)
        retransmittedCount.wrappingAdd(step.retransmitted, ordering: .relaxed)
        lostCount.wrappingAdd(step.lost, ordering: .relaxed)
        badCount.wrappingAdd(step.bad, ordering: .relaxed)
        strayCount.wrappingAdd(step.stray, ordering: .relaxed)
        sessionCount.wrappingAdd(step.sessions, ordering: .relaxed)
        dueCount.wrappingAdd(step.due, ordering: .relaxed)
        missedCount.wrappingAdd(step.missed, ordering: .relaxed)
    }

    /// What was counted so far.
    public var tally: LoadTally {
        var tally = LoadTally(
            sent: sentCount.load(ordering: .relaxed), answered: answeredCount.load(ordering: .relaxed),
            accepted: acceptedCount.load(ordering: .relaxed), rejected: rejectedCount.load(ordering: .relaxed),
            retransmitted: retransmittedCount.load(ordering: .relaxed), lost: lostCount.load(ordering: .relaxed),
            bad: badCount.load(ordering: .relaxed), stray: strayCount.load(ordering: .relaxed),
            sessions: sessionCount.load(ordering: .relaxed))
        tally.due = dueCount.load(ordering: .relaxed)
        tally.missed = missedCount.load(ordering: .relaxed)
        return tally
    }
}

/// Counts of a load generator.
public struct LoadTally: Equatable, Sendable {
    /// Requests, retransmissions not counted.
    public var sent: UInt64 = 0
    /// Requests with a reply; one each, whatever it said.
    public var answered: UInt64 = 0
    /// Access-Accept or Accounting-Response.
    public var accepted: UInt64 = 0
    public var rejected: UInt64 = 0
    public var retransmitted: UInt64 = 0
    /// Requests given up without a reply.
    public var lost: UInt64 = 0
    /// Datagrams for a request in flight that are not its valid reply.
    public var bad: UInt64 = 0
    /// Datagrams for no request in flight: replies that came twice, or too late.
    public var stray: UInt64 = 0
    /// Accounting sessions whose Stop was acknowledged.
    public var sessions: UInt64 = 0
    /// Requests that the rate had made due when the last one was begun; 0 without a rate, and until then.
    public var due: UInt64 = 0
    /// Those of them that had not been sent by then.
    public var missed: UInt64 = 0

    public init() {}

    init(
        sent: UInt64, answered: UInt64, accepted: UInt64, rejected: UInt64, retransmitted: UInt64, lost: UInt64, bad: UInt64,
        stray: UInt64, sessions: UInt64
    ) {
        self.sent = sent
        self.answered = answered
        self.accepted = accepted
        self.rejected = rejected
        self.retransmitted = retransmitted
        self.lost = lost
        self.bad = bad
        self.stray = stray
        self.sessions = sessions
    }

    /// Adds the counts of `other`.
    public mutating func add(_ other: LoadTally) {
        sent &+= other.sent
        answered &+= other.answered
        accepted &+= other.accepted
        rejected &+= other.rejected
        retransmitted &+= other.retransmitted
        lost &+= other.lost
        bad &+= other.bad
        stray &+= other.stray
        sessions &+= other.sessions
        due &+= other.due
        missed &+= other.missed
    }

    /// Requests that still wait.
    public var inFlight: UInt64 { sent &- answered &- lost }
}
