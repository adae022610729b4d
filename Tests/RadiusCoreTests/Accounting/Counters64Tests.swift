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
