/// Whether a home server can be relied on: a value that is told what happened and when, and says when to ask by Status-Server
/// (RFC 5997 §4.2, RFC 3539 §3.4).
///
/// Alive until a request found no answer although nothing else was answered since it was sent. Then a zombie: asked only where nobody else
/// is there, until it answers a request. If it is silent for long, dead: not asked at all. Answers to Status-Server bring either back,
/// several in a row; one that never answered any may not know it, and time brings it back. Times are nanoseconds of a clock that never
/// falls.
public struct HomeServerLiveness: Sendable, Equatable {
    public enum State: UInt8, Sendable, CaseIterable {
        case alive, zombie, dead

        public var name: String {
            switch self {
            case .alive: "alive"
            case .zombie: "zombie"
            case .dead: "dead"
            }
        }
    }

    public private(set) var state = State.alive
    /// When it became what it is.
    public private(set) var since: UInt64
    private var lastAnswer: UInt64 = 0
    /// Status-Servers answered in a row.
    private var streak = 0
    /// It answered a Status-Server, and has lost no association since by answering none.
    private(set) var knowsStatusServer = false
    private var nextProbe: UInt64 = .max
    private let timing: HomeServer.Timing
    private let probes: Bool
    private static let second: UInt64 = 1_000_000_000

    init(_ timing: HomeServer.Timing, probes: Bool, at now: UInt64) {
        self.timing = timing
        self.probes = probes
        since = now
    }

    /// A verified reply to a request came.
    mutating func answered(at now: UInt64) {
        lastAnswer = max(lastAnswer, now)
        switch state {
        case .alive: break
        case .zombie: become(.alive, at: now)
        // It answered, but it was silent for long: one answer is not enough.
        case .dead: revive(at: now)
        }
    }

    /// A request that was sent at `sent` found no answer within the time for it.
    mutating func missed(sentAt sent: UInt64, at now: UInt64) {
        guard state == .alive, lastAnswer < sent else { return }
        become(.zombie, at: now)
    }

    /// A connection could not be made, or broke.
    mutating func unreachable(at now: UInt64) {
        if state == .alive { become(.zombie, at: now) }
    }

    mutating func probeAnswered(at now: UInt64) {
        lastAnswer = max(lastAnswer, now)
        knowsStatusServer = true
        if state != .alive { revive(at: now) }
    }

    mutating func probeMissed() { streak = 0 }

    /// An association ended, on which nothing but Status-Servers found no answer: perhaps it answers none any more.
    mutating func probesIgnored() { knowsStatusServer = false }

    /// Lets time do its work.
    ///
    /// - Returns: whether a Status-Server is to be sent now.
    mutating func tick(at now: UInt64) -> Bool {
        let silentSince = max(since, lastAnswer)
        if state == .zombie, now >= silentSince &+ UInt64(timing.zombieSeconds) &* Self.second { become(.dead, at: now) }
        if state == .dead, !knowsStatusServer, now >= since &+ UInt64(timing.reviveSeconds) &* Self.second { become(.alive, at: now) }
        guard state != .alive, probes, now >= nextProbe else { return false }
        nextProbe = now &+ UInt64(max(1, timing.checkSeconds)) &* Self.second
        return true
    }

    private mutating func revive(at now: UInt64) {
        streak += 1
        if streak >= max(1, timing.answersToRevive) { become(.alive, at: now) }
    }

    private mutating func become(_ next: State, at now: UInt64) {
        // The first question at once; a dead server goes on being asked in the rhythm it was.
        if state == .alive { nextProbe = now }
        state = next
        since = now
        if next != .dead { streak = 0 }
    }
}
