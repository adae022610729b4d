public import Logging
internal import Synchronization

/// A fixed number of threads, each with its own connection, that run database work for async callers.
///
/// While the server is away each thread tries to reconnect with growing pauses; work waits up to `waitTimeoutSeconds`, and is
/// refused at once when the server has been away for longer than that. A connection that broke while idle is noticed before work is given to it.
/// Errors: what the work throws; `connectionFailure` (server away), `poolBusy` (no free connection in time, or queue full), `CancellationError` when cancelled while waiting.
public final class Pool: Sendable {
    /// What the pool is doing.
    public struct Metrics: Sendable {
        public var queueDepth: Int
        public var inUse: Int
        public var connected: Int
        /// Pieces of work that found no free connection.
        public var waitsTotal: UInt64
        /// Pieces of work refused by the pool or given up since the server stood still, and failed attempts to connect.
        public var failuresTotal: UInt64
    }

    public let configuration: DatabaseConfiguration
    private let logger: Logger
    private let queue = Monitor(PoolQueue())
    /// Set when the clock should look at the queue again.
    private let clock = Monitor(false)
    /// Set by `shutdown`. Workers without a connection wait here, so that work given to those with one wakes one of those.
    private let ending = Monitor(false)
    private let serial = Atomic<UInt64>(0)
    private let threads = Mutex<[DatabaseThread]>([])

    /// Starts the threads; they connect in the background, so the server may still be away.
    public init(configuration: DatabaseConfiguration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        try threads.withLock { threads in
            for index in 0..<min(1000, max(1, configuration.poolSize)) {
                let worker = PoolWorker(queue: queue, clock: clock, ending: ending, configuration: configuration, logger: logger)
                threads.append(try DatabaseThread(name: "database-\(index)") { worker.run() })
            }
            threads.append(try DatabaseThread(name: "database-clock") { [queue, clock] in Pool.expire(queue, clock) })
        }
    }

    /// Runs `body` on one of the pool's threads. `body` may run statements and transactions; it must leave no transaction open.
    public func run<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
        let identifier = nextIdentifier()
        return try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try await withCheckedThrowingContinuation { continuation in
                submit(job(identifier, body) { continuation.resume(with: $0) })
                if Task.isCancelled { cancel(identifier) }
            }
        } onCancel: {
            cancel(identifier)
        }
    }

    /// Runs `body` in a transaction, again from the start (up to 3 more times) after a serialization failure or deadlock:
    /// it must have no effects beside the database's.
    public func transaction<T: Sendable>(
        _ scope: TenantScope, isolation: IsolationLevel = .readCommitted, readOnly: Bool = false,
        _ body: @escaping @Sendable (Connection) throws -> T
    ) async throws -> T {
        try await run { connection in
            try Pool.retrying { try connection.transaction(scope, isolation: isolation, readOnly: readOnly, body) }
        }
    }

    /// As `run`, for callers that own their thread and may block it. Never call it from a Swift task, nor from a pool's thread.
    public func runBlocking<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) throws -> T {
        let outcome = Monitor<Result<T, any Error>?>(nil)
        submit(
            job(nextIdentifier(), body) { result in
                outcome.withLock { $0 = result }
                outcome.signal()
            })
        guard let result = outcome.wait({ $0 }) else { throw CancellationError() }
        return try result.get()
    }

    /// Refuses new work, lets waiting and running work end, and waits for that. Blocks; call it off the cooperative pool.
    public func shutdown() {
        queue.withLock { $0.isClosed = true }
        queue.broadcast()
        ending.withLock { $0 = true }
        ending.broadcast()
        wakeClock()
        let ending = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        ending.forEach { $0.join() }
    }

    public var metrics: Metrics {
        queue.withLock {
            Metrics(
                queueDepth: $0.depth, inUse: $0.busy, connected: $0.connected, waitsTotal: $0.waitsTotal, failuresTotal: $0.failuresTotal)
        }
    }

    private func nextIdentifier() -> UInt64 {
        serial.add(1, ordering: .relaxed).newValue
    }

    private func job<T: Sendable>(
        _ identifier: UInt64, _ body: @escaping @Sendable (Connection) throws -> T,
        _ finish: @escaping @Sendable (Result<T, any Error>) -> Void
    ) -> PoolJob {
        PoolJob(
            identifier: identifier, deadline: Clock.after(seconds: Double(configuration.waitTimeoutSeconds)),
            perform: { connection in
                let result = Result { try body(connection) }
                return { finish(result) }
            },
            fail: { finish(.failure($0)) })
    }

    private func submit(_ job: PoolJob) {
        let (refusal, mustWait) = queue.withLock { queue in
            let refusal = reasonToRefuse(queue)
            if refusal == nil { queue.append(job) } else { queue.failuresTotal += 1 }
            return (refusal, queue.busy >= queue.connected)
        }
        if let refusal { return job.fail(refusal) }
        queue.signal()
        if mustWait { wakeClock() }
    }

    private func reasonToRefuse(_ queue: PoolQueue) -> DatabaseError? {
        if queue.isClosed { return DatabaseError(.poolBusy, "the database pool is shut down") }
        if queue.depth >= configuration.queueLimit {
            return DatabaseError(.poolBusy, "\(queue.depth) requests wait for a database connection already")
        }
        let patience = UInt64(max(0, configuration.waitTimeoutSeconds)) * 1_000_000_000
        if let since = queue.awaySince, Clock.now - since > patience { return queue.waitFailure }
        return nil
    }

    private func cancel(_ identifier: UInt64) {
        queue.withLock { $0.remove(identifier) }?.fail(CancellationError())
    }

    private func wakeClock() {
        clock.withLock { $0 = true }
        clock.signal()
    }

    /// The clock's thread: fails work whose patience has run out.
    private static func expire(_ queue: Monitor<PoolQueue>, _ clock: Monitor<Bool>) {
        while true {
            let (expired, failure, deadline, isOver) = queue.withLock { queue in
                let expired = queue.takeExpired(at: Clock.now)
                queue.failuresTotal += UInt64(expired.count)
                return (expired, queue.waitFailure, queue.firstDeadline(), queue.isClosed && queue.depth == 0)
            }
            expired.forEach { $0.fail(failure) }
            if isOver { return }
            _ = clock.wait(until: deadline) { isSet -> Bool? in
                defer { isSet = false }
                return isSet ? true : nil
            }
        }
    }

    static func retrying<T>(_ body: () throws -> T) throws -> T {
        var attempts = 0
        while true {
            do {
                return try body()
            } catch let error as DatabaseError where error.isRetryable && attempts < 3 {
                attempts += 1
                PoolWorker.pause(milliseconds: UInt16.random(in: 1...10) << UInt16(attempts))
            }
        }
    }
}
