import Database
import Support
import Testing

@testable import Provisioning

/// What is kept of messages and of what came of them.
@Suite struct HookStoreTests {
    private static func begin(_ bench: HookBench) async throws -> HookMessage {
        let messages = try await bench.bench.pool.run { try HookStore(connection: $0).begin(besides: [], atMost: 10) }
        return try #require(messages.first)
    }

    private static func settle(_ message: HookMessage, _ verdict: HookVerdict, _ bench: HookBench) async throws -> Bool {
        try await bench.bench.pool.run { try HookStore(connection: $0).settle(message, verdict) }
    }

    private static let inAnHour = HookVerdict.again(afterMilliseconds: 3_600_000, problem: "none")

    @Test func aLateVerdictDoesNotUndoAnEdit() async throws {
        try await HookBench.run { bench in
            let hook = try await bench.hook("crm")
            try await bench.queue(1, for: hook)
            _ = try await Self.settle(try await Self.begin(bench), Self.inAnHour, bench)
            try await bench.hurry(hook)
            let late = try await Self.begin(bench)
            #expect(late.attempts == 1)
            try await bench.bench.execute("UPDATE aaa.post_auth_hook SET url = 'https://other.example.net/'")
            _ = try await Self.settle(late, Self.inAnHour, bench)
            #expect(try await bench.progress(hook, "concat_ws('|', attempts, due_at <= now(), problem)") == "0|t")
        }
    }

    @Test func whatThisNodeMissedGoesSoonAndDoesNotCount() async throws {
        try await HookBench.run { bench in
            let hook = try await bench.hook("crm")
            try await bench.queue(1, for: hook)
            _ = try await Self.settle(try await Self.begin(bench), .postponed(problem: "missed"), bench)
            let state = "concat_ws('|', attempts, due_at <= now() + interval '5 seconds', problem)"
            #expect(try await bench.progress(hook, state) == "0|t|missed")
            try await bench.hurry(hook)
            #expect(try await Self.begin(bench).attempts == 0)
        }
    }

    @Test func whoIsSwitchedOffIsWrittenDown() async throws {
        try await HookBench.run { bench in
            let hook = try await bench.hook("crm")
            try await bench.queue(1, for: hook)
            let message = try await Self.begin(bench)
            try await bench.bench.execute("UPDATE aaa.post_auth_hook SET version = version + 1")
            #expect(try await !Self.settle(message, .disabled(problem: "gone"), bench))
            #expect(try await bench.bench.number("SELECT count(*) FROM lastmile.audit") == 0)
            #expect(try await bench.progress(hook, "concat_ws('|', attempts, problem)") == "1|gone")
            #expect(try await Self.settle(try await Self.begin(bench), .disabled(problem: "gone"), bench))
            let audit = try await bench.bench.texts(
                """
                SELECT concat_ws('|', actor, action, resource, resource_id, resource_name, before, after, request_id) FROM lastmile.audit
                """)
            #expect(
                audit == [
                    #"hooks|update|post_auth_hook|\#(hook)|crm|{"enabled": true}|{"enabled": false, "problem": "gone"}|\#(message.id)"#
                ])
            #expect(try await bench.bench.texts("SELECT enabled::text FROM aaa.post_auth_hook") == ["false"])
        }
    }

    /// As the removal of a hook locks them.
    @Test func progressIsLockedBeforeEvents() async throws {
        try await HookBench.run { bench in
            let hook = try await bench.hook("crm")
            try await bench.queue(1, for: hook)
            let message = try await Self.begin(bench)
            let held = Gate()
            async let holder: Void = bench.bench.pool.transaction(.system) { connection in
                try connection.execute("SELECT 1 FROM aaa.post_auth_progress FOR UPDATE")
                held.open()
                let isAwaited = """
                    SELECT EXISTS (SELECT FROM pg_locks l WHERE NOT l.granted AND pg_backend_pid() = ANY (pg_blocking_pids(l.pid)))
                    """
                try eventuallyBlocking { try connection.queryOne(isAwaited)?.bool(0) ?? false }
                try connection.execute("SELECT 1 FROM aaa.post_auth_event FOR UPDATE NOWAIT")
            }
            try await eventually { held.isOpen }
            _ = try await Self.settle(message, .delivered, bench)
            try await holder
            #expect(try await bench.waiting(hook) == 0)
        }
    }

    @Test func aHookThatIsHeldDoesNotHoldUpOthers() async throws {
        try await HookBench.run { bench in
            let (first, second) = (try await bench.hook("held"), try await bench.hook("other"))
            for hook in [first, second] { try await bench.queue(1, for: hook) }
            let (held, over) = (Gate(), Gate())
            async let holder: Void = bench.bench.pool.transaction(.system) { connection in
                try connection.execute("SELECT 1 FROM aaa.post_auth_progress WHERE hook_id = \(first) FOR UPDATE")
                held.open()
                try over.pass()
            }
            defer { over.open() }
            try await eventually { held.isOpen }
            #expect(try await Self.begin(bench).hook == second)
            over.open()
            try await holder
        }
    }

    @Test func queuesAreCountedAFewAtATimeAndNotWithoutEnd() async throws {
        try await HookBench.run { bench in
            var hooks: [Int64] = []
            for number in 1...5 { hooks.append(try await bench.hook("hook\(number)")) }
            for hook in hooks { try await bench.queue(3, for: hook) }
            let count = { (last: Int64) in
                try await bench.bench.pool.run { try HookStore(connection: $0).count(after: last, upTo: 2) }
            }
            let counted = "SELECT waiting_events::text FROM aaa.post_auth_progress ORDER BY hook_id"
            #expect(try await count(0) == hooks[3])
            #expect(try await bench.bench.texts(counted) == ["2", "2", "2", "2", "0"])
            #expect(try await count(hooks[3]) == 0)
            #expect(try await bench.bench.texts(counted) == ["2", "2", "2", "2", "2"])
        }
    }
}
