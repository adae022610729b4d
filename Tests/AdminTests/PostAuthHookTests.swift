import Admin
import Database
import Support
import Synchronization
import Testing

@Suite struct PostAuthHookTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private static func body(_ name: String, _ more: [(String, JSON)] = []) -> JSON {
        .object(
            [.init("name", .string(name)), .init("url", "https://receiver.example.net/logins"), .init("secret", .string(secret))]
                + more.map { .init($0.0, $0.1) })
    }

    @Test func keepsAHookAndTellsHowItDoes() async throws {
        try await AdminFixture.run { fixture in
            let made = try await fixture.post("/api/v1/post-auth-hooks", Self.body("crm", [("outcome", "reject")]))
            #expect(made.status == 201 && !made.text.contains("whsec_"), "\(made.text)")
            #expect(made["waiting_events"]?.integer == 0 && made["problem"] == .null && made["enabled"] == true, "\(made.text)")
            try await fixture.script(
                """
                UPDATE aaa.post_auth_progress
                SET attempts = 2, waiting_events = 1, lost_events = 5, delivered_events = 7, problem = 'it answered 500';
                INSERT INTO aaa.post_auth_event (tenant_id, hook_id, event) SELECT tenant_id, id, '{}' FROM aaa.post_auth_hook
                """)
            let row = try #require(try await fixture.get("/api/v1/post-auth-hooks?problem[isnull]=false&sort=-waiting_events").rows.first)
            #expect(row["waiting_events"]?.integer == 1 && row["lost_events"]?.integer == 5 && row["delivered_events"]?.integer == 7)
            #expect(row["attempts"]?.integer == 2 && row["problem"]?.text == "it answered 500")
            #expect(try await fixture.get("/api/v1/post-auth-hooks/crm", tenant: "south").status == 404)
            let sealed = Self.secret.utf8.map { $0 ^ 0x5A }
            let stored = try await fixture.pool.transaction(.system) { try $0.queryOne("SELECT secret FROM aaa.post_auth_hook")?.bytes(0) }
            #expect(stored == sealed)
            // What was tried in vain is tried again when it goes elsewhere.
            #expect(try await fixture.patch("/api/v1/post-auth-hooks/crm", ["url": "https://other.example.net/"]).status == 200)
            let moved = try await fixture.get("/api/v1/post-auth-hooks/crm")
            #expect(moved["attempts"]?.integer == 0 && moved["problem"] == .null && moved["lost_events"]?.integer == 5, "\(moved.text)")
            #expect(try await fixture.delete("/api/v1/post-auth-hooks/crm").status == 204)
            #expect(try await fixture.sql("SELECT count(*)::text FROM aaa.post_auth_event") == "0")
        }
    }

    @Test func refusesWhatCouldNotWork() async throws {
        try await AdminFixture.run { fixture in
            let wrong = try await fixture.post(
                "/api/v1/post-auth-hooks",
                [
                    "name": "bad", "url": "https://user@receiver.example.net/", "secret": "whsec_short", "outcome": "challenge",
                    "problem": "none",
                ])
            #expect(wrong.status == 422)
            #expect(wrong.faults == ["/outcome choice", "/problem read_only", "/secret format", "/url format"], "\(wrong.text)")
            #expect(!wrong.text.contains("whsec_short"))
            let condition = try await fixture.post("/api/v1/post-auth-hooks", Self.body("bad", [("condition", "wrong")]))
            #expect(condition.status == 422 && condition.faults == ["/condition condition"], "\(condition.text)")
        }
    }

    @Test func whatNoLongerFitsCanBeSwitchedOff() async throws {
        try await AdminFixture.run { fixture in
            #expect(try await fixture.post("/api/v1/post-auth-hooks", Self.body("crm")).status == 201)
            try await fixture.script("UPDATE aaa.post_auth_hook SET condition = 'wrong'")
            let off = try await fixture.patch("/api/v1/post-auth-hooks/crm", ["enabled": false])
            #expect(off.status == 200, "\(off.text)")
            let on = try await fixture.patch("/api/v1/post-auth-hooks/crm", ["enabled": true])
            #expect(on.status == 422 && on.faults == ["/condition condition"], "\(on.text)")
        }
    }

    /// As the authentication log does, which stores what refers to the hook.
    @Test func whoeverRefersToAHookDoesNotWaitForItsEdit() async throws {
        try await AdminFixture.run { fixture in
            #expect(try await fixture.post("/api/v1/post-auth-hooks", Self.body("crm")).status == 201)
            let (isHeld, isOver) = (Flag(), Flag())
            async let holder: Void = fixture.pool.transaction(.system) { connection in
                try connection.execute("SELECT 1 FROM aaa.post_auth_hook FOR KEY SHARE")
                isHeld.raise()
                try eventuallyBlocking { isOver.isRaised }
            }
            defer { isOver.raise() }
            try await eventually { isHeld.isRaised }
            let edited = try await fixture.patch("/api/v1/post-auth-hooks/crm", ["notes": "edited"])
            #expect(edited.status == 200, "\(edited.text)")
            isOver.raise()
            try await holder
        }
    }

    private final class Flag: Sendable {
        private let raised = Atomic(false)

        var isRaised: Bool { raised.load(ordering: .acquiring) }
        func raise() { raised.store(true, ordering: .releasing) }
    }

    @Test func aTenantHasSixteenAtMost() async throws {
        try await AdminFixture.run { fixture in
            for number in 1...16 {
                #expect(try await fixture.post("/api/v1/post-auth-hooks", Self.body("hook\(number)")).status == 201)
            }
            let more = try await fixture.post("/api/v1/post-auth-hooks", Self.body("hook17"))
            #expect(more.status == 422 && more.text.contains("at most 16 hooks"), "\(more.text)")
            #expect(try await fixture.post("/api/v1/post-auth-hooks", Self.body("hook1"), tenant: "south").status == 201)
        }
    }
}
