import Database

/// The queue that hooks are told from, as the node sees it whose turn it is.
struct HookStore {
    /// Events in one message, and the octets that they may have: messages stay below 20 kB (Standard Webhooks).
    static let eventsInMessage: Int64 = 50
    static let octetsOfEvents: Int64 = 18_000
    /// Hooks whose queues are counted in one go: full ones have a hundred thousand rows.
    static let countedAtOnce: Int64 = 4

    let connection: Connection

    /// The next message of each hook that is due and not `busy`, `limit` at most.
    func begin(besides busy: [Int64], atMost limit: Int) throws -> [HookMessage] {
        try connection.transaction(.system) { connection in
            try connection.execute(Self.gather, [.intArray(busy), .int(Self.eventsInMessage), .int(Self.octetsOfEvents)])
            return try connection.queryAll(Self.due, [.intArray(busy), .int(Int64(limit))]) { row in
                HookMessage(
                    hook: try row.int64(0), version: try row.int64(1), url: try row.string(2), secret: try row.bytes(3),
                    attempts: try row.int(4), firstEvent: try row.int64(5), events: try row.int(6), body: Array(try row.string(7).utf8),
                    name: try row.string(8))
            }
        }
    }

    /// Keeps what came of an attempt; nothing happens when the message is settled already, or the hook was edited so that it is tried anew.
    ///
    /// - Returns: whether the hook is switched off by it.
    func settle(_ message: HookMessage, _ verdict: HookVerdict) throws -> Bool {
        try connection.transaction(.system) { connection in
            let known: [SQLValue] = [.int(message.hook), .int(message.firstEvent)]
            let again = { (milliseconds: Int64, problem: String, attempts: Int64) in
                let values: [SQLValue] = [.int(milliseconds), .text(problem), .int(Int64(message.attempts)), .int(attempts)]
                try connection.execute(Self.again, known + values)
            }
            switch verdict {
            case .delivered:
                try connection.execute(Self.forget, known)
                try connection.execute(Self.delivered, known + [.int(Int64(message.events))])
            case .dropped(let problem):
                try connection.execute(Self.forget, known)
                try connection.execute(Self.dropped, known + [.int(Int64(message.events)), .text(problem)])
            case .again(let milliseconds, let problem): try again(milliseconds, problem, 1)
            case .postponed(let problem): try again(HookVerdict.postponedMilliseconds, problem, 0)
            case .disabled(let problem):
                // One that was changed meanwhile may be mended.
                let values: [SQLValue] = [.int(message.hook), .int(message.version), .text(problem), .text(message.id)]
                let isOff = try connection.execute(Self.disable, values) == 1
                try again(0, isOff ? "switched off: " + problem : problem, 1)
                return isOff
            }
            return false
        }
    }

    /// Counts what waits for the next few hooks behind `last`, in the order of their ids, each up to `limit`.
    ///
    /// - Returns: the last of them; 0 when it was the last of all.
    func count(after last: Int64, upTo limit: Int64) throws -> Int64 {
        try connection.transaction(.system) { connection in
            // Messages under way are not looked after meanwhile.
            try connection.script("SET LOCAL statement_timeout = '2s'")
            let counts = try connection.queryAll(Self.waiting, [.int(last), .int(Self.countedAtOnce), .int(limit)]) { row in
                (hook: try row.int64(0), events: try row.int64(1))
            }
            try connection.execute(Self.counted, [.intArray(counts.map { $0.hook }), .intArray(counts.map { $0.events })])
            return Int64(counts.count) < Self.countedAtOnce ? 0 : counts.last?.hook ?? 0
        }
    }

    /// How each hook of all tenants does.
    func figures() throws -> [HookFigure] {
        try connection.transaction(.system, readOnly: true) { connection in
            try connection.queryAll(Self.counts) { row in
                HookFigure(
                    tenant: try row.int64(0), name: try row.string(1), isEnabled: try row.bool(2), attempts: try row.int(3),
                    delivered: try row.int64(4), lost: try row.int64(5), waiting: try row.int64(6))
            }
        }
    }

    /// Makes messages of what waits for hooks that have none under way.
    private static let gather = """
        -- hooks.gather
        UPDATE aaa.post_auth_progress p SET events = ARRAY(
            SELECT f.id FROM (
                SELECT n.id, sum(octet_length(n.event::text) + 2) OVER (ORDER BY n.id) AS octets
                FROM (SELECT e.id, e.event FROM aaa.post_auth_event e WHERE e.hook_id = p.hook_id ORDER BY e.id LIMIT $2::bigint) n
            ) f WHERE f.octets <= $3::bigint ORDER BY f.id)
        WHERE p.hook_id = ANY (ARRAY(
            SELECT q.hook_id FROM aaa.post_auth_progress q JOIN aaa.post_auth_hook h ON h.id = q.hook_id
            WHERE h.enabled AND q.due_at <= clock_timestamp() AND q.events = '{}' AND q.hook_id <> ALL ($1::bigint[])
                AND EXISTS (SELECT FROM aaa.post_auth_event e WHERE e.hook_id = q.hook_id)
            ORDER BY q.hook_id FOR UPDATE OF q SKIP LOCKED))
        """

    private static let due = """
        -- hooks.due
        SELECT h.id, h.version, h.url, h.secret, p.attempts, p.events[1], cardinality(p.events), (
            SELECT json_build_object('type', 'login.answered', 'timestamp', min(e.event ->> 'at'), 'data',
                json_build_object('hook', h.name, 'events', json_agg(e.event ORDER BY e.id)))::text
            FROM aaa.post_auth_event e WHERE e.id = ANY (p.events)), h.name
        FROM aaa.post_auth_progress p JOIN aaa.post_auth_hook h ON h.id = p.hook_id
        WHERE h.enabled AND p.due_at <= clock_timestamp() AND p.events <> '{}' AND p.hook_id <> ALL ($1::bigint[])
        ORDER BY p.due_at LIMIT $2::bigint
        """

    private static let forget = """
        -- hooks.forget
        -- Progress is locked before events, as by the removal of a hook.
        WITH message AS MATERIALIZED (
            SELECT p.events FROM aaa.post_auth_progress p WHERE p.hook_id = $1 AND p.events[1] = $2 FOR UPDATE
        )
        DELETE FROM aaa.post_auth_event e USING message m WHERE e.id = ANY (m.events)
        """

    private static let delivered = """
        -- hooks.delivered
        UPDATE aaa.post_auth_progress SET attempts = 0, due_at = clock_timestamp(), events = '{}', problem = NULL,
            delivered_at = clock_timestamp(), delivered_events = delivered_events + $3
        WHERE hook_id = $1 AND events[1] = $2
        """

    private static let dropped = """
        -- hooks.dropped
        UPDATE aaa.post_auth_progress SET attempts = 0, due_at = clock_timestamp(), events = '{}', problem = $4,
            lost_events = lost_events + $3
        WHERE hook_id = $1 AND events[1] = $2
        """

    private static let again = """
        -- hooks.again
        UPDATE aaa.post_auth_progress SET attempts = attempts + $6::bigint, problem = $4,
            due_at = clock_timestamp() + $3::bigint * interval '1 millisecond'
        WHERE hook_id = $1 AND events[1] = $2 AND attempts = $5::bigint
        """

    private static let disable = """
        -- hooks.disable
        WITH switched AS (
            UPDATE aaa.post_auth_hook SET enabled = false, version = version + 1, updated_at = now() WHERE id = $1 AND version = $2
            RETURNING tenant_id, id, name
        )
        INSERT INTO lastmile.audit (tenant_id, actor, action, resource, resource_id, resource_name, before, after, request_id)
        SELECT tenant_id, 'hooks', 'update', 'post_auth_hook', id, name, '{"enabled": true}'::jsonb,
            jsonb_build_object('enabled', false, 'problem', $3::text), $4::text
        FROM switched
        """

    private static let waiting = """
        -- hooks.waiting
        SELECT p.hook_id,
            (SELECT count(*) FROM (SELECT FROM aaa.post_auth_event e WHERE e.hook_id = p.hook_id LIMIT $3::bigint) w)
        FROM (SELECT q.hook_id FROM aaa.post_auth_progress q WHERE q.hook_id > $1 ORDER BY q.hook_id LIMIT $2::bigint) p
        ORDER BY p.hook_id
        """

    /// That a count is of now is written down every ten seconds at least, that it changed at once.
    private static let counted = """
        -- hooks.counted
        UPDATE aaa.post_auth_progress p SET waiting_events = c.events, counted_at = clock_timestamp()
        FROM unnest($1::bigint[], $2::bigint[]) AS c (hook, events)
        WHERE p.hook_id = c.hook AND p.hook_id = ANY (ARRAY(
            SELECT q.hook_id FROM aaa.post_auth_progress q JOIN unnest($1::bigint[], $2::bigint[]) AS n (hook, events) ON n.hook = q.hook_id
            WHERE q.waiting_events <> n.events OR q.counted_at < clock_timestamp() - interval '10 seconds'
            ORDER BY q.hook_id FOR UPDATE OF q SKIP LOCKED))
        """

    private static let counts = """
        -- hooks.figures
        SELECT h.tenant_id, h.name, h.enabled, p.attempts, p.delivered_events, p.lost_events, p.waiting_events
        FROM aaa.post_auth_hook h JOIN aaa.post_auth_progress p ON p.hook_id = h.id ORDER BY h.tenant_id, h.name
        """
}

/// How one hook does, over all nodes.
public struct HookFigure: Sendable, Equatable {
    public let tenant: Int64
    public let name: String
    public let isEnabled: Bool
    /// At the message under way.
    public let attempts: Int
    /// Events.
    public let delivered: Int64
    public let lost: Int64
    public let waiting: Int64
}
