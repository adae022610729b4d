import Database
public import Logging
public import RadiusCore
import Synchronization

/// Queues logins for the hooks that want to be told of them, in the transaction that stores the authentication log.
///
/// So hooks are told of what is in the log, whatever ends in between. The queue of a hook whose receiver takes nothing is full one day:
/// what comes then is counted as lost, and holds up neither the log nor other hooks.
public final class HookQueue: Sendable {
    /// Events that wait for one hook, about: the node that tells hooks counts them every few seconds.
    static let limit: Int64 = 100_000
    private static let lifeMilliseconds: Int64 = 2000

    private struct Memory {
        var hooks: [PostAuthHook] = []
        var problems: [String] = []
        var readAt = Int64.min / 2
        /// Events lost, by hook, that could not be noted while somebody held its row.
        var owed: [Int64: Int64] = [:]
    }

    private let store: SnapshotStore
    private let limit: Int64
    private let logger: Logger
    // Of the log's thread alone.
    private let memory = Mutex(Memory())

    /// - Parameters:
    ///   - store: its snapshot's dictionary and NAS are what conditions go by.
    ///   - logger: is told of hooks that cannot be used.
    public convenience init(store: SnapshotStore, logger: Logger) {
        self.init(store: store, limit: Self.limit, logger: logger)
    }

    init(store: SnapshotStore, limit: Int64, logger: Logger) {
        self.store = store
        self.limit = limit
        self.logger = logger
    }

    /// Hooks that are told of nothing because their conditions cannot be used any more, and those whose hours go by UTC. Any thread.
    public var problems: [String] { memory.withLock { $0.problems } }

    /// Queues what hooks want of `logins`, whose reasons and methods `words` names. In a transaction of scope `system`; an event that the
    /// database refuses leaves the transaction whole.
    func add(
        _ logins: ArraySlice<AuthEventRing.Entry>, _ words: (AuthEvent) -> (reason: String, method: String), _ connection: Connection
    ) throws {
        var hooks = try inForce(connection)
        guard !hooks.isEmpty else { return }
        let snapshot = store.snapshot
        var batch = HookBatch()
        var lost = memory.withLock { $0.owed }
        for login in logins {
            for place in hooks.indices where hooks[place].wants(login, in: snapshot) {
                if hooks[place].waiting < limit {
                    hooks[place].waiting += 1
                    batch.append(login, to: hooks[place].id, words(login.event))
                } else {
                    lost[hooks[place].id, default: 0] += 1
                }
            }
        }
        let counted = hooks
        memory.withLock { $0.hooks = counted }
        lost.merge(try queue(batch, connection), uniquingKeysWith: +)
        let owed = try note(lost, connection)
        memory.withLock { $0.owed = owed.filter { entry in counted.contains { $0.id == entry.key } } }
    }

    /// Queues what it can.
    ///
    /// - Returns: how many events are lost, by hook.
    private func queue(_ batch: HookBatch, _ connection: Connection) throws -> [Int64: Int64] {
        guard !batch.isEmpty else { return [:] }
        do {
            let stored = try connection.savepoint { try batch.store($0) }
            return batch.counts.merging(stored, uniquingKeysWith: -).filter { $0.value > 0 }
        } catch let error as DatabaseError where !error.isConnectionLoss {
            logger.error("hooks are not told of \(batch.count) logins", metadata: ["reason": "\(error)"])
            return batch.counts
        }
    }

    /// Notes what is lost, waiting for nobody.
    ///
    /// - Returns: what is still to be noted.
    private func note(_ lost: [Int64: Int64], _ connection: Connection) throws -> [Int64: Int64] {
        guard !lost.isEmpty else { return [:] }
        let (hooks, numbers) = (Array(lost.keys), Array(lost.values))
        let noted = Set(try connection.queryAll(Self.lostSQL, [.intArray(hooks), .intArray(numbers)]) { try $0.int64(0) })
        return lost.filter { !noted.contains($0.key) }
    }

    /// The hooks as they were read last, and no longer ago than two seconds unless they cannot be read.
    private func inForce(_ connection: Connection) throws -> [PostAuthHook] {
        let now = WallClock.monotonicMilliseconds
        let (known, readAt) = memory.withLock { ($0.hooks, $0.readAt) }
        if now - readAt < Self.lifeMilliseconds { return known }
        var (hooks, problems) = (known, [String]())
        do {
            (hooks, problems) = try connection.savepoint {
                try PostAuthHook.inForce($0, store.snapshot.dictionary, known: known)
            }
        } catch let error as DatabaseError where !error.isConnectionLoss {
            problems = ["changes of hooks do not count, for they cannot be read: \(error)"]
        }
        let (found, said) = (hooks, problems)
        let new = memory.withLock { memory in
            let new = said.filter { !memory.problems.contains($0) }
            (memory.hooks, memory.problems, memory.readAt) = (found, said, now)
            return new
        }
        for problem in new { logger.warning("\(problem)") }
        return hooks
    }

    private static let lostSQL = """
        -- hooks.lost
        UPDATE aaa.post_auth_progress p SET lost_events = p.lost_events + l.events
        FROM unnest($1::bigint[], $2::bigint[]) AS l (hook, events)
        WHERE p.hook_id = l.hook AND p.hook_id = ANY (ARRAY(
            SELECT q.hook_id FROM aaa.post_auth_progress q WHERE q.hook_id = ANY ($1::bigint[])
            ORDER BY q.hook_id FOR UPDATE SKIP LOCKED))
        RETURNING p.hook_id
        """
}

/// Events on their way into the queue, column by column.
struct HookBatch {
    private(set) var hooks: [Int64] = []
    private var times: [Int64] = []
    private var numbers: [[Int64]] = [[], [], [], []]
    private var texts: [[String]] = [[], [], [], [], [], []]

    var isEmpty: Bool { hooks.isEmpty }
    var count: Int { hooks.count }
    /// Events, by hook.
    var counts: [Int64: Int64] { Dictionary(hooks.map { ($0, 1) }, uniquingKeysWith: +) }

    mutating func append(_ login: AuthEventRing.Entry, to hook: Int64, _ words: (reason: String, method: String)) {
        let event = login.event
        hooks.append(hook)
        times.append(event.atMicroseconds)
        for (place, number) in [event.nas, event.subscriber, event.profile, event.durationMicroseconds].enumerated() {
            numbers[place].append(number)
        }
        let values = [
            event.outcome.name, words.reason, words.method, StorableText.of(login.userName), StorableText.of(login.callingStation),
            StorableText.of(login.nasPortID),
        ]
        for (place, value) in values.enumerated() { texts[place].append(value) }
    }

    /// Stores them in the order of their times. A hook that is gone meanwhile gets none, nor does one that somebody is about to remove or
    /// rename: the log waits for nobody.
    ///
    /// - Returns: how many were stored, by hook.
    func store(_ connection: Connection) throws -> [Int64: Int64] {
        let first: [SQLValue] = [.intArray(hooks), .intArray(times)]
        var stored: [Int64: Int64] = [:]
        try connection.query(Self.sql, first + numbers.map(SQLValue.intArray) + texts.map(SQLValue.textArray)) { row in
            stored[try row.int64(0)] = try row.int64(1)
        }
        return stored
    }

    private static let sql = """
        -- hooks.queue
        WITH stored AS (
            INSERT INTO aaa.post_auth_event (tenant_id, hook_id, event)
            SELECT h.tenant_id, h.id, json_build_object(
                'at', to_char(to_timestamp(l.at / 1000000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'outcome', l.outcome, 'reason', l.reason, 'method', l.method, 'username', l.username,
                'subscriber_id', nullif(l.subscriber, 0), 'nas', n.name, 'nas_id', nullif(l.nas, 0), 'profile', p.name,
                'calling_station_id', nullif(l.station, ''), 'nas_port_id', nullif(l.port, ''), 'duration_microseconds', l.duration)
            FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::text[])
                AS l (hook, at, nas, subscriber, profile, duration, outcome, reason, method, username, station, port)
            JOIN aaa.post_auth_hook h ON h.id = l.hook
            LEFT JOIN aaa.nas n ON n.id = l.nas
            LEFT JOIN aaa.profile p ON p.id = l.profile
            ORDER BY l.at
            FOR KEY SHARE OF h SKIP LOCKED
            RETURNING hook_id
        )
        SELECT hook_id, count(*) FROM stored GROUP BY hook_id
        """
}
