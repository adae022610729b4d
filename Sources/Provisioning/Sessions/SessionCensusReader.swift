public import Database
import Glibc
public import Logging
public import RadiusCore
import Synchronization

/// Brings the open sessions of limited subscribers from the database to this node's census: those of other nodes, and those from before
/// its start.
///
/// One thread with one connection. While the database is away, the census goes on with what this node hears itself.
public final class SessionCensusReader: Sendable {
    /// What is known now.
    public struct State: Sendable {
        public var rounds: UInt64 = 0
        /// How long the last reading took, in seconds.
        public var readSeconds = 0.0
        public var lastError: String?
    }

    private let census: SessionCensus
    private let configuration: DatabaseConfiguration
    private let intervalSeconds: Int
    private let logger: Logger
    private let thread = ShipperThread()
    private let current = Mutex(State())
    /// A reading may take this part of the time between two.
    private static let shareOfTime = 20.0

    /// - Parameters:
    ///   - census: is told.
    ///   - configuration: one connection is opened to it.
    ///   - intervalSeconds: between two readings; more where one takes long.
    ///   - logger: is told when the database is away.
    public init(census: SessionCensus, configuration: DatabaseConfiguration, intervalSeconds: Int = 5, logger: Logger) {
        self.census = census
        self.configuration = configuration
        self.intervalSeconds = intervalSeconds
        self.logger = logger
    }

    deinit { thread.stop() }

    public var state: State { current.withLock { $0 } }

    /// Starts the thread; the database may be away.
    ///
    /// - Throws: `DatabaseError` when the system gives no thread.
    public func start() throws {
        guard thread.start({ [self] in run() }) else {
            throw DatabaseError("53000", "the system gives no thread for the session census", hint: "raise the limit of processes")
        }
    }

    /// Ends the thread after its present reading. Blocks.
    public func stop() { thread.stop() }

    private func run() {
        var connection: Connection?
        var round: UInt32 = 0
        while !thread.isStopping {
            let began = ContinuousClock.now
            do {
                let open = try connection ?? Connection.open(configuration)
                connection = open
                round &+= 1
                try read(open, round: max(1, round))
            } catch {
                connection?.close()
                connection = nil
                census.forgetLapsed(at: UInt32(clamping: time(nil)))
                report(error)
            }
            let spent = (ContinuousClock.now - began) / .seconds(1)
            current.withLock { $0.readSeconds = spent }
            thread.pause(milliseconds: Int64(max(Double(intervalSeconds), spent * Self.shareOfTime) * 1000))
        }
        connection?.close()
    }

    private func read(_ connection: Connection, round: UInt32) throws {
        let began = UInt32(clamping: time(nil))
        try connection.transaction(.system, readOnly: true) { connection in
            guard try connection.queryOne(Self.anySQL)?.bool(0) == true else { return }
            try connection.script("SET LOCAL statement_timeout = 0")
            try connection.copyRows("COPY (\(Self.sessionSQL)) TO STDOUT (FORMAT binary)") { try merge($0, round, began) }
        }
        census.sweep(round: round, began: began)
        let before = current.withLock { state in
            state.rounds += 1
            return state.lastError.take()
        }
        if before != nil { logger.notice("session limits follow the database again") }
    }

    private func merge(_ row: CopyRow, _ round: UInt32, _ began: UInt32) throws {
        let station = row.isNull(4) ? [] : StorableText.original(of: Array(try row.bytes(4)))
        let trace = SessionTrace(key: Array(try row.bytes(3)), nas: try row.int64(2), callingStation: station)
        census.merge(
            try row.int64(0), tenant: try row.int64(1), trace, startedSeconds: UInt32(clamping: try row.int64(5)),
            toldSeconds: UInt32(clamping: try row.int64(6)), interimSeconds: UInt32(clamping: try row.int32(7)), round: round, at: began)
    }

    /// Whether anybody is limited at all; both have an index of those that are.
    private static let anySQL = """
        SELECT EXISTS (SELECT FROM aaa.profile WHERE session_limit > 0) OR EXISTS (SELECT FROM aaa.subscriber WHERE session_limit > 0)
        """

    /// Both halves of `limited` have an index of those that are. The interval is that of the profile that the session was answered.
    static let sessionSQL = """
        WITH limited AS (
            SELECT id, interim_interval FROM aaa.subscriber WHERE session_limit > 0
            UNION ALL
            SELECT s.id, s.interim_interval FROM aaa.profile f JOIN aaa.subscriber s ON s.profile_id = f.id
            WHERE f.session_limit > 0 AND s.session_limit IS NULL
        )
        SELECT h.subscriber_id, h.tenant_id, h.nas_id, h.session_key, h.calling_station_id,
            extract(epoch FROM coalesce(p.started_at, h.started_at))::bigint,
            extract(epoch FROM greatest(coalesce(p.updated_at, h.updated_at), p.heard_at, h.heard_at))::bigint,
            coalesce(l.interim_interval, g.interim_interval, a.interim_interval, 600)
        FROM limited l
        JOIN aaa.session_header h ON h.subscriber_id = l.id
        LEFT JOIN aaa.profile g ON g.id = h.profile_id
        LEFT JOIN aaa.access_policy a ON a.tenant_id = h.tenant_id
        LEFT JOIN aaa.session_progress p ON p.id = h.id
        WHERE p.stopped_at IS NULL
        """

    private func report(_ error: any Error) {
        let text = "\(error)"
        let isNew = current.withLock { state in
            defer { state.lastError = text }
            return state.lastError != text
        }
        if isNew { logger.error("session limits cannot follow the database: \(text)") }
    }
}
