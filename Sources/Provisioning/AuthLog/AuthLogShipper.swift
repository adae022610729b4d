public import Database
public import Logging
public import RadiusCore
import Synchronization

/// Moves how logins were answered from the workers' rings into `aaa.auth_log`.
///
/// The log is for people: while the database is away the rings fill up, and what does not fit is dropped and counted. One thread
/// with one connection.
public final class AuthLogShipper: Sendable {
    /// Counts since the start.
    public struct Statistics: Sendable, Equatable {
        public var written: UInt64 = 0
        /// Events that did not fit into their ring, or that PostgreSQL refused.
        public var dropped: UInt64 = 0
        /// Octets of the events that wait in their rings.
        public var lagOctets = 0
        public var retries: UInt64 = 0
        public var problem: String?
    }

    private let rings: [AuthEventRing]
    private let work: AuthLogWork
    private let thread = ShipperThread()
    private let counters = AuthLogCounters()

    /// - Parameters:
    ///   - rings: one for each worker; nobody else drains them.
    ///   - configuration: one connection is opened to it.
    ///   - reasonNames: the text code for each reason number; a number without one is written as `reason-N`.
    ///   - methodNames: likewise for methods.
    ///   - eventsPerSecond: what is stored at most, on average; a burst waits in its ring.
    ///   - hooks: are queued what they want of it.
    ///   - logger: is told when the database is away.
    public init(
        rings: [AuthEventRing], configuration: DatabaseConfiguration, reasonNames: [UInt16: String], methodNames: [UInt8: String] = [:],
        eventsPerSecond: Int = 2000, hooks: HookQueue? = nil, logger: Logger
    ) {
        self.rings = rings
        work = AuthLogWork(
            rings: rings, database: configuration, reasons: reasonNames, methods: methodNames, eventsPerSecond: eventsPerSecond,
            hooks: hooks, logger: logger)
        for ring in rings { ring.setWake(thread.wake) }
    }

    deinit { stop() }

    /// - Throws: `DatabaseError` when the system gives no thread.
    public func start() throws {
        let (work, thread, counters) = (work, thread, counters)
        guard thread.start({ work.run(thread, counters) }) else {
            throw DatabaseError("53000", "the system gives no thread for the authentication log", hint: "raise the limit of processes")
        }
    }

    /// Writes what the rings hold if the database takes it now, and ends the thread. Blocks.
    public func stop() {
        thread.stop()
        for ring in rings { ring.setWake(nil) }
    }

    /// Any thread.
    public var statistics: Statistics {
        var statistics = counters.statistics
        statistics.dropped += rings.reduce(0) { $0 + $1.dropped }
        statistics.lagOctets = rings.reduce(0) { $0 + $1.waitingOctets }
        return statistics
    }
}

/// The statistics as the log's thread writes them and others read them.
final class AuthLogCounters: Sendable {
    private let state = Mutex(AuthLogShipper.Statistics())

    var statistics: AuthLogShipper.Statistics { state.withLock { $0 } }

    func written(_ count: Int) {
        state.withLock { state in
            state.written += UInt64(count)
            state.problem = nil
        }
    }

    func dropped() {
        state.withLock { $0.dropped += 1 }
    }

    func failed(_ problem: String) {
        state.withLock { state in
            state.retries += 1
            state.problem = problem
        }
    }
}
