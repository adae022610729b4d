internal import CLinux
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
        /// Certificates about which a responder is asked, or about to be.
        public var waiting = 0
        public var good: UInt64 = 0
        public var revoked: UInt64 = 0
        public var unknown: UInt64 = 0
        /// Without an answer that counts.
        public var unreachable: UInt64 = 0
        /// Why the last inquiry had none; nil once one had.
        public var failure: String?
    }

    public let settings: Settings
    private let clock: @Sendable () -> UInt64
    private let memory = Mutex(OCSPMemory())
    private let wake = WaitFlag()
    private let stopping = Atomic<Bool>(false)

    /// They sleep most of the time.
    static let threadCount = 2 * OCSPMemory.laneLimit

    /// Starts the threads.
    public convenience init(_ settings: Settings) { self.init(settings, clock: lm_monotonic_nanoseconds) }

    init(_ settings: Settings, clock: @escaping @Sendable () -> UInt64) {
        self.settings = settings
        self.clock = clock
        for number in 0..<Self.threadCount {
            Thread.start(name: "ocsp-\(number)") { [self] in
                ThreadPriority.giveWay()
                lm_block_broken_pipes()
                work()
            }
        }
    }

    public var statistics: Statistics { memory.withLock { $0.statistics } }

    /// Ends the threads once they finished what they do; who waits still is told that nobody can be reached.
    public func shutdown() {
        stopping.store(true, ordering: .releasing)
        wake.signal()
    }

    /// What is known of a certificate; what is not known yet is asked.
    func status(of subject: OCSPSubject) -> OCSPMemory.Status {
        let now = clock()
        let status = memory.withLock { $0.status(of: subject, url: settings.responder ?? subject.responder, at: now) }
        if case .pending = status { wake.signal() }
        return status
    }

    /// A certificate that was asked about before, by its identifier, so that it can be again; nil when it is forgotten.
    func subject(_ identifier: [UInt8]) -> OCSPSubject? { memory.withLock { $0.subject(identifier) } }

    private func work() {
        while !stopping.load(ordering: .acquiring) {
            guard let inquiry = memory.withLock({ $0.take() }) else {
                wake.wait()
                continue
            }
            settle(inquiry, isPaused(inquiry.url) ? nil : ask(inquiry))
        }
        while let inquiry = memory.withLock({ $0.take() }) { settle(inquiry, nil) }
        wake.signal()
    }

    private func isPaused(_ url: String) -> Bool {
        let now = clock()
        return memory.withLock { $0.isPaused(url, at: now) }
    }

    private func ask(_ inquiry: OCSPInquiry) -> OCSPSubject.Answer {
        inquiry.subject.ask(inquiry.url, seconds: max(1, settings.timeoutSeconds), keptSeconds: keptSeconds)
    }

    private var keptSeconds: Int { max(60, settings.keptSeconds) }

    private func settle(_ inquiry: OCSPInquiry, _ answer: OCSPSubject.Answer?) {
        let now = clock()
        memory.withLock { $0.settle(inquiry, answer, keptSeconds: Int64(keptSeconds), at: now) }
        inquiry.finish()
    }
}
