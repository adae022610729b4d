import Database
import Logging
import Provisioning
import RadiusCore
import Support
import Testing

/// Silent NAS, several nodes, changes while work is under way.
@Suite struct ReauthorizerRepetitionTests {
    /// Counts rows that are claimed, and those put off after silence, by attempts so far.
    private static let claimed =
        "SELECT count(*) FROM aaa.reauthorization WHERE attempts = $1 AND due_at > clock_timestamp() + interval '61 s'"
    private static let putOff = """
        SELECT count(*) FROM aaa.reauthorization
        WHERE attempts = $1 AND due_at BETWEEN clock_timestamp() + interval '5 s' AND clock_timestamp() + interval '60 s'
        """

    @Test func aSilentNASIsAskedAgainLater() async throws {
        let speaks = Gate()
        try await ReauthorizerDesk.withHaste(answer: { speaks.isOpen ? $0.acknowledge($1) : nil }) { desk in
            let alice = try await desk.online("alice")
            let timeouts = "SELECT count(*) FROM aaa.dynamic_authorization WHERE outcome = 'timeout'"
            try await desk.desk.lock(alice, "fraud", "suspended")
            for attempt in 1...2 {
                try await eventually { try await desk.desk.sql(Self.putOff, [.int(Int64(attempt))]) == 1 }
                #expect(try await desk.desk.sql(timeouts) == Int64(attempt))
                if attempt == 2 { speaks.open() }
                try await makeDue(desk)
            }
            try await desk.settled()
            #expect(try await desk.desk.sql(timeouts) == 2)
            #expect(desk.told.allSatisfy { $0 == "disconnect alice" })
            #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.dynamic_authorization WHERE outcome = 'ack'") == 1)
        }
    }

    @Test func aNASThatStaysSilentIsGivenUpAfterFiveTimes() async throws {
        try await ReauthorizerDesk.withHaste(answer: { _, _ in nil }) { desk in
            let alice = try await desk.online("alice")
            try await desk.desk.lock(alice, "fraud", "suspended")
            for attempt in 1...4 {
                try await eventually { try await desk.desk.sql(Self.putOff, [.int(Int64(attempt))]) == 1 }
                try await makeDue(desk)
            }
            try await desk.settled()
            #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.dynamic_authorization WHERE outcome = 'timeout'") == 5)
        }
    }

    @Test func aNewerRequestDuringTheWorkIsNotLost() async throws {
        let speaks = Gate()
        try await ReauthorizerDesk.with(answer: { speaks.isOpen ? $0.acknowledge($1) : nil }) { desk in
            let alice = try await desk.online("alice")
            try await desk.desk.lock(alice, "overdue", "captive")
            try await eventually { !desk.nas.received.isEmpty }
            try await desk.desk.unlock(alice, "overdue")
            speaks.open()
            try await desk.settled()
            #expect(desk.told.first == "coa alice 1M/1M")
            #expect(desk.told.last == "coa alice 10M/50M")
        }
    }

    /// A session is not ended twice because something is to be said of its quota meanwhile.
    @Test func aLimitDuringTheWorkDoesNotRepeatIt() async throws {
        let speaks = Gate()
        try await ReauthorizerDesk.with(answer: { speaks.isOpen ? $0.acknowledge($1) : nil }) { desk in
            let alice = try await desk.online("alice")
            try await desk.setProfile(alice, nil)
            try await eventually { !desk.nas.received.isEmpty }
            try await desk.limit([alice])
            speaks.open()
            try await desk.settled()
            #expect(desk.told.first == "disconnect alice")
            #expect(desk.told.count == 2 && desk.told.last?.hasPrefix("coa alice") == true)
        }
    }

    @Test func aSilentNASIsToldALimitTwice() async throws {
        try await ReauthorizerDesk.withHaste(answer: { _, _ in nil }) { desk in
            try await desk.limit([try await desk.online("alice")])
            try await eventually { try await desk.desk.sql(Self.putOff, [.int(1)]) == 1 }
            try await makeDue(desk)
            try await desk.settled()
            #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.dynamic_authorization WHERE outcome = 'timeout'") == 2)
        }
    }

    /// Many limits wait for a NAS that is silent to them; who is suspended is disconnected meanwhile.
    @Test func limitsHoldUpNothingElse() async throws {
        let speaks = Gate()
        let patient = CoARetransmission.Timing(initial: 1_000_000_000, longest: 1_000_000_000, attempts: 0, duration: 600_000_000_000)
        let answer: LoopbackNAS.Answer = { $1.kind == .disconnect || speaks.isOpen ? $0.acknowledge($1) : nil }
        try await ReauthorizerDesk.with(answer: answer, timing: patient) { desk in
            var subscribers: [Int64] = []
            for number in 0..<70 { subscribers.append(try await desk.online("user\(number)")) }
            try await desk.limit(subscribers)
            try await eventually { desk.told.count == 32 }
            try await desk.desk.lock(subscribers[69], "fraud", "suspended")
            try await eventually { desk.told.contains("disconnect user69") }
            #expect(desk.told.count == 33)
            #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.reauthorization WHERE is_of_limit AND attempts > 0") == 32)
            speaks.open()
            try await desk.settled()
        }
    }

    /// Many ends come at one instant; who is suspended is disconnected meanwhile, and who is not online takes no place.
    @Test func endsHoldUpNothingElse() async throws {
        let speaks = Gate()
        let patient = CoARetransmission.Timing(initial: 1_000_000_000, longest: 1_000_000_000, attempts: 0, duration: 600_000_000_000)
        let answer: LoopbackNAS.Answer = {
            speaks.isOpen || $1.value(AttributeNumber.userName) == Array("user69".utf8) ? $0.acknowledge($1) : nil
        }
        try await ReauthorizerDesk.with(answer: answer, timing: patient, pollSeconds: 1) { desk in
            let offline = try await desk.desk.subscriber("offline", profile: desk.home)
            var subscribers: [Int64] = []
            for number in 0..<70 { subscribers.append(try await desk.online("user\(number)")) }
            try await desk.desk.sql(
                "UPDATE aaa.subscriber SET expires_at = clock_timestamp() + interval '1 second' WHERE username <> 'user69'")
            try await eventually { desk.told.count == 32 }
            try await desk.desk.lock(subscribers[69], "fraud", "suspended")
            try await eventually { desk.told.contains("disconnect user69") }
            #expect(desk.told.count == 33)
            #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.reauthorization WHERE is_of_end AND attempts > 0") == 32)
            #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.reauthorization WHERE subscriber_id = $1", [.int(offline)]) == 0)
            speaks.open()
            try await desk.settled()
        }
    }

    @Test func twoNodesSendOneRequestForEachChange() async throws {
        try await ReauthorizerDesk.with { desk in
            let feed = try SnapshotDesk.anotherFeed(desk.desk.configuration, desk.desk.secrets)
            try await SnapshotDesk.start(feed)
            try await desk.working(with: feed) {
                var subscribers: [Int64] = []
                for number in 0..<100 { subscribers.append(try await desk.online("user\(number)")) }
                try await desk.desk.sql(
                    """
                    INSERT INTO aaa.access_lock (tenant_id, subscriber_id, reason, level)
                    SELECT tenant_id, id, 'overdue', 'captive' FROM aaa.subscriber
                    """)
                try await desk.settled()
                let sent = try await desk.desk.sql("SELECT count(*) FROM aaa.dynamic_authorization")
                #expect(sent == 100)
                #expect(Set(desk.told) == Set((0..<100).map { "coa user\($0) 1M/1M" }))
                try await desk.desk.sql("DELETE FROM aaa.access_lock")
                try await desk.settled()
                #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.dynamic_authorization") == 200)
            }
            try await SnapshotDesk.end(feed)
        }
    }

    /// The node's snapshot cannot follow: what it would say is out of date, so nothing is said and nothing forgotten.
    @Test func aNodeWhoseSnapshotLagsLeavesTheRequest() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            #expect(await desk.desk.feed.waitForFullLook())
            try await SnapshotDesk.end(desk.desk.feed)
            try await desk.desk.lock(alice, "overdue", "captive")
            try await eventually { try await desk.desk.sql(Self.claimed, [.int(1)]) == 1 }
            #expect(await desk.desk.feed.waitForFullLook() == false)
            #expect(desk.told == [])
            #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.reauthorization") == 1)
        }
    }

    /// What sends nothing is no attempt, and is another node's turn.
    @Test func theNodeThatHasTheConnectionTellsTheNAS() async throws {
        try await ReauthorizerDesk.with(pollSeconds: 3600) { desk in
            try await desk.desk.sql("UPDATE aaa.nas SET coa_over = 'connection'")
            let alice = try await desk.online("alice")
            try await desk.desk.lock(alice, "fraud", "suspended")
            let left = "SELECT count(*) FROM aaa.reauthorization WHERE attempts = 0 AND due_at < clock_timestamp() + interval '5 s'"
            try await eventually { try await desk.desk.sql(Self.refusals) == 1 }
            try await eventually { try await desk.desk.sql(left) == 1 }
            // Due or not, this node leaves it alone.
            for _ in 0..<3 {
                try await makeDue(desk)
                #expect(await desk.desk.feed.waitForFullLook())
            }
            let feed = try SnapshotDesk.anotherFeed(desk.desk.configuration, desk.desk.secrets)
            try await SnapshotDesk.start(feed)
            let connections = LooseConnections()
            connections.connect(try await desk.desk.sql("SELECT id FROM aaa.nas"))
            try await desk.working(with: feed, connections: connections) {
                #expect(try await connections.answer(.ack(attributes: [])) == [.disconnect])
                try await desk.settled()
            }
            try await SnapshotDesk.end(feed)
            #expect(desk.told == [])
            #expect(try await desk.desk.sql(Self.refusals) == 1)
            #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.dynamic_authorization WHERE outcome = 'ack'") == 1)
        }
    }

    @Test func aNASThatNobodyReachesIsGivenUpAfterAnHourAndTheLogSaysSo() async throws {
        let log = KeptLog(.warning)
        try await ReauthorizerDesk.with(logger: log.logger) { desk in
            try await desk.desk.sql("UPDATE aaa.nas SET coa_over = 'connection'")
            let alice = try await desk.online("alice")
            try await desk.desk.sql(
                """
                INSERT INTO aaa.reauthorization (subscriber_id, tenant_id, requested_at)
                VALUES ($1, $2, clock_timestamp() - interval '61 minutes')
                """, [.int(alice), .int(desk.desk.tenant)])
            try await desk.desk.sql("UPDATE aaa.profile SET version = version + 1 WHERE id = $1", [.int(desk.garden)])
            try await desk.settled()
            try await eventually { !log.lines.isEmpty }
            #expect(try await desk.desk.sql(Self.refusals) == 1)
            let line = try #require(log.lines.first).text
            #expect(line.contains("subscriber alice:") && line.contains("NAS core1") && line.contains("has none to this node"))
        }
    }

    private static let refusals = "SELECT count(*) FROM aaa.dynamic_authorization WHERE outcome = 'refused'"

    /// Makes what is put off due, and a change that wakes the reauthorizer.
    private func makeDue(_ desk: ReauthorizerDesk) async throws {
        try await desk.desk.sql("UPDATE aaa.reauthorization SET due_at = clock_timestamp()")
        try await desk.desk.sql("UPDATE aaa.profile SET version = version + 1 WHERE id = $1", [.int(desk.garden)])
    }
}
