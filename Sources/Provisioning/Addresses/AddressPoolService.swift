public import Database
public import Logging
public import RadiusCore
import Synchronization

/// Keeps this node's share of every address pool filled, and its knowledge of who has what equal to the database.
///
/// One thread with one connection. While the database is away, the node hands out what it holds until its lease ends.
public final class AddressPoolService: Sendable {
    public struct Settings: Sendable {
        /// How long the blocks of a node that is not heard of stay its own, and its accounting is waited for.
        public var leaseSeconds: Int64 = 3600
        /// Free items that a node keeps of a pool, at most.
        public var stock = 4096

        public init() {}
    }

    /// What is known now.
    public struct State: Sendable {
        public var fills: [AddressPoolFill] = []
        public var rounds: UInt64 = 0
        public var takenOver: UInt64 = 0
        public var swept: UInt64 = 0
        /// By how much the offers that may lapse are behind, in seconds.
        public var horizonLagSeconds: Double = 0
        public var lastError: String?
    }

    /// What of the journal is on disk and what is in the database.
    public typealias Progress = @Sendable () -> (durable: UInt64, shipped: UInt64?)

    public let pools: AddressPools
    private let configuration: DatabaseConfiguration
    private let node: String
    private let settings: Settings
    private let progress: Progress
    private let logger: Logger
    private let thread = ShipperThread()
    private let current = Mutex(State())
    private let isAbandoned = Atomic<Bool>(false)
    private let incarnation = Int64.random(in: 1...(.max))

    /// - Parameters:
    ///   - pools: to be filled.
    ///   - configuration: one connection is opened to it.
    ///   - node: the node's name, the same after every restart; no two processes have it at a time.
    ///   - settings: how long and how much.
    ///   - progress: of accounting: sessions that it has not brought to the database yet keep offers from lapsing.
    ///   - logger: is told of conflicts, of pools that fill up, and of a database that is away.
    public init(
        pools: AddressPools, configuration: DatabaseConfiguration, node: String, settings: Settings = Settings(),
        progress: @escaping Progress, logger: Logger
    ) {
        self.pools = pools
        self.configuration = configuration
        self.node = node
        self.settings = settings
        self.progress = progress
        self.logger = logger
    }

    deinit { thread.stop() }

    public var state: State { current.withLock { $0 } }

    /// Starts the thread; the database may be away.
    ///
    /// - Throws: `DatabaseError` when the system gives no thread.
    public func start() throws {
        let started = thread.start { [self] in run() }
        guard started else {
            throw DatabaseError("53000", "the system gives no thread for address pools", hint: "raise the limit of processes")
        }
    }

    /// Gives all blocks back if the database takes them, and ends the thread. For when nothing is handed out any more and accounting has
    /// shipped what it can. Blocks.
    public func stop() {
        pools.clock.wake.signal()
        thread.stop()
    }

    /// Ends the thread as a crash would: nothing is given back.
    func abandon() {
        isAbandoned.store(true, ordering: .releasing)
        stop()
    }

    private func run() {
        var filler: AddressFiller?
        var isFirst = true
        while !thread.isStopping {
            do {
                let working =
                    try filler
                    ?? AddressFiller(
                        pools: pools, connection: Connection.open(configuration), node: node, incarnation: incarnation, isFirst: isFirst,
                        settings: settings, progress: progress, logger: logger)
                filler = working
                try working.round()
                isFirst = false
                let before = current.withLock { state in
                    working.report(to: &state)
                    return state.lastError.take()
                }
                if before != nil { logger.notice("address pools follow the database again") }
            } catch {
                filler?.close()
                filler = nil
                report(error)
                thread.pause(milliseconds: 500)
            }
            _ = pools.clock.wake.wait(timeoutMilliseconds: filler?.pauseMilliseconds ?? 500)
        }
        pools.clock.end()
        if !isAbandoned.load(ordering: .acquiring) {
            do { try filler?.leave() } catch { report(error) }
        }
        filler?.close()
    }

    private func report(_ error: any Error) {
        let text = "\(error)"
        let isNew = current.withLock { state in
            defer { state.lastError = text }
            return state.lastError != text
        }
        if isNew { logger.error("address pools cannot follow the database: \(text)") }
    }
}
