public import Database
public import Logging
public import RadiusCore
import Synchronization

/// Keeps the snapshot in force equal to the database: a full load at the start, then every change within a second.
///
/// One thread with a connection of its own. While the database is away, the last snapshot stays in force.
public final class SnapshotFeed: Sendable {
    /// Rules for clients whose record leaves them open.
    public struct Rules: Sendable {
        public var requireMessageAuthenticator: TriState
        public var limitProxyState: TriState
        /// Access-Requests in a second; 0 for no limit.
        public var rateLimitPerSecond: UInt32

        public init(
            requireMessageAuthenticator: TriState = .auto, limitProxyState: TriState = .auto, rateLimitPerSecond: UInt32 = 0
        ) {
            self.requireMessageAuthenticator = requireMessageAuthenticator
            self.limitProxyState = limitProxyState
            self.rateLimitPerSecond = rateLimitPerSecond
        }
    }

    /// What the feed has done, readable at any time.
    public struct Statistics: Sendable {
        public var isLoaded = false
        public var isConnected = false
        public var loads: UInt64 = 0
        public var changes: UInt64 = 0
        /// Subscribers that the load under way, or the last one, has read.
        public var subscribersRead = 0
        /// Age of the oldest change in the last batch, when it came into force.
        public var lagMicroseconds: Int64 = 0
        /// When the last look that ended well began: what was committed before is in force.
        public var lookedAt: ContinuousClock.Instant?
        /// What the answers lack of what was asked for, and why, until it is mended: what was left out, and rates that a NAS cannot
        /// be told in full.
        public var problems: [String] = []
        public var lastError: String?

        /// How long the snapshot may be behind the database, in seconds; grows while the database is away.
        public var behindSeconds: Double {
            lookedAt.map { (ContinuousClock.now - $0) / .seconds(1) } ?? 0
        }
    }

    public let store: SnapshotStore
    private let configuration: DatabaseConfiguration
    private let logger: Logger
    private let statistics = Mutex(Statistics())
    private let stopping = Atomic<Bool>(false)
    private let ended = Atomic<Bool>(true)
    private let wakeSignal = WakeSignal()
    private let compiler: Mutex<SnapshotCompiler>
    /// A dictionary that a reload brought and that the next step takes up.
    private let pending = Mutex<RadiusDictionary?>(nil)
    /// Looks at the database that ended well, and those that found a change.
    private let looked = Atomic<UInt64>(0)
    private let changed = Atomic<UInt64>(0)

    /// Up to so many changes are always read one by one; beyond, a quarter of all subscribers is cheaper to read as a whole.
    private static let reloadAbove = 50_000
    private static let trimAbove = 1000
    private static let housekeepingSeconds: UInt64 = 5
    private static let pruningSeconds: UInt64 = 3600

    public init(
        configuration: DatabaseConfiguration, dictionary: RadiusDictionary, secrets: SecretBox, rules: Rules, logger: Logger
    ) {
        self.configuration = configuration
        self.logger = logger
        let compiler = SnapshotCompiler(
            dictionary: dictionary, secrets: secrets,
            defaults: .init(
                requireMessageAuthenticator: rules.requireMessageAuthenticator, limitProxyState: rules.limitProxyState,
                rateLimitPerSecond: rules.rateLimitPerSecond))
        store = SnapshotStore(compiler.snapshot)
        self.compiler = Mutex(compiler)
    }

    /// What is known now.
    public var state: Statistics { statistics.withLock { $0 } }

    /// Starts the feed's thread; `state.isLoaded` tells when the first snapshot is in force.
    public func start() {
        ended.store(false, ordering: .releasing)
        Thread.start(name: "snapshot-feed") { [self] in
            run()
            ended.store(true, ordering: .releasing)
        }
    }

    /// Ends the thread after its present work.
    public func stop() {
        stopping.store(true, ordering: .releasing)
        wakeSignal.signal()
    }

    public var hasEnded: Bool { ended.load(ordering: .acquiring) }

    /// Reads everything anew, with another dictionary.
    public func reload(dictionary: RadiusDictionary) {
        pending.withLock { $0 = dictionary }
        wake()
    }

    /// Looks that found a change or read everything, so far.
    public var looks: UInt64 { changed.load(ordering: .acquiring) }

    /// Returns when a look has found a change since `looks`, at the latest after `atMostSeconds`, or when the task is cancelled.
    public func waitForChange(after looks: UInt64, atMostSeconds: Int) async -> UInt64 {
        for _ in 0..<atMostSeconds * 20 where !Task.isCancelled {
            if self.looks != looks { break }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return self.looks
    }

    /// Returns when a look that began after the call has ended, so that whatever was committed before it is in force; gives up
    /// after ten seconds, or when the task is cancelled.
    ///
    /// - Returns: whether such a look has ended; false while the database is away, or so much is being read that it takes longer.
    @discardableResult
    public func waitForFullLook() async -> Bool {
        // One look may be under way already; the one after it begins later than now.
        let target = looked.load(ordering: .acquiring) + 2
        for _ in 0..<500 where !Task.isCancelled {
            if looked.load(ordering: .acquiring) >= target { return true }
            wake()
            try? await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    /// Makes the feed look now.
    public func wake() { wakeSignal.signal() }

    private static let started = ContinuousClock.now

    /// Seconds since the first feed of this process; never goes back.
    private static var uptimeSeconds: UInt64 { UInt64((ContinuousClock.now - started).components.seconds) + 1 }

    private func run() {
        var turn = Turn()
        let notifications = try? Notifications(
            configuration: configuration, channels: ["lastmile_change"], logger: logger, onReconnect: { [self] in wake() },
            onNotification: { [self] _ in wake() })
        defer { notifications?.stop() }
        while !stopping.load(ordering: .acquiring) {
            do {
                try step(&turn)
            } catch {
                turn.connection?.close()
                turn.connection = nil
                report(error)
            }
            _ = wakeSignal.wait(timeoutMilliseconds: 1000)
        }
        if let connection = turn.connection { try? housekeeping(&turn, connection) }
        turn.connection?.close()
    }

    /// What the thread carries from one look to the next.
    private struct Turn {
        var connection: Connection?
        var feed = ChangeFeed()
        var observations = ObservationStore()
        var isLoaded = false
        /// Much memory is about to be free: a former index, or what a batch of changes took.
        var hasChangedMuch = false
        var keptHouseAt: UInt64 = 0
        var prunedAt: UInt64 = 0
    }

    private func step(_ turn: inout Turn) throws {
        let began = ContinuousClock.now
        let connection = try connected(&turn)
        let now = Self.uptimeSeconds
        if let dictionary = pending.withLock({ $0.take() }) {
            compiler.withLock { $0.dictionary = dictionary }
            turn.isLoaded = false
        }
        if turn.isLoaded { try follow(&turn, connection) } else { try load(&turn, connection) }
        giveBack(&turn)
        looked.add(1, ordering: .acquiringAndReleasing)
        if now >= turn.keptHouseAt + Self.housekeepingSeconds {
            turn.keptHouseAt = now
            try housekeeping(&turn, connection)
        }
        statistics.withLock { state in
            state.isConnected = true
            state.lookedAt = began
            state.lastError = nil
        }
    }

    /// Lets former snapshots go, and after large changes what they took back to the system: the allocator alone would keep it.
    private func giveBack(_ turn: inout Turn) {
        guard store.releaseRetired() == 0, turn.hasChangedMuch else { return }
        turn.hasChangedMuch = false
        SnapshotStore.giveBackMemory()
    }

    /// The turn's connection, or a new one; then the changes go on where they were, unless the server has another history.
    private func connected(_ turn: inout Turn) throws -> Connection {
        if let connection = turn.connection { return connection }
        let connection = try Connection.open(configuration)
        if turn.isLoaded {
            var feed = turn.feed
            turn.isLoaded = try connection.transaction(.system, readOnly: true) { try feed.goesOn($0) }
            turn.feed = feed
            if !turn.isLoaded { logger.notice("the database was restored or replaced; everything is read anew") }
        }
        turn.connection = connection
        return connection
    }

    private func load(_ turn: inout Turn, _ connection: Connection) throws {
        var feed = turn.feed
        try compiler.withLock { compiler in
            try connection.transaction(.system, isolation: .repeatableRead, readOnly: true) { connection in
                // On a copy: a load that breaks off must leave nothing half read behind.
                var next = compiler
                try connection.script("SET LOCAL statement_timeout = 0")
                try feed.begin(connection)
                try next.load(connection) { count in statistics.withLock { $0.subscribersRead = count } }
                compiler = next
            }
            publish(compiler)
        }
        turn.feed = feed
        turn.isLoaded = true
        turn.hasChangedMuch = true
        changed.add(1, ordering: .acquiringAndReleasing)
        statistics.withLock { state in
            state.isLoaded = true
            state.loads += 1
        }
    }

    private func follow(_ turn: inout Turn, _ connection: Connection) throws {
        var feed = turn.feed
        let (changes, isApplied) = try compiler.withLock { compiler in
            let found = try connection.transaction(.system, isolation: .repeatableRead, readOnly: true) { connection in
                try connection.script("SET LOCAL statement_timeout = 0")
                let changes = try feed.read(connection)
                let limit = max(Self.reloadAbove, compiler.subscribers.count / 4)
                guard !changes.isUnknown, changes.count <= limit else { return (changes, false) }
                var next = compiler
                try apply(changes, to: &next, connection)
                compiler = next
                return (changes, true)
            }
            if found.1 && !found.0.isEmpty { publish(compiler) }
            return found
        }
        guard isApplied else { return try load(&turn, connection) }
        turn.feed = feed
        turn.hasChangedMuch = turn.hasChangedMuch || changes.count > Self.trimAbove
        guard !changes.isEmpty else { return }
        changed.add(1, ordering: .acquiringAndReleasing)
        let spent = (ContinuousClock.now - changes.readAt) / .microseconds(1)
        statistics.withLock { state in
            state.changes += UInt64(changes.count)
            state.lagMicroseconds = changes.lagMicroseconds + Int64(spent)
        }
    }

    private func apply(_ changes: ChangeSet, to compiler: inout SnapshotCompiler, _ connection: Connection) throws {
        guard !changes.isEmpty else { return }
        if !changes.profiles.isEmpty { try compiler.reload(profiles: Array(changes.profiles), connection) }
        if !changes.policies.isEmpty { try compiler.reload(policies: Array(changes.policies), connection) }
        if changes.clients { try compiler.loadClients(connection) }
        if !changes.ruledTenants.isEmpty { try compiler.reload(rulesOf: Array(changes.ruledTenants), connection) }
        if !changes.subscribers.isEmpty {
            try compiler.reload(subscribers: Array(changes.subscribers), freed: changes.freed, connection)
        }
    }

    private func publish(_ compiler: SnapshotCompiler) {
        store.publish(compiler.snapshot)
        let problems = compiler.problemTexts + compiler.lostRates
        let known = statistics.withLock { state in
            let known = Set(state.problems)
            state.problems = problems
            return known
        }
        let new = problems.filter { !known.contains($0) }
        for problem in new.prefix(20) { logger.warning("a reply is not as it was asked for: \(problem)") }
        if new.count > 20 { logger.warning("replies are not as they were asked for: \(new.count - 20) more") }
    }

    private func housekeeping(_ turn: inout Turn, _ connection: Connection) throws {
        let observations = compiler.withLock { $0.observations }
        var store = turn.observations
        try connection.transaction(.system) { connection in
            try store.flush(observations, connection)
        }
        turn.observations = store
        guard turn.keptHouseAt >= turn.prunedAt + Self.pruningSeconds else { return }
        turn.prunedAt = turn.keptHouseAt
        try connection.transaction(.system) { try ChangePruning.run($0) }
    }

    private func report(_ error: any Error) {
        let text = "\(error)"
        let isNew = statistics.withLock { state in
            let isNew = state.lastError != text
            state.isConnected = false
            state.lastError = text
            return isNew
        }
        if isNew { logger.error("the snapshot cannot follow the database: \(text)") }
    }
}
