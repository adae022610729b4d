import Testing

@testable import RadiusCore

@Suite struct LatencyHistogramTests {
    @Test func everyValueLiesInItsBucket() {
        var previous = -1
        for exponent in 0..<64 {
            for value in [UInt64(1) << UInt64(exponent), (UInt64(1) << UInt64(exponent)) + (UInt64(1) << UInt64(exponent)) / 3] {
                let bucket = LatencyHistogram.bucket(value)
                #expect(bucket >= previous)
                #expect(LatencyHistogram.upperBound(bucket) >= value)
                #expect(bucket == 0 || LatencyHistogram.upperBound(bucket - 1) < value)
                previous = bucket
            }
        }
        #expect(LatencyHistogram.bucket(.max) == 64 * 59 - 1)
    }

    @Test func quantilesAreAtMostOneSixtyFourthTooLarge() {
        var histogram = LatencyHistogram()
        for value in UInt64(1)...100_000 { histogram.record(value * 1000) }
        for (perMille, exact) in [(500, 50_000_000), (990, 99_000_000), (999, 99_900_000)] as [(UInt64, UInt64)] {
            let found = histogram.quantile(perMille: perMille)
            #expect(found >= exact)
            #expect(found - exact <= exact / 64)
        }
        #expect(histogram.quantile(perMille: 1000) == 100_000_000)
        #expect(histogram.mean == 50_000_500)
    }

    @Test func mergedHistogramsCountAsOne() {
        var first = LatencyHistogram()
        var second = LatencyHistogram()
        for _ in 0..<99 { first.record(10) }
        second.record(5000)
        first.merge(second)
        #expect(first.count == 100)
        #expect(first.quantile(perMille: 990) == 10)
        #expect(first.maximum == 5000)
    }

    @Test func anEmptyHistogramIsZero() {
        #expect(LatencyHistogram().quantile(perMille: 500) == 0)
        #expect(LatencyHistogram().mean == 0)
    }
}
