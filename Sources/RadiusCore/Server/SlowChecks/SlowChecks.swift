import CLinux
import Glibc
import Synchronization

/// A bounded pool of threads for what takes its time: password hashes that are slow by design, or steps of EAP conversations. The packet
/// path never waits for it.
///
/// What waits is served in turns between clients, one client may fill half of the queue, and a request that waited so long that its NAS
/// has surely given up is dropped undone.
public final class SlowChecks: Sendable {
    /// How much the pool takes on.
    public struct Limits: Sendable, Equatable {
        /// 1...64.
        public var threads: Int
        /// Checks that may wait, 1...1048576; more are refused.
        public var queue: Int
        /// A check that waited longer is not begun.
        public var deadlineMilliseconds: Int

        public init(threads: Int, queue: Int = 1024, deadlineMilliseconds: Int = 10_000) {
            self.threads = max(1, min(64, threads))
            self.queue = max(1, min(1 << 20, queue))
            self.deadlineMilliseconds = max(1, deadlineMilliseconds)
        }
    }

    /// What the pool does and did.
    public struct Statistics: Sendable, Equatable {
        public var waiting = 0
        public var running = 0
        public var done: UInt64 = 0
        /// The queue was full.
        public var refusedFull: UInt64 = 0
        /// The client had its share of the queue.
        public var refusedClientShare: UInt64 = 0
        /// Waited beyond the deadline.
        public var expired: UInt64 = 0
        /// Spent in the queue by all that left it.
        public var waitedNanoseconds: UInt64 = 0
    }

    typealias Verify = @Sendable (_ password: [UInt8], _ hash: [UInt8]) -> PasswordHash.Outcome

    private struct State {
        var queue: FairQueue<(ParkedRequest, ParkedCompletions)>
        var statistics = Statistics()
    }

    public let limits: Limits
    private let perform: @Sendable (ParkedRequest) -> ParkedOutcome
    private let clock: @Sendable () -> UInt64
    private let state: Mutex<State>
    private let wake = WaitFlag()
    private let stopping = Atomic<Bool>(false)

    /// Starts the threads of a pool for password checks.
    public convenience init(_ limits: Limits) {
        self.init(limits, clock: lm_monotonic_nanoseconds) { PasswordHash.verify($0.span, against: $1.span) }
    }

    /// - Parameters:
    ///   - limits: of queue and threads.
    ///   - clock: nanoseconds that never fall.
    ///   - verify: compares a password with a stored hash; takes its time.
    convenience init(_ limits: Limits, clock: @escaping @Sendable () -> UInt64, verify: @escaping Verify) {
        self.init(limits, name: "slow-check", clock: clock) { request in
            switch request.work {
            case .password(let password, let hash): .password(verify(password, hash))
            case .eap, .proxied: .eap(.drop)
            }
        }
    }

    /// - Parameters:
    ///   - limits: of queue and threads.
    ///   - name: of the threads, without their number.
    ///   - clock: nanoseconds that never fall.
    ///   - perform: does the work; takes its time.
    init(
        _ limits: Limits, name: String, clock: @escaping @Sendable () -> UInt64,
        perform: @escaping @Sendable (ParkedRequest) -> ParkedOutcome
    ) {
        self.limits = limits
        self.clock = clock
        self.perform = perform
        state = Mutex(State(queue: FairQueue(limit: limits.queue, share: max(1, limits.queue / 2))))
        for number in 0..<limits.threads {
            Thread.start(name: "\(name)-\(number)") { [self] in
                ThreadPriority.giveWay()
                work()
            }
        }
    }

    /// What the pool does and did, at one moment.
    public var statistics: Statistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waiting = state.queue.count
            return statistics
        }
    }

    /// Lets `request` wait for a thread.
    ///
    /// - Returns: false when it was refused, which is counted.
    func submit(_ request: ParkedRequest, to completions: ParkedCompletions) -> Bool {
        completions.expect()
        request.parkedNanoseconds = clock()
        let refusal = state.withLock { state in
            let refusal = state.queue.append((request, completions), for: request.client)
            switch refusal {
            case .full: state.statistics.refusedFull += 1
            case .clientShare: state.statistics.refusedClientShare += 1
            case nil: break
            }
            return refusal
        }
        guard refusal == nil else {
            completions.expectNoMore()
            return false
        }
        wake.signal()
        return true
    }

    /// Ends the threads once they finished what they do.
    public func shutdown() {
        stopping.store(true, ordering: .releasing)
        wake.signal()
    }

    private func work() {
        while !stopping.load(ordering: .acquiring) {
            guard let (request, completions) = take() else {
                wake.wait()
                continue
            }
            if !request.isExpired {
                request.outcome = perform(request)
                state.withLock { state in
                    state.statistics.running -= 1
                    state.statistics.done += 1
                }
            }
            if !request.isExpired, case .eap(.wait(let inquiry)) = request.outcome {
                guard !inquiry.whenDone({ [self] in submitAgain(request, to: completions) }) else { continue }
                request.isExpired = true
            }
            completions.add(request)
        }
        wake.signal()
    }

    /// Lets a request go on that waited for somebody else; without room in the queue it has waited in vain.
    private func submitAgain(_ request: ParkedRequest, to completions: ParkedCompletions) {
        request.parkedNanoseconds = clock()
        guard state.withLock({ $0.queue.append((request, completions), for: request.client) }) != nil else { return wake.signal() }
        request.isExpired = true
        completions.add(request)
    }

    private func take() -> (ParkedRequest, ParkedCompletions)? {
        let now = clock()
        let deadline = UInt64(limits.deadlineMilliseconds) * 1_000_000
        return state.withLock { state in
            guard let taken = state.queue.removeFirst() else { return nil }
            let waited = now > taken.0.parkedNanoseconds ? now - taken.0.parkedNanoseconds : 0
            state.statistics.waitedNanoseconds += waited
            taken.0.isExpired = waited > deadline
            if taken.0.isExpired { state.statistics.expired += 1 } else { state.statistics.running += 1 }
            return taken
        }
    }
}
