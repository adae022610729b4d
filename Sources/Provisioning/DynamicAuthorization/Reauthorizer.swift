public import Database
public import Logging
import RadiusCore
import Synchronization

/// Brings running sessions into line with what their subscribers may do now: a lock, another status or another plan reaches the
/// session that runs, not only the next log-in.
///
/// The requests stand in `aaa.reauthorization`, written by the transaction that changed the subscriber. A row is deleted once every
/// open session of the subscriber was answered for; a NAS that is silent is asked again, a few times. Any node may do the work: rows
/// are claimed by moving their due time.
public struct Reauthorizer: Sendable {
    private let pool: Pool
    private let control: SessionControl
    private let feed: SnapshotFeed
    private let logger: Logger

    private static let batchSize = 64
    /// Places of them that limits of quotas take at most, so that they hold up nothing else.
    private static let limitsAtOnce = 32

    public init(pool: Pool, control: SessionControl, feed: SnapshotFeed, logger: Logger) {
        self.pool = pool
        self.control = control
        self.feed = feed
        self.logger = logger
    }

    /// A subscriber whose sessions are to be looked at.
    private struct Claim: Sendable {
        let subscriber: Int64
        let tenant: Int64
        /// Nothing changed but what is left of a quota.
        let isOfLimit: Bool
        let attempts: Int
        /// Text of `requested_at`, to see whether a newer request came meanwhile.
        let requestedAt: String

        /// Times that a silent NAS is asked; each is a full round of retransmissions.
        var attemptLimit: Int { isOfLimit ? 2 : 5 }
    }

    /// Works until the task is cancelled. Wakes at each change that the snapshot takes up, and once in ten seconds.
    ///
    /// Subscribers are answered for side by side, so a NAS that is silent holds nobody else up.
    public func run() async {
        let (free, freeOfLimits) = (FreePlaces(Self.batchSize), FreePlaces(Self.limitsAtOnce))
        await withDiscardingTaskGroup { group in
            var looks = feed.looks
            while !Task.isCancelled {
                // Whether all places were taken, and whether all for limits were.
                var (isFull, isFullOfLimits) = (false, false)
                do {
                    let (limit, limitOfLimits) = (free.count, freeOfLimits.count)
                    let claims = try await ripeClaims(atMost: limit, ofLimits: limitOfLimits)
                    isFull = claims.count == limit
                    isFullOfLimits = claims.count(where: \.isOfLimit) == limitOfLimits
                    for claim in claims {
                        let places = claim.isOfLimit ? [free, freeOfLimits] : [free]
                        for place in places { place.take() }
                        group.addTask {
                            await attempt(claim)
                            for place in places { place.giveBack() }
                        }
                    }
                } catch {
                    if !Task.isCancelled { logger.warning("running sessions could not be brought into line: \(error)") }
                }
                let mayBeMore = isFull || isFullOfLimits
                if mayBeMore, free.count > 0, isFull || freeOfLimits.count > 0 { continue }
                looks = await feed.waitForChange(after: looks, atMostSeconds: mayBeMore ? 1 : 10)
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
    private func ripeClaims(atMost limit: Int, ofLimits limitOfLimits: Int) async throws -> [Claim] {
        guard limit > 0 else { return [] }
        let claims = try await claim(atMost: limit, ofLimits: limitOfLimits)
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
            logger.warning("subscriber \(claim.subscriber): sessions not brought into line yet: \(error)")
        }
    }

    /// Claims what is due: what is not about limits first, and of those no more than `limitOfLimits`.
    private func claim(atMost limit: Int, ofLimits limitOfLimits: Int) async throws -> [Claim] {
        try await pool.transaction(.system) { connection in
            let claims = try Self.claim(isOfLimit: false, atMost: limit, on: connection)
            return try claims + Self.claim(isOfLimit: true, atMost: min(limit - claims.count, limitOfLimits), on: connection)
        }
    }

    private static func claim(isOfLimit: Bool, atMost limit: Int, on connection: Connection) throws -> [Claim] {
        guard limit > 0 else { return [] }
        return try connection.queryAll(
            """
            -- reauthorization.claim
            UPDATE aaa.reauthorization SET due_at = clock_timestamp() + interval '2 minutes', attempts = attempts + 1
            WHERE is_of_limit = $2 AND subscriber_id IN (
                SELECT subscriber_id FROM aaa.reauthorization WHERE is_of_limit = $2 AND due_at <= clock_timestamp()
                ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
            RETURNING subscriber_id, tenant_id, attempts, requested_at::text
            """, [SQLValue(limit), .bool(isOfLimit)]
        ) { row in
            Claim(
                subscriber: try row.int64(0), tenant: try row.int64(1), isOfLimit: isOfLimit, attempts: try row.int(2),
                requestedAt: try row.string(3))
        }
    }

    private func bringIntoLine(_ claim: Claim) async throws {
        let sessions = try await pool.transaction(.tenant(claim.tenant), readOnly: true) { connection in
            try connection.queryAll(
                """
                -- reauthorization.sessions
                SELECT id FROM aaa.session WHERE tenant_id = $1 AND subscriber_id = $2 AND stopped_at IS NULL ORDER BY id
                """, [.int(claim.tenant), .int(claim.subscriber)]
            ) { try $0.int64(0) }
        }
        let isSilent = try await withThrowingTaskGroup(of: Bool.self) { group in
            for session in sessions { group.addTask { try await tell(session, of: claim) } }
            return try await group.reduce(false) { $0 || $1 }
        }
        try await settle(claim, again: isSilent && claim.attempts < claim.attemptLimit)
    }

    /// Brings one session into line.
    ///
    /// - Returns: whether its NAS is silent, or has no connection to this node.
    private func tell(_ session: Int64, of claim: Claim) async throws -> Bool {
        do {
            let result =
                claim.isOfLimit
                ? try await control.renewLimit(tenant: claim.tenant, session: session, by: "quota")
                : try await control.reauthorize(tenant: claim.tenant, session: session, by: "access policy")
            return result?.outcome.isPassing ?? false
        } catch is SessionControlError {
            // It ended meanwhile.
            return false
        }
    }

    /// Deletes the request, unless it is to be tried again or a newer one took its place.
    private func settle(_ claim: Claim, again: Bool) async throws {
        let statement =
            again
            ? """
            -- reauthorization.again
            UPDATE aaa.reauthorization SET due_at = clock_timestamp() + interval '1 minute'
            WHERE subscriber_id = $1 AND is_of_limit = $3 AND requested_at::text = $2
            """
            : """
            -- reauthorization.done
            DELETE FROM aaa.reauthorization WHERE subscriber_id = $1 AND is_of_limit = $3 AND requested_at::text = $2
            """
        try await pool.transaction(.tenant(claim.tenant)) { connection in
            _ = try connection.execute(statement, [.int(claim.subscriber), .text(claim.requestedAt), .bool(claim.isOfLimit)])
        }
    }
}
