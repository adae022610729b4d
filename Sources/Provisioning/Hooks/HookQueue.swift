import Database
public import Logging
public import RadiusCore
import Synchronization

/// Queues logins for the hooks that want to be told of them, in the transaction that stores the authentication log.
///
/// So hooks are told of what is in the log, whatever ends in between. The queue of a hook whose receiver takes nothing is full one day:
/// what comes then is counted as lost, and holds up neither the log nor other hooks.
public final class HookQueue: Sendable {
    /// Events that wait for one hook, about: they are counted again every two seconds.
    static let limit: Int64 = 100_000
    private static let lifeMilliseconds: Int64 = 2000

    private struct Memory {
        var hooks: [PostAuthHook] = []
        var problems: [String] = []
        var readAt = Int64.min / 2
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
        var lost: [Int64: Int64] = [:]
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
        do {
            if !batch.isEmpty { try connection.savepoint { try batch.store($0) } }
        } catch let error as DatabaseError where error.code.classCode == "22" || error.code.classCode == "23" {
            logger.error("hooks are not told of \(batch.count) logins", metadata: ["reason": "\(error)"])
            for hook in batch.hooks { lost[hook, default: 0] += 1 }
        }
        for (hook, count) in lost.sorted(by: { $0.key < $1.key }) {
            try connection.execute(
                """
                -- hooks.lost
                UPDATE aaa.post_auth_progress SET lost_events = lost_events + $2 WHERE hook_id = $1
                """, [.int(hook), .int(count)])
        }
    }

    private func inForce(_ connection: Connection) throws -> [PostAuthHook] {
        let now = WallClock.monotonicMilliseconds
        let (known, readAt) = memory.withLock { ($0.hooks, $0.readAt) }
        if now - readAt < Self.lifeMilliseconds { return known }
        let (hooks, problems) = try PostAuthHook.inForce(connection, store.snapshot.dictionary, known: known, countingTo: limit)
        let new = memory.withLock { memory in
            let new = problems.filter { !memory.problems.contains($0) }
            memory = Memory(hooks: hooks, problems: problems, readAt: now)
            return new
        }
        for problem in new { logger.warning("\(problem)") }
        return hooks
    }
}

/// Events on their way into the queue, column by column.
struct HookBatch {
    private(set) var hooks: [Int64] = []
    private var times: [Int64] = []
    private var numbers: [[Int64]] = [[], [], [], []]
    private var texts: [[String]] = [[], [], [], [], [], []]

    var isEmpty: Bool { hooks.isEmpty }
    var count: Int { hooks.count }

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

    /// Stores them in the order of their times. A hook that is gone meanwhile gets none.
    func store(_ connection: Connection) throws {
        let first: [SQLValue] = [.intArray(hooks), .intArray(times)]
        try connection.execute(Self.sql, first + numbers.map(SQLValue.intArray) + texts.map(SQLValue.textArray))
    }

    private static let sql = """
        -- hooks.queue
        INSERT INTO aaa.post_auth_event (tenant_id, hook_id, event)
        SELECT h.tenant_id, h.id, json_build_object(
            'at', to_char(to_timestamp(l.at / 1000000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'outcome', l.outcome, 'reason', l.reason, 'method', l.method, 'username', l.username,
            'subscriber_id', nullif(l.subscriber, 0), 'nas', n.name, 'nas_id', nullif(l.nas, 0), 'profile', p.name,
            'calling_station_id', nullif(l.station, ''), 'nas_port_id', nullif(l.port, ''), 'duration_microseconds', l.duration)
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::text[], $12::text[])
            AS l (hook, at, nas, subscriber, profile, duration, outcome, reason, method, username, station, port)
        JOIN aaa.post_auth_hook h ON h.id = l.hook
        LEFT JOIN aaa.nas n ON n.id = l.nas
        LEFT JOIN aaa.profile p ON p.id = l.profile
        ORDER BY l.at
        FOR KEY SHARE OF h
        """
}
