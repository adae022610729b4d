import Support
import Testing

@testable import RadiusCore

@Suite struct SessionFoldTests {
    @Test(arguments: GigawordsHabit.allCases)
    func everyOrderAndRepetitionEndsInTheSameTotals(habit: GigawordsHabit) throws {
        for seed in 0..<400 {
            var random = SeededGenerator(state: UInt64(seed))
            let script = SessionScript(interims: Int.random(in: 0...6, using: &random), habit: habit, using: &random)
            var records = script.records
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                records.append(script.records[Int.random(in: script.records.indices, using: &random)])
            }
            records.shuffle(using: &random)
            try expect(FoldedSession(records), matches: script, "seed \(seed)")
        }
    }

    @Test func everyPermutationOfASmallSessionEndsInTheSameTotals() throws {
        var random = SeededGenerator(state: 7)
        let script = SessionScript(interims: 3, habit: .never, using: &random)
        for order in permutations(Array(script.records.indices)) {
            try expect(FoldedSession(order.map { script.records[$0] }), matches: script, "order \(order)")
        }
    }

    @Test(arguments: GigawordsHabit.allCases)
    func longSessionsStandReorderingOfNeighbours(habit: GigawordsHabit) throws {
        for seed in 0..<40 {
            var random = SeededGenerator(state: UInt64(seed))
            let script = SessionScript(interims: 200, habit: habit, using: &random)
            let places = script.records.indices.map { (Double($0) + Double.random(in: 0..<5, using: &random), $0) }
            let order = places.sorted { $0.0 < $1.0 }.map { script.records[$0.1] }
            try expect(FoldedSession(order), matches: script, "seed \(seed)")
        }
    }

    @Test func lostStartsAreMadeUpForBySessionTime() throws {
        var random = SeededGenerator(state: 3)
        let script = SessionScript(interims: 4, habit: .always, using: &random)
        let session = FoldedSession(Array(script.records.dropFirst()))
        #expect(session.kinds.first == .opened)
        #expect(session.fold?.startedMicroseconds == SessionScript.start)
        #expect(session.upload == script.upload)
    }

    @Test func aLoneStopOpensAndCloses() throws {
        var random = SeededGenerator(state: 4)
        let script = SessionScript(interims: 0, habit: .always, using: &random)
        let session = FoldedSession([script.records[1]])
        #expect(session.kinds == [.closed])
        #expect(session.fold?.isOpen == false)
        #expect(session.download == script.download)
        #expect(session.fold?.startedMicroseconds == SessionScript.start)
    }

    @Test func recordsBehindTheStopAreLateAndStillCount() {
        var stop = SessionScript.record(.stop, atSeconds: 600)
        stop.sessionSeconds = 600
        stop.upload = AccountingProgress.Counter(low: 500, gigawords: 0)
        var interim = SessionScript.record(.interimUpdate, atSeconds: 601)
        interim.sessionSeconds = 601
        interim.upload = AccountingProgress.Counter(low: 700, gigawords: 0)
        let session = FoldedSession([SessionScript.record(.start, atSeconds: 0), stop, interim, interim])
        #expect(session.kinds == [.opened, .closed, .late, .duplicate])
        #expect(session.upload == 700)
        #expect(session.fold?.stoppedMicroseconds == SessionScript.start + 600_000_000)
    }

    @Test func retransmissionsWithAnotherDelayAreDuplicates() {
        let first = AccountingProgress(
            status: .start, time: EventTime(receivedMicroseconds: SessionScript.start, delaySeconds: 0))
        let again = AccountingProgress(
            status: .start, time: EventTime(receivedMicroseconds: SessionScript.start + 9_000_000, delaySeconds: 8))
        let session = FoldedSession([first, again])
        #expect(session.kinds == [.opened, .duplicate])
        #expect(session.fold?.startedMicroseconds == SessionScript.start)
    }

    @Test func aStartAfterTheStopIsANewSession() {
        var stop = SessionScript.record(.stop, atSeconds: 600)
        stop.sessionSeconds = 600
        let session = FoldedSession([SessionScript.record(.start, atSeconds: 0), stop, SessionScript.record(.start, atSeconds: 700)])
        #expect(session.kinds == [.opened, .closed, .reopened])
        #expect(session.fold?.stoppedMicroseconds == SessionScript.start + 600_000_000)
    }

    @Test func aRebootedNASThatReusesTheIDEndsTheOldSession() {
        var interim = SessionScript.record(.interimUpdate, atSeconds: 3000)
        interim.sessionSeconds = 3000
        interim.upload = AccountingProgress.Counter(low: 4_000_000_000)
        var reborn = SessionScript.record(.interimUpdate, atSeconds: 3600)
        reborn.sessionSeconds = 300
        reborn.upload = AccountingProgress.Counter(low: 1000)
        let session = FoldedSession([SessionScript.record(.start, atSeconds: 0), interim, reborn])
        #expect(session.kinds == [.opened, .updated, .reopened])
        #expect(session.upload == 4_000_000_000)
        #expect(session.fold?.ending == .replaced)
        #expect(session.fold?.stoppedMicroseconds == SessionScript.start + 3_000_000_000)
    }

    @Test func recordsOfAnEarlierSessionAreKnown() {
        var fold = SessionFold.opened(by: SessionScript.record(.start, atSeconds: 5000)).0
        var stop = SessionScript.record(.stop, atSeconds: 4000)
        stop.sessionSeconds = 1000
        #expect(fold.apply(stop).kind == .older)
    }

    @Test func aSessionThatWeClosedGoesOnWhenTheNASSaysSo() {
        var session = SessionFold.opened(by: SessionScript.record(.start, atSeconds: 0)).0
        var interim = SessionScript.record(.interimUpdate, atSeconds: 300)
        interim.sessionSeconds = 300
        interim.upload = AccountingProgress.Counter(low: 10, gigawords: 0)
        #expect(session.apply(interim).kind == .updated)
        session.close(atMicroseconds: SessionScript.start + 310_000_000, by: .ghost, cause: .lostCarrier)
        #expect(!session.isOpen)
        var later = SessionScript.record(.interimUpdate, atSeconds: 600)
        later.sessionSeconds = 600
        later.upload = AccountingProgress.Counter(low: 25, gigawords: 0)
        let effect = session.apply(later)
        #expect(effect == SessionEffect(kind: .resumed, upload: 15, download: 0, seconds: 300))
        #expect(session.isOpen)
    }

    @Test func theNASsOwnStopReplacesAnEndThatWeGuessed() {
        var session = SessionFold.opened(by: SessionScript.record(.start, atSeconds: 0)).0
        session.close(atMicroseconds: SessionScript.start + 900_000_000, by: .accountingOn, cause: .nasReboot)
        var stop = SessionScript.record(.stop, atSeconds: 840)
        stop.sessionSeconds = 840
        stop.terminateCause = .lostCarrier
        #expect(session.apply(stop).kind == .closed)
        #expect(session.ending == .stop)
        #expect(session.terminateCause == .lostCarrier)
        #expect(session.stoppedMicroseconds == SessionScript.start + 840_000_000)
    }

    @Test func withoutSessionTimeTheEventsMakeTheSeconds() {
        let records: [AccountingProgress] = [
            SessionScript.record(.start, atSeconds: 0), SessionScript.record(.interimUpdate, atSeconds: 300),
            SessionScript.record(.stop, atSeconds: 450),
        ]
        for order in permutations([0, 1, 2]) {
            let session = FoldedSession(order.map { records[$0] })
            #expect(session.fold?.seconds == 450, "order \(order)")
            #expect(session.seconds == 450, "order \(order)")
            #expect(session.fold?.isOpen == false, "order \(order)")
        }
    }

    @Test func unstampedRecordsInAnyOrderWithinSecondsAreOneSession() {
        for order in permutations([0, 1, 2, 3]) {
            let ages: [UInt32] = [0, 300, 600, 601]
            let records = order.enumerated().map { arrival, which -> AccountingProgress in
                var record = AccountingProgress(
                    status: which == 0 ? .start : which == 3 ? .stop : .interimUpdate,
                    time: EventTime(receivedMicroseconds: SessionScript.start + Int64(arrival) * 1_000_000))
                if which > 0 {
                    record.sessionSeconds = ages[which]
                    record.download = AccountingProgress.Counter(low: [0, 3_000_000_000, 1_000_000_000, 2_000_000_000][which])
                }
                return record
            }
            let session = FoldedSession(records)
            #expect(session.download == 6_294_967_296, "order \(order)")
            #expect(session.fold?.isOpen == false, "order \(order)")
            #expect(!session.kinds.contains(.reopened), "order \(order)")
        }
    }

    private func expect(_ session: FoldedSession, matches script: SessionScript, _ comment: Comment) throws {
        let fold = try #require(session.fold)
        #expect(fold.upload.total == script.upload, comment)
        #expect(fold.download.total == script.download, comment)
        #expect(session.upload == script.upload, comment)
        #expect(session.download == script.download, comment)
        #expect(fold.seconds == UInt64(script.seconds), comment)
        #expect(session.seconds == UInt64(script.seconds), comment)
        #expect(fold.startedMicroseconds == SessionScript.start, comment)
        #expect(fold.stoppedMicroseconds == SessionScript.start + Int64(script.seconds) * 1_000_000, comment)
        #expect(fold.terminateCause == .lostCarrier, comment)
        #expect(fold.ending == .stop, comment)
    }

    private func permutations(_ values: [Int]) -> [[Int]] {
        guard values.count > 1 else { return [values] }
        return values.indices.flatMap { place -> [[Int]] in
            var rest = values
            let first = rest.remove(at: place)
            return permutations(rest).map { [first] + $0 }
        }
    }
}
