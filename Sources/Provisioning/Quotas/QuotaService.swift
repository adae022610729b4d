public import Database
public import Logging
public import RadiusCore
import Synchronization

/// Counts what was used against quotas, and restricts and restores subscribers by it.
///
/// One thread with one connection; over all nodes one at a time has the turn, whatever node queued the usage. All state is in the
/// database: a node that dies in the middle leaves nothing half done, and nothing is done twice.
public final class QuotaService: Sendable {
    /// What is known now.
    public struct State: Sendable {
        /// Growths that nobody has counted yet, of all nodes.
        public var waiting: Int64 = 0
        /// Age of the oldest of them.
        public var waitingSeconds: Double = 0
        /// Growths counted and states settled by this node.
        public var settled: UInt64 = 0
        /// Subscribers by what holds them: throttle, captive, block; unlocked where it would, and its lock was taken away by hand.
        public var restricted: [String: Int64] = [:]
        public var lastError: String?
    }

    /// Growths in one transaction.
    static let batch: Int64 = 5000
    private static let pauseMilliseconds = 1000
    private static let figuresMilliseconds: Int64 = 10_000
    /// `unlocked` are those whose lock was taken away by hand, as in `aaa.quota_state_list`.
    static let restricted = """
        SELECT CASE WHEN s.action = 'throttle' OR EXISTS (
            SELECT FROM aaa.access_lock k
            WHERE k.tenant_id = s.tenant_id AND k.subscriber_id = s.subscriber_id AND k.reason = 'quota') THEN s.action ELSE 'unlocked' END,
            count(*)
        FROM aaa.quota_state s WHERE s.action <> 'none' GROUP BY 1
        """

    private let configuration: DatabaseConfiguration
    private let logger: Logger
    private let thread = ShipperThread()
    private let current = Mutex(State())

    /// - Parameters:
    ///   - configuration: one connection is opened to it.
    ///   - logger: is told when the database is away.
    public init(configuration: DatabaseConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    deinit { thread.stop() }

    /// To be signalled when usage was queued.
    public var wake: WakeSignal { thread.wake }

    /// Any thread.
    public var state: State { current.withLock { $0 } }

    /// Starts the thread; the database may be away.
    ///
    /// - Throws: `DatabaseError` when the system gives no thread.
    public func start() throws {
        guard thread.start({ [self] in run() }) else {
            throw DatabaseError("53000", "the system gives no thread for quotas", hint: "raise the limit of processes")
        }
    }

    /// Ends the thread after its present work. Blocks.
    public func stop() { thread.stop() }

    private func run() {
        var connection: Connection?
        var countedAt = Int64.min / 2
        var limit = Self.batch
        while !thread.isStopping {
            do {
                let working = try connection ?? Connection.open(configuration)
                connection = working
                let now = WallClock.monotonicMilliseconds
                let isMore = try round(working, limit)
                limit = min(limit * 2, Self.batch)
                if now - countedAt >= Self.figuresMilliseconds {
                    countedAt = now
                    try count(working)
                }
                if current.withLock({ $0.lastError.take() }) != nil { logger.notice("usage is counted against quotas again") }
                if isMore { continue }
            } catch {
                connection?.close()
                connection = nil
                report(error)
                // What takes too long as a whole may pass in parts.
                limit = max(1, limit / 4)
                thread.pause(milliseconds: 500)
            }
            thread.wake.wait(timeoutMilliseconds: Self.pauseMilliseconds)
        }
        connection?.close()
    }

    /// Takes a turn if no other node has it; whether more is waiting.
    private func round(_ connection: Connection, _ limit: Int64) throws -> Bool {
        let done = try Self.settle(connection, atMost: limit)
        guard done > 0 else { return false }
        current.withLock { $0.settled += UInt64(done) }
        return done >= limit
    }

    /// Counts what is queued and does what is due.
    ///
    /// - Parameters:
    ///   - connection: outside a transaction.
    ///   - limit: growths in one transaction.
    ///   - instant: as PostgreSQL reads one; nil: now.
    /// - Returns: how much it did; -1 when another has the turn.
    /// - Throws: `DatabaseError`; nothing was done then.
    static func settle(_ connection: Connection, atMost limit: Int64 = batch, at instant: String? = nil) throws -> Int64 {
        try connection.transaction(.system) { connection in
            try connection.script("SET LOCAL statement_timeout = '60s'")
            return try connection.queryOne(
                """
                -- quota.settle
                SELECT aaa.take_quota_usage($1::integer, coalesce($2::text::timestamptz, clock_timestamp()))::bigint
                """, [.int(limit), SQLValue(instant)])?.int64(0) ?? 0
        }
    }

    private func count(_ connection: Connection) throws {
        let found = try connection.transaction(.system, readOnly: true) { connection in
            var found = State()
            let queue = try connection.queryOne(
                """
                SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::double precision
                FROM (SELECT created_at FROM aaa.quota_delta ORDER BY id LIMIT 100000) d
                """)
            found.waiting = try queue?.int64(0) ?? 0
            found.waitingSeconds = try queue?.double(1) ?? 0
            for action in ["throttle", "captive", "block", "unlocked"] { found.restricted[action] = 0 }
            try connection.query(Self.restricted) { row in
                found.restricted[try row.string(0)] = try row.int64(1)
            }
            return found
        }
        current.withLock { state in
            (state.waiting, state.waitingSeconds, state.restricted) = (found.waiting, found.waitingSeconds, found.restricted)
        }
    }

    private func report(_ error: any Error) {
        let text = "\(error)"
        let isNew = current.withLock { state in
            defer { state.lastError = text }
            return state.lastError != text
        }
        if isNew { logger.error("usage is not counted against quotas: \(text)") }
    }
}
