import Testing

@testable import RadiusCore

/// What the log says of home servers.
@Suite struct HomeServerNewsTests {
    private let meter = HomeServerMeter()

    private func report(requires: Bool = true) throws -> [ProxyService.HomeServerReport] {
        [.init(server: try ScriptedHomeServer().row(requiresMessageAuthenticator: requires), meter: meter)]
    }

    private func become(_ state: HomeServerLiveness.State) { meter.set(state, latencyMicroseconds: 0, outstanding: 0, nil) }

    @Test func eachChangeIsToldOnce() throws {
        var news = HomeServerNews()
        #expect(try news.look(at: report()).isEmpty)
        for (state, words) in [(HomeServerLiveness.State.zombie, "no other is alive"), (.dead, "Status-Server"), (.alive, "alive again")] {
            become(state)
            let items = try news.look(at: report())
            #expect(items.count == 1 && items[0].sentence.contains(words) && items[0].sentence.contains("home1"), "\(items)")
            #expect(items.first?.isGood == (state == .alive))
            #expect(try news.look(at: report()).isEmpty)
        }
    }

    @Test func aConnectionThatFailsIsToldWithItsReasonUntilItStandsAgain() throws {
        var news = HomeServerNews()
        meter.setConnectionFailure("Connection refused")
        become(.zombie)
        #expect(try news.look(at: report()).map(\.sentence) == ["there is no connection to home server home1: Connection refused"])
        become(.dead)
        #expect(try news.look(at: report()).isEmpty)
        // It opens and is refused, once a minute.
        for _ in 0..<3 {
            meter.setConnectionFailure(nil)
            _ = try news.look(at: report())
            meter.setConnectionFailure("Connection refused")
            #expect(try news.look(at: report()).isEmpty)
        }
        meter.setConnectionFailure(nil)
        become(.alive)
        #expect(try news.look(at: report()).map(\.isGood) == [true])
        meter.setConnectionFailure("Connection refused")
        #expect(try news.look(at: report()).count == 1)
    }

    @Test func theFirstReplyWithoutMessageAuthenticatorIsToldWithWhatToDo() throws {
        var news = HomeServerNews()
        meter.add(.messageAuthenticatorMissing)
        let items = try news.look(at: report())
        #expect(items.count == 1 && items[0].sentence.contains("home-server update home1 --require-message-authenticator false"))
        meter.add(.messageAuthenticatorMissing)
        #expect(try news.look(at: report()).isEmpty)
        var other = HomeServerNews()
        #expect(try other.look(at: report(requires: false)).first?.sentence.contains("with EAP") == true)
    }

    @Test func oneThatChangesAllTheTimeIsToldOfOnlySoOften() throws {
        var news = HomeServerNews()
        var lines = 0
        for round in 1..<HomeServerNews.roundsOfCalm {
            become(round % 2 == 0 ? .alive : .zombie)
            lines += try news.look(at: report()).count
        }
        #expect(lines == HomeServerNews.lineLimit)
        // The time is over.
        for state in [HomeServerLiveness.State.dead, .zombie] {
            become(state)
            lines += try news.look(at: report()).count
        }
        #expect(lines == HomeServerNews.lineLimit + 2)
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
