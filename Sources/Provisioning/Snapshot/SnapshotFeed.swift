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
        /// Age of the oldest change in the last batch, when it came into force.
        public var lagMicroseconds: Int64 = 0
        /// What the answers lack of what was asked for, and why, until it is mended: what was left out, and rates that a NAS cannot
        /// be told in full.
        public var problems: [String] = []
        public var lastError: String?
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

    /// As many changes at once are cheaper to read as a whole.
    private static let reloadAbove = 50_000
    private static let housekeepingSeconds: UInt64 = 5
    /// Changes are kept this long for nodes that were away; a node away for longer reads everything anew.
    private static let keepChanges = "1 day"
    private static let awayLimitSeconds: UInt64 = 43_200

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
        var lookedAt: UInt64 = 0
        var keptHouseAt: UInt64 = 0
        var prunedAt: UInt64 = 0
    }

    private func step(_ turn: inout Turn) throws {
        let connection = try turn.connection ?? Connection.open(configuration)
        turn.connection = connection
        let now = Self.uptimeSeconds
        if let dictionary = pending.withLock({ $0.take() }) {
            compiler.withLock { $0.dictionary = dictionary }
            turn.isLoaded = false
        }
        if !turn.isLoaded || now - turn.lookedAt > Self.awayLimitSeconds {
            try load(&turn, connection)
        } else {
            try follow(&turn, connection)
        }
        turn.lookedAt = now
        looked.add(1, ordering: .acquiringAndReleasing)
        if now >= turn.keptHouseAt + Self.housekeepingSeconds {
            turn.keptHouseAt = now
            try housekeeping(&turn, connection)
        }
        statistics.withLock { state in
            state.isConnected = true
            state.lastError = nil
        }
    }

    private func load(_ turn: inout Turn, _ connection: Connection) throws {
        var feed = turn.feed
        try compiler.withLock { compiler in
            try connection.transaction(.system, isolation: .repeatableRead, readOnly: true) { connection in
                // On a copy: a load that breaks off must leave nothing half read behind.
                var next = compiler
                try feed.begin(connection)
                try next.load(connection)
                compiler = next
            }
            publish(compiler)
        }
        turn.feed = feed
        turn.isLoaded = true
        changed.add(1, ordering: .acquiringAndReleasing)
        statistics.withLock { state in
            state.isLoaded = true
            state.loads += 1
        }
    }

    private func follow(_ turn: inout Turn, _ connection: Connection) throws {
        var feed = turn.feed
        let changes = try compiler.withLock { compiler in
            let changes = try connection.transaction(.system, isolation: .repeatableRead, readOnly: true) { connection in
                let changes = try feed.read(connection)
                guard changes.count <= Self.reloadAbove else { return changes }
                var next = compiler
                try apply(changes, to: &next, connection)
                compiler = next
                return changes
            }
            if !changes.isEmpty && changes.count <= Self.reloadAbove { publish(compiler) }
            return changes
        }
        if changes.count > Self.reloadAbove { return try load(&turn, connection) }
        turn.feed = feed
        guard !changes.isEmpty else { return }
        changed.add(1, ordering: .acquiringAndReleasing)
        statistics.withLock { state in
            state.changes += UInt64(changes.count)
            state.lagMicroseconds = changes.lagMicroseconds
        }
    }

    private func apply(_ changes: ChangeSet, to compiler: inout SnapshotCompiler, _ connection: Connection) throws {
        guard !changes.isEmpty else { return }
        if !changes.profiles.isEmpty { try compiler.reload(profiles: Array(changes.profiles), connection) }
        if !changes.policies.isEmpty { try compiler.reload(policies: Array(changes.policies), connection) }
        if changes.clients { try compiler.loadClients(connection) }
        if !changes.subscribers.isEmpty {
            try compiler.reload(subscribers: Array(changes.subscribers), freed: changes.freed, connection)
        }
    }

    private func publish(_ compiler: SnapshotCompiler) {
        let problems = compiler.problems.values.joined().sorted() + compiler.lostRates
        let known = statistics.withLock { state in
            let known = Set(state.problems)
            state.problems = problems
            return known
        }
        store.publish(compiler.snapshot)
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
        guard turn.keptHouseAt >= turn.prunedAt + 3600 else { return }
        turn.prunedAt = turn.keptHouseAt
        try connection.transaction(.system) { connection in
            _ = try connection.execute("DELETE FROM aaa.change WHERE created_at < now() - interval '\(Self.keepChanges)'")
        }
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
