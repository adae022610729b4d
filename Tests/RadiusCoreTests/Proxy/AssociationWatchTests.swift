import Support
import Testing

@testable import RadiusCore

@Suite struct AssociationWatchTests {
    private static let second: UInt64 = 1_000_000_000

    private static func watch(responseMilliseconds: Int = 4000, asks: Bool = true, seed: UInt64 = 1) -> AssociationWatch {
        var timing = HomeServer.Timing()
        timing.responseMilliseconds = responseMilliseconds
        var random = SeededGenerator(state: seed)
        return AssociationWatch(timing, asks: asks, at: 0, &random)
    }

    /// The second, in steps of a tenth, in which `action` is due for the first time; nil when it is not within a hundred.
    private static func due(_ action: AssociationWatch.Action, _ watch: AssociationWatch, from start: UInt64 = 0) -> Double? {
        var watch = watch
        for tenth in start * 10..<(start + 100) * 10 where watch.tick(at: tenth * second / 10) == action { return Double(tenth) / 10 }
        return nil
    }

    @Test func asksWhenNothingWasHeardForHalfAMinute() throws {
        let dues = try (UInt64(1)...50).map { seed in try #require(Self.due(.ask, Self.watch(seed: seed))) }
        #expect(dues.allSatisfy { (28...32).contains($0) } && Set(dues).count > 10)
        #expect(Self.due(.end, Self.watch()) == nil)
        var heard = Self.watch()
        heard.heard(at: 20 * Self.second)
        let later = try #require(Self.due(.ask, heard))
        #expect(later >= 48)
    }

    @Test func asksAfterTheTimeOfAReplyAndEndsAfterAsMuchAgain() {
        var watch = Self.watch()
        watch.sent(at: 10 * Self.second)
        watch.sent(at: 13 * Self.second)
        #expect(Self.due(.ask, watch) == 14)
        #expect(Self.due(.end, watch) == 18)
        // A question that was sent counts, too, and is not put twice at once.
        watch.asked(at: 14 * Self.second, isAnswered: true)
        #expect(Self.due(.ask, watch) == nil)
        #expect(Self.due(.end, watch) == 18)
        watch.heard(at: 15 * Self.second)
        #expect(Self.due(.end, watch) == nil)
        watch.sent(at: 20 * Self.second)
        #expect(Self.due(.ask, watch) == 24 && Self.due(.end, watch) == 28)
    }

    @Test func anUnansweredQuestionIsPutOnceMore() throws {
        var watch = Self.watch()
        let first = try #require(Self.due(.ask, watch))
        let asked = UInt64((first * 10).rounded()) * Self.second / 10
        watch.asked(at: asked, isAnswered: true)
        let again = try #require(Self.due(.ask, watch, from: UInt64(first)))
        #expect(abs(again - first - 4) < 0.2)
        watch.asked(at: UInt64((again * 10).rounded()) * Self.second / 10, isAnswered: true)
        let end = try #require(Self.due(.end, watch, from: UInt64(again)))
        #expect(abs(end - first - 8) < 0.2)
    }

    /// It may be one that ignores them; then it is asked in the rhythm of silence.
    @Test func aQuestionSaysNothingOfAServerThatHasAnsweredNone() throws {
        var watch = Self.watch()
        let first = try #require(Self.due(.ask, watch))
        let asked = UInt64((first * 10).rounded()) * Self.second / 10
        watch.asked(at: asked, isAnswered: false)
        #expect(Self.due(.end, watch, from: UInt64(first)) == nil)
        let again = try #require(Self.due(.ask, watch, from: UInt64(first)))
        #expect((28...32).contains(again - first))
        // A request does.
        watch.sent(at: 100 * Self.second)
        #expect(Self.due(.end, watch, from: 100) == 108)
    }

    @Test func knowsWhetherARequestOrQuestionsAloneFoundNoAnswer() {
        var watch = Self.watch()
        watch.asked(at: 30 * Self.second, isAnswered: true)
        #expect(Self.due(.end, watch, from: 30) == 38 && !watch.hasRequest)
        watch.sent(at: 31 * Self.second)
        #expect(watch.hasRequest)
        watch.heard(at: 32 * Self.second)
        #expect(!watch.hasRequest)
    }

    /// RFC 3539 §3.4.1: six seconds at least.
    @Test func doesNotEndSoonerThanAWatchdogMay() {
        var watch = Self.watch(responseMilliseconds: 100)
        watch.sent(at: 0)
        #expect(Self.due(.ask, watch) == 3 && Self.due(.end, watch) == 6)
    }

    @Test func withoutStatusServerOnlyARequestEndsIt() {
        var watch = Self.watch(asks: false)
        #expect(Self.due(.ask, watch) == nil && Self.due(.end, watch) == nil)
        watch.sent(at: 50 * Self.second)
        #expect(Self.due(.ask, watch) == nil && Self.due(.end, watch) == 58)
    }
}
