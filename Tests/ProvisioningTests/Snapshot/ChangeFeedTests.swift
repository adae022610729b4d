import Database
import Provisioning
import RadiusCore
import Support
import Testing

/// Transactions that end late, not at all, or in another order than they began.
@Suite struct ChangeFeedTests {
    private struct Refusal: Error {}

    private static let insertion = "INSERT INTO aaa.subscriber (tenant_id, username, profile_id) VALUES ($1, $2, $3)"

    @Test func aTransactionThatCommitsLateIsNotMissed() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            try await desk.follow()
            let (written, release) = (Gate(), Gate())
            let early = Task {
                try await desk.pool.transaction(.system) { connection in
                    try connection.execute(Self.insertion, [.int(desk.tenant), "early", .int(profile)])
                    written.open()
                    try release.pass()
                }
            }
            try await eventually { written.isOpen }
            for name in ["late", "later"] {
                try await desk.subscriber(name, profile: profile)
                try await eventually { desk.explain(name) != nil }
            }
            #expect(desk.explain("early") == nil)
            release.open()
            try await early.value
            try await eventually { desk.explain("early") != nil }
            // Rows behind the open transaction were read several times and taken once.
            #expect(desk.feed.state.changes == 3)
        }
    }

    @Test func whatIsRolledBackChangesNothing() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            let alice = try await desk.subscriber("alice", profile: profile)
            try await desk.follow()
            #expect(await desk.feed.waitForFullLook())
            let looks = desk.feed.looks
            await #expect(throws: Refusal.self) {
                try await desk.pool.transaction(.system) { connection in
                    try connection.execute("UPDATE aaa.subscriber SET username = 'mallory' WHERE id = $1", [.int(alice)])
                    try connection.execute(Self.insertion, [.int(desk.tenant), "ghost", .int(profile)])
                    throw Refusal()
                }
            }
            #expect(await desk.feed.waitForFullLook())
            #expect(desk.feed.looks == looks)
            #expect(desk.explain("alice") != nil && desk.explain("mallory") == nil && desk.explain("ghost") == nil)
        }
    }

    /// Bob's transaction is older than the rename that gave him the name; a load in between sees both, and a third is still open.
    @Test func aNameThatChangedHandsBeforeTheLoadStaysWithItsNewOwner() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            let first = try await desk.subscriber("alice", profile: profile, password: "first")
            let sealed = try desk.seal("second")
            let (oldest, renamed, open, release) = (Gate(), Gate(), Gate(), Gate())
            let taker = Task {
                try await desk.pool.transaction(.system) { connection in
                    try connection.query("SELECT pg_current_xact_id()::text") { _ in }
                    oldest.open()
                    try renamed.pass()
                    try connection.execute(
                        "INSERT INTO aaa.subscriber (tenant_id, username, profile_id, password) VALUES ($1, 'alice', $2, $3)",
                        [.int(desk.tenant), .int(profile), .bytes(sealed)])
                }
            }
            try await eventually { oldest.isOpen }
            let holder = Task {
                try await desk.pool.transaction(.system) { connection in
                    try connection.query("SELECT pg_current_xact_id()::text") { _ in }
                    open.open()
                    try release.pass()
                }
            }
            try await eventually { open.isOpen }
            try await desk.sql("UPDATE aaa.subscriber SET username = 'alicia' WHERE id = $1", [.int(first)])
            renamed.open()
            try await taker.value
            try await desk.follow()
            #expect(desk.credential("alice") == "second")
            #expect(await desk.feed.waitForFullLook())
            #expect(desk.credential("alice") == "second")
            #expect(desk.credential("alicia") == "first")
            release.open()
            try await holder.value
        }
    }

    @Test func aKilledConnectionCatchesUp() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            try await desk.follow()
            for round in 0..<3 {
                // One that was killed before may not be back yet.
                try await eventually {
                    let killed = try await desk.pool.run {
                        try $0.queryOne(
                            """
                            SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
                            WHERE datname = current_database() AND application_name = 'feed'
                            """)?.int64(0) ?? 0
                    }
                    return killed >= 1
                }
                try await desk.subscriber("user\(round)", profile: profile)
                try await eventually { desk.explain("user\(round)") != nil }
            }
            #expect(desk.feed.state.loads == 1)
            // The change may be read before the last kill is noticed.
            try await eventually { desk.feed.state.isConnected }
        }
    }

    @Test func anotherDictionaryIsTakenUp() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            try await desk.follow()
            let before = desk.feed.looks
            desk.feed.reload(dictionary: try SnapshotDesk.dictionary.get())
            try await eventually { desk.feed.state.loads == 2 }
            #expect(desk.feed.looks == before + 1)
            #expect(desk.explain("alice")?.isAccepted == true)
        }
    }

    @Test func twoFeedsSeeTheSame() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            try await desk.follow()
            let other = try SnapshotDesk.anotherFeed(desk.configuration, desk.secrets)
            try await SnapshotDesk.start(other)
            try await desk.subscriber("alice", profile: profile)
            try await eventually { desk.explain("alice") != nil && other.store.snapshot.subscribers.count == 1 }
            try await SnapshotDesk.end(other)
        }
    }
}
