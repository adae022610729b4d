/// Whether the other end of an association of DTLS is still there, which UDP does not tell (RFC 7360 §5.2, RFC 3539 §3.4): a value that is
/// told what was sent and heard, and says when to ask by Status-Server and when to begin anew.
///
/// It asks when nothing was heard for half a minute, and when something was sent and nothing heard for the time of a reply; when the
/// question finds no answer in that time either, the association is over: the server has forgotten it, or is not there. A server that must
/// not be asked, or never answered a question, loses it for a request that found no answer, and nothing else. Times are nanoseconds of a
/// clock that never falls.
struct AssociationWatch: Sendable, Equatable {
    enum Action: Equatable {
        case wait, ask, end
    }

    private let asks: Bool
    private let patience: UInt64
    private let idle: UInt64
    private var heardAt: UInt64
    /// Of the first thing that was sent since something was heard; nil when nothing was.
    private var sentAt: UInt64?
    private var askedAt: UInt64?
    /// A request is among what was sent since something was heard, and not questions alone.
    private(set) var hasRequest = false

    private static let millisecond: UInt64 = 1_000_000
    /// Half of what RFC 3539 §3.4.1 wants for a watchdog at least: the association ends after two of them.
    private static let patienceMilliseconds = 3000
    /// Twinit of RFC 3539 §3.4.1, and by how much it must vary.
    private static let idleMilliseconds: UInt64 = 30_000
    private static let jitterMilliseconds: UInt64 = 2000

    /// - Parameters:
    ///   - timing: of the server.
    ///   - asks: whether it may be asked by Status-Server.
    ///   - now: when the association was opened.
    ///   - random: keeps associations from asking all at the same moment.
    init(_ timing: HomeServer.Timing, asks: Bool, at now: UInt64, _ random: inout some RandomNumberGenerator) {
        self.asks = asks
        patience = UInt64(max(Self.patienceMilliseconds, timing.responseMilliseconds)) * Self.millisecond
        let jitter = UInt64.random(in: 0...2 * Self.jitterMilliseconds, using: &random)
        idle = (Self.idleMilliseconds - Self.jitterMilliseconds + jitter) * Self.millisecond
        heardAt = now
    }

    /// A request was sent, which every server answers.
    mutating func sent(at now: UInt64) {
        hasRequest = true
        expectAnswer(at: now)
    }

    /// A Status-Server was sent; silence about it says something only of a server that has answered one.
    mutating func asked(at now: UInt64, isAnswered: Bool) {
        askedAt = now
        if isAnswered { expectAnswer(at: now) }
    }

    private mutating func expectAnswer(at now: UInt64) { if sentAt == nil { sentAt = now } }

    /// Something came over the association that it could decrypt.
    mutating func heard(at now: UInt64) {
        heardAt = now
        (sentAt, askedAt, hasRequest) = (nil, nil, false)
    }

    mutating func tick(at now: UInt64) -> Action {
        if let sentAt, now >= sentAt &+ 2 &* patience { return .end }
        let isDue = sentAt.map { now >= $0 &+ patience } ?? (now >= max(heardAt, askedAt ?? 0) &+ idle)
        guard asks, isDue, askedAt.map({ now >= $0 &+ patience }) ?? true else { return .wait }
        return .ask
    }
}
