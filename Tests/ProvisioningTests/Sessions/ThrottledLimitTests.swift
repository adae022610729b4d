import Database
import RadiusCore
import Support
import Testing

@testable import Provisioning

@Suite struct ThrottledLimitTests {
    /// A quota changes the profile that is answered, and leaves the limit to the subscriber's own.
    @Test func aThrottleLeavesTheLimitAlone() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            let (home, slow) = (try await desk.profile("home50"), try await desk.profile("slow"))
            let alice = try await desk.subscriber("alice", profile: home)
            try await desk.sql("UPDATE aaa.profile SET session_limit = 2 WHERE id = $1", [.int(home)])
            let quota = try await desk.sql(
                "INSERT INTO aaa.quota (tenant_id, name, octets, period) VALUES ($1, 'fair', 1000, 'month') RETURNING id",
                [.int(desk.tenant)])
            try await desk.sql(
                """
                INSERT INTO aaa.quota_state (subscriber_id, tenant_id, quota_id, quota_version, first_day, end_day, window_start, window_end,
                    limit_octets, action, profile_id, due_at)
                VALUES ($1, $2, $3, 1, '2026-03-01', '2026-04-01', '2026-03-01', '2026-04-01', 1000, 'throttle', $4, '2026-04-01')
                """, [.int(alice), .int(desk.tenant), .int(quota), .int(slow)])
            try await desk.follow()
            #expect(desk.explain("alice")?.profile?.name == "slow")
            #expect(desk.explain("alice")?.sessions?.limit == SessionLimit(count: 2, replaces: false))
            // Nobody counts here, so it does not say 0.
            #expect(desk.explain("alice")?.sessions?.places == nil)
            // The subscriber is not compiled again for a change of its profile.
            try await desk.sql("UPDATE aaa.profile SET session_limit = 3, on_session_limit = 'replace' WHERE id = $1", [.int(home)])
            try await eventually { desk.explain("alice")?.sessions?.limit == SessionLimit(count: 3, replaces: true) }
            try await desk.sql("UPDATE aaa.profile SET session_limit = NULL WHERE id = $1", [.int(home)])
            try await desk.sql("UPDATE aaa.profile SET session_limit = 1 WHERE id = $1", [.int(slow)])
            try await eventually { desk.explain("alice")?.sessions == nil }
        }
    }
}
