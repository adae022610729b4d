import Database
import RadiusCore
import Support
import Testing

@testable import Provisioning

/// How what is left of quotas comes into the memory of a node.
@Suite struct QuotaFeedTests {
    private static func state(_ desk: SnapshotDesk, _ subscriber: Int64, until: String = "2100-01-01") async throws {
        let quota = try await desk.sql(
            "INSERT INTO aaa.quota (tenant_id, name, octets) VALUES ($1, 'fair', 1000) RETURNING id", [.int(desk.tenant)])
        try await desk.sql(
            """
            INSERT INTO aaa.quota_state (subscriber_id, tenant_id, quota_id, quota_version, first_day, end_day, window_start, window_end,
                limit_octets, due_at, nas_limit, nas_taken, nas_until, nas_direction)
            VALUES ($1, $2, $3, 1, '2026-03-01', '2100-01-01', '2026-03-01', '2100-01-01', 1000, '2100-01-01', 5000000000, 705032704,
                $4::text::timestamptz, 'both')
            """, [.int(subscriber), .int(desk.tenant), .int(quota), .text(until)])
    }

    /// Mikrotik-Total-Limit and its gigawords.
    private static func told(_ desk: SnapshotDesk) -> [String?] {
        let explanation = desk.explain("alice")
        return [explanation?.value("Mikrotik-Total-Limit"), explanation?.value("Mikrotik-Total-Limit-Gigawords")]
    }

    @Test func loadAndChangesBringWhatIsLeft() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            let alice = try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            try await Self.state(desk, alice)
            try await desk.follow()
            #expect(Self.told(desk) == ["0", "1"])
            try await desk.sql("UPDATE aaa.quota_state SET nas_taken = 705032703")
            try await eventually { Self.told(desk) == ["1", "1"] }
            // What was lowered below the use is never 0, which is no limit.
            try await desk.sql("UPDATE aaa.quota_state SET nas_taken = 5000000001")
            try await eventually { Self.told(desk) == ["1", "0"] }
            try await desk.sql("UPDATE aaa.quota_state SET nas_direction = 'upload'")
            try await eventually { desk.explain("alice")?.value("Mikrotik-Recv-Limit") == "1" && Self.told(desk) == [nil, nil] }
            try await desk.sql("DELETE FROM aaa.quota_state")
            try await eventually { desk.explain("alice")?.value("Mikrotik-Recv-Limit") == nil }
        }
    }

    /// With the database away over a window's end the whole of the next is told; what the end of a top-up leaves, nobody can say.
    @Test func behindItsEndAFigureIsThatOfTheNextWindow() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            let alice = try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            try await Self.state(desk, alice, until: "2026-03-05")
            try await desk.follow()
            #expect(Self.told(desk) == ["0", "1"])
            #expect(desk.explain("alice")?.value("Session-Timeout") == nil)
            try await desk.sql("UPDATE aaa.quota_state SET window_end = nas_until, nas_taken = 705032705")
            try await eventually { Self.told(desk) == ["705032704", "1"] }
            // A top-up that ends later than now.
            try await desk.sql("UPDATE aaa.quota_state SET window_end = '2100-01-01', nas_until = clock_timestamp() + interval '1 hour'")
            try await eventually { Self.told(desk) == ["4294967295", "0"] }
            let left = try #require(desk.explain("alice")?.value("Session-Timeout").flatMap { Int($0) })
            #expect((1...3600).contains(left))
        }
    }
}
