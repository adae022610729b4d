import Database
import Provisioning
import RadiusCore
import Support
import Testing

@Suite struct SnapshotFeedTests {
    @Test func subscribersComeChangeAndGo() async throws {
        try await SnapshotDesk.with { desk in
            let (home, slow) = (try await desk.profile("home50"), try await desk.profile("slow", download: 8_000_000))
            try await desk.nas()
            try await desk.follow()
            let alice = try await desk.subscriber("alice", profile: home)
            try await eventually { desk.explain("alice")?.profile?.name == "home50" }
            try await desk.sql("UPDATE aaa.subscriber SET profile_id = $2 WHERE id = $1", [.int(alice), .int(slow)])
            try await eventually { desk.explain("alice")?.profile?.name == "slow" }
            try await desk.sql("UPDATE aaa.subscriber SET password = $2 WHERE id = $1", [.int(alice), .bytes(try desk.seal("other"))])
            try await eventually { desk.credential("alice") == "other" }
            try await desk.sql("UPDATE aaa.subscriber SET username = 'alicia' WHERE id = $1", [.int(alice)])
            try await eventually { desk.explain("alicia") != nil && desk.explain("alice") == nil }
            try await desk.sql("DELETE FROM aaa.subscriber WHERE id = $1", [.int(alice)])
            try await eventually { desk.explain("alicia") == nil }
            #expect(desk.feed.state.loads == 1)
            #expect(desk.feed.state.changes >= 5)
        }
    }

    @Test func locksComeAndGo() async throws {
        try await SnapshotDesk.with { desk in
            let alice = try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            try await desk.nas()
            try await desk.follow()
            try await desk.lock(alice, "overdue", "suspended")
            try await eventually { desk.explain("alice")?.reason == .locked }
            try await desk.sql("UPDATE aaa.access_lock SET level = 'captive' WHERE subscriber_id = $1", [.int(alice)])
            try await eventually { desk.explain("alice")?.reason == .noWalledGarden }
            try await desk.lock(alice, "fraud", "suspended")
            try await eventually { desk.explain("alice")?.locks.count == 2 }
            try await desk.unlock(alice, "overdue")
            try await eventually { desk.explain("alice")?.locks.map(\.reason) == [.fraud] }
            try await desk.unlock(alice, "fraud")
            try await eventually { desk.explain("alice")?.reason == .accepted }
        }
    }

    @Test func macAuthenticationComesAndGoes() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            let profile = try await desk.profile("home50")
            let station = try await desk.sql(
                "INSERT INTO aaa.subscriber (tenant_id, username, profile_id, mac_authentication) VALUES ($1, '00:53:00:ab:34:56', $2, true) RETURNING id",
                [.int(desk.tenant), .int(profile)])
            try await desk.follow()
            #expect(desk.explain("00:53:00:ab:34:56")?.methods == [.pap, .chap])
            try await desk.sql("UPDATE aaa.subscriber SET mac_authentication = false WHERE id = $1", [.int(station)])
            try await eventually { desk.explain("00:53:00:ab:34:56")?.methods == [] }
            await #expect(throws: DatabaseError.self) {
                try await desk.sql("UPDATE aaa.subscriber SET mac_authentication = true, username = 'alice' WHERE id = $1", [.int(station)])
            }
        }
    }

    @Test func expiryComesAndGoes() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            let alice = try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            try await desk.follow()
            try await desk.sql("UPDATE aaa.subscriber SET expires_at = '2020-01-01T00:00:00Z' WHERE id = $1", [.int(alice)])
            try await eventually { desk.explain("alice")?.reason == .expired }
            try await desk.sql("UPDATE aaa.subscriber SET expires_at = 'infinity', validity = 3600 WHERE id = $1", [.int(alice)])
            try await eventually { desk.explain("alice")?.value("Session-Timeout") == "3600" }
            try await desk.sql(
                "UPDATE aaa.subscriber SET activated_at = now(), expires_at = now() + interval '1 day' WHERE id = $1", [.int(alice)])
            try await eventually { desk.explain("alice")?.value("Session-Timeout").flatMap { Int($0) }.map { $0 > 80_000 } == true }
        }
    }

    @Test func profilesAndPoliciesChange() async throws {
        try await SnapshotDesk.with { desk in
            let (home, other) = (try await desk.profile("home50"), try await desk.profile("home80"))
            try await desk.nas()
            let alice = try await desk.subscriber("alice", profile: home)
            try await desk.follow()
            try await desk.sql("UPDATE aaa.profile SET download = 80000000, name = 'home80b' WHERE id = $1", [.int(home)])
            try await eventually { desk.explain("alice")?.value("Mikrotik-Rate-Limit") == "10M/80M" }
            #expect(desk.explain("alice")?.profile?.name == "home80b")
            try await desk.sql("INSERT INTO aaa.access_policy (tenant_id, interim_interval) VALUES ($1, 120)", [.int(desk.tenant)])
            try await eventually { desk.explain("alice")?.value("Acct-Interim-Interval") == "120" }
            try await desk.sql("DELETE FROM aaa.access_policy")
            try await eventually { desk.explain("alice")?.value("Acct-Interim-Interval") == "600" }
            try await desk.sql("UPDATE aaa.subscriber SET profile_id = NULL WHERE id = $1", [.int(alice)])
            try await desk.sql("DELETE FROM aaa.profile WHERE id IN ($1, $2)", [.int(home), .int(other)])
            try await eventually { desk.feed.store.snapshot.profiles.isEmpty }
            #expect(desk.explain("alice")?.reason == .profileMissing)
        }
    }

    @Test func clientsComeChangeVanishAndReturn() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.follow()
            func client(_ text: String) -> NASClient? { IPAddress(text: text).flatMap { desk.feed.store.snapshot.clients.find($0) } }
            let id = try await desk.nas()
            try await eventually { client("192.0.2.7")?.vendor == .mikrotik }
            try await desk.sql("UPDATE aaa.nas SET vendor = 'juniper', name = 'edge' WHERE id = $1", [.int(id)])
            try await eventually { client("192.0.2.7")?.vendor == .juniper && client("192.0.2.7")?.name == "edge" }
            try await desk.sql("UPDATE aaa.nas SET address = '192.0.2.9' WHERE id = $1", [.int(id)])
            try await eventually { client("192.0.2.9") != nil && client("192.0.2.7") == nil }
            try await desk.sql("UPDATE aaa.nas SET enabled = false WHERE id = $1", [.int(id)])
            try await eventually { client("192.0.2.9") == nil }
            try await desk.sql("UPDATE aaa.nas SET enabled = true WHERE id = $1", [.int(id)])
            try await eventually { client("192.0.2.9") != nil }
            try await desk.sql("DELETE FROM aaa.nas WHERE id = $1", [.int(id)])
            try await eventually { client("192.0.2.9") == nil }
        }
    }

    @Test func clientsOfOneAddressAreToldApart() async throws {
        try await SnapshotDesk.with { desk in
            func find(_ identifier: String) -> String? {
                IPAddress(text: "192.0.2.7").flatMap { desk.feed.store.snapshot.clients.find($0, identifier: identifier)?.name }
            }
            try await desk.nas()
            let second = try await desk.nas("core2", address: "192.0.2.8/32")
            try await desk.follow()
            await #expect(throws: DatabaseError.self) {
                try await desk.sql("UPDATE aaa.nas SET address = '192.0.2.7/32' WHERE id = $1", [.int(second)])
            }
            try await desk.sql("UPDATE aaa.nas SET address = '192.0.2.7/32', nas_identifier = 'ap-2' WHERE id = $1", [.int(second)])
            try await eventually { find("ap-2") == "core2" }
            #expect(find("") == "core1" && find("ap-3") == "core1")
        }
    }

    @Test(arguments: [false, true]) func aRenameFreesTheNameForAnother(inOneTransaction: Bool) async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            let first = try await desk.subscriber("alice", profile: profile, password: "first")
            let second = try await desk.subscriber("bob", profile: profile, password: "second")
            try await desk.follow()
            let steps = [("alice-old", first), ("alice", second)]
            if inOneTransaction {
                try await desk.pool.transaction(.system) { connection in
                    for (name, id) in steps {
                        try connection.execute("UPDATE aaa.subscriber SET username = $2 WHERE id = $1", [.int(id), .text(name)])
                    }
                }
            } else {
                for (name, id) in steps {
                    try await desk.sql("UPDATE aaa.subscriber SET username = $2 WHERE id = $1", [.int(id), .text(name)])
                }
            }
            try await eventually { desk.credential("alice") == "second" && desk.credential("alice-old") == "first" }
            #expect(desk.credential("bob") == nil)
        }
    }

    @Test func aNameGivenUpTwiceInOneTransactionIsFree() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            let id = try await desk.subscriber("a", profile: profile, password: "first")
            try await desk.follow()
            let sealed = try desk.seal("second")
            try await desk.pool.transaction(.system) { connection in
                for name in ["b", "c"] {
                    try connection.execute("UPDATE aaa.subscriber SET username = $2 WHERE id = $1", [.int(id), .text(name)])
                }
                try connection.execute(
                    """
                    INSERT INTO aaa.subscriber (tenant_id, username, profile_id, password)
                    SELECT tenant_id, 'b', profile_id, $2 FROM aaa.subscriber WHERE id = $1
                    """, [.int(id), .bytes(sealed)])
                try connection.execute("DELETE FROM aaa.subscriber WHERE id = $1", [.int(id)])
            }
            try await eventually { desk.credential("b") == "second" }
            #expect(desk.credential("a") == nil && desk.credential("c") == nil)
        }
    }

    /// A reply too large for the index must not leave the former password in force.
    @Test func aSubscriberThatGrowsTooLargeIsNoLongerFound() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas()
            let alice = try await desk.subscriber("alice", profile: try await desk.profile("home50"))
            try await desk.follow()
            #expect(desk.explain("alice") != nil)
            let grow = "UPDATE aaa.subscriber SET filters = array_fill(repeat('x', 250), ARRAY[$2::int]) WHERE id = $1"
            try await desk.sql(grow, [.int(alice), .int(20)])
            try await eventually { desk.explain("alice") == nil }
            #expect(desk.feed.state.problems == ["subscriber \(alice): its reply attributes are too large; it cannot log in"])
            try await desk.sql(grow, [.int(alice), .int(2)])
            try await eventually { desk.explain("alice")?.isAccepted == true }
            #expect(desk.feed.state.problems == [])
        }
    }

    @Test func manyChangesAtOnceAreReadAsAWhole() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            try await desk.follow()
            try await desk.sql(
                """
                INSERT INTO aaa.subscriber (tenant_id, username, profile_id)
                SELECT $1, 'user' || n, $2 FROM generate_series(1, 50001) n
                """, [.int(desk.tenant), .int(profile)])
            try await eventually { desk.explain("user50001") != nil }
            #expect(desk.explain("user1")?.profile?.name == "home50")
            #expect(desk.feed.state.loads == 2)
            try await desk.sql("DELETE FROM aaa.subscriber WHERE username = 'user7'")
            try await eventually { desk.explain("user7") == nil }
            #expect(desk.feed.state.loads == 2)
        }
    }

    @Test func batchesOfChangesAreFollowedWithoutReadingTheRest() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            try await desk.follow()
            try await desk.sql(
                """
                INSERT INTO aaa.subscriber (tenant_id, username, profile_id)
                SELECT $1, 'user' || n, $2 FROM generate_series(1, 12000) n
                """, [.int(desk.tenant), .int(profile)])
            try await eventually { desk.feed.store.snapshot.subscribers.count == 12_000 }
            try await desk.sql(
                """
                INSERT INTO aaa.access_lock (tenant_id, subscriber_id, reason, level)
                SELECT tenant_id, id, 'overdue', 'suspended' FROM aaa.subscriber WHERE id % 2 = 0
                """)
            let locked = Int(try await desk.sql("SELECT count(*) FROM aaa.access_lock"))
            try await eventually { desk.feed.state.changes == 12_000 + UInt64(locked) }
            let refused = (1...12_000).count { desk.explain("user\($0)")?.reason == .locked }
            #expect(refused == locked && locked > 0)
            // A profile that all of them have is one change.
            try await desk.sql("UPDATE aaa.profile SET download = 80000000 WHERE id = $1", [.int(profile)])
            try await eventually { desk.feed.state.changes == 12_001 + UInt64(locked) }
            #expect(desk.feed.state.loads == 1)
        }
    }
}
