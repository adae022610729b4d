import Testing

@testable import RadiusCore

@Suite struct SIMSequencesTests {
    private static func number(_ sequence: [UInt8]?) -> UInt64? { sequence.map { $0.reduce(0) { $0 << 8 | UInt64($1) } } }

    @Test func growsWithTheClockAndWithoutIt() throws {
        let sequences = SIMSequences(node: Array("a".utf8))
        let first = try #require(Self.number(sequences.next(for: 1, now: 17_000_000_000)))
        #expect(first >> 5 == 17_000_000_000)
        // The same tenth of a second, and a clock that was set back.
        #expect(Self.number(sequences.next(for: 1, now: 17_000_000_000)) == first + 32)
        #expect(Self.number(sequences.next(for: 1, now: 16_000_000_000)) == first + 64)
        #expect(Self.number(sequences.next(for: 1, now: 17_000_000_009)) == first + 9 * 32)
        #expect(Self.number(sequences.next(for: 2, now: 16_000_000_000)).map { $0 >> 5 } == 16_000_000_000)
    }

    @Test func nodesAndRestartsDoNotRepeat() throws {
        let names = (0..<8).map { SIMSequences(node: Array("node-\($0)".utf8)) }
        let drawn = names.compactMap { Self.number($0.next(for: 1, now: 17_000_000_000)) }
        #expect(Set(drawn).count > 5 && Set(drawn.map { $0 >> 5 }) == [17_000_000_000])
        let anew = SIMSequences(node: Array("node-0".utf8))
        #expect(try #require(Self.number(anew.next(for: 1, now: 17_000_000_001))) > drawn[0])
    }

    @Test func goesOnFromWhatTheCardSays() throws {
        let sequences = SIMSequences(node: Array("a".utf8))
        // Ahead of the clock: counted up until the clock is there.
        sequences.resynchronize(1, to: [0, 0, 0, 0, 0x10, 0x1f], now: 100)
        #expect(Self.number(sequences.next(for: 1, now: 100)).map { $0 >> 5 } == 0x81)
        #expect(Self.number(sequences.next(for: 1, now: 5000)).map { $0 >> 5 } == 5000)
        // Far behind it: the card does not believe such a leap.
        sequences.resynchronize(2, to: [0, 0, 0, 0, 0x10, 0], now: 17_000_000_000)
        #expect(Self.number(sequences.next(for: 2, now: 17_000_000_000)).map { $0 >> 5 } == 0x81)
        #expect(Self.number(sequences.next(for: 2, now: 17_000_000_001)).map { $0 >> 5 } == 0x82)
        sequences.resynchronize(3, to: [UInt8](repeating: 0xff, count: 6), now: 100)
        #expect(sequences.next(for: 3, now: 100) == nil)
    }

    @Test func remembersABoundedNumberOfCards() {
        let sequences = SIMSequences(node: Array("a".utf8), capacity: 64)
        for subscriber in 0..<10_000 { _ = sequences.next(for: Int64(subscriber), now: 1) }
        #expect(sequences.count <= 64 && sequences.count >= 32)
        #expect(Self.number(sequences.next(for: 9_999, now: 1)).map { $0 >> 5 } == 2)
        #expect(Self.number(sequences.next(for: 0, now: 1)).map { $0 >> 5 } == 1)
    }
}
