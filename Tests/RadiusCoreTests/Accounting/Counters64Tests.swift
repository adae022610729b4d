import Support
import Testing

@testable import RadiusCore

@Suite struct Counters64Tests {
    private typealias Counter = AccountingProgress.Counter

    @Test func joinsGigawords() {
        var counters = Counters64()
        #expect(counters.observe(Counter(low: 5, gigawords: 3), position: 1) == 3 << 32 + 5)
        #expect(counters.total == 12_884_901_893)
    }

    @Test func aStepDownWithoutGigawordsIsAWrap() {
        var counters = Counters64()
        #expect(counters.observe(Counter(low: 4_000_000_000), position: 60) == 4_000_000_000)
        #expect(counters.observe(Counter(low: 100), position: 120) == 294_967_396)
        #expect(counters.total == 4_294_967_396)
    }

    @Test func aSmallerValueThatArrivedLateIsNoWrap() {
        var counters = Counters64()
        _ = counters.observe(Counter(low: 4_000_000_000), position: 120)
        #expect(counters.observe(Counter(low: 100), position: 60) == 0)
        #expect(counters.total == 4_000_000_000)
    }

    @Test func aLateValueCanProveAnEarlierWrap() {
        var counters = Counters64()
        _ = counters.observe(Counter(low: 500), position: 120)
        #expect(counters.observe(Counter(low: 4_000_000_000), position: 60) == 1 << 32)
    }

    @Test func twoValuesOfOneMomentAreNoWrap() {
        for order in [[900, 300], [300, 900]] as [[UInt32]] {
            var counters = Counters64()
            for low in order { _ = counters.observe(Counter(low: low), position: 60) }
            #expect(counters.total == 900)
        }
    }

    @Test func aNASThatLostItsCountersAddsNothing() {
        var counters = Counters64()
        _ = counters.observe(Counter(low: 4_000_000_000), position: 60)
        #expect(counters.observe(Counter(low: 0), position: 120) == 0)
        #expect(counters.observe(Counter(low: 0, gigawords: 0), position: 180) == 0)
        #expect(counters.total == 4_000_000_000)
    }

    @Test func aFallFromALowValueIsNoWrap() {
        var counters = Counters64()
        let lows: [UInt32] = [1000, 100, 900, 1001, 4_000_000_000, 50, 49, 51]
        let grown = lows.enumerated().map { counters.observe(Counter(low: $1), position: Int64($0) * 60) }
        #expect(grown == [1000, 0, 0, 1, 3_999_998_999, 294_967_346, 0, 1])
        #expect(counters.total == 4_294_967_347)
    }

    @Test(arguments: [(67_108_863, 67_108_863), (67_108_864, 4_294_967_301)] as [(UInt32, UInt64)])
    func aWrapNeedsSixtyFourMebibytesBeforeIt(former: UInt32, total: UInt64) {
        var counters = Counters64()
        _ = counters.observe(Counter(low: former), position: 60)
        _ = counters.observe(Counter(low: 5), position: 120)
        #expect(counters.total == total)
    }

    @Test func aFallFromALowValueBehindGigawordsIsNoWrap() {
        var counters = Counters64()
        _ = counters.observe(Counter(low: 1000, gigawords: 2), position: 60)
        #expect(counters.observe(Counter(low: 100), position: 120) == 0)
        #expect(counters.observe(Counter(low: 1200), position: 180) == 200)
    }

    /// The former version kept these two samples and a total with a wrap that was none.
    @Test func aStoredTotalWithAWrapThatWasNoneStaysUntilTheSamplesExceedIt() {
        let samples = [Counters64.Sample(position: 60, low: 1000), Counters64.Sample(position: 120, low: 100)]
        var counters = Counters64(total: 1 << 32 + 100, base: 0, basePosition: .min, samples: samples)
        #expect(counters.observe(Counter(low: 2000), position: 180) == 0)
        #expect(counters.observe(Counter(low: 4_000_000_000), position: 240) == 0)
        #expect(counters.observe(Counter(low: 150), position: 300) == 50)
        #expect(counters.total == 1 << 32 + 150)
    }

    /// Against the rule written out over the sorted samples, with late ones among the last eight.
    @Test func everyOrderOfSamplesWithFallsFromLowAndHighEndsInTheSameTotal() {
        var random = SeededGenerator(state: 26)
        let limits: [UInt32] = [2000, 1 << 26, 1 << 27, .max]
        for round in 0..<2000 {
            let lows = (0..<Int.random(in: 2...40, using: &random)).map { _ in
                UInt32.random(in: 1...(limits.randomElement(using: &random) ?? 1), using: &random)
            }
            var expected: UInt64 = 0
            for low in lows {
                let former = expected % 4_294_967_296
                let high = expected - former
                if low >= former { expected = high + UInt64(low) }
                if low < former, former >= 67_108_864 { expected = high + 4_294_967_296 + UInt64(low) }
            }
            let places = lows.indices.map { (Double($0) + Double.random(in: 0..<6, using: &random), $0) }
            for order in [Array(lows.indices), places.sorted { $0.0 < $1.0 }.map(\.1)] {
                var counters = Counters64()
                for place in order { _ = counters.observe(Counter(low: lows[place]), position: Int64(place)) }
                #expect(counters.total == expected, "round \(round), order \(order), values \(lows)")
            }
        }
    }

    @Test func gigawordsThatCannotBeTrueAreLeftOut() {
        var counters = Counters64()
        #expect(counters.observe(Counter(low: 1, gigawords: .max), position: 1) == 0)
        #expect(counters.total == 0)
    }

    @Test func neverGoesDownWhateverArrives() {
        var random = SeededGenerator(state: 11)
        for _ in 0..<300 {
            var counters = Counters64()
            var sum: UInt64 = 0
            for _ in 0..<30 {
                let gigawords = Bool.random(using: &random) ? UInt32.random(in: 0...9, using: &random) : nil
                let before = counters.total
                sum += counters.observe(
                    Counter(low: .random(in: 0...(.max), using: &random), gigawords: gigawords),
                    position: .random(in: -5...40, using: &random))
                #expect(counters.total >= before)
                #expect(counters.samples.count <= Counters64.windowCount)
            }
            #expect(counters.total == sum)
        }
    }
}
