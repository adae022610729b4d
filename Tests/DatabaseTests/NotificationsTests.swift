import Database
import Logging
import Support
import Synchronization
import Testing

@Suite struct NotificationsTests {
    private final class Heard: Sendable {
        let payloads = Mutex<[String]>([])
        let connections = Atomic(0)
    }

    private func listen(_ configuration: DatabaseConfiguration, _ heard: Heard) throws -> Notifications {
        try Notifications(
            configuration: configuration, channels: ["Change \"x\""], logger: Logger(label: "tests"),
            onReconnect: { heard.connections.add(1, ordering: .relaxed) },
            onNotification: { notification in heard.payloads.withLock { $0.append("\(notification.channel)=\(notification.payload)") } })
    }

    private func notify(_ configuration: DatabaseConfiguration, _ payload: String) async throws {
        try await withConnection(configuration) { _ = try $0.execute("SELECT pg_notify('Change \"x\"', $1)", [.text(payload)]) }
    }

    @Test func hearsWhatIsSentAndReturnsAfterALoss() async throws {
        let configuration = try await PostgresFixture.freshDatabase(migrated: false)
        let heard = Heard()
        let notifications = try listen(configuration, heard)
        try await eventually { heard.connections.load(ordering: .relaxed) == 1 }
        try await notify(configuration, "first")
        try await eventually { heard.payloads.withLock { $0.count } == 1 }

        let ended = try await withConnection(try await PostgresFixture.superuser()) { connection in
            try connection.queryAll(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = $1",
                [.text(String(configuration.conninfo.split(separator: "=").last ?? ""))]
            ) { try $0.bool(0) }
        }
        #expect(ended == [true])
        try await eventually { heard.connections.load(ordering: .relaxed) == 2 }
        try await notify(configuration, "second")
        try await eventually { heard.payloads.withLock { $0.count } == 2 }
        #expect(heard.payloads.withLock { $0 } == [#"Change "x"=first"#, #"Change "x"=second"#])
        notifications.stop()
    }

    @Test func stopsWhileNoServerAnswers() async throws {
        let heard = Heard()
        let notifications = try listen(DatabaseConfiguration(conninfo: "host=/nonexistent"), heard)
        notifications.stop()
        #expect(heard.connections.load(ordering: .relaxed) == 0)
    }
}
