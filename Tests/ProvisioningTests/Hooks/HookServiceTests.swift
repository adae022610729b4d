import Database
import Logging
import Support
import Synchronization
import Testing

@testable import Provisioning

/// Messages on their way to receivers that listen.
@Suite struct HookServiceTests {
    /// What a receiver answers, changed by a test.
    private final class Mood: Sendable {
        private let answer: Mutex<HTTPReceiver.Answer>

        init(_ answer: HTTPReceiver.Answer) { self.answer = Mutex(answer) }

        var now: HTTPReceiver.Answer { answer.withLock { $0 } }
        func turn(_ answer: HTTPReceiver.Answer) { self.answer.withLock { $0 = answer } }
    }

    private static func url(_ receiver: HTTPReceiver) -> String { "http://127.0.0.1:\(receiver.port)/logins?from=here" }

    @Test func aMessageIsSignedAndHoldsWhatWaited() async throws {
        try await HookBench.run { bench in
            let receiver = try HTTPReceiver { _ in HTTPReceiver.Answer(204) }
            defer { receiver.end() }
            let hook = try await bench.hook("crm \"1\"", url: Self.url(receiver))
            try await bench.queue(2, for: hook)
            try await bench.serving { service in
                try await eventually { try await bench.waiting(hook) == 0 }
                let request = try #require(receiver.requests.first)
                #expect(request.line == "POST /logins?from=here HTTP/1.1")
                #expect(request.headers["content-type"] == "application/json")
                let id = try #require(request.headers["webhook-id"])
                let seconds = try #require(request.headers["webhook-timestamp"].flatMap { Int64($0) })
                #expect(id.hasPrefix("msg_\(hook)_") && abs(seconds - WallClock.microseconds / 1_000_000) < 120)
                let secret = try #require(WebhookSecret(HookBench.secret))
                #expect(request.headers["webhook-signature"] == secret.signature(id: id, seconds: seconds, body: request.body))
                let read = try await bench.bench.texts(
                    """
                    SELECT concat_ws('|', j ->> 'type', j ->> 'timestamp', j #>> '{data,hook}', j #>> '{data,events,0,number}',
                        j #>> '{data,events,1,number}', json_array_length(j #> '{data,events}'))
                    FROM (SELECT '\(request.text)'::json AS j) m
                    """)
                #expect(read == [#"login.answered|2026-03-01T12:00:00.000000Z|crm "1"|1|2|2"#])
                #expect(try await bench.progress(hook, "delivered_events") == "2")
                #expect(try await bench.progress(hook, "problem") == "null")
                #expect(service.state.delivered == 1 && service.state.failed == 0 && service.state.hasTurn)
            }
        }
    }

    @Test func manyGoInOrderInMessagesBelowTwentyKilobytes() async throws {
        try await HookBench.run { bench in
            let receiver = try HTTPReceiver { _ in HTTPReceiver.Answer(200, body: String(repeating: "x", count: 200_000)) }
            defer { receiver.end() }
            let hook = try await bench.hook("crm", url: Self.url(receiver))
            try await bench.queue(120, for: hook)
            // Six that are as long as an event can be.
            try await bench.bench.execute(
                """
                INSERT INTO aaa.post_auth_event (tenant_id, hook_id, event)
                SELECT h.tenant_id, h.id, json_build_object('at', '2026-03-01T12:00:00.000000Z', 'long', repeat('x', 5000))
                FROM aaa.post_auth_hook h, generate_series(1, 6)
                """)
            try await bench.serving { _ in
                try await eventually { try await bench.waiting(hook) == 0 }
                let requests = receiver.requests
                #expect(requests.count == 4 && requests.allSatisfy { $0.body.count < 20_000 }, "\(requests.map(\.body.count))")
                #expect(Set(requests.compactMap { $0.headers["webhook-id"] }).count == 4)
                #expect(requests[0].text.contains(#""number" : 50}"#) && requests[1].text.contains(#""number" : 51}"#))
                #expect(try await bench.progress(hook, "delivered_events") == "126")
            }
        }
    }

    @Test func aMessageIsRepeatedAsItIsUntilItIsTaken() async throws {
        try await HookBench.run { bench in
            let mood = Mood(HTTPReceiver.Answer(503, headers: ["Retry-After: 3600"]))
            let receiver = try HTTPReceiver { _ in mood.now }
            defer { receiver.end() }
            let hook = try await bench.hook("crm", url: Self.url(receiver))
            try await bench.queue(1, for: hook)
            try await bench.serving { service in
                try await eventually { try await bench.progress(hook, "problem") == "it answered 503" }
                #expect(try await bench.progress(hook, "attempts") == "1")
                #expect(try await bench.progress(hook, "due_at > now() + interval '50 minutes'") == "true")
                // What comes meanwhile waits for it.
                try await bench.queue(1, for: hook)
                mood.turn(HTTPReceiver.Answer(302, headers: ["Location: http://127.0.0.1:\(receiver.port)/elsewhere"]))
                try await bench.hurry(hook)
                try await eventually { try await bench.progress(hook, "problem") == "it answered 302, and redirects are not followed" }
                mood.turn(HTTPReceiver.Answer(200))
                try await bench.hurry(hook)
                try await eventually { try await bench.waiting(hook) == 0 }
                let requests = receiver.requests
                #expect(requests.count == 4 && requests.allSatisfy { $0.line.hasPrefix("POST /logins") })
                // The second one holds an event of the same text, so only its id tells it from the first.
                let messages = requests.map { $0.headers["webhook-id"] ?? "none" }
                #expect(Set(messages.prefix(3)).count == 1 && messages[3] != messages[0], "\(messages)")
                #expect(Set(requests.prefix(3).map(\.text)).count == 1)
                #expect(service.state.failed == 2 && service.state.delivered == 2)
                #expect(try await bench.progress(hook, "attempts") == "0")
            }
        }
    }

    @Test func aSlowReceiverHoldsUpNobodyElse() async throws {
        try await HookBench.run { bench in
            let gate = Gate()
            let slow = try HTTPReceiver { _ in
                try? gate.pass()
                return HTTPReceiver.Answer(200)
            }
            let quick = try HTTPReceiver { _ in HTTPReceiver.Answer(200) }
            defer {
                gate.open()
                slow.end()
                quick.end()
            }
            let (waiting, served) = (try await bench.hook("slow", url: Self.url(slow)), try await bench.hook("quick", url: Self.url(quick)))
            try await bench.queue(1, for: waiting)
            try await bench.serving { _ in
                try await eventually { slow.requests.count == 1 }
                for round in 1...3 {
                    try await bench.queue(1, for: served)
                    try await eventually { quick.requests.count == round }
                }
                #expect(try await bench.waiting(waiting) == 1)
                gate.open()
                try await eventually { try await bench.waiting(waiting) == 0 }
            }
        }
    }

    /// What was said is not taken back by a body that breaks off.
    @Test(arguments: [(200, "1"), (503, "0|it answered 503")])
    func anAnswerThatBreaksOffIsOne(status: Int, told: String) async throws {
        try await HookBench.run { bench in
            let receiver = try HTTPReceiver { _ in HTTPReceiver.Answer(status, body: "some", missing: 7) }
            defer { receiver.end() }
            let hook = try await bench.hook("crm", url: Self.url(receiver))
            try await bench.queue(1, for: hook)
            try await bench.serving { _ in
                try await eventually { try await bench.progress(hook, "concat_ws('|', delivered_events, problem)") == told }
            }
            #expect(!receiver.requests.isEmpty)
        }
    }

    @Test func aReceiverThatIsGoneIsAskedNoMore() async throws {
        try await HookBench.run { bench in
            let receiver = try HTTPReceiver { _ in HTTPReceiver.Answer(410) }
            defer { receiver.end() }
            let hook = try await bench.hook("crm", url: Self.url(receiver))
            try await bench.queue(1, for: hook)
            let log = KeptLog(.error)
            try await bench.serving(logger: log.logger) { service in
                try await eventually { try await bench.progress(hook, "problem") == "switched off: it answered 410: it is gone" }
                try await eventually { log.lines.contains { $0.text == "error: the hook crm is switched off" } }
                #expect(try await bench.bench.texts("SELECT enabled::text FROM aaa.post_auth_hook") == ["false"])
                // It is counted once it is so.
                try await eventually { service.state.disabled == 1 }
                // Whoever switches it on again has it tried at once, with what waited.
                try await bench.bench.execute("UPDATE aaa.post_auth_hook SET enabled = true")
                try await eventually { receiver.requests.count == 2 }
            }
        }
    }

    @Test func aMessageThatIsRefusedForItselfMakesWay() async throws {
        try await HookBench.run { bench in
            let receiver = try HTTPReceiver { $0.text.contains("\"number\"") ? HTTPReceiver.Answer(422) : HTTPReceiver.Answer(200) }
            defer { receiver.end() }
            let hook = try await bench.hook("crm", url: Self.url(receiver))
            try await bench.queue(1, for: hook)
            try await bench.bench.execute("UPDATE aaa.post_auth_progress SET attempts = 2")
            try await bench.serving { service in
                try await eventually { try await bench.progress(hook, "lost_events") == "1" }
                #expect(try await bench.waiting(hook) == 0)
                #expect(try await bench.progress(hook, "problem").contains("that message was left out"))
                #expect(service.state.dropped == 1)
            }
        }
    }

    /// However the address is written, and whatever a name leads to.
    @Test(arguments: ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0"])
    func whatIsNotListedIsNotReached(host: String) async throws {
        try await HookBench.run { bench in
            let receiver = try HTTPReceiver { _ in HTTPReceiver.Answer(200) }
            defer { receiver.end() }
            let hook = try await bench.hook("crm", url: "https://\(host):\(receiver.port)/")
            try await bench.queue(1, for: hook)
            try await bench.serving(reaching: ["127.9.0.0/16"]) { _ in
                try await eventually { try await bench.progress(hook, "problem").contains("not one that may be reached") }
            }
            #expect(receiver.requests.isEmpty)
        }
    }

    @Test func inClearOnlyTheListedAreReached() async throws {
        try await HookBench.run { bench in
            let hook = try await bench.hook("crm", url: "http://192.0.2.1/")
            try await bench.queue(1, for: hook)
            try await bench.serving(reaching: []) { _ in
                try await eventually { try await bench.progress(hook, "problem").contains("http:// is for the networks") }
            }
        }
    }

    @Test func oneNodeAtATimeTells() async throws {
        try await HookBench.run { bench in
            let receiver = try HTTPReceiver { _ in HTTPReceiver.Answer(200) }
            defer { receiver.end() }
            let hook = try await bench.hook("crm", url: Self.url(receiver))
            try await bench.serving { first in
                try await eventually { first.state.hasTurn }
                try await bench.serving { second in
                    for round in 1...5 {
                        try await bench.queue(1, for: hook)
                        try await eventually { receiver.requests.count == round }
                    }
                    #expect(!second.state.hasTurn && second.state.delivered == 0 && second.state.lastError == nil)
                    try await onOwnThread { first.stop() }
                    try await bench.queue(1, for: hook)
                    try await eventually { second.state.hasTurn && receiver.requests.count == 6 }
                }
            }
        }
    }

    @Test func aNodeThatNobodyAnswersLeavesItsTurnToOthers() async throws {
        try await HookBench.run { bench in
            let closed = "http://127.0.0.1:9/"
            let hooks = [try await bench.hook("one", url: closed), try await bench.hook("two", url: closed)]
            try await bench.serving { first in
                try await eventually { first.state.hasTurn }
                try await bench.serving { second in
                    for hook in hooks { try await bench.queue(1, for: hook) }
                    try await eventually { second.state.hasTurn && !first.state.hasTurn }
                    #expect(first.state.failed >= 2 && first.state.lastError == nil)
                }
            }
        }
    }

    @Test func whatWaitsIsCounted() async throws {
        try await HookBench.run { bench in
            var hooks: [Int64] = []
            for number in 1...6 { hooks.append(try await bench.hook("hook\(number)")) }
            try await bench.bench.execute("UPDATE aaa.post_auth_hook SET enabled = false")
            for (place, hook) in hooks.enumerated() { try await bench.queue(place, for: hook) }
            try await bench.serving { _ in
                try await eventually {
                    try await bench.bench.texts("SELECT waiting_events::text FROM aaa.post_auth_progress ORDER BY hook_id")
                        == (0..<6).map { "\($0)" }
                }
            }
        }
    }

    @Test func aSecretThatCannotBeOpenedIsSaid() async throws {
        try await HookBench.run { bench in
            let hook = try await bench.hook("crm")
            try await bench.queue(1, for: hook)
            try await bench.bench.execute("UPDATE aaa.post_auth_hook SET secret = 'other'")
            try await bench.serving { _ in
                try await eventually { try await bench.progress(hook, "problem").contains("give it a new one") }
            }
        }
    }
}
