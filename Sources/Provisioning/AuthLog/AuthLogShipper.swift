public import Database
import Logging
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
        public var retries: UInt64 = 0
        public var problem: String?
    }

    private let rings: [AuthEventRing]
    private let work: AuthLogWork
    private let thread = ShipperThread()
    private let counters = Mutex(Statistics())

    /// - Parameters:
    ///   - count: rings, one for each worker.
    ///   - capacity: octets of each ring.
    ///   - reasons: the text code for each reason number; a number without one is written as `reason-N`.
    ///   - methods: likewise for methods.
    public init(
        rings count: Int, capacity: Int = 1 << 20, database: DatabaseConfiguration, reasons: [UInt16: String], methods: [UInt8: String],
        logger: Logger
    ) {
        let wake = thread.wake
        rings = (0..<count).map { _ in AuthEventRing(capacity: capacity, wake: wake) }
        work = AuthLogWork(rings: rings, database: database, reasons: reasons, methods: methods, logger: logger)
    }

    deinit { thread.stop() }

    /// The ring of worker `number`, 0..<count; only that worker pushes into it.
    public func ring(_ number: Int) -> AuthEventRing { rings[number] }

    /// - Throws: `DatabaseError` when the system gives no thread.
    public func start() throws {
        let (work, thread) = (work, thread)
        let isStarted = thread.start { [weak self] in
            work.run(thread) { change in self?.counters.withLock { change(&$0) } }
        }
        guard isStarted else {
            throw DatabaseError("53000", "the system gives no thread for the authentication log", hint: "raise the limit of processes")
        }
    }

    /// Writes what the rings hold if the database takes it now, and ends the thread. Blocks.
    public func stop() {
        thread.stop()
    }

    /// Any thread.
    public var statistics: Statistics {
        var statistics = counters.withLock { $0 }
        statistics.dropped += rings.reduce(0) { $0 + $1.dropped }
        return statistics
    }
}
