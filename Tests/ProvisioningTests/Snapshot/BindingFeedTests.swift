import Database
import Provisioning
import RadiusCore
import Support
import Testing

@Suite struct BindingFeedTests {
    private static func explain(_ desk: SnapshotDesk, station: String) throws -> Explanation? {
        let snapshot = desk.feed.store.snapshot
        let request = try PolicyRequest(
            userName: "alice", attributes: [AttributeText(name: "Calling-Station-Id", value: station)], dictionary: snapshot.dictionary,
            method: .eapTLS, seconds: 1_769_862_896)
        return snapshot.clients.find(tenant: desk.tenant, name: "core1").flatMap {
            Explanation(userName: "alice", tenant: desk.tenant, client: $0, in: snapshot, request: request)
        }
    }

    @Test func aBindingComesChangesAndGoes() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            let alice = try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            try await desk.follow()
            #expect(try Self.explain(desk, station: "x")?.reason == .accepted)
            try await desk.sql(
                "UPDATE aaa.subscriber SET mac_binding = 'enforce', macs = '{005300123456,0053.0012.3457}' WHERE id = $1", [.int(alice)])
            try await eventually { try Self.explain(desk, station: "x")?.reason == .macMissing }
            #expect(try Self.explain(desk, station: "00:53:00:12:34:57")?.reason == .accepted)
            #expect(try Self.explain(desk, station: "00:53:00:12:34:58")?.reason == .macNotBound)
            // Read as a whole it is the same.
            let other = try SnapshotDesk.anotherFeed(desk.configuration, desk.secrets)
            try await SnapshotDesk.start(other)
            #expect(other.store.snapshot.subscribers.count == 1)
            try await SnapshotDesk.end(other)
            try await desk.sql("UPDATE aaa.subscriber SET mac_binding = 'log' WHERE id = $1", [.int(alice)])
            try await eventually { try Self.explain(desk, station: "x")?.reason == .accepted }
            #expect(try Self.explain(desk, station: "x")?.bindings.map(\.result) == [.absent])
            try await desk.sql("UPDATE aaa.subscriber SET mac_binding = 'ignore' WHERE id = $1", [.int(alice)])
            try await eventually { try Self.explain(desk, station: "x")?.bindings.isEmpty == true }
        }
    }

    @Test func aValueThatCannotBeReadIsAProblemAndNobodysStation() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            let alice = try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            try await desk.sql("UPDATE aaa.subscriber SET mac_binding = 'enforce', macs = '{nonsense}' WHERE id = $1", [.int(alice)])
            try await desk.follow()
            #expect(try Self.explain(desk, station: "00:53:00:12:34:58")?.reason == .macNotBound)
            #expect(desk.feed.state.problems.contains { $0.contains("nonsense") })
        }
    }

    @Test func whoeverWouldBeHeldToNothingIsNotStored() async throws {
        try await SnapshotDesk.with { desk in
            let alice = try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            for change in ["mac_binding = 'enforce'", "line_binding = 'log'", "mac_binding = 'maybe'"] {
                await #expect(throws: DatabaseError.self) {
                    try await desk.sql("UPDATE aaa.subscriber SET \(change) WHERE id = $1", [.int(alice)])
                }
            }
            try await desk.sql(
                "UPDATE aaa.subscriber SET mac_binding = 'enforce', line_binding = 'log', bind_on_first_use = true WHERE id = $1",
                [.int(alice)])
        }
    }
}
