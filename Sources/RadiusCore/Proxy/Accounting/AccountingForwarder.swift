import Synchronization

/// Forwards accounting from the journal: what was stored, and so answered, goes to the realm's home servers until one acknowledges it.
///
/// One thread that reads behind the journal's writer, so that no NAS and no record of our own ever waits for a home server. How far it has
/// come is kept on disk; after a crash records may go twice, but none is left out that the journal still holds.
public final class AccountingForwarder: Sendable {
    /// What forwarding may take.
    public struct Settings: Sendable {
        /// Records that are on their way at once.
        public var inFlight = 512
        /// Records that wait for an acknowledgement, in memory; every realm with an accounting pool may have an equal part, and its further
        /// ones wait in the journal.
        public var waiting = 16_384
        /// A record that nobody acknowledged for so long is given up, and counted.
        public var keepSeconds = 172_800
        /// A record that a home server declined so often, for a reason that holds for every other, is given up, and counted.
        public var declineLimit = 4
        /// From the first failure to the next attempt; doubles up to a minute.
        public var retryMilliseconds = 2000

        public init() {}
    }

    /// What happened so far.
    public struct Statistics: Sendable, Equatable {
        public var waiting = 0
        public var forwarded: UInt64 = 0
        public var acknowledged: UInt64 = 0
        /// Attempts that no home server answered.
        public var failures: UInt64 = 0
        /// Given up: for their age, or because they cannot be passed on, being too large.
        public var expired: UInt64 = 0
        /// Not forwarded: they had been here before.
        public var looped: UInt64 = 0
        /// Given up: a home server said each time that it does not process them, for a reason that holds for every other.
        public var declined: UInt64 = 0
        /// Gone from the journal before they were forwarded.
        public var lost: UInt64 = 0
        /// Everything up to this record of the journal is done.
        public var position: UInt64 = 0
        /// Why the position, or the journal, cannot be written or read; nil when it can.
        public var problem: String?
    }

    /// What came of one attempt.
    enum Fate: Sendable {
        /// `unusable`: no attempt can succeed. `declined`: the home server says so.
        case acknowledged, failed, declined, unusable

        /// What no other home server can mend, and no time.
        private static let lasting: Set<ErrorCause> = [.missingAttribute, .invalidRequest, .unsupportedExtension]

        init(_ outcome: ProxyOutcome) {
            switch outcome {
            case .reply: self = .acknowledged
            case .failed(.proxyUnusable, _, _): self = .unusable
            case .failed(.proxyDeclined, _, let cause?) where Self.lasting.contains(cause): self = .declined
            case .failed: self = .failed
            }
        }
    }

    let settings: Settings
    let journal: Journal
    let store: SnapshotStore
    let proxy: ProxyService
    let wake = WakeSignal()
    private let stopping = Atomic<Bool>(false)
    private let ended = Atomic<Bool>(true)
    private let known = Mutex(Statistics())
    private let outcomes = Mutex<[(sequence: UInt64, fate: Fate)]>([])

    public init(_ settings: Settings = Settings(), journal: Journal, store: SnapshotStore, proxy: ProxyService) {
        self.settings = settings
        self.journal = journal
        self.store = store
        self.proxy = proxy
    }

    public var statistics: Statistics { known.withLock { $0 } }

    /// Starts the thread, behind where the last one ended; without such a place, behind what the journal has now.
    public func start() {
        ended.store(false, ordering: .releasing)
        // Not the thread's first look: what is acknowledged before that is somebody's, too.
        let first = journal.durableSequence
        Thread.start(name: "acct-forward") { [self] in
            ThreadPriority.giveWay()
            var loop = ForwarderLoop(self, after: first)
            loop.run()
            ended.store(true, ordering: .releasing)
        }
    }

    /// Asks the thread to end; what is not acknowledged goes on after the next start. Call it before the proxy's shutdown.
    public func stop() {
        stopping.store(true, ordering: .releasing)
        wake.signal()
    }

    public var hasEnded: Bool { ended.load(ordering: .acquiring) }
    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    func publish(_ statistics: Statistics) { known.withLock { $0 = statistics } }

    /// For the proxy's thread: what came of a record.
    func conclude(_ sequence: UInt64, _ fate: Fate) {
        outcomes.withLock { $0.append((sequence, fate)) }
        wake.signal()
    }

    func takeOutcomes() -> [(sequence: UInt64, fate: Fate)] {
        outcomes.withLock { outcomes in
            let taken = outcomes
            outcomes = []
            return taken
        }
    }
}
