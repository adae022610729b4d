public import Database
public import Logging
public import RadiusCore
import Synchronization

/// Keeps the snapshot in force equal to the database: a full load at the start, then every change within a second.
///
/// One thread with a connection of its own, and another of each while everything is read: changes are followed meanwhile. While the
/// database is away, the last snapshot stays in force.
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

    public let store: SnapshotStore
    private let configuration: DatabaseConfiguration
    private let logger: Logger
    private let statistics = Mutex(Statistics())
    private let stopping = Atomic<Bool>(false)
    private let ended = Atomic<Bool>(true)
    private let wakeSignal = WakeSignal()
    /// What has read nothing yet.
    private let first: SnapshotCompiler
    /// A dictionary that a reload brought and that the next load takes up.
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
        configuration: DatabaseConfiguration, dictionary: RadiusDictionary, secrets: SecretBox, rules: Rules,
        pools: AddressPools = AddressPools(), logger: Logger
    ) {
        self.configuration = configuration
        self.logger = logger
        first = SnapshotCompiler(
            dictionary: dictionary, secrets: secrets,
            defaults: .init(
                requireMessageAuthenticator: rules.requireMessageAuthenticator, limitProxyState: rules.limitProxyState,
                rateLimitPerSecond: rules.rateLimitPerSecond), pools: pools)
        store = SnapshotStore(first.snapshot)
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

    /// Reads everything anew, with another dictionary; until that has ended, changes go on coming into force with the former one.
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
    /// - Returns: whether such a look has ended; false while the database is away, or so much has changed at once that everything is
    ///   being read.
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
        var turn = Turn(first)
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
        turn.load?.cancel()
        if let connection = turn.connection { try? housekeeping(&turn, connection) }
        turn.connection?.close()
        // One that waits for the database is left to itself.
        for _ in 0..<5 where turn.load.map({ $0.ended == nil }) ?? false { wakeSignal.wait(timeoutMilliseconds: 1000) }
    }

    /// What the thread carries from one look to the next.
    private struct Turn {
        var connection: Connection?
        /// What is in force.
        var replica: SnapshotReplica
        /// Whether `replica` has every change up to the last look, and the next ones can be told from there.
        var isFollowing = false
        var observations = ObservationStore()
        /// With which dictionary everything is to be read; nil when nothing is due.
        var due: RadiusDictionary?
        var load: SnapshotLoad?
        /// After a load that came to nothing.
        var pausesUntil: ContinuousClock.Instant?
        /// Much memory is about to be free: a former index, or what a batch of changes took.
        var hasChangedMuch = false
        var keptHouseAt: UInt64 = 0
        var prunedAt: UInt64 = 0

        init(_ compiler: SnapshotCompiler) {
            replica = SnapshotReplica(compiler)
            due = compiler.dictionary
        }

        /// Everything is to be read, unless it is already being read.
        mutating func readAnew() {
            isFollowing = false
            if load == nil, due == nil { due = replica.compiler.dictionary }
        }

        /// The load came to nothing: it is due again, after as long as it took, a second at least and a minute at most.
        mutating func drop(_ failed: SnapshotLoad) {
            load = nil
            due = failed.dictionary
            pausesUntil = ContinuousClock.now + min(max(failed.age, .seconds(1)), .seconds(60))
        }
    }

    private func step(_ turn: inout Turn) throws {
        let began = ContinuousClock.now
        let connection = try connected(&turn)
        let now = Self.uptimeSeconds
        statistics.withLock { $0.lookingSince = began }
        defer { statistics.withLock { $0.lookingSince = nil } }
        // Before the changes, and whatever becomes of them: a load may be the cure.
        let isTakenUp = try takeUpLoad(&turn, connection)
        defer { startLoad(&turn) }
        if turn.isFollowing, !isTakenUp { try follow(&turn, connection) }
        if !turn.isFollowing { try connection.script("SELECT") }
        let before = statistics.withLock { state in
            state.isConnected = true
            if turn.isFollowing { state.lookedAt = began }
            return state.lastError.take()
        }
        if before != nil { logger.notice("the snapshot follows the database again") }
        giveBack(&turn)
        if turn.isFollowing { looked.add(1, ordering: .acquiringAndReleasing) }
        if now >= turn.keptHouseAt + Self.housekeepingSeconds {
            turn.keptHouseAt = now
            try housekeeping(&turn, connection)
        }
    }

    /// Lets former snapshots go. Their shards go back to the system by themselves; what reading large changes took of the heap, the
    /// allocator alone would keep.
    private func giveBack(_ turn: inout Turn) {
        guard store.releaseRetired() == 0, turn.hasChangedMuch else { return }
        turn.hasChangedMuch = false
        SnapshotStore.giveBackMemory()
    }

    /// The turn's connection, or a new one; then the changes go on where they were, unless the server has another history.
    private func connected(_ turn: inout Turn) throws -> Connection {
        if let connection = turn.connection { return connection }
        let connection = try Connection.open(configuration)
        if turn.isFollowing, try !turn.replica.goesOn(connection) {
            logger.notice("the database was restored or replaced; everything is read anew")
            turn.readAnew()
        }
        turn.connection = connection
        return connection
    }

    /// Begins a load if one is due. One at a time: what is asked for meanwhile is due after it.
    private func startLoad(_ turn: inout Turn) {
        guard turn.load == nil else { return }
        if let dictionary = pending.withLock({ $0.take() }) {
            turn.due = dictionary
            turn.pausesUntil = nil
        }
        guard let dictionary = turn.due, turn.pausesUntil.map({ $0 <= ContinuousClock.now }) ?? true else { return }
        turn.due = nil
        statistics.withLock { state in
            state.isLoading = true
            state.subscribersRead = 0
        }
        // Nothing is urgent while changes come into force.
        turn.load = SnapshotLoad(
            turn.replica.compiler.anew(dictionary), configuration, givesWay: turn.isFollowing,
            progress: { [self] count in statistics.withLock { $0.subscribersRead = count } }, done: wakeSignal)
    }

    /// Puts a load that has ended in force, with what changed meanwhile: no answer goes back to how it was. Whether it has.
    private func takeUpLoad(_ turn: inout Turn, _ connection: Connection) throws -> Bool {
        guard let load = turn.load, let ended = load.ended else { return false }
        // It takes as long as it takes.
        statistics.withLock { $0.lookingSince = nil }
        do {
            var replica = try ended.get()
            guard try replica.goesOn(connection), try replica.catchUp(connection) != nil else { throw SnapshotLoad.Failure.anotherServer }
            turn.load = nil
            turn.replica = replica
            turn.isFollowing = true
            turn.hasChangedMuch = true
            tellLoaded(replica.compiler, load)
            return true
        } catch {
            // What the load has read may still be good over another connection.
            if case .success = ended, !connection.isOpen { throw error }
            turn.drop(load)
            reportLoad(error)
            // Which of the two is the server to follow shows by another connection.
            if case .success = ended { throw error }
            return false
        }
    }

    private func tellLoaded(_ compiler: SnapshotCompiler, _ load: SnapshotLoad) {
        publish(compiler)
        changed.add(1, ordering: .acquiringAndReleasing)
        statistics.withLock { state in
            state.isLoaded = true
            state.isLoading = false
            state.loads += 1
            state.loadError = nil
        }
        let seconds = load.age / .seconds(1)
        logger.notice(
            "all was read from the database",
            metadata: ["subscribers": "\(compiler.subscribers.count)", "seconds": "\((seconds * 100).rounded() / 100)"])
    }

    private func follow(_ turn: inout Turn, _ connection: Connection) throws {
        guard let changes = try turn.replica.catchUp(connection, limit: { max(Self.reloadAbove, $0 / 4) }) else {
            return turn.readAnew()
        }
        guard !changes.isEmpty else { return }
        publish(turn.replica.compiler)
        turn.hasChangedMuch = turn.hasChangedMuch || changes.count > Self.trimAbove
        changed.add(1, ordering: .acquiringAndReleasing)
        let spent = (ContinuousClock.now - changes.readAt) / .microseconds(1)
        statistics.withLock { state in
            state.changes += UInt64(changes.count)
            state.lagMicroseconds = changes.lagMicroseconds + Int64(spent)
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
        let observations = first.observations.all
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
            defer { state.lastError = text }
            state.isConnected = false
            return state.lastError != text
        }
        if isNew { logger.error("the snapshot cannot follow the database: \(text)") }
    }

    private func reportLoad(_ error: any Error) {
        let text = "\(error)"
        let isNew = statistics.withLock { state in
            defer { state.loadError = text }
            state.isLoading = false
            return state.loadError != text
        }
        if isNew { logger.error("the database could not be read as a whole, which is tried again: \(text)") }
    }
}
