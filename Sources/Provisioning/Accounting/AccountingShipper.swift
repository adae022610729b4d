public import Database
public import Logging
public import RadiusCore

/// Moves the journal into PostgreSQL, each record exactly once whatever is killed when.
///
/// The cursor moves in the transaction that stores the records, so a transaction whose fate is unknown is asked for at the next
/// attempt. One thread with one connection; every node runs one for its own journal.
public final class AccountingShipper: Sendable {
    /// Of a record on disk, before any was written.
    private static let usualOctets: UInt64 = 300

    private let journal: Journal
    private let work: ShipperWork
    private let thread = ShipperThread()
    private let counters = ShipperCounters()

    /// - Parameters:
    ///   - journal: this node's, open for as long as the shipper runs.
    ///   - configuration: one connection is opened to it.
    ///   - node: the node's name; the same after every restart.
    ///   - settings: sizes, pauses, and how long things are kept.
    ///   - quotas: is signalled when usage was queued for them; nil: nobody is.
    ///   - store: has the policy rules that forward, loaded before `start`; nil: none forwards.
    ///   - logger: is told when the database is away and when a record is put aside.
    public init(
        journal: Journal, configuration: DatabaseConfiguration, node: String, settings: AccountingSettings = AccountingSettings(),
        quotas: WakeSignal? = nil, store: SnapshotStore? = nil, logger: Logger
    ) {
        self.journal = journal
        work = ShipperWork(
            journal: journal, database: configuration, nodeID: node, settings: settings, quotas: quotas, store: store,
            logger: logger)
    }

    deinit { stop() }

    /// Starts the thread. The database may be away: the shipper waits for it.
    ///
    /// - Throws: `DatabaseError` when the system gives no thread.
    public func start() throws {
        journal.addListener(eventFD: thread.wake.eventFD)
        let (work, thread, counters) = (work, thread, counters)
        guard thread.start({ work.run(thread, counters) }) else {
            journal.removeListener(eventFD: thread.wake.eventFD)
            throw DatabaseError("53000", "the system gives no thread for the accounting shipper", hint: "raise the limit of processes")
        }
    }

    /// Ships what is durable if the database takes it now, and ends the thread. Blocks.
    public func stop() {
        thread.stop()
        journal.removeListener(eventFD: thread.wake.eventFD)
    }

    /// Every record up to this number is in the database; nil before it was asked. Any thread.
    public var shippedSequence: UInt64? { counters.cursor }

    /// Any thread.
    public var statistics: ShipperStatistics {
        var statistics = counters.read(durable: journal.durableSequence)
        let written = journal.statistics()
        let mean = written.records > 0 ? written.octets / written.records : Self.usualOctets
        statistics.lagOctets = statistics.lagRecords * mean
        return statistics
    }
}

/// The shipper's loop.
struct ShipperWork: Sendable {
    static let firstPauseMilliseconds: Int64 = 100
    static let longestPauseMilliseconds: Int64 = 5000

    let journal: Journal
    let database: DatabaseConfiguration
    let nodeID: String
    let settings: AccountingSettings
    let quotas: WakeSignal?
    let store: SnapshotStore?
    let logger: Logger

    /// Shipper thread: until it is stopped and nothing is left, or the database does not take it.
    func run(_ thread: ShipperThread, _ counters: ShipperCounters) {
        var pause = Self.firstPauseMilliseconds
        var waits = false
        var watch = JournalWatch(logger: logger)
        while true {
            watch.look(journal)
            do {
                // A connection alone does not say that records can be stored.
                try ShipperSession(self, counters).run(thread, &watch) {
                    pause = Self.firstPauseMilliseconds
                    if waits { logger.notice("accounting has the database again") }
                    waits = false
                }
                return
            } catch {
                let isLoss = (error as? DatabaseError)?.isConnectionLoss ?? false
                counters.failed("\(error)", isConnected: !isLoss)
                noteOldest(counters)
                waits = true
                logger.warning("accounting waits for the database", metadata: ["reason": "\(error)"])
            }
            if thread.isStopping { return }
            thread.pause(milliseconds: pause)
            pause = min(pause * 2, Self.longestPauseMilliseconds)
        }
    }

    /// While the database is away nobody reads the journal, and yet its oldest record grows older.
    private func noteOldest(_ counters: ShipperCounters) {
        var reader = JournalReader(directory: journal.directory, after: counters.cursor ?? journal.recoveredSequence)
        _ = try? reader.read(through: journal.durableSequence, limit: 1) { record in
            counters.moving(oldestMicroseconds: record.entry.receivedMicroseconds)
        }
    }
}
