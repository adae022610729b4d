import Database
import Logging
import RadiusCore
import Support

@testable import Provisioning

/// A desk whose NAS is on loopback and has running sessions, and a reauthorizer put together as the daemon does.
struct ReauthorizerDesk: Sendable {
    let desk: SnapshotDesk
    let nas: LoopbackNAS
    let home: Int64
    let garden: Int64
    private let client: CoAClient

    /// No answer is late for each of three attempts, unless the NAS's thread alone does not get to run for a second.
    private static let hasty = CoARetransmission.Timing(initial: 300_000_000, longest: 400_000_000, attempts: 3, duration: 30_000_000_000)

    /// Runs `body` while a reauthorizer works; `nas` answers as `answer` says.
    static func with(
        answer: @escaping LoopbackNAS.Answer = { $0.acknowledge($1) }, timing: CoARetransmission.Timing = .init(),
        pollSeconds: Int = 10, logger: Logger = Logger(label: "tests"), now: (@Sendable () -> Int64)? = nil,
        _ body: (ReauthorizerDesk) async throws -> Void
    ) async throws {
        try await SnapshotDesk.with { desk in
            let nas = try LoopbackNAS(answer)
            let secret = try desk.seal(String(decoding: LoopbackNAS.secret, as: UTF8.self))
            try await desk.sql(
                """
                INSERT INTO aaa.nas (tenant_id, name, address, secret, vendor, coa_port)
                VALUES ($1, 'core1', '127.0.0.1/32', $2, 'mikrotik', $3)
                """, [.int(desk.tenant), .bytes(secret), .int(Int64(nas.port))])
            let home = try await desk.profile("home50")
            let garden = try await desk.profile("garden", download: 1_000_000, upload: 1_000_000)
            try await desk.sql(
                "INSERT INTO aaa.access_policy (tenant_id, walled_garden_profile_id) VALUES ($1, $2)", [.int(desk.tenant), .int(garden)])
            try await desk.follow()
            let own = ReauthorizerDesk(desk: desk, nas: nas, home: home, garden: garden, client: try CoAClient(timing: timing))
            try await own.working(with: desk.feed, pollSeconds: pollSeconds, logger: logger, now: now) { try await body(own) }
            own.client.shutdown()
        }
    }

    /// As `with`, for a NAS that may be silent: gives up after about a second.
    static func withHaste(answer: @escaping LoopbackNAS.Answer, _ body: (ReauthorizerDesk) async throws -> Void) async throws {
        try await with(answer: answer, timing: hasty, body)
    }

    /// Runs `body` while a reauthorizer works with the snapshot of `feed`, on a node that has these connections and this clock.
    func working(
        with feed: SnapshotFeed, connections: LooseConnections = LooseConnections(), pollSeconds: Int = 10,
        logger: Logger = Logger(label: "tests"), now: (@Sendable () -> Int64)? = nil, _ body: () async throws -> Void
    ) async throws {
        let control = SessionControl(
            pool: desk.pool, client: client, connections: connections.reverse, open: { [desk] in try desk.secrets.open($0) },
            attributes: { tenant, session in
                feed.store.snapshot.change(
                    tenant: tenant, userName: session.userName, subscriber: session.subscriberID, vendor: session.vendor,
                    used: session.used)
            },
            limits: { tenant, session in
                feed.store.snapshot.limitChange(
                    tenant: tenant, userName: session.userName, subscriber: session.subscriberID, vendor: session.vendor,
                    used: session.used)
            })
        var reauthorizer = Reauthorizer(pool: desk.pool, control: control, feed: feed, logger: logger, pollSeconds: pollSeconds)
        if let now { reauthorizer.now = now }
        let work = Task { [reauthorizer] in await reauthorizer.run() }
        do {
            try await body()
        } catch {
            work.cancel()
            await work.value
            throw error
        }
        work.cancel()
        await work.value
    }

    /// A subscriber on the plan `home50` who is online.
    func online(_ name: String) async throws -> Int64 {
        let id = try await desk.subscriber(name, profile: home)
        try await desk.sql(
            """
            INSERT INTO aaa.session_header (tenant_id, nas_id, session_key, subscriber_id, profile_id, username, acct_session_id, framed_ipv4,
                started_at, updated_at)
            SELECT tenant_id, (SELECT id FROM aaa.nas), username::bytea, id, profile_id, username, 'S-' || username, '100.64.0.7',
                now(), now()
            FROM aaa.subscriber WHERE id = $1
            """, [.int(id)])
        return id
    }

    /// Waits until no request is left.
    func settled() async throws {
        try await eventually { try await desk.sql("SELECT count(*) FROM aaa.reauthorization") == 0 }
    }

    /// `kind user rate` of each different request that the NAS got, in order; the rate as MikroTik writes it.
    var told: [String] {
        var seen: Set<[UInt8]> = []
        return nas.received.filter { seen.insert($0.authenticator + [$0.identifier]).inserted }.map { request in
            let user = String(decoding: request.value(AttributeNumber.userName) ?? [], as: UTF8.self)
            let rate = request.value(AttributeNumber.vendorSpecific).map { String(decoding: $0.dropFirst(6), as: UTF8.self) }
            return [request.kind == .coa ? "coa" : "disconnect", user, rate].compactMap { $0 }.joined(separator: " ")
        }
    }

    /// Whether the request that came last has these octets in it, as hexadecimal digits.
    func lastHas(_ digits: String) -> Bool {
        let octets = nas.received.last?.attributes ?? []
        return octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined().contains(digits)
    }

    /// Gives the subscribers a quota of which NASes are told that 1000 of 1100 octets are left.
    func limit(_ subscribers: [Int64]) async throws {
        let quota = try await desk.sql(
            """
            INSERT INTO aaa.quota (tenant_id, name, octets, direction, nas_limits) VALUES ($1, 'fair', 1000, 'download', true) RETURNING id
            """, [.int(desk.tenant)])
        try await desk.sql(
            "INSERT INTO aaa.quota_threshold (tenant_id, quota_id, percent, action) VALUES ($1, $2, 100, 'block')",
            [.int(desk.tenant), .int(quota)])
        try await desk.sql(
            """
            INSERT INTO aaa.quota_state (subscriber_id, tenant_id, quota_id, quota_version, first_day, end_day, window_start, window_end,
                used_octets, limit_octets, due_at)
            SELECT s, $2, $3, 1, '2026-03-01', '2100-01-01', '2026-03-01', '2100-01-01', 50, 1000, '2100-01-01'
            FROM unnest($1::bigint[]) s
            """, [.intArray(subscribers), .int(desk.tenant), .int(quota)])
        try await desk.sql("UPDATE aaa.quota_state SET next_octets = next_octets WHERE quota_id = $1", [.int(quota)])
    }

    /// Ends the subscriber's time so long from now on.
    func setEnd(_ subscriber: Int64, _ interval: String) async throws {
        try await desk.sql(
            "UPDATE aaa.subscriber SET expires_at = clock_timestamp() + $2::text::interval WHERE id = $1",
            [.int(subscriber), .text(interval)])
    }

    /// Requests that wait for the end of their subscriber's time.
    func waiting() async throws -> Int64 {
        try await desk.sql(
            """
            SELECT count(*) FROM aaa.reauthorization r JOIN aaa.subscriber u ON u.id = r.subscriber_id
            WHERE r.is_of_end AND r.requested_at = r.due_at AND r.due_at > clock_timestamp() + interval '1 hour'
                AND r.due_at BETWEEN u.expires_at + interval '2 seconds' AND u.expires_at + interval '1 minute'
            """)
    }

    func setProfile(_ subscriber: Int64, _ profile: Int64?) async throws {
        try await desk.sql("UPDATE aaa.subscriber SET profile_id = $2 WHERE id = $1", [.int(subscriber), SQLValue(profile)])
    }

    func setStatus(_ subscriber: Int64, _ status: String) async throws {
        try await desk.sql("UPDATE aaa.subscriber SET status = $2 WHERE id = $1", [.int(subscriber), .text(status)])
    }
}
