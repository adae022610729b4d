import Database
import RadiusCore
import Support
import Testing

@testable import Provisioning

/// How what is left of quotas comes into the memory of a node.
@Suite struct QuotaFeedTests {
    /// Gives the subscriber a quota of 4 GiB, with a margin of as much again, of which half is used.
    private static func state(_ desk: SnapshotDesk, _ subscriber: Int64, due: String) async throws {
        let quota = try await desk.sql(
            """
            INSERT INTO aaa.quota (tenant_id, name, octets, nas_limits, nas_margin_percent) VALUES ($1, 'fair', 4294967296, true, 100)
            RETURNING id
            """, [.int(desk.tenant)])
        try await desk.sql(
            "INSERT INTO aaa.quota_threshold (tenant_id, quota_id, percent, action) VALUES ($1, $2, 100, 'block')",
            [.int(desk.tenant), .int(quota)])
        try await desk.sql(
            """
            INSERT INTO aaa.quota_state (subscriber_id, tenant_id, quota_id, quota_version, first_day, end_day, window_start, window_end,
                used_octets, limit_octets, due_at)
            VALUES ($1, $2, $3, 1, '2026-03-01', '2100-01-01', '2026-03-01', '2100-01-01', 2147483648, 4294967296, $4::text::timestamptz)
            """, [.int(subscriber), .int(desk.tenant), .int(quota), .text(due)])
        try await settle(desk)
    }

    /// Works out anew what is left, when `changes` have been made.
    private static func settle(_ desk: SnapshotDesk, _ changes: String = "") async throws {
        try await desk.sql("UPDATE aaa.quota_state SET \(changes)next_octets = 0")
    }

    /// Mikrotik-Total-Limit and its gigawords.
    private static func told(_ desk: SnapshotDesk) -> [String?] {
        let explanation = desk.explain("alice")
        return [explanation?.value("Mikrotik-Total-Limit"), explanation?.value("Mikrotik-Total-Limit-Gigawords")]
    }

    /// Session-Timeout at a NAS that knows no limit of octets.
    private static func seconds(_ desk: SnapshotDesk) -> Int? {
        desk.explain("alice", nas: "core2")?.value("Session-Timeout").flatMap { Int($0) }
    }

    @Test func loadAndChangesBringWhatIsLeft() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            let alice = try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            try await Self.state(desk, alice, due: "2100-01-01")
            try await desk.follow()
            #expect(Self.told(desk) == ["0", "1"])
            try await Self.settle(desk, "used_octets = 0, ")
            try await eventually { Self.told(desk) == ["2147483648", "1"] }
            // What was lowered below the use is never 0, which is no limit.
            try await Self.settle(desk, "used_octets = 17179869184, ")
            try await eventually { Self.told(desk) == ["1", "0"] }
            try await desk.sql("UPDATE aaa.quota SET direction = 'upload'")
            try await Self.settle(desk)
            try await eventually { desk.explain("alice")?.value("Mikrotik-Recv-Limit") == "1" && Self.told(desk) == [nil, nil] }
            try await desk.sql("DELETE FROM aaa.quota_state")
            try await eventually { desk.explain("alice")?.value("Mikrotik-Recv-Limit") == nil }
        }
    }

    /// With the database away over a window's end, what is left in the next is told, and the end of that.
    @Test func behindItsEndAFigureIsThatOfTheNextWindow() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            try await desk.nas("core2", address: "192.0.2.8/32", vendor: "cisco")
            let alice = try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            try await Self.state(desk, alice, due: "2020-03-05")
            try await desk.follow()
            // A top-up has ended: what its end leaves, nobody has said.
            #expect(Self.told(desk) == ["0", "1"])
            #expect(desk.explain("alice")?.value("Session-Timeout") == nil)
            #expect((Self.seconds(desk) ?? 0) > 86_400)
            // The window has ended today, and the next one will in a month.
            try await Self.settle(desk, "end_day = now()::date, window_end = now()::date, due_at = now()::date, ")
            try await eventually { Self.told(desk) == ["0", "2"] }
            #expect((1...32 * 86_400).contains(Self.seconds(desk) ?? 0))
            #expect(desk.explain("alice")?.value("Session-Timeout") == nil)
            // The next one has ended as well.
            try await Self.settle(desk, "end_day = '2020-03-01', window_end = '2020-03-01', due_at = '2020-03-01', ")
            try await eventually { Self.seconds(desk) == nil }
            #expect(Self.told(desk) == ["0", "2"])
            // A top-up that ends later than now.
            try await Self.settle(
                desk, "end_day = '2100-01-01', window_end = '2100-01-01', due_at = clock_timestamp() + interval '1 hour', ")
            try await eventually { Self.told(desk) == ["0", "1"] }
            let left = try #require(desk.explain("alice")?.value("Session-Timeout").flatMap { Int($0) })
            #expect((1...3600).contains(left))
        }
    }
}
