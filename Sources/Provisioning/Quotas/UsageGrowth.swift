import Database

/// By how much one record of accounting raised a session's counters, and in which time.
struct UsageGrowth: Equatable {
    let tenant: Int64
    let subscriber: Int64
    /// The time in which it was used, in microseconds since 1970: behind the record before, up to this one.
    let since: Int64
    let until: Int64
    let upload: UInt64
    let download: UInt64
    /// The router's clock is not to be believed.
    let isDoubtful: Bool
}

/// Queues what sessions grew by for whoever counts it against quotas. In the transaction that stores the growth, so that each is counted
/// once; nothing that counting may meet can hold up accounting.
struct UsageQueue {
    let connection: Connection

    /// A silence shorter than that, or than three intervals of the subscriber's accounting, is none.
    static let trustedSeconds = 1800

    /// Queues the growths of subscribers that have a quota, or whose state is kept from when they had one; whether there were any.
    func append(_ growths: [UsageGrowth]) throws -> Bool {
        guard !growths.isEmpty else { return false }
        let tenants = Set(try connection.queryAll("SELECT DISTINCT tenant_id FROM aaa.quota") { try $0.int64(0) })
        let wanted = growths.filter { tenants.contains($0.tenant) }
        guard !wanted.isEmpty else { return false }
        let queued = try connection.execute(
            """
            -- quota.queue
            INSERT INTO aaa.quota_delta (
                tenant_id, subscriber_id, since, until, upload_octets, download_octets, is_estimated, trusted_seconds)
            SELECT g.tenant, g.subscriber, aaa.instant(g.since), aaa.instant(g.until), g.upload, g.download, g.doubtful = 1,
                greatest(\(Self.trustedSeconds), 3 * coalesce(u.interim_interval, p.interim_interval, a.interim_interval, 600))
            FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
                AS g(tenant, subscriber, since, until, upload, download, doubtful)
            JOIN aaa.subscriber u ON u.id = g.subscriber AND u.tenant_id = g.tenant
            LEFT JOIN aaa.profile p ON p.id = u.profile_id AND p.tenant_id = u.tenant_id
            LEFT JOIN aaa.access_policy a ON a.tenant_id = u.tenant_id
            LEFT JOIN aaa.quota q ON q.id = coalesce(u.quota_id, p.quota_id) AND q.tenant_id = u.tenant_id
            WHERE q.enabled OR EXISTS (SELECT FROM aaa.quota_state s WHERE s.subscriber_id = u.id)
            """,
            [
                .intArray(wanted.map(\.tenant)), .intArray(wanted.map(\.subscriber)), .intArray(wanted.map(\.since)),
                .intArray(wanted.map(\.until)), .intArray(wanted.map { Int64(clamping: $0.upload) }),
                .intArray(wanted.map { Int64(clamping: $0.download) }), .intArray(wanted.map { $0.isDoubtful ? 1 : 0 }),
            ])
        return queued > 0
    }
}
