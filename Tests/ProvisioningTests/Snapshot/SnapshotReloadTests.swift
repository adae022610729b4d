import Database
import Glibc
import Provisioning
import RadiusCore
import Support
import Testing

/// Everything is read anew while changes go on.
@Suite struct SnapshotReloadTests {
    /// Holds every full load of the desk's database up, half way, until `release` is opened: only a load reads all access policies.
    /// Where `body` kills the server, the lock's transaction dies with it.
    private static func holdingLoads(
        _ desk: SnapshotDesk, losesServer: Bool = false, _ body: (_ release: Gate) async throws -> Void
    ) async throws {
        let (held, release) = (Gate(), Gate())
        let holder = Task {
            try await desk.pool.transaction(.system) { connection in
                try connection.execute("LOCK TABLE aaa.access_policy IN ACCESS EXCLUSIVE MODE")
                held.open()
                try release.pass()
            }
        }
        try await eventually { held.isOpen }
        do {
            try await body(release)
        } catch {
            release.open()
            throw error
        }
        release.open()
        do { try await holder.value } catch { if !losesServer { throw error } }
    }

    /// Backends that wait for the lock; all test databases are copies, with the same numbers for their tables.
    private static let held = """
        FROM pg_locks WHERE NOT granted AND relation = 'aaa.access_policy'::regclass
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """

    /// Whether a load waits for the lock.
    private static func isHeld(_ desk: SnapshotDesk) async throws -> Bool {
        try await desk.sql("SELECT count(*) " + held) == 1
    }

    private static func beginReload(_ desk: SnapshotDesk) async throws {
        desk.feed.reload(dictionary: try SnapshotDesk.dictionary.get())
        try await eventually { try await isHeld(desk) }
    }

    @Test func changesComeIntoForceDuringALoadAndStayInForceBehindIt() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            let alice = try await desk.subscriber("alice", profile: profile)
            let carol = try await desk.subscriber("carol", profile: profile)
            try await desk.follow()
            try await Self.holdingLoads(desk) { release in
                try await Self.beginReload(desk)
                // The load sees none of this.
                try await desk.subscriber("bob", profile: profile)
                try await desk.lock(alice, "overdue", "suspended")
                try await desk.sql("UPDATE aaa.subscriber SET username = 'caroline' WHERE id = $1", [.int(carol)])
                try await desk.sql("UPDATE aaa.profile SET download = 80000000 WHERE id = $1", [.int(profile)])
                try await desk.nas("core2", address: "192.0.2.8/32")
                func isChanged() -> Bool {
                    desk.explain("bob")?.profile?.rate.downloadBitsPerSecond == 80_000_000 && desk.explain("alice")?.reason == .locked
                        && desk.explain("carol") == nil && desk.explain("caroline")?.isAccepted == true
                        && desk.explain("bob", nas: "core2")?.isAccepted == true
                }
                try await eventually { isChanged() }
                #expect(await desk.feed.waitForFullLook())
                #expect(desk.feed.state.isLoading && desk.feed.state.loads == 1 && desk.feed.state.lastError == nil)
                release.open()
                try await eventually {
                    #expect(isChanged())
                    return desk.feed.state.loads == 2
                }
                #expect(isChanged() && !desk.feed.state.isLoading)
            }
            try await desk.unlock(alice, "overdue")
            try await eventually { desk.explain("alice")?.isAccepted == true }
            #expect(desk.feed.state.loads == 2)
        }
    }

    /// What a NAS was seen to do at a client that only the changes had brought is known to the load's client, too.
    @Test func whatIsLearnedDuringALoadIsKept() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            try await desk.follow()
            try await Self.holdingLoads(desk) { release in
                try await Self.beginReload(desk)
                try await desk.nas("core2", address: "192.0.2.8/32")
                let address = try #require(IPAddress(text: "192.0.2.8"))
                try await eventually { desk.feed.store.snapshot.clients.find(address) != nil }
                let before = try #require(desk.feed.store.snapshot.clients.find(address)).observation
                release.open()
                try await eventually { desk.feed.state.loads == 2 }
                #expect(desk.feed.store.snapshot.clients.find(address)?.observation === before)
            }
        }
    }

    @Test func aLoadThatBreaksOffIsRepeatedWhileChangesAreFollowed() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            try await desk.follow()
            try await Self.holdingLoads(desk) { release in
                try await Self.beginReload(desk)
                _ = try await desk.pool.run { try $0.queryOne("SELECT pg_terminate_backend(pid) " + Self.held)?.bool(0) }
                try await eventually { desk.feed.state.loadError?.contains("terminat") == true }
                #expect(desk.feed.state.isConnected && desk.feed.state.isLoaded && desk.feed.state.lastError == nil)
                try await desk.subscriber("bob", profile: profile)
                try await eventually { desk.explain("bob") != nil }
                try await eventually { try await Self.isHeld(desk) }
                #expect(desk.feed.state.loads == 1)
                release.open()
                try await eventually { desk.feed.state.loads == 2 && desk.feed.state.loadError == nil }
                #expect(desk.explain("bob") != nil)
            }
        }
    }

    /// More than is read one by one: the load that is under way takes it over.
    @Test func aFloodOfChangesDuringALoadNeedsNoOther() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            try await desk.follow()
            try await Self.holdingLoads(desk) { release in
                try await Self.beginReload(desk)
                try await desk.sql(
                    """
                    INSERT INTO aaa.subscriber (tenant_id, username, profile_id)
                    SELECT $1, 'user' || n, $2 FROM generate_series(1, 50001) n
                    """, [.int(desk.tenant), .int(profile)])
                // It looks once a second at the latest, and has stopped following when it does not any more.
                try await eventually { desk.feed.state.behindSeconds > 3 }
                #expect(desk.feed.state.isLoading)
                release.open()
                try await eventually { desk.feed.state.loads == 2 }
                #expect(desk.feed.store.snapshot.subscribers.count == 50_001)
                #expect(await desk.feed.waitForFullLook())
                #expect(desk.feed.state.loads == 2 && !desk.feed.state.isLoading)
            }
        }
    }

    @Test func aReloadThatIsAskedForDuringALoadFollowsItWithItsOwnDictionary() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            try await desk.follow()
            try await Self.holdingLoads(desk) { release in
                try await Self.beginReload(desk)
                let other = try SnapshotDesk.anotherDictionary()
                desk.feed.reload(dictionary: other)
                #expect(await desk.feed.waitForFullLook())
                release.open()
                try await eventually { desk.feed.state.loads == 3 }
                #expect(desk.feed.store.snapshot.dictionary === other)
                #expect(await desk.feed.waitForFullLook())
                #expect(desk.feed.state.loads == 3)
            }
        }
    }

    @Test func theFeedEndsThoughALoadWaitsForALock() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            try await desk.follow()
            try await Self.holdingLoads(desk) { _ in
                try await Self.beginReload(desk)
                try await SnapshotDesk.end(desk.feed)
                #expect(desk.feed.state.loads == 1)
            }
        }
    }

    /// The server is killed while a load is under way: the load is repeated, or taken up if it had read everything.
    @Test func aServerThatIsKilledDuringALoadIsReadAgain() async throws {
        try await OwnServer.withDesk { desk, cluster in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            try await desk.subscriber("alice", profile: profile)
            try await desk.follow()
            let postmaster = try #require(cluster.postmaster)
            try await Self.holdingLoads(desk, losesServer: true) { _ in
                try await Self.beginReload(desk)
                kill(postmaster, SIGKILL)
                try await eventually { cluster.restarts >= 1 && cluster.postmaster != nil }
            }
            #expect(desk.explain("alice") != nil)
            try await eventually { (try? await desk.subscriber("bob", profile: profile)) != nil }
            try await eventually { desk.explain("bob") != nil && desk.feed.state.loads == 2 }
            #expect(desk.explain("alice") != nil && desk.feed.state.loadError == nil)
        }
    }
}
