/// When to send a CoA-Request or Disconnect-Request again, and when to give up (RFC 5080 §2.2.1).
///
/// A value without a clock: every event brings the monotonic time in nanoseconds and gets an action back. The same octets are sent
/// each time, since a changed packet would be a new request (RFC 5176 §2.3).
public struct CoARetransmission: Sendable {
    /// The four numbers of RFC 5080 §2.2.1, in nanoseconds.
    public struct Timing: Hashable, Sendable {
        /// IRT: how long the first attempt waits.
        public var initial: UInt64
        /// MRT: longest wait of one attempt; 0 for no bound.
        public var longest: UInt64
        /// MRC: most attempts; 0 for no bound.
        public var attempts: Int
        /// MRD: longest time from the first attempt; 0 for no bound.
        public var duration: UInt64

        /// The values that RFC 5080 §2.2.1 gives for requests that nobody waits for interactively.
        public init(
            initial: UInt64 = 2_000_000_000, longest: UInt64 = 16_000_000_000, attempts: Int = 5, duration: UInt64 = 30_000_000_000
        ) {
            self.initial = initial
            self.longest = longest
            self.attempts = attempts
            self.duration = duration
        }
    }

    /// What happened.
    public enum Event: Hashable, Sendable {
        /// The request is to go out now.
        case begin
        /// A deadline passed.
        case timer
        /// A verified reply is in.
        case reply
        /// The system refused to send.
        case transportFailed
    }

    /// What to do.
    public enum Action: Hashable, Sendable {
        /// Send the request for the first time and wake at `until`.
        case send(until: UInt64)
        /// Send the same octets again and wake at `until`.
        case resend(until: UInt64)
        /// The timer came early; wake at `until`.
        case wait(until: UInt64)
        /// Nobody answered.
        case giveUp(attempts: Int)
        /// The exchange is over.
        case complete(attempts: Int)
        /// It was over already.
        case ignore
    }

    private enum State: Sendable {
        case idle
        case waiting(began: UInt64, timeout: UInt64, until: UInt64)
        case ended
    }

    public let timing: Timing
    /// How often the request was sent.
    public private(set) var attempts = 0
    private var state = State.idle

    public init(timing: Timing = Timing()) {
        self.timing = timing
    }

    /// Takes an event and says what to do.
    ///
    /// `now` is monotonic nanoseconds, never less than in an earlier event. `generator` spreads the waits by up to a tenth, so that
    /// many requests do not return in step.
    public mutating func handle(_ event: Event, at now: UInt64, using generator: inout some RandomNumberGenerator) -> Action {
        switch (event, state) {
        case (.begin, .idle):
            let timeout = Self.spread(timing.initial, around: timing.initial, &generator)
            return .send(until: transmit(began: now, now: now, timeout: timeout))
        case (.timer, .waiting(let began, let timeout, let until)):
            return elapsed(began: began, timeout: timeout, until: until, at: now, &generator)
        case (.reply, .waiting), (.transportFailed, .waiting):
            state = .ended
            return .complete(attempts: attempts)
        default:
            return .ignore
        }
    }

    private mutating func elapsed(
        began: UInt64, timeout: UInt64, until: UInt64, at now: UInt64, _ generator: inout some RandomNumberGenerator
    ) -> Action {
        guard now >= until else { return .wait(until: until) }
        let isLate = timing.duration > 0 && now - began >= timing.duration
        if isLate || (timing.attempts > 0 && attempts >= timing.attempts) {
            state = .ended
            return .giveUp(attempts: attempts)
        }
        var next = Self.spread(2 * timeout, around: timeout, &generator)
        if timing.longest > 0 && next > timing.longest { next = Self.spread(timing.longest, around: timing.longest, &generator) }
        return .resend(until: transmit(began: began, now: now, timeout: next))
    }

    private mutating func transmit(began: UInt64, now: UInt64, timeout: UInt64) -> UInt64 {
        attempts += 1
        let end = timing.duration > 0 ? began + timing.duration : UInt64.max
        let until = min(now + timeout, end)
        state = .waiting(began: began, timeout: timeout, until: until)
        return until
    }

    /// `base` plus RAND x `unit`, where RAND lies in -0.1...0.1 (RFC 5080 §2.2.1).
    private static func spread(_ base: UInt64, around unit: UInt64, _ generator: inout some RandomNumberGenerator) -> UInt64 {
        let tenth = unit / 10
        return base - tenth + UInt64.random(in: 0...2 * tenth, using: &generator)
    }
}
