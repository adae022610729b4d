import Support
import Testing

@testable import RadiusCore

/// A NAS whose clock is behind when a session begins, and right from some record on.
@Suite struct ClockSetForwardTests {
    @Test(arguments: [301, 3600, 7200, 86_400, 7 * 86_400 - 1] as [Int64], [1, 2, 3, 5])
    func isOneSession(behind: Int64, rightFrom: Int) {
        let records = (0...6).map { number -> AccountingProgress in
            let status: AcctStatus = number == 0 ? .start : number == 6 ? .stop : .interimUpdate
            return Self.record(status, age: number * 300, behind: number < rightFrom ? behind : 0)
        }
        let session = FoldedSession(records)
        #expect(session.kinds == [.opened, .updated, .updated, .updated, .updated, .updated, .closed])
        #expect(session.upload == 1_800_000)
        #expect(session.seconds == 1800)
    }

    @Test func isOneSessionWithTheStartLostOrTheClockSetToAnotherWrongTime() {
        let lost = FoldedSession([Self.record(.interimUpdate, age: 300, behind: 7200), Self.record(.interimUpdate, age: 600)])
        #expect(lost.kinds == [.opened, .updated])
        let other = FoldedSession([Self.record(.interimUpdate, age: 300, behind: 86_400), Self.record(.stop, age: 600, behind: 3600)])
        #expect(other.kinds == [.opened, .closed])
    }

    @Test func isOneSessionWhenTheNextRecordWasHeldBack() {
        let behind = [Self.record(.start, age: 0, behind: 7200), Self.record(.interimUpdate, age: 300, behind: 7200)]
        #expect(FoldedSession(behind + [Self.record(.interimUpdate, age: 600, held: 4000)]).kinds.last == .updated)
        let delayed = Self.record(.interimUpdate, age: 600, behind: -400, held: 4000, delay: 4000)
        #expect(!delayed.time.isSkewed)
        #expect(FoldedSession(behind + [delayed]).kinds.last == .updated)
    }

    @Test func retransmissionsBeforeTheClockIsSetDoNotMoveTheSession() {
        let again = Self.record(.interimUpdate, age: 300, behind: 7200, held: 250)
        let late = Self.record(.interimUpdate, age: 200, behind: 7200, held: 390)
        let session = FoldedSession(
            [Self.record(.interimUpdate, age: 300, behind: 7200), again, late, Self.record(.interimUpdate, age: 600)])
        #expect(session.kinds == [.opened, .duplicate, .updated, .updated])
        #expect(session.upload == 600_000)
    }

    /// Every order of the records before the clock was set, repeated at will: the rest follows the same session.
    @Test func theOrderOfTheRecordsBeforeDoesNotMatter() {
        for seed in 0..<300 {
            var random = SeededGenerator(state: UInt64(seed))
            var records = (0...5).map { Self.record($0 == 0 ? .start : .interimUpdate, age: $0 * 300, behind: 5000) }
            for _ in 0..<3 { records.append(records[Int.random(in: 0...5, using: &random)]) }
            records.shuffle(using: &random)
            let session = FoldedSession(records + [Self.record(.interimUpdate, age: 1800), Self.record(.stop, age: 2100)])
            #expect(!session.kinds.contains(.reopened), "seed \(seed)")
            #expect(!session.kinds.contains(.older), "seed \(seed)")
            #expect(session.upload == 2_100_000, "seed \(seed)")
            #expect(session.fold?.sighting == SessionSighting(age: 2100, microseconds: SessionScript.start + 2_100_020_000))
        }
    }

    @Test(arguments: [0, 7200] as [Int64]) func aReusedIDAfterARebootIsStillAnotherSession(behind: Int64) {
        let old = [Self.record(.start, age: 0, behind: behind), Self.record(.interimUpdate, age: 300, behind: behind)]
        for began in [330, 400, 1000, 9000] as [Int64] {
            for age in [20, 300, 600, 3000] {
                let session = FoldedSession(old + [Self.record(.interimUpdate, began: began, age: age)])
                #expect(session.kinds.last == .reopened, "began \(began), age \(age)")
            }
        }
    }

    @Test func aReusedIDBehindAStopIsAnotherSession() {
        let old = [Self.record(.start, age: 0, behind: 7200), Self.record(.stop, age: 100, behind: 7200)]
        #expect(FoldedSession(old + [Self.record(.interimUpdate, began: 110, age: 300)]).kinds.last == .reopened)
        #expect(FoldedSession(old + [Self.record(.start, began: 110, age: 0)]).kinds.last == .reopened)
    }

    /// Whatever the ages, and with the old session remembered or not: a clock that was right all the time decides as it did.
    @Test func aReusedIDIsKnownByARightClockAsItWasBefore() throws {
        var random = SeededGenerator(state: 31)
        for round in 0..<3000 {
            let last = Int.random(in: 0...900, using: &random)
            let ages = [0, last / 2, last].filter { $0 > 0 || Bool.random(using: &random) }
            let old = ages.map { Self.record($0 == 0 ? .start : .interimUpdate, age: $0, held: .random(in: 0...3, using: &random)) }
            guard let known = FoldedSession(old).fold else { continue }
            let began = Int64(last) + .random(in: 20...600, using: &random)
            let age = Int.random(in: 0...1200, using: &random)
            let record = Self.record(.interimUpdate, began: began, age: age, held: .random(in: 0...3, using: &random))
            var fold = known
            var former = known
            former.sighting = nil
            #expect(fold.apply(record) == former.apply(record), "round \(round): \(ages), then \(age) from \(began)")
        }
    }

    /// Of two sessions with one id, held back by the NAS and sent together an hour later, without Acct-Delay-Time.
    @Test func heldBackRecordsOfTwoSessionsStayOfTwo() {
        for oldAge in [60, 300, 600, 3000] {
            for newAge in [60, 300, 600, 3000] {
                let gap = Int64(oldAge) + 100
                let sent = gap + Int64(newAge) + 3600
                let old = Self.record(.interimUpdate, age: oldAge, held: sent - Int64(oldAge))
                let new = Self.record(.interimUpdate, began: gap, age: newAge, held: 3601)
                let session = FoldedSession([old, new])
                #expect(session.kinds == [.opened, .reopened], "ages \(oldAge) and \(newAge)")
                let turned = SessionFold.opened(by: new)
                var fold = turned.0
                #expect(fold.apply(old).kind == .older, "ages \(oldAge) and \(newAge)")
            }
        }
    }

    @Test func aRecordThatWasHeldBackWithItsDelayIsAnotherSessionsToo() {
        let old = Self.record(.interimUpdate, age: 300, held: 5000, delay: 5000)
        let new = Self.record(.interimUpdate, began: 400, age: 300, held: 4600, delay: 4600)
        #expect(FoldedSession([old, new]).kinds == [.opened, .reopened])
    }

    @Test func theStateOfTheFormerVersionIsReadAndBehavesAsItDid() throws {
        let opened = FoldedSession([Self.record(.start, age: 0, behind: 7200), Self.record(.interimUpdate, age: 300, behind: 7200)])
        let fold = try #require(opened.fold)
        #expect(fold.restored == fold)
        var former = fold.stateOctets
        #expect(former[1] == 0b1111)
        // Flags of the former version alone, and its length.
        former[1] &= 7
        former.removeLast(12)
        var restored = fold.restored(from: former)
        #expect(restored.sighting == nil)
        #expect(restored.stateOctets == former)
        #expect(restored.apply(Self.record(.interimUpdate, age: 600)).kind == .reopened)
        var kept = fold.restored(from: former)
        #expect(kept.apply(Self.record(.interimUpdate, age: 600, behind: 7200)).kind == .updated)
        #expect(kept.apply(Self.record(.interimUpdate, age: 900)).kind == .updated)
        // Cut short, or of another kind: the rest is still good.
        var cut = fold.stateOctets
        cut.removeLast()
        #expect(fold.restored(from: cut).sighting == nil)
        #expect(fold.restored(from: cut).digests == fold.digests)
    }

    @Test(arguments: [Int64.min, .max, 0]) func stateOfAnyOctetsStopsNothing(moment: Int64) throws {
        let opened = FoldedSession([Self.record(.start, age: 0), Self.record(.interimUpdate, age: 300)])
        var fold = try #require(opened.fold)
        fold.sighting = SessionSighting(age: 300, microseconds: moment)
        var restored = fold.restored
        #expect(restored.apply(Self.record(.interimUpdate, began: 5000, age: 600)).kind == .reopened)
    }

    /// Of a session that began at `began` seconds and is `age` old, arriving `held` seconds later, from a clock that is `behind`.
    private static func record(
        _ status: AcctStatus, began: Int64 = 0, age: Int, behind: Int64 = 0, held: Int64 = 0, delay: UInt32 = 0
    ) -> AccountingProgress {
        let event = SessionScript.start / 1_000_000 + began + Int64(age)
        let arrival = (event + held) * 1_000_000 + 20_000
        let time = EventTime(receivedMicroseconds: arrival, delaySeconds: delay, eventTimestamp: UInt32(event - behind))
        var record = AccountingProgress(status: status, time: time)
        if status != .start {
            record.sessionSeconds = UInt32(age)
            record.upload = AccountingProgress.Counter(low: UInt32(age) * 1000, gigawords: 0)
        }
        return record
    }
}
