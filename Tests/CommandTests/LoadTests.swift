import ArgumentParser
import Glibc
import Support
import Testing

@testable import RadiusCore
@testable import lastmile

@Suite struct LoadTests {
    private let secret = SharedSecret(Array("testing123".utf8))

    private func plan(_ port: UInt16, _ mode: LoadPlan.Mode) throws -> LoadPlan {
        let users = try LoadNames.read("user%03d", count: 10, password: Array("p".utf8))
        var plan = LoadPlan(target: IPAddress(ipv4: 0x7f00_0001), port: port, secret: secret, users: users)
        plan.mode = mode
        plan.outstanding = 20
        plan.timeoutMilliseconds = 100
        plan.retries = 100
        return plan
    }

    /// Has each request sent once. Its reply is waited for longer than a machine stands still: one that comes later is nobody's, not bad.
    private func once(_ plan: inout LoadPlan) {
        plan.retries = 0
        plan.timeoutMilliseconds = 6000
    }

    private func run(_ plan: LoadPlan) throws -> LoadGenerator {
        #expect(plan.fault == nil)
        let generator = LoadGenerator(plan)
        try generator.start()
        try eventuallyBlocking { generator.isDone }
        return generator
    }

    @Test(arguments: [LoadPlan.Mode.pap, .chap, .msCHAPv2])
    func everyRequestIsAnsweredOnce(_ mode: LoadPlan.Mode) throws {
        let server = try AnsweringServer(secret: secret)
        defer { server.stop() }
        var plan = try plan(server.port, mode)
        plan.count = 501
        plan.threads = 2
        plan.sockets = 2
        plan.verifies = true
        let tally = try run(plan).tally
        #expect(tally.sent == 501)
        #expect(tally.accepted == 501)
        #expect(tally.lost == 0)
        #expect(tally.bad == 0)
        #expect(Set(server.answered.map { $0[4..<20] }).count == 501)
    }

    @Test(arguments: [LoadPlan.Mode.pap, .chap, .msCHAPv2])
    func requestsMadeAheadAreSentInTurn(_ mode: LoadPlan.Mode) throws {
        let server = try AnsweringServer(secret: secret)
        defer { server.stop() }
        var plan = try plan(server.port, mode)
        plan.count = 2000
        plan.sockets = 2
        plan.prepared = 500
        plan.verifies = true
        plan.spins = true
        plan.segments = true
        let tally = try run(plan).tally
        #expect(tally.accepted == 2000)
        #expect(tally.bad == 0)
        // 256 for each socket, each of them more than once.
        #expect(Set(server.answered.map { $0[4..<20] }).count == 512)
        #expect(Set(server.answered.compactMap { AttributeOctets.values(1, in: Array($0[20...])).first }).count == 10)
    }

    @Test(arguments: [0, 256])
    func echoesCountWhenTheyAreTheSameOctets(_ prepared: Int) throws {
        let (same, other) = (try AnsweringServer(secret: secret, .echoes), try AnsweringServer(secret: secret))
        defer {
            same.stop()
            other.stop()
        }
        var plan = try plan(same.port, .echo)
        plan.count = 300
        plan.prepared = prepared
        #expect(try run(plan).tally.accepted == 300)
        plan.port = other.port
        plan.count = 20
        once(&plan)
        #expect(try run(plan).tally.bad == 20)
    }

    @Test func replyThatVerifiedForAnotherRequestDoesNotCount() throws {
        let server = try AnsweringServer(secret: secret, .repeatsFirstReply)
        defer { server.stop() }
        var plan = try plan(server.port, .pap)
        plan.count = 20
        plan.prepared = 256
        once(&plan)
        plan.verifies = true
        let tally = try run(plan).tally
        #expect(tally.accepted == 1)
        #expect(tally.bad == 19)
    }

    @Test func countsRepliesThatDoNotVerify() throws {
        let server = try AnsweringServer(secret: SharedSecret([1, 2]))
        defer { server.stop() }
        var plan = try plan(server.port, .pap)
        plan.count = 20
        once(&plan)
        plan.verifies = true
        let tally = try run(plan).tally
        #expect(tally.answered == 0)
        #expect(tally.bad == 20)
        #expect(tally.lost == 20)
    }

    @Test func acknowledgedRecordsAreThoseThatWereAnswered() throws {
        let server = try AnsweringServer(secret: secret, .dropsFirst)
        defer { server.stop() }
        var template = Array("/tmp/lastmile-load-XXXXXX".utf8CString)
        let fd = mkstemp(&template)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            close(fd)
            unlink(path)
        }
        var plan = try plan(server.port, .accounting)
        plan.count = 30
        plan.interims = 7
        plan.run = "t"
        plan.acknowledgedFD = fd
        let tally = try run(plan).tally
        #expect(tally.sessions == 30)
        #expect(tally.sent == 30 * 9)
        #expect(tally.retransmitted >= 30 * 9)
        let lines = String(decoding: try File.read(path), as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(lines.count == 30 * 9)
        #expect(Set(lines) == Set(server.answered.map(Self.line)))
        #expect(lines.contains("t-0\t2\t8000024\t5600000000\t2400"))
        // Start, seven interims, Stop, in that order.
        let statuses = lines.filter { $0.hasPrefix("t-7\t") }.map { $0.split(separator: "\t")[1] }
        #expect(statuses == ["1", "3", "3", "3", "3", "3", "3", "3", "2"])
    }

    /// What the acknowledged file should say of a request.
    private static func line(_ request: [UInt8]) -> String {
        let attributes = Array(request[20...])
        func number(_ type: UInt8) -> UInt64 { UInt64(AttributeOctets.number(type, in: attributes) ?? 0) }
        let session = String(decoding: AttributeOctets.values(44, in: attributes).first ?? [], as: UTF8.self)
        let (input, output) = (number(52) << 32 | number(42), number(53) << 32 | number(43))
        return "\(session)\t\(number(40))\t\(input)\t\(output)\t\(number(46))"
    }

    @Test func stoppingClosesOpenSessions() throws {
        let server = try AnsweringServer(secret: secret)
        defer { server.stop() }
        var plan = try plan(server.port, .accounting)
        plan.interims = 1000
        let generator = LoadGenerator(plan)
        try generator.start()
        try eventuallyBlocking { generator.tally.answered >= 100 }
        generator.stop()
        try eventuallyBlocking { generator.isDone }
        #expect(generator.tally.sessions == 20)
        #expect(generator.tally.inFlight == 0)
    }

    @Test func openSessionsTakeTurns() throws {
        let server = try AnsweringServer(secret: secret)
        defer { server.stop() }
        var plan = try plan(server.port, .accounting)
        plan.outstanding = 1
        plan.open = 50
        plan.count = 50
        plan.interims = 1
        #expect(try run(plan).tally.sessions == 50)
        let statuses = server.answered.map { AttributeOctets.number(40, in: Array($0[20...])) }
        let ports = server.answered.map { AttributeOctets.number(5, in: Array($0[20...])) }
        #expect(Set(ports).count == 50)
        #expect(Array(ports[..<50]) == Array(ports[50..<100]) && Array(ports[..<50]) == Array(ports[100...]))
        #expect(statuses == [UInt32](repeating: 1, count: 50) + [UInt32](repeating: 3, count: 50) + [UInt32](repeating: 2, count: 50))
    }

    @Test func sessionsStayOpenWhenAskedTo() throws {
        let server = try AnsweringServer(secret: secret)
        defer { server.stop() }
        var plan = try plan(server.port, .accounting)
        plan.interims = 1000
        plan.leavesOpen = true
        let generator = LoadGenerator(plan)
        try generator.start()
        try eventuallyBlocking { generator.tally.answered >= 100 }
        generator.stop()
        try eventuallyBlocking { generator.isDone }
        #expect(generator.tally.sessions == 0)
        #expect(generator.tally.inFlight == 0)
    }

    @Test func patternsNumberTheirNames() throws {
        #expect(NamePattern("user%06d@x")?.name(42) == Array("user000042@x".utf8))
        #expect(NamePattern("u%d")?.name(1234) == Array("u1234".utf8))
        for text in ["alice", "100%", "a%sd", "%9999d", "u%3d", "us%d%d", "us%d%", "%s%d"] { #expect(NamePattern(text) == nil) }
        #expect(try LoadNames.read("alice", count: 5, password: []).count == 1)
        #expect(throws: CommandFailure.self) { try LoadNames.read("/nonexistent/users", count: 5, password: []) }
    }

    @Test(arguments: [
        ("alice", 129, "--password: it has 129 octets"), ("user%d", 129, "--password: it has 129 octets"),
        ("us%s", 1, "--users us%s is neither a file nor a pattern"), ("us%d%d", 1, "--users us%d%d is neither a file nor a pattern"),
        (String(repeating: "a", count: 254), 1, "--users: the name has 254 octets"),
    ])
    func namesThatCannotBeUsedSayWhy(users: String, password: Int, message: String) throws {
        let failure = #expect(throws: CommandFailure.self) {
            try LoadNames.read(users, count: 5, password: [UInt8](repeating: 0x70, count: password))
        }
        #expect(failure?.status == .usage)
        #expect(failure?.message.hasPrefix(message) == true)
    }

    @Test(arguments: [["--interims", "1"], ["--open", "64"], ["--leave-open"], ["--run-name", "r"], ["--acknowledged", "/dev/null"]])
    func whatBelongsToAccountingIsRefusedElsewhere(option: [String]) throws {
        var command = try LoadCommand.parse(["--target", "127.0.0.1:1812", "--secret", "s", "--users", "alice"] + option)
        let failure = #expect(throws: CommandFailure.self) { try command.run() }
        #expect(failure?.message == "\(option[0]) belongs to --mode accounting")
    }

    @Test func aRateThatWasNotReachedIsSaid() throws {
        let server = try AnsweringServer(secret: secret, .dropsFirst)
        defer { server.stop() }
        var plan = try plan(server.port, .pap)
        plan.outstanding = 1
        plan.rate = 100_000
        plan.count = 5
        // Four requests wait their 100 ms before the fifth can begin.
        let tally = try run(plan).tally
        #expect(tally.sent == 5)
        #expect(tally.due >= 40_000)
        #expect(tally.missed == tally.due - 5)
        var report = LoadReport(tally: tally, histogram: LatencyHistogram(), elapsed: 1, plan: plan)
        #expect(report.shortfall?.hasPrefix("the rate was not reached: 5 of \(tally.due) requests; raise --outstanding") == true)
        #expect(report.record["due"]?.integer == Int64(tally.due))
        plan.rate = 4000
        var good = LoadTally()
        (good.sent, good.due, good.missed) = (15_900, 16_000, 100)
        report = LoadReport(tally: good, histogram: LatencyHistogram(), elapsed: 1, plan: plan)
        #expect(report.shortfall == nil)
        good.missed = 201
        report = LoadReport(tally: good, histogram: LatencyHistogram(), elapsed: 1, plan: plan)
        #expect(report.shortfall != nil)
    }

    @Test func plansForProcessorsThatAreMissingSayWhich() throws {
        var plan = try plan(1812, .pap)
        for missing in [100_000, -1, Int.max] {
            plan.processor = missing
            #expect(plan.fault?.contains("no processor \(missing)") == true)
        }
        let usable = (0..<1000).first { number in
            plan.processor = number
            return plan.fault == nil
        }
        #expect(usable != nil)
        // The second thread's processor is the one that is missing.
        plan.threads = 2
        plan.processor = Int.max
        #expect(plan.fault?.contains("2 from") == true)
    }

    @Test func plansThatCannotRunSayWhy() throws {
        let good = try plan(1812, .pap)
        #expect(good.fault == nil)
        for change in [
            { $0.outstanding = 257 }, { $0.sockets = 9 }, { $0.threads = 0 }, { $0.rate = -1 }, { $0.count = 0 }, { $0.open = 19 },
            { $0.prepared = -1 },
        ]
            as [(inout LoadPlan) -> Void]
        {
            var plan = good
            change(&plan)
            #expect(plan.fault != nil)
        }
    }

    @Test func lostRequestsFailTheReport() throws {
        var tally = LoadTally()
        tally.sent = 10
        tally.answered = 9
        tally.lost = 1
        let plan = try plan(1812, .pap)
        var report = LoadReport(tally: tally, histogram: LatencyHistogram(), elapsed: 2_000_000_000, plan: plan)
        #expect(report.failure == CommandFailure(.failed, "1 request was lost, 0 replies were bad"))
        #expect(report.record["answers_per_second"]?.integer == 4)
        #expect(report.record["seconds"]?.cell == "2.000")
        tally.answered = 0
        report = LoadReport(tally: tally, histogram: LatencyHistogram(), elapsed: 1, plan: plan)
        #expect(report.failure?.status == .unreachable)
    }
}
