import Testing

@testable import RadiusCore

@Suite struct SessionCensusTests {
    private static let start: UInt32 = 1_769_862_896
    private static let silence: UInt32 = 780

    private static func note(_ census: SessionCensus, _ trace: SessionTrace, isStop: Bool, at now: UInt32) {
        census.note(1, tenant: 1, trace, isStop: isStop, silence: silence, at: now)
    }

    /// A row of the database that began at `start`.
    private static func read(
        _ census: SessionCensus, _ trace: SessionTrace, told: UInt32, interim: UInt32 = 600, round: UInt32, at now: UInt32
    ) {
        census.merge(1, tenant: 1, trace, startedSeconds: start, toldSeconds: told, interimSeconds: interim, round: round, at: now)
    }

    private static func place(_ number: UInt64, session: UInt64 = 0) -> SessionTrace {
        var trace = SessionTrace.nowhere
        (trace.station, trace.session) = (number, session)
        return trace
    }

    /// Logs in and sends a Start.
    @discardableResult
    private static func enter(
        _ census: SessionCensus, _ place: UInt64, session: UInt64, limit: UInt16, replaces: Bool = false, at now: UInt32
    ) -> SessionCensus.Admission {
        let admission = login(census, place, limit: limit, replaces: replaces, at: now)
        if admission != .refused { Self.note(census, Self.place(place, session: session), isStop: false, at: now) }
        return admission
    }

    @discardableResult
    private static func login(
        _ census: SessionCensus, _ place: UInt64, limit: UInt16, replaces: Bool = false, at now: UInt32
    ) -> SessionCensus.Admission {
        census.admit(1, tenant: 1, Self.place(place), limit: SessionLimit(count: limit, replaces: replaces), silence: silence, at: now)
    }

    @Test func oneMoreThanTheLimitIsRefused() {
        let census = SessionCensus()
        #expect(Self.enter(census, 10, session: 1, limit: 2, at: Self.start) == .free)
        #expect(Self.enter(census, 20, session: 2, limit: 2, at: Self.start) == .free)
        #expect(Self.enter(census, 30, session: 3, limit: 2, at: Self.start + 1) == .refused)
        #expect(census.statistics == .init(sessions: 2, refused: 1, replaced: 0))
        Self.note(census, Self.place(10, session: 1), isStop: true, at: Self.start + 2)
        #expect(Self.enter(census, 30, session: 3, limit: 2, at: Self.start + 3) == .free)
        #expect(census.places(of: 1, at: Self.start + 3) == 2)
        #expect(census.places(of: 2, at: Self.start + 3) == 0)
    }

    @Test func whoeverComesBackFromTheSamePlaceIsNoOneMore() {
        let census = SessionCensus()
        Self.enter(census, 10, session: 1, limit: 1, at: Self.start)
        #expect(Self.enter(census, 10, session: 2, limit: 1, at: Self.start + 60) == .free)
        // Its ghost and the new session are one place for others, too.
        #expect(census.places(of: 1, at: Self.start + 60) == 1)
        #expect(Self.login(census, 20, limit: 1, at: Self.start + 61) == .refused)
        #expect(Self.login(census, 20, limit: 2, at: Self.start + 61) == .free)
    }

    @Test func aGhostDoesNotCount() {
        let census = SessionCensus()
        Self.enter(census, 10, session: 1, limit: 1, at: Self.start)
        #expect(Self.login(census, 20, limit: 1, at: Self.start + Self.silence) == .refused)
        Self.note(census, Self.place(10, session: 1), isStop: false, at: Self.start + Self.silence)
        #expect(Self.login(census, 20, limit: 1, at: Self.start + Self.silence + 1) == .refused)
        #expect(Self.login(census, 20, limit: 1, at: Self.start + 2 * Self.silence + 1) == .free)
    }

    /// The interval of the login that a session began by decides, not that of whoever comes next.
    @Test func eachSessionHasASilenceOfItsOwn() {
        let (census, hour) = (SessionCensus(), SessionCell.silenceSeconds(interim: 3600))
        #expect(hour == 4530 && SessionCell.silenceSeconds(interim: 600) == Self.silence)
        let limit = SessionLimit(count: 1, replaces: false)
        #expect(census.admit(1, tenant: 1, Self.place(10), limit: limit, silence: hour, at: Self.start) == .free)
        Self.note(census, Self.place(10, session: 1), isStop: false, at: Self.start)
        #expect(Self.login(census, 20, limit: 1, at: Self.start + hour) == .refused)
        #expect(Self.login(census, 20, limit: 1, at: Self.start + hour + 1) == .free)
        let other = SessionCensus()
        Self.read(other, Self.place(10, session: 1), told: Self.start, interim: 3600, round: 1, at: Self.start)
        #expect(Self.login(other, 20, limit: 1, at: Self.start + hour) == .refused)
        #expect(Self.login(other, 20, limit: 1, at: Self.start + hour + 1) == .free)
    }

    /// Both are answered before either's Start comes.
    @Test func loginsAtTheSameMomentCountEachOther() {
        let census = SessionCensus()
        #expect(Self.login(census, 10, limit: 1, at: Self.start) == .free)
        #expect(Self.login(census, 20, limit: 1, at: Self.start) == .refused)
        #expect(Self.login(census, 10, limit: 1, at: Self.start + 1) == .free)
        // Nothing came of it.
        #expect(Self.login(census, 20, limit: 1, at: Self.start + 1 + SessionCell.pendingSeconds) == .free)
        census.sweep(round: 1, began: Self.start + 100)
        #expect(census.statistics.sessions == 0)
    }

    @Test func theOldestGivesWay() {
        let census = SessionCensus()
        Self.enter(census, 10, session: 1, limit: 2, replaces: true, at: Self.start)
        Self.enter(census, 20, session: 2, limit: 2, replaces: true, at: Self.start + 1)
        #expect(Self.enter(census, 30, session: 3, limit: 2, replaces: true, at: Self.start + 2) == .replaced(1))
        #expect(census.takeReplacements(atMost: 10) == [.init(subscriber: 1, tenant: 1, trace: Self.place(10, session: 1))])
        #expect(census.takeReplacements(atMost: 10).isEmpty)
        #expect(census.places(of: 1, at: Self.start + 3) == 2)
        // A NAS that did not end it goes on telling of it: then it counts again.
        Self.note(census, Self.place(10, session: 1), isStop: false, at: Self.start + 30)
        #expect(census.places(of: 1, at: Self.start + 31) == 2)
        Self.note(census, Self.place(10, session: 1), isStop: false, at: Self.start + 70)
        #expect(census.places(of: 1, at: Self.start + 71) == 3)
        #expect(Self.login(census, 40, limit: 2, replaces: true, at: Self.start + 71) == .replaced(2))
        #expect(census.takeReplacements(atMost: 1).count == 1 && census.takeReplacements(atMost: 9).count == 1)
    }

    /// Neither has begun when the second is let in; the first is ended as soon as it begins.
    @Test func ofTwoLoginsAtTheSameMomentTheFirstGivesWay() {
        let census = SessionCensus()
        #expect(Self.login(census, 10, limit: 1, replaces: true, at: Self.start) == .free)
        #expect(Self.login(census, 20, limit: 1, replaces: true, at: Self.start) == .free)
        Self.note(census, Self.place(20, session: 2), isStop: false, at: Self.start + 1)
        #expect(census.takeReplacements(atMost: 9).isEmpty)
        Self.note(census, Self.place(10, session: 1), isStop: false, at: Self.start + 1)
        #expect(census.takeReplacements(atMost: 9) == [.init(subscriber: 1, tenant: 1, trace: Self.place(10, session: 1))])
        #expect(census.places(of: 1, at: Self.start + 2) == 1 && census.statistics.replaced == 1)
    }

    /// Coming back makes the login good again; what never begins lapses.
    @Test func aLoginThatGaveWayMayComeBackAndLapses() {
        let census = SessionCensus()
        for (place, seconds) in [(10, 0), (20, 1), (10, 2)] as [(UInt64, UInt32)] {
            #expect(Self.login(census, place, limit: 1, replaces: true, at: Self.start + seconds) == .free)
        }
        Self.note(census, Self.place(10, session: 1), isStop: false, at: Self.start + 3)
        #expect(census.takeReplacements(atMost: 9).isEmpty)
        let late = Self.start + 2 + SessionCell.pendingSeconds
        Self.note(census, Self.place(20, session: 2), isStop: false, at: late + 1)
        #expect(census.takeReplacements(atMost: 9).isEmpty)
        Self.note(census, Self.place(10, session: 1), isStop: true, at: late)
        Self.note(census, Self.place(20, session: 2), isStop: true, at: late)
        census.sweep(round: 1, began: late + 601)
        #expect(census.statistics.sessions == 0)
    }

    /// A Start without a station may be any login's; one with a station is nobody else's.
    @Test func aStartTakesNoOtherStationsLogin() {
        let census = SessionCensus()
        Self.login(census, 10, limit: 2, at: Self.start)
        Self.note(census, Self.place(20, session: 2), isStop: false, at: Self.start + 1)
        #expect(census.places(of: 1, at: Self.start + 1) == 2)
        Self.note(census, Self.place(0, session: 3), isStop: false, at: Self.start + 2)
        #expect(census.places(of: 1, at: Self.start + 2) == 2 && census.statistics.sessions == 2)
    }

    /// Some NASes leave Calling-Station-Id out of interim records.
    @Test func aRecordThatTellsNoStationTakesNoneAway() {
        let census = SessionCensus()
        Self.enter(census, 10, session: 1, limit: 1, at: Self.start)
        Self.note(census, Self.place(0, session: 1), isStop: false, at: Self.start + 60)
        #expect(Self.login(census, 10, limit: 1, at: Self.start + 61) == .free)
        // One that told none learns it from the database.
        let other = SessionCensus()
        Self.note(other, Self.place(0, session: 1), isStop: false, at: Self.start)
        #expect(Self.login(other, 10, limit: 1, at: Self.start + 1) == .refused)
        Self.read(other, Self.place(10, session: 1), told: Self.start, round: 1, at: Self.start + 1)
        #expect(Self.login(other, 10, limit: 1, at: Self.start + 2) == .free)
        // What was heard here is newer.
        Self.read(other, Self.place(20, session: 1), told: Self.start, round: 2, at: Self.start + 2)
        #expect(Self.login(other, 10, limit: 1, at: Self.start + 3) == .free)
    }

    /// IPv4 and IPv6 in sessions of their own, or a ghost beside what came after it.
    @Test func aPlaceGivesWayWithAllItsSessionsAndNoOtherDoes() {
        let census = SessionCensus()
        Self.enter(census, 10, session: 1, limit: 2, replaces: true, at: Self.start)
        Self.enter(census, 20, session: 2, limit: 2, replaces: true, at: Self.start + 10)
        Self.enter(census, 10, session: 3, limit: 2, replaces: true, at: Self.start + 20)
        // The newest at 20 is older than the newest at 10, though the oldest is there.
        #expect(Self.enter(census, 30, session: 4, limit: 2, replaces: true, at: Self.start + 30) == .replaced(1))
        #expect(census.takeReplacements(atMost: 9).map(\.trace.session) == [2])
        #expect(Self.enter(census, 40, session: 5, limit: 2, replaces: true, at: Self.start + 40) == .replaced(2))
        #expect(Set(census.takeReplacements(atMost: 9).map(\.trace.session)) == [1, 3])
        #expect(census.places(of: 1, at: Self.start + 41) == 2)
    }

    @Test func theDatabaseTellsOfOtherNodesAndOfTheEnd() {
        let census = SessionCensus()
        Self.read(census, Self.place(10, session: 1), told: Self.start + 60, round: 1, at: Self.start + 61)
        census.sweep(round: 1, began: Self.start + 61)
        #expect(Self.login(census, 20, limit: 1, at: Self.start + 62) == .refused)
        // Another node was told of its end: the next reading has it no more.
        census.sweep(round: 2, began: Self.start + 70)
        #expect(Self.login(census, 20, limit: 1, at: Self.start + 71) == .free)
    }

    /// Two NASes whose clocks are an hour slow and five minutes fast, on another node.
    @Test(arguments: [-3600, 300] as [Int32])
    func theClockOfANASDecidesNothing(ahead: Int32) {
        let census = SessionCensus()
        func told(_ seconds: UInt32) -> UInt32 { UInt32(Int64(Self.start + seconds) + Int64(ahead)) }
        Self.read(census, Self.place(10, session: 1), told: told(0), round: 1, at: Self.start + 5)
        // Nothing is known of it but what its clock says, with a silence of grace; the next record tells.
        #expect(census.places(of: 1, at: Self.start + 5) == (ahead < 0 ? 0 : 1))
        Self.read(census, Self.place(10, session: 1), told: told(600), round: 2, at: Self.start + 605)
        #expect(Self.login(census, 20, limit: 1, at: Self.start + 605 + Self.silence) == .refused)
        // No record more: the same row, read again, keeps no ghost alive.
        Self.read(census, Self.place(10, session: 1), told: told(600), round: 3, at: Self.start + 605 + Self.silence)
        #expect(Self.login(census, 20, limit: 1, at: Self.start + 606 + Self.silence) == .free)
    }

    /// Known since the start of the node, a clock within the grace is no ghost's, and an old row is nobody's session.
    @Test func aRowIsTrustedAtFirstSightForTwoSilences() {
        for (age, places) in [(0, 1), (Self.silence + 1, 1), (2 * Self.silence, 1), (2 * Self.silence + 1, 0)] {
            let census = SessionCensus()
            Self.read(census, Self.place(10, session: 1), told: Self.start, round: 1, at: Self.start + age)
            #expect(census.places(of: 1, at: Self.start + age) == places)
        }
    }

    /// A row of yesterday from the same station does not undo the login of now; another node's Start counts with it as one place.
    @Test func aLoginCountsBesideRowsOfItsPlace() {
        let census = SessionCensus()
        #expect(Self.login(census, 10, limit: 1, at: Self.start) == .free)
        Self.read(census, Self.place(10, session: 1), told: Self.start - 86_400, round: 1, at: Self.start + 1)
        #expect(Self.login(census, 20, limit: 1, at: Self.start + 2) == .refused)
        Self.read(census, Self.place(10, session: 2), told: Self.start + 3, round: 2, at: Self.start + 4)
        #expect(census.places(of: 1, at: Self.start + 4) == 1)
    }

    /// What the shipper brings late is no life after the Stop.
    @Test func aStopThatCameHereOutweighsTheRow() {
        let census = SessionCensus()
        Self.enter(census, 10, session: 1, limit: 1, at: Self.start)
        Self.read(census, Self.place(10, session: 1), told: Self.start, round: 1, at: Self.start + 5)
        Self.note(census, Self.place(10, session: 1), isStop: true, at: Self.start + 60)
        Self.read(census, Self.place(10, session: 1), told: Self.start + 59, round: 2, at: Self.start + 61)
        Self.read(census, Self.place(10, session: 1), told: Self.start + 3600, round: 3, at: Self.start + 66)
        #expect(census.places(of: 1, at: Self.start + 67) == 0)
    }

    @Test func whatTheDatabaseDoesNotKnowYetStays() {
        let census = SessionCensus()
        Self.enter(census, 10, session: 1, limit: 1, at: Self.start)
        census.sweep(round: 1, began: Self.start + 300)
        #expect(Self.login(census, 20, limit: 1, at: Self.start + 300) == .refused)
        // Its Stop is here, its row still open.
        Self.note(census, Self.place(10, session: 1), isStop: true, at: Self.start + 310)
        Self.read(census, Self.place(10, session: 1), told: Self.start + 305, round: 2, at: Self.start + 311)
        census.sweep(round: 2, began: Self.start + 311)
        #expect(census.places(of: 1, at: Self.start + 312) == 0)
        // A record that was sent again does not bring it back.
        Self.note(census, Self.place(10, session: 1), isStop: false, at: Self.start + 312)
        #expect(census.places(of: 1, at: Self.start + 312) == 0)
    }

    @Test func nobodyFillsTheMemoryWithSessions() {
        let census = SessionCensus()
        for session in 1...10_000 {
            Self.note(census, Self.place(UInt64(session), session: UInt64(session)), isStop: session % 3 == 0, at: Self.start)
        }
        #expect(census.statistics.sessions == SessionTable.cellsOfOne)
    }

    /// A device that logs in and out all day takes no room from one that stays.
    @Test func whatHasEndedMakesRoomBeforeWhatIsOpen() {
        let census = SessionCensus()
        Self.enter(census, 10, session: 1, limit: 9, at: Self.start)
        for session in 2...500 as ClosedRange<UInt64> {
            Self.note(census, Self.place(20, session: session), isStop: session % 2 == 0, at: Self.start + 1)
            Self.note(census, Self.place(20, session: session), isStop: true, at: Self.start + 1)
        }
        #expect(census.statistics.sessions == SessionTable.cellsOfOne && census.places(of: 1, at: Self.start + 2) == 1)
        census.forgetLapsed(at: Self.start + 700)
        #expect(census.statistics.sessions == 1)
    }

    /// EAP in the midst of a session, from a NAS that tells which it is, and no station.
    @Test func provingOneselfAnewIsNoOneMore() {
        let census = SessionCensus()
        let limit = SessionLimit(count: 1, replaces: false)
        Self.enter(census, 10, session: 1, limit: 1, at: Self.start)
        let again = Self.place(0, session: 1)
        #expect(census.admit(1, tenant: 1, again, limit: limit, silence: Self.silence, at: Self.start + 60) == .free)
        #expect(census.places(of: 1, at: Self.start + 61) == 1 && census.statistics.sessions == 1)
    }

    /// Against a model that keeps everything in a plain list.
    @Test func manyLivesAgreeWithAModel() {
        struct Life {
            var place: UInt64
            var session: UInt64
            var seen: UInt32
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let census = SessionCensus()
            var (lives, now, serial): ([Life], UInt32, UInt64) = ([], Self.start, 0)
            let limit = UInt16.random(in: 1...4, using: &random)
            for _ in 0..<300 {
                now += UInt32.random(in: 0...200, using: &random)
                lives.removeAll { now - $0.seen > Self.silence }
                switch Int.random(in: 0..<4, using: &random) {
                case 0 where !lives.isEmpty:
                    let gone = lives.remove(at: Int.random(in: lives.indices, using: &random))
                    Self.note(census, Self.place(gone.place, session: gone.session), isStop: true, at: now)
                case 1 where !lives.isEmpty:
                    let place = Int.random(in: lives.indices, using: &random)
                    lives[place].seen = now
                    Self.note(census, Self.place(lives[place].place, session: lives[place].session), isStop: false, at: now)
                case 2: census.sweep(round: 1, began: now)
                default:
                    serial += 1
                    let place = UInt64.random(in: 1...6, using: &random)
                    let others = Set(lives.map(\.place)).subtracting([place]).count
                    let admission = Self.enter(census, place, session: serial, limit: limit, at: now)
                    #expect((admission == .refused) == (others >= Int(limit)))
                    if admission != .refused { lives.append(Life(place: place, session: serial, seen: now)) }
                }
                #expect(census.places(of: 1, at: now) == Set(lives.map(\.place)).count)
            }
        }
    }

    @Test func tenThousandAtOnceGetInAsOftenAsTheyMay() async {
        let census = SessionCensus()
        let accepted = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<1250).reduce(0) { sum, number in
                        let place = UInt64(task * 1250 + number + 1)
                        return sum + (Self.login(census, place, limit: 3, at: Self.start) == .free ? 1 : 0)
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(accepted == 3)
    }
}
