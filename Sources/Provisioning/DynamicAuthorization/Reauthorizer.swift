public import Database
import Glibc
public import Logging
import RadiusCore
import Synchronization

/// Brings running sessions into line with what their subscribers may do now: a lock, another status or another plan reaches the
/// session that runs, not only the next log-in.
///
/// The requests stand in `aaa.reauthorization`, written by the transaction that changed the subscriber. A row is deleted once every
/// open session of the subscriber was answered for; a NAS that is silent is asked again, a few times, and one that has no connection
/// to this node is left to the others first. Any node may do the work: rows are claimed by moving their due time.
public struct Reauthorizer: Sendable {
    private let pool: Pool
    private let control: SessionControl
    private let feed: SnapshotFeed
    private let logger: Logger

    private static let batchSize = 64
    /// Places of them that requests take at most which may be many at once, so that they hold up nothing else.
    private static let patientAtOnce = 32
    /// Requests of ends that are dropped at once where nobody is online.
    private static let offlineBatch = 1000
    /// Seconds for which a NAS that none of the nodes could send to is tried.
    private static let patience: Int64 = 3600
    /// Seconds between two looks for requests at the latest.
    private let poll: Int
    /// This process in `passed_by`.
    private let node = Int64.random(in: 1...Int64.max)
    /// Seconds since 1970, as the snapshot tells by whether somebody's time is over.
    var now: @Sendable () -> Int64 = { Int64(time(nil)) }

    public init(pool: Pool, control: SessionControl, feed: SnapshotFeed, logger: Logger, pollSeconds: Int = 10) {
        self.pool = pool
        self.control = control
        self.feed = feed
        self.logger = logger
        poll = pollSeconds
    }

    /// What a request came of. What was asked just now comes before what may be many at once.
    private enum Kind: Sendable {
        case change
        /// The subscriber's time ended.
        case end
        /// Nothing changed but what is left of a quota.
        case limit
    }

    /// A subscriber whose sessions are to be looked at.
    private struct Claim: Sendable {
        let subscriber: Int64
        /// For the log: the username; the number of one that is deleted.
        let name: String
        let tenant: Int64
        let kind: Kind
        let attempts: Int
        /// Text of `requested_at`, to see whether a newer request came meanwhile.
        let requestedAt: String
        /// Seconds since then.
        let age: Int64

        var isOfLimit: Bool { kind == .limit }
        var isPatient: Bool { kind != .change }
        /// Times that a silent NAS is asked; each is a full round of retransmissions.
        var attemptLimit: Int { isOfLimit ? 2 : 5 }
    }

    /// A session that was not told.
    private struct Miss: Sendable {
        let session: Int64
        let nas: String
        let outcome: CoAOutcome
        let message: String
    }

    /// Works until the task is cancelled. Wakes at each change that the snapshot takes up, and once in `pollSeconds`.
    ///
    /// Subscribers are answered for side by side, so a NAS that is silent holds nobody else up.
    public func run() async {
        let (free, freeOfPatient) = (FreePlaces(Self.batchSize), FreePlaces(Self.patientAtOnce))
        await withDiscardingTaskGroup { group in
            var looks = feed.looks
            while !Task.isCancelled {
                // Whether all places were taken, and whether all for patient requests were.
                var (isFull, isFullOfPatient) = (false, false)
                do {
                    let (limit, patientLimit) = (free.count, freeOfPatient.count)
                    let claims = try await ripeClaims(atMost: limit, ofPatient: patientLimit)
                    isFull = claims.count == limit
                    isFullOfPatient = claims.count(where: \.isPatient) == patientLimit
                    for claim in claims {
                        let places = claim.isPatient ? [free, freeOfPatient] : [free]
                        for place in places { place.take() }
                        group.addTask {
                            await attempt(claim)
                            for place in places { place.giveBack() }
                        }
                    }
                } catch {
                    if !Task.isCancelled { logger.warning("running sessions could not be brought into line: \(error)") }
                }
                let mayBeMore = isFull || isFullOfPatient
                if mayBeMore, free.count > 0, isFull || freeOfPatient.count > 0 { continue }
                looks = await feed.waitForChange(after: looks, atMostSeconds: mayBeMore ? 1 : poll)
            }
            group.cancelAll()
        }
    }

    /// Places for work that runs side by side.
    private final class FreePlaces: Sendable {
        private let places: Atomic<Int>

        init(_ count: Int) { places = Atomic(count) }

        var count: Int { places.load(ordering: .relaxed) }
        func take() { places.subtract(1, ordering: .relaxed) }
        func giveBack() { places.add(1, ordering: .relaxed) }
    }

    /// Claims requests whose transactions the snapshot has seen.
    private func ripeClaims(atMost limit: Int, ofPatient patientLimit: Int) async throws -> [Claim] {
        guard limit > 0 else { return [] }
        let claims = try await claim(atMost: limit, ofPatient: patientLimit)
        guard !claims.isEmpty else { return [] }
        // The rows are visible now; the snapshot must have seen their transactions before it is asked. An older one would say
        // what held before, and the request would count as done.
        guard await feed.waitForFullLook() else {
            logger.warning("the snapshot lags; \(claims.count) subscribers' sessions are brought into line later")
            return []
        }
        return claims
    }

    private func attempt(_ claim: Claim) async {
        do {
            try await bringIntoLine(claim)
        } catch {
            logger.warning("subscriber \(claim.name): sessions not brought into line yet: \(error)")
        }
    }

    /// Claims what is due: what changed first, then ends and limits, of both together no more than `patientLimit`.
    private func claim(atMost limit: Int, ofPatient patientLimit: Int) async throws -> [Claim] {
        try await pool.transaction(.system) { connection in
            try dropEndsOffline(connection)
            let changes = try claim(.change, atMost: limit, on: connection)
            let room = min(limit - changes.count, patientLimit)
            let ends = try claim(.end, atMost: room, on: connection)
            return try changes + ends + claim(.limit, atMost: room - ends.count, on: connection)
        }
    }

    /// An end leaves its request whether anybody is online or not.
    private func dropEndsOffline(_ connection: Connection) throws {
        try connection.execute(
            """
            -- reauthorization.offline
            WITH due AS (
                SELECT subscriber_id FROM aaa.reauthorization WHERE NOT is_of_limit AND is_of_end AND due_at <= clock_timestamp()
                ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
            DELETE FROM aaa.reauthorization r USING due d
            WHERE r.subscriber_id = d.subscriber_id AND NOT r.is_of_limit AND NOT EXISTS (
                SELECT FROM aaa.session s WHERE s.tenant_id = r.tenant_id AND s.subscriber_id = r.subscriber_id AND s.stopped_at IS NULL)
            """, [SQLValue(Self.offlineBatch)])
    }

    /// What this node could not send is left to the others, who look once in `poll` seconds, before it has another turn.
    private func claim(_ kind: Kind, atMost limit: Int, on connection: Connection) throws -> [Claim] {
        guard limit > 0 else { return [] }
        return try connection.queryAll(
            """
            -- reauthorization.claim
            UPDATE aaa.reauthorization SET due_at = clock_timestamp() + interval '2 minutes', attempts = attempts + 1
            WHERE is_of_limit = $2 AND subscriber_id IN (
                SELECT subscriber_id FROM aaa.reauthorization WHERE is_of_limit = $2 AND is_of_end = $5 AND due_at <= clock_timestamp()
                    AND ($3::bigint <> ALL (passed_by) OR due_at <= clock_timestamp() - $4::bigint * interval '1 second')
                ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
            RETURNING subscriber_id, tenant_id, attempts, requested_at::text, extract(epoch FROM clock_timestamp() - requested_at)::bigint,
                coalesce((SELECT username FROM aaa.subscriber WHERE id = reauthorization.subscriber_id), subscriber_id::text)
            """, [SQLValue(limit), .bool(kind == .limit), .int(node), SQLValue(poll + 5), .bool(kind == .end)]
        ) { row in
            Claim(
                subscriber: try row.int64(0), name: try row.string(5), tenant: try row.int64(1), kind: kind, attempts: try row.int(2),
                requestedAt: try row.string(3), age: max(0, try row.int64(4)))
        }
    }

    private func bringIntoLine(_ claim: Claim) async throws {
        let began = now()
        let sessions = try await pool.transaction(.tenant(claim.tenant), readOnly: true) { connection in
            try connection.queryAll(
                """
                -- reauthorization.sessions
                SELECT s.id, coalesce(n.name, s.nas_id::text) FROM aaa.session s
                LEFT JOIN aaa.nas n ON n.id = s.nas_id AND n.tenant_id = s.tenant_id
                WHERE s.tenant_id = $1 AND s.subscriber_id = $2 AND s.stopped_at IS NULL ORDER BY s.id
                """, [.int(claim.tenant), .int(claim.subscriber)]
            ) { (id: try $0.int64(0), nas: try $0.string(1)) }
        }
        let misses = try await withThrowingTaskGroup(of: Miss?.self) { group in
            for session in sessions { group.addTask { try await tell(session.id, at: session.nas, of: claim) } }
            return try await group.reduce(into: [Miss]()) { misses, miss in if let miss { misses.append(miss) } }
        }
        let isUnsent = misses.contains { $0.outcome.isUnsent }
        let isSilent = misses.contains { !$0.outcome.isUnsent }
        if isUnsent && claim.age < Self.patience || isSilent && claim.attempts < claim.attemptLimit {
            // What was not sent is due when the others look next; less often as time goes by.
            try await putOff(claim, seconds: isUnsent ? max(2, claim.age / 8) : 60, isUnsent: isUnsent, counts: isSilent)
        } else if try await forget(claim, since: began, hadSessions: !sessions.isEmpty) {
            for miss in misses {
                logger.warning(
                    """
                    subscriber \(claim.name): session \(miss.session) at NAS \(miss.nas) goes on as before, its NAS could not be \
                    told and is not asked again: \(miss.message)
                    """)
            }
        }
    }

    /// Brings one session into line; nil, unless its NAS is silent or has no connection to this node.
    private func tell(_ session: Int64, at nas: String, of claim: Claim) async throws -> Miss? {
        do {
            let result =
                claim.isOfLimit
                ? try await control.renewLimit(tenant: claim.tenant, session: session, by: "quota")
                : try await control.reauthorize(tenant: claim.tenant, session: session, by: "access policy")
            guard let result, result.outcome.isPassing else { return nil }
            return Miss(session: session, nas: nas, outcome: result.outcome, message: result.message)
        } catch is SessionControlError {
            // It ended meanwhile.
            return nil
        }
    }

    /// Has the request tried again, unless a newer one took its place. What sent nothing does not count as an attempt.
    private func putOff(_ claim: Claim, seconds: Int64, isUnsent: Bool, counts: Bool) async throws {
        try await pool.transaction(.tenant(claim.tenant)) { connection in
            // Who stands in passed_by already begins the next round.
            _ = try connection.execute(
                """
                -- reauthorization.again
                UPDATE aaa.reauthorization
                SET due_at = clock_timestamp() + $4::bigint * interval '1 second', attempts = attempts - $5::integer,
                    passed_by = CASE WHEN NOT $6::boolean THEN passed_by WHEN $7::bigint = ANY (passed_by) THEN ARRAY[$7::bigint]
                    ELSE passed_by || $7::bigint END
                WHERE subscriber_id = $1 AND is_of_limit = $3 AND requested_at::text = $2
                """,
                [
                    .int(claim.subscriber), .text(claim.requestedAt), .bool(claim.isOfLimit), .int(seconds), .int(counts ? 0 : 1),
                    .bool(isUnsent), .int(node),
                ])
        }
    }

    /// Deletes the request; false where a newer one took its place. Sessions that go on are looked at again when the subscriber's time
    /// ends: this request may have taken the place of one that waited for that, or PostgreSQL's clock be ahead of this node's, by which
    /// the end had not come at `began`.
    private func forget(_ claim: Claim, since began: Int64, hadSessions: Bool) async throws -> Bool {
        try await pool.transaction(.tenant(claim.tenant)) { connection in
            let count = try connection.execute(
                """
                -- reauthorization.done
                DELETE FROM aaa.reauthorization WHERE subscriber_id = $1 AND is_of_limit = $3 AND requested_at::text = $2
                """, [.int(claim.subscriber), .text(claim.requestedAt), .bool(claim.isOfLimit)])
            guard count > 0 else { return false }
            if hadSessions, !claim.isOfLimit {
                try connection.execute(
                    """
                    -- reauthorization.expiry
                    INSERT INTO aaa.reauthorization (subscriber_id, tenant_id, requested_at, due_at, is_of_end)
                    SELECT s.id, s.tenant_id, e.due, e.due, true FROM aaa.subscriber s
                    CROSS JOIN LATERAL (
                        SELECT greatest(s.expires_at, clock_timestamp() + (s.expires_at - to_timestamp($4::bigint))) + interval '2 seconds'
                            AS due) e
                    WHERE s.tenant_id = $1 AND s.id = $2 AND isfinite(s.expires_at)
                        AND floor(extract(epoch FROM s.expires_at)) > $3::bigint
                    ON CONFLICT (subscriber_id, is_of_limit) DO NOTHING
                    """, [.int(claim.tenant), .int(claim.subscriber), .int(began), .int(now())])
            }
            return true
        }
    }
}
