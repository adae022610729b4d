internal import CLinux
internal import Glibc
internal import Synchronization

/// Asks OCSP responders (RFC 6960) whether certificates of peers are still good, and remembers what they said.
///
/// Threads of its own wait for responders; nobody else does: who asks gets an inquiry that says when the answer is there. A responder that
/// did not answer is left alone for a while. Any thread may call.
public final class OCSPService: Sendable {
    public struct Settings: Sendable, Equatable {
        /// Whether a certificate counts only when a responder vouches for it; else also when none can be reached.
        public var isRequired = false
        /// Who is asked, such as `http://ocsp.example.net/`; nil: whom the certificate names.
        public var responder: String?
        /// How long one answer is waited for, at least 1.
        public var timeoutSeconds = 3
        /// How long an answer counts at most, at least 60.
        public var keptSeconds = 3600

        public init() {}
    }

    /// What was asked and answered.
    public struct Statistics: Sendable, Equatable {
        /// Inquiries that wait for a responder.
        public var waiting = 0
        public var good: UInt64 = 0
        public var revoked: UInt64 = 0
        public var unknown: UInt64 = 0
        /// Without an answer that counts.
        public var unreachable: UInt64 = 0
        /// Why the last inquiry had none; nil once one had.
        public var failure: String?
    }

    /// What is known of a certificate.
    enum Status: Equatable {
        case good, revoked, unknown, unreachable
        /// Somebody is being asked.
        case pending(OCSPInquiry)
    }

    fileprivate struct Answer {
        let subject: OCSPSubject
        let status: Status
        /// The answer counts until then.
        let endNanoseconds: UInt64
    }

    fileprivate struct State {
        var answers: [[UInt8]: Answer] = [:]
        var open: [[UInt8]: OCSPInquiry] = [:]
        var queue = FairQueue<OCSPInquiry>(limit: OCSPService.queueLimit, share: OCSPService.queueLimit)
        /// Responders that did not answer, and until when they are not asked.
        var paused: [String: UInt64] = [:]
        var statistics = Statistics()
    }

    public let settings: Settings
    private let clock: @Sendable () -> UInt64
    private let state = Mutex(State())
    private let wake = WaitFlag()
    private let stopping = Atomic<Bool>(false)

    static let threadCount = 2
    static let queueLimit = 4096
    /// Answers that are remembered; beyond it those that ended go, then all.
    static let answerLimit = 65_536
    /// How long a responder is left alone that did not answer.
    static let pauseSeconds: UInt64 = 10

    /// Starts the threads.
    public convenience init(_ settings: Settings) { self.init(settings, clock: lm_monotonic_nanoseconds) }

    init(_ settings: Settings, clock: @escaping @Sendable () -> UInt64) {
        self.settings = settings
        self.clock = clock
        for number in 0..<Self.threadCount {
            Thread.start(name: "ocsp-\(number)") { [self] in
                ThreadPriority.giveSomeWay()
                lm_block_broken_pipes()
                work()
            }
        }
    }

    public var statistics: Statistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waiting = state.open.count
            return statistics
        }
    }

    /// Ends the threads once they finished what they do; who waits still is told that nobody can be reached.
    public func shutdown() {
        stopping.store(true, ordering: .releasing)
        wake.signal()
    }

    /// What is known of a certificate; what is not known yet is asked.
    func status(of subject: OCSPSubject) -> Status {
        let now = clock()
        let named = settings.responder ?? subject.responder
        let status = state.withLock { state -> Status in
            if let answer = state.answers[subject.identifier], now < answer.endNanoseconds { return answer.status }
            if let inquiry = state.open[subject.identifier] { return .pending(inquiry) }
            guard let url = named else { return state.fail("a certificate names no OCSP responder, and eap.tls.ocsp_responder is empty") }
            if let end = state.paused[url], now < end { return state.fail(nil) }
            let inquiry = OCSPInquiry(subject, url)
            guard !stopping.load(ordering: .acquiring), state.queue.append(inquiry, for: 0) == nil else {
                return state.fail("\(Self.queueLimit) certificates wait for OCSP responders")
            }
            state.open[subject.identifier] = inquiry
            return .pending(inquiry)
        }
        if case .pending = status { wake.signal() }
        return status
    }

    /// A certificate that was asked about before, by its identifier, so that it can be again; nil when it is forgotten.
    func subject(_ identifier: [UInt8]) -> OCSPSubject? { state.withLock { $0.answers[identifier]?.subject } }

    private func work() {
        while !stopping.load(ordering: .acquiring) {
            guard let inquiry = state.withLock({ $0.queue.removeFirst() }) else {
                wake.wait()
                continue
            }
            settle(inquiry, isPaused(inquiry.url) ? nil : inquiry.subject.ask(inquiry.url, seconds: max(1, settings.timeoutSeconds)))
        }
        while let inquiry = state.withLock({ $0.queue.removeFirst() }) { settle(inquiry, nil) }
        wake.signal()
    }

    private func isPaused(_ url: String) -> Bool {
        let now = clock()
        return state.withLock { $0.paused[url].map { now < $0 } ?? false }
    }

    /// Notes an answer, or nil where nobody was asked.
    private func settle(_ inquiry: OCSPInquiry, _ answer: OCSPSubject.Answer?) {
        let now = clock()
        let (status, seconds) = meaning(answer)
        let noted = Answer(subject: inquiry.subject, status: status, endNanoseconds: now + seconds * 1_000_000_000)
        state.withLock { state in
            state.note(noted, at: now)
            state.count(answer, inquiry.url, pausedUntil: now + Self.pauseSeconds * 1_000_000_000)
        }
        inquiry.finish()
    }

    /// For how many seconds an answer is remembered as what.
    private func meaning(_ answer: OCSPSubject.Answer?) -> (status: Status, seconds: UInt64) {
        let kept = Int64(max(60, settings.keptSeconds))
        return switch answer {
        case .good(let end): (.good, UInt64(max(1, min(kept, end.map { $0 - Int64(time(nil)) } ?? kept))))
        case .revoked: (.revoked, UInt64(kept))
        // It may be new, and the responder about to hear of it.
        case .unknown: (.unknown, Self.pauseSeconds)
        case .unreachable, nil: (.unreachable, Self.pauseSeconds)
        }
    }
}

extension OCSPService.State {
    fileprivate mutating func note(_ answer: OCSPService.Answer, at now: UInt64) {
        if answers.count >= OCSPService.answerLimit { answers = answers.filter { now < $0.value.endNanoseconds } }
        if answers.count >= OCSPService.answerLimit { answers = [:] }
        answers[answer.subject.identifier] = answer
        open[answer.subject.identifier] = nil
    }

    /// Nobody is asked; nil where the reason is known already.
    fileprivate mutating func fail(_ reason: String?) -> OCSPService.Status {
        statistics.unreachable += 1
        if let reason { statistics.failure = reason }
        return .unreachable
    }

    fileprivate mutating func count(_ answer: OCSPSubject.Answer?, _ url: String, pausedUntil end: UInt64) {
        switch answer {
        case .good: statistics.good += 1
        case .revoked: statistics.revoked += 1
        case .unknown: statistics.unknown += 1
        case .unreachable, nil: statistics.unreachable += 1
        }
        if case .unreachable(let reason) = answer {
            // Certificates name responders, so their number is not ours to choose.
            if paused.count >= 64 { paused = [:] }
            paused[url] = end
            statistics.failure = reason
        } else if answer != nil {
            paused[url] = nil
            statistics.failure = nil
        }
    }
}

/// A question to a responder, on its way. Any thread.
public final class OCSPInquiry: Sendable, Equatable {
    let subject: OCSPSubject
    let url: String
    private struct State {
        var isDone = false
        var waiting: [@Sendable () -> Void] = []
    }
    private let state = Mutex(State())

    init(_ subject: OCSPSubject, _ url: String) {
        self.subject = subject
        self.url = url
    }

    /// Calls `body` once there is an answer, or that there is none: now, or on a thread that shall not be held up.
    func whenDone(_ body: @escaping @Sendable () -> Void) {
        let isDone = state.withLock { state in
            if !state.isDone { state.waiting.append(body) }
            return state.isDone
        }
        if isDone { body() }
    }

    fileprivate func finish() {
        let waiting = state.withLock { state in
            state.isDone = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for body in waiting { body() }
    }

    public static func == (left: OCSPInquiry, right: OCSPInquiry) -> Bool { left === right }
}
