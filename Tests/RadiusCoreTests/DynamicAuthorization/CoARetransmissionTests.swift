import RadiusCore
import Testing

/// Always the middle of the range, so that RAND is 0.
private struct Steady: RandomNumberGenerator {
    mutating func next() -> UInt64 { 1 << 63 }
}

/// Always one end of the range: 1 the lower (0 would be drawn again for ever), all ones the upper.
private struct Extreme: RandomNumberGenerator {
    let value: UInt64
    mutating func next() -> UInt64 { value }
}

@Suite struct CoARetransmissionTests {
    private static let second: UInt64 = 1_000_000_000
    private static let tolerance: UInt64 = 10

    private func isNear(_ actual: UInt64, seconds: UInt64) -> Bool {
        max(actual, seconds * Self.second) - min(actual, seconds * Self.second) <= Self.tolerance
    }

    /// Deadlines of every attempt when nobody answers and each timer fires on time.
    private func deadlines(_ timing: CoARetransmission.Timing, _ generator: inout some RandomNumberGenerator) -> ([UInt64], Int) {
        var machine = CoARetransmission(timing: timing)
        var found: [UInt64] = []
        var action = machine.handle(.begin, at: 0, using: &generator)
        while true {
            switch action {
            case .send(let until), .resend(let until):
                found.append(until)
                action = machine.handle(.timer, at: until, using: &generator)
            case .giveUp(let attempts):
                return (found, attempts)
            default:
                return (found, -1)
            }
        }
    }

    @Test func doublesFromTwoSecondsAndEndsAtThirty() {
        var generator = Steady()
        let (found, attempts) = deadlines(.init(), &generator)
        #expect(attempts == 4)
        #expect(zip(found, [2, 6, 14, 30] as [UInt64]).allSatisfy { isNear($0, seconds: $1) })
    }

    @Test func stopsGrowingAtTheLongestWait() {
        var generator = Steady()
        let timing = CoARetransmission.Timing(
            initial: 2 * Self.second, longest: 4 * Self.second, attempts: 5, duration: 0)
        let (found, attempts) = deadlines(timing, &generator)
        #expect(attempts == 5)
        #expect(zip(found, [2, 6, 10, 14, 18] as [UInt64]).allSatisfy { isNear($0, seconds: $1) })
    }

    @Test func spreadsByATenthAtMost() {
        for value in [1 as UInt64, .max] {
            var generator = Extreme(value: value)
            let (found, _) = deadlines(.init(duration: 0), &generator)
            // RT1 = 2 ± 0.2; RT2 = 2·RT1 ± RT1/10; the fourth wait meets MRT (16 ± 1.6) only upwards.
            let first = value == 1 ? 1.8 : 2.2
            #expect(abs(Double(found[0]) / 1e9 - first) < 1e-6)
            let second = value == 1 ? 1.9 * first : 2.1 * first
            #expect(abs(Double(found[1] - found[0]) / 1e9 - second) < 1e-6)
            for (earlier, later) in zip(found, found.dropFirst()) { #expect(later - earlier <= UInt64(17.6e9) + Self.tolerance) }
        }
    }

    @Test func aReplyEndsItOnce() {
        var generator = Steady()
        var machine = CoARetransmission()
        #expect(machine.handle(.reply, at: 0, using: &generator) == .ignore)
        _ = machine.handle(.begin, at: 0, using: &generator)
        #expect(machine.handle(.begin, at: 0, using: &generator) == .ignore)
        #expect(machine.handle(.reply, at: 5, using: &generator) == .complete(attempts: 1))
        #expect(machine.handle(.reply, at: 6, using: &generator) == .ignore)
        #expect(machine.handle(.timer, at: 99 * Self.second, using: &generator) == .ignore)
    }

    @Test func anEarlyTimerWaitsOn() {
        var generator = Steady()
        var machine = CoARetransmission()
        guard case .send(let until) = machine.handle(.begin, at: 100, using: &generator) else {
            Issue.record("not sent")
            return
        }
        #expect(machine.handle(.timer, at: until - 1, using: &generator) == .wait(until: until))
        #expect(machine.attempts == 1)
    }

    @Test func aLateTimerStillEndsAtTheDuration() {
        var generator = Steady()
        var machine = CoARetransmission()
        _ = machine.handle(.begin, at: 0, using: &generator)
        #expect(machine.handle(.timer, at: 31 * Self.second, using: &generator) == .giveUp(attempts: 1))
    }

    @Test func aRefusingTransportEndsIt() {
        var generator = Steady()
        var machine = CoARetransmission()
        _ = machine.handle(.begin, at: 0, using: &generator)
        #expect(machine.handle(.transportFailed, at: 1, using: &generator) == .complete(attempts: 1))
    }
}
