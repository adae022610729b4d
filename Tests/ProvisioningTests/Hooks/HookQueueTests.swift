import Database
import RadiusCore
import Support
import Testing

@testable import Provisioning

/// Log-ins on their way into the queues of hooks.
@Suite struct HookQueueTests {
    private static let nas: Int64 = 3

    private static func store(_ bench: HookBench) throws -> SnapshotStore {
        let client = NASClient(
            id: nas, tenant: bench.bench.tenant, name: "core1", huntgroup: "city", network: IPAddress(ipv4: 0xc000_0207), prefixLength: 128,
            secret: SharedSecret(Array("xyzzy5461".utf8)), vendor: .mikrotik)
        return SnapshotStore(
            Snapshot(
                clients: ClientTable([client]), subscribers: SubscriberTable(SubscriberIndexBuilder().build()), profiles: [:],
                policies: [:], dictionary: try SnapshotDesk.dictionary.get()))
    }

    /// `tenant`: where it is not the bench's.
    private typealias Login = (name: String, outcome: AuthEvent.Outcome, method: AuthenticationMethod, tenant: Int64?)

    /// Has the log take log-ins.
    private static func take(_ logins: [Login], _ bench: HookBench, limit: Int64 = HookQueue.limit, by known: HookQueue? = nil) async throws
        -> HookQueue
    {
        let queue = try known ?? HookQueue(store: store(bench), limit: limit, logger: AccountingBench.quiet)
        let ring = AuthEventRing()
        for (place, login) in logins.enumerated() {
            let event = AuthEvent(
                atMicroseconds: AccountingBench.noon + Int64(place), tenant: login.tenant ?? bench.bench.tenant, nas: nas, subscriber: 4,
                profile: 0, durationMicroseconds: 321, outcome: login.outcome, method: login.method.rawValue, reason: 7)
            let (name, station, port) = (Array(login.name.utf8), Array("00-53".utf8), [UInt8]())
            ring.push(event, userName: name.span, callingStation: station.span, nasPortID: port.span)
        }
        let methods = Dictionary(uniqueKeysWithValues: AuthenticationMethod.allCases.map { ($0.rawValue, $0.name) })
        let log = AuthLogShipper(
            rings: [ring], configuration: bench.bench.configuration, reasonNames: [7: "why"], methodNames: methods, hooks: queue,
            logger: AccountingBench.quiet)
        try log.start()
        try await onOwnThread { log.stop() }
        #expect(log.statistics.written == UInt64(logins.count) && log.statistics.problem == nil, "\(log.statistics)")
        return queue
    }

    /// `username` of what waits for each hook.
    private static func waiting(_ bench: HookBench) async throws -> [String] {
        try await bench.bench.texts(
            """
            SELECT h.name || ': ' || string_agg(e.event ->> 'username', ' ' ORDER BY e.id)
            FROM aaa.post_auth_event e JOIN aaa.post_auth_hook h ON h.id = e.hook_id GROUP BY h.name ORDER BY 1
            """)
    }

    @Test func eachHookGetsWhatItWants() async throws {
        try await HookBench.run { bench in
            let other = try await bench.bench.number("INSERT INTO tenancy.tenant (name) VALUES ('south') RETURNING id")
            try await bench.hook("all")
            try await bench.hook("accepts", outcome: "accept")
            try await bench.hook("rejects", outcome: "reject")
            try await bench.hook("city", condition: "nas.huntgroup == \"city\" and login.method == chap")
            try await bench.hook("elsewhere", condition: "nas.name == \"core2\"")
            try await bench.hook("other", tenant: other)
            try await bench.hook("off")
            try await bench.bench.execute("UPDATE aaa.post_auth_hook SET enabled = false WHERE name = 'off'")
            let queue = try await Self.take(
                [
                    ("alice", .accept, .pap, nil), ("bob", .reject, .chap, nil), ("carol", .challenge, .eap, nil),
                    ("dave", .accept, .pap, other), ("eve", .accept, .chap, nil),
                    ("frank", .silence, .chap, nil),
                ], bench)
            #expect(
                try await Self.waiting(bench) == [
                    "accepts: alice eve", "all: alice bob eve", "city: bob eve", "other: dave", "rejects: bob",
                ])
            #expect(queue.problems.isEmpty)
        }
    }

    @Test func anEventSaysWhatTheLogSays() async throws {
        try await HookBench.run { bench in
            try await bench.hook("all")
            try await bench.bench.execute(
                """
                INSERT INTO aaa.nas (id, tenant_id, name, address, secret) OVERRIDING SYSTEM VALUE
                VALUES (\(Self.nas), \(bench.bench.tenant), 'core1', '192.0.2.7', 'sealed')
                """)
            _ = try await Self.take([("a\"\\\0\n", .reject, .pap, nil)], bench)
            let events = try await bench.bench.texts("SELECT event::text FROM aaa.post_auth_event")
            let members = [
                #""at" : "2026-03-01T12:00:00.000000Z""#, #""outcome" : "reject""#, #""reason" : "why""#, #""method" : "pap""#,
                #""username" : "a\"\\\\x00\\x0a""#, #""subscriber_id" : 4"#, #""nas" : "core1""#, #""nas_id" : 3"#, #""profile" : null"#,
                #""calling_station_id" : "00-53""#, #""nas_port_id" : null"#, #""duration_microseconds" : 321"#,
            ]
            #expect(events == ["{" + members.joined(separator: ", ") + "}"])
        }
    }

    @Test func whatDoesNotFitIsCountedAndHoldsUpNothing() async throws {
        try await HookBench.run { bench in
            let full = try await bench.hook("full")
            try await bench.bench.execute("UPDATE aaa.post_auth_progress SET waiting_events = 2")
            let empty = try await bench.hook("empty", outcome: "accept")
            var logins: [Login] = []
            for number in 1...6 { logins.append(("user\(number)", .reject, .pap, nil)) }
            logins.append(("last", .accept, .pap, nil))
            _ = try await Self.take(logins, bench, limit: 5)
            #expect(try await bench.waiting(full) == 3)
            #expect(try await bench.progress(full, "lost_events") == "4")
            #expect(try await bench.waiting(empty) == 1)
            #expect(try await bench.progress(empty, "lost_events") == "0")
        }
    }

    @Test func aHookWhoseConditionCannotBeUsedIsLeftOut() async throws {
        try await HookBench.run { bench in
            try await bench.hook("broken", condition: "No-Such-Attribute == 1")
            try await bench.hook("whole")
            let queue = try await Self.take([("alice", .accept, .pap, nil)], bench)
            #expect(try await Self.waiting(bench) == ["whole: alice"])
            #expect(queue.problems.count == 1 && queue.problems[0].contains("the hook broken is told of nothing"), "\(queue.problems)")
        }
    }

    @Test func whoeverHoldsAHookHoldsUpNothing() async throws {
        try await HookBench.run { bench in
            let edited = try await bench.hook("edited")
            let removed = try await bench.hook("removed")
            let full = try await bench.hook("full")
            try await bench.bench.execute("UPDATE aaa.post_auth_progress SET waiting_events = 5 WHERE hook_id = \(full)")
            let (held, over) = (Gate(), Gate())
            async let holder: Void = bench.bench.pool.transaction(.system) { connection in
                try connection.execute("SELECT 1 FROM aaa.post_auth_hook WHERE id = \(edited) FOR NO KEY UPDATE")
                try connection.execute("SELECT 1 FROM aaa.post_auth_hook WHERE id = \(removed) FOR UPDATE")
                try connection.execute("SELECT 1 FROM aaa.post_auth_progress WHERE hook_id = \(full) FOR UPDATE")
                held.open()
                try over.pass()
            }
            defer { over.open() }
            try await eventually { held.isOpen }
            let queue = try await Self.take([("alice", .accept, .pap, nil)], bench, limit: 5)
            #expect(try await Self.waiting(bench) == ["edited: alice"])
            #expect(try await bench.progress(removed, "lost_events") == "1")
            #expect(try await bench.progress(full, "lost_events") == "0")
            over.open()
            try await holder
            // What could not be noted is made up for.
            _ = try await Self.take([("bob", .accept, .pap, nil)], bench, by: queue)
            #expect(try await Self.waiting(bench) == ["edited: alice bob", "removed: bob"])
            #expect(try await bench.progress(full, "lost_events") == "2")
        }
    }

    @Test func theLogGoesOnWhereHooksCannotBeRead() async throws {
        try await HookBench.run { bench in
            try await bench.hook("all")
            try await bench.bench.pool.run { try $0.script("ALTER TABLE aaa.post_auth_progress RENAME COLUMN counted_at TO other") }
            let queue = try await Self.take([("alice", .accept, .pap, nil)], bench)
            #expect(queue.problems.count == 1 && queue.problems[0].contains("they cannot be read"), "\(queue.problems)")
            #expect(try await bench.bench.number("SELECT count(*) FROM aaa.auth_log") == 1)
        }
    }

    @Test func aZoneThatCouldNotBeReadIsReadAgain() async throws {
        try await HookBench.run { bench in
            try await bench.hook("all")
            try await bench.bench.pool.run { try $0.script("UPDATE tenancy.tenant SET time_zone = 'Europe/Berlin'") }
            let dictionary = try SnapshotDesk.dictionary.get()
            let problems = try await bench.bench.pool.transaction(.system) { connection in
                let early = try PostAuthHook.inForce(connection, dictionary, known: [], zones: "/nonexistent")
                let late = try PostAuthHook.inForce(connection, dictionary, known: early.hooks)
                return [early.problems, late.problems]
            }
            #expect(problems[0].count == 1 && problems[0][0].contains("goes by UTC"), "\(problems)")
            #expect(problems[1].isEmpty)
        }
    }

    @Test func whatWaitsGoesWithItsHook() async throws {
        try await HookBench.run { bench in
            let hook = try await bench.hook("short")
            try await bench.queue(3, for: hook)
            try await bench.bench.execute("DELETE FROM aaa.post_auth_hook")
            #expect(try await bench.bench.number("SELECT count(*) FROM aaa.post_auth_event") == 0)
            #expect(try await bench.bench.number("SELECT count(*) FROM aaa.post_auth_progress") == 0)
        }
    }
}
