import Database
import Support

@testable import Provisioning

/// A bench whose tenant has the plans `home` and `slow`, a quota of 1000 octets on `home`, and the subscriber alice.
struct QuotaDesk: Sendable {
    let bench: AccountingBench
    let home: Int64
    let slow: Int64
    let quota: Int64
    let alice: Int64

    /// `thresholds` are `percent action`, separated by commas.
    static func run(
        _ thresholds: String = "80 notify, 90 throttle, 100 block", period: String = "month", more: String = "", zone: String = "UTC",
        _ body: (QuotaDesk) async throws -> Void
    ) async throws {
        try await AccountingBench.run(timeZone: zone) { bench in
            let tenant = bench.tenant
            let slow = try await bench.number("INSERT INTO aaa.profile (tenant_id, name) VALUES (\(tenant), 'slow') RETURNING id")
            let quota = try await bench.number(
                "INSERT INTO aaa.quota (tenant_id, name, octets, period) VALUES (\(tenant), 'fair', 1000, '\(period)') RETURNING id")
            if !more.isEmpty { try await bench.execute("UPDATE aaa.quota SET \(more)") }
            let home = try await bench.number(
                "INSERT INTO aaa.profile (tenant_id, name, quota_id) VALUES (\(tenant), 'home', \(quota)) RETURNING id")
            for threshold in thresholds.split(separator: ",") {
                let words = threshold.split(separator: " ")
                try await bench.execute(
                    """
                    INSERT INTO aaa.quota_threshold (tenant_id, quota_id, percent, action, profile_id)
                    VALUES (\(tenant), \(quota), \(words[0]), '\(words[1])', \(words[1] == "throttle" ? "\(slow)" : "NULL"))
                    """)
            }
            let alice = try await bench.number(
                "INSERT INTO aaa.subscriber (tenant_id, username, profile_id) VALUES (\(tenant), 'alice', \(home)) RETURNING id")
            try await body(QuotaDesk(bench: bench, home: home, slow: slow, quota: quota, alice: alice))
        }
    }

    /// `minutes` behind noon of 2026-03-01, UTC.
    static func instant(_ minutes: Int64) -> String { "\(AccountingBench.noon / 1_000_000 + minutes * 60)" }

    /// Counts as the service does, as if it were `minutes` behind noon.
    func settle(at minutes: Int64) async throws {
        while try await round(at: minutes) > 0 {
            let isMore = "EXISTS (SELECT FROM aaa.quota_delta) OR EXISTS (SELECT FROM aaa.quota_review)"
            if try await bench.number("SELECT count(*) FILTER (WHERE \(isMore))") == 0 { break }
        }
    }

    /// One turn of the service, with at most `limit` of everything; how much it did.
    @discardableResult
    func round(atMost limit: Int64 = QuotaService.batch, at minutes: Int64) async throws -> Int64 {
        let instant = try await bench.texts("SELECT to_timestamp(\(Self.instant(minutes)))")[0]
        return try await bench.pool.run { try QuotaService.settle($0, atMost: limit, at: instant) }
    }

    /// Another subscriber with the profile `home`.
    func neighbour(_ name: String) async throws -> Int64 {
        try await bench.number(
            """
            INSERT INTO aaa.subscriber (tenant_id, username, profile_id) VALUES (\(bench.tenant), '\(name)', \(home)) RETURNING id
            """)
    }

    /// An interim record of alice's `minutes` behind noon, where her session began.
    func interim(_ minutes: Int64, download: UInt64, upload: UInt64 = 0, session: String = "s1") -> AccountingPacket {
        AccountingPacket(3, session: session, event: minutes * 60, seconds: UInt32(minutes * 60), upload: upload, download: download)
    }

    /// The same from a router whose clock stands in 1970.
    func skewed(_ minutes: Int64, download: UInt64) -> AccountingPacket {
        var packet = interim(minutes, download: download)
        packet.attributes.removeAll { $0.0 == 55 }
        packet.attributes.append((55, AccountingPacket.number(UInt32(minutes * 60))))
        return packet
    }

    /// Ships records and counts what they brought, as if it were `minutes` behind noon.
    func use(_ packets: [AccountingPacket], at minutes: Int64) async throws {
        try await bench.ship(packets)
        try await settle(at: minutes)
    }

    /// `used/limit action profile` of alice; `none` where she has no quota.
    func state() async throws -> String { try await state(of: alice) }

    func state(of subscriber: Int64) async throws -> String {
        try await bench.texts(
            """
            SELECT coalesce((SELECT used_octets || '/' || limit_octets || ' ' || action || coalesce(' ' || p.name, '')
                FROM aaa.quota_state_list s LEFT JOIN aaa.profile p ON p.id = s.profile_id
                WHERE s.subscriber_id = \(subscriber)), 'none')
            """)[0]
    }

    /// `left of whole`, both with the margin, as NASes are told of alice's quota; `nothing` where they are told nothing.
    func told() async throws -> String {
        try await bench.texts(
            """
            SELECT coalesce((SELECT format('%s of %s', nas_limit - nas_taken, nas_limit) FROM aaa.quota_state
                WHERE subscriber_id = \(alice) AND nas_limit IS NOT NULL), 'nothing')
            """)[0]
    }

    /// What they are told behind the end of that, and when this ends, in UTC.
    func later() async throws -> String {
        try await bench.texts(
            "SELECT nas_later || ' until ' || aaa.rfc3339(nas_later_until) FROM aaa.quota_state WHERE subscriber_id = \(alice)")[0]
    }

    /// Whose running sessions are to be looked at: `limit` where it is about no more than that, else `all`.
    func requests() async throws -> [String] {
        try await bench.texts(
            "SELECT CASE WHEN is_of_limit THEN 'limit' ELSE 'all' END FROM aaa.reauthorization ORDER BY subscriber_id, is_of_limit")
    }

    /// `action percent` in order.
    func events() async throws -> [String] {
        try await bench.texts("SELECT concat_ws(' ', action, percent) FROM aaa.quota_event ORDER BY id")
    }

    func locks() async throws -> [String] { try await bench.texts("SELECT reason || ' ' || level FROM aaa.access_lock ORDER BY 1") }

    func topUp(_ octets: Int64, expires minutes: Int64? = nil) async throws {
        let end = minutes.map { "to_timestamp(\(Self.instant($0)))" } ?? "NULL"
        try await bench.execute(
            """
            INSERT INTO aaa.quota_top_up (tenant_id, subscriber_id, octets, expires_at)
            VALUES (\(bench.tenant), \(alice), \(octets), \(end))
            """)
    }

    /// What is left of each top-up, in the order in which they were bought.
    func left() async throws -> [String] { try await bench.texts("SELECT octets - used_octets FROM aaa.quota_top_up ORDER BY id") }
}
