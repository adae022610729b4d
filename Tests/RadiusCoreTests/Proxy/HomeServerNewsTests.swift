import Testing

@testable import RadiusCore

/// What the log says of home servers.
@Suite struct HomeServerNewsTests {
    private let meter = HomeServerMeter()

    /// What a look finds.
    private func look(_ news: inout HomeServerNews, requires: Bool = true) throws -> [HomeServerNews.Item] {
        let report = ProxyService.HomeServerReport(
            server: try ScriptedHomeServer().row(requiresMessageAuthenticator: requires), meter: meter)
        return news.look(at: [report])
    }

    private func become(_ state: HomeServerLiveness.State) { meter.set(state, latencyMicroseconds: 0, outstanding: 0, nil) }

    @Test func eachChangeIsToldOnce() throws {
        var news = HomeServerNews()
        #expect(try look(&news) == [])
        for (state, words) in [(HomeServerLiveness.State.zombie, "no other is alive"), (.dead, "Status-Server"), (.alive, "alive again")] {
            if state == .alive { meter.add(.statusAnswers) }
            become(state)
            let items = try look(&news)
            #expect(items.count == 1 && items[0].sentence.contains(words) && items[0].sentence.contains("home1"), "\(items)")
            #expect(items.first?.isGood == (state == .alive))
            #expect(try look(&news) == [])
        }
    }

    @Test func oneThatTimeBringsBackIsTriedAndNotSaidToBeAlive() throws {
        var news = HomeServerNews()
        meter.add(.accepts)
        for state in [HomeServerLiveness.State.zombie, .dead, .alive] {
            become(state)
            let items = try look(&news)
            #expect(items.count == 1 && items[0].sentence.contains("alive again") == false)
            #expect((items.first?.sentence == "home server home1 is tried again") == (state == .alive))
        }
    }

    @Test func aConnectionThatFailsIsToldWithItsReasonUntilItStandsAgain() throws {
        var news = HomeServerNews()
        meter.setConnectionFailure("Connection refused")
        become(.zombie)
        #expect(try look(&news).map(\.sentence) == ["there is no connection to home server home1: Connection refused"])
        become(.dead)
        #expect(try look(&news) == [])
        // It opens and is refused, once a minute.
        for _ in 0..<3 {
            meter.setConnectionFailure(nil)
            _ = try look(&news)
            meter.setConnectionFailure("Connection refused")
            #expect(try look(&news) == [])
        }
        meter.setConnectionFailure(nil)
        become(.alive)
        #expect(try look(&news).map(\.isGood) == [true])
        meter.setConnectionFailure("Connection refused")
        #expect(try look(&news).count == 1)
    }

    @Test func theFirstReplyWithoutMessageAuthenticatorIsToldWithWhatToDo() throws {
        var news = HomeServerNews()
        meter.add(.messageAuthenticatorMissing)
        let items = try look(&news)
        #expect(items.count == 1 && items[0].sentence.contains("home-server update home1 --require-message-authenticator false"))
        meter.add(.messageAuthenticatorMissing)
        #expect(try look(&news) == [])
        var other = HomeServerNews()
        #expect(try look(&other, requires: false).first?.sentence.contains("with EAP") == true)
    }

    @Test func oneThatChangesAllTheTimeIsToldOfOnlySoOften() throws {
        var news = HomeServerNews()
        var lines = 0
        for round in 1..<HomeServerNews.roundsOfCalm {
            become(round % 2 == 0 ? .alive : .zombie)
            lines += try look(&news).count
        }
        #expect(lines == HomeServerNews.lineLimit)
        // The time is over.
        for state in [HomeServerLiveness.State.dead, .zombie] {
            become(state)
            lines += try look(&news).count
        }
        #expect(lines == HomeServerNews.lineLimit + 2)
    }

    @Test func whatThereWasNoRoomForIsToldLaterAndTheMissingAuthenticatorAtOnce() throws {
        var news = HomeServerNews()
        for round in 1...HomeServerNews.lineLimit {
            become(round % 2 == 0 ? .alive : .zombie)
            #expect(try look(&news).count == 1)
        }
        meter.setConnectionFailure("Connection refused")
        become(.zombie)
        meter.add(.messageAuthenticatorMissing)
        let items = try look(&news)
        #expect(items.count == 1 && items[0].sentence.contains("without Message-Authenticator"))
        var later: [HomeServerNews.Item] = []
        for _ in HomeServerNews.lineLimit + 1..<HomeServerNews.roundsOfCalm { later += try look(&news) }
        #expect(later.map(\.sentence) == ["there is no connection to home server home1: Connection refused"])
    }

    @Test func theMostFrequentDropIsNamedAndALateReplyOnlyWhereNothingElseWas() {
        #expect(meter.mostDropped == nil)
        meter.add(.unmatched, 9)
        #expect(meter.mostDropped == .unmatched)
        meter.add(.messageAuthenticatorMissing, 2)
        meter.add(.badAuthenticator)
        #expect(meter.mostDropped == .messageAuthenticatorMissing)
    }
}
