import Testing

@testable import RadiusCore

@Suite struct AuthEventRingTests {
    @Test func deliversEventsInOrderAcrossTheEndOfTheRing() {
        let ring = AuthEventRing(capacity: 4096)
        let (calling, none): ([UInt8], [UInt8]) = ([1, 2], [])
        var drained: [AuthEventRing.Entry] = []
        for number in 0..<1000 {
            let name = [UInt8](repeating: UInt8(number % 256), count: number % 300)
            let fitted = ring.push(event(number), userName: name.span, callingStation: calling.span, nasPortID: none.span)
            #expect(fitted)
            if number % 3 == 2 { _ = ring.drain(limit: 100) { drained.append($0) } }
        }
        _ = ring.drain(limit: 100) { drained.append($0) }
        #expect(drained.count == 1000)
        #expect(drained.map(\.event.atMicroseconds) == (0..<1000).map { Int64($0) })
        #expect(drained.map(\.userName.count) == (0..<1000).map { min($0 % 300, 253) })
        #expect(drained[777].userName.allSatisfy { $0 == UInt8(777 % 256) })
        #expect(drained[777].callingStation == [1, 2])
        #expect(drained[777].nasPortID.isEmpty)
        #expect(drained[777].event == event(777))
    }

    @Test func dropsAndCountsWhatDoesNotFit() {
        let wake = WakeSignal()
        let ring = AuthEventRing(capacity: 1)
        ring.setWake(wake)
        let name = [UInt8](repeating: 7, count: 100)
        var fitted = 0
        while ring.push(event(fitted), userName: name.span, callingStation: name.span, nasPortID: name.span) { fitted += 1 }
        #expect(fitted == 4096 / (300 + 5 + MemoryLayout<AuthEvent>.size))
        ring.push(event(0), userName: name.span, callingStation: name.span, nasPortID: name.span)
        #expect(ring.dropped == 2)
        #expect(wake.wait(timeoutMilliseconds: 0))
        let size = 300 + 5 + MemoryLayout<AuthEvent>.size
        #expect(ring.waitingOctets == fitted * size)
        #expect(ring.drain(limit: 2) { _ in } == 2)
        #expect(ring.waitingOctets == (fitted - 2) * size)
        #expect(ring.drain(limit: 1000) { _ in } == fitted - 2)
        #expect(ring.waitingOctets == 0)
    }

    @Test func handsOverBetweenTwoThreads() {
        let ring = AuthEventRing(capacity: 4096)
        let count = 20_000
        let (sums, total) = Summing.run(ring, count: count) { number in event(number) }
        #expect(sums == total)
    }

    private func event(_ number: Int) -> AuthEvent {
        AuthEvent(
            atMicroseconds: Int64(number), tenant: 1, nas: 2, subscriber: 3, profile: 4, durationMicroseconds: 5, outcome: .reject,
            method: 6, reason: UInt16(number % 65_536))
    }
}

/// One thread pushes what another drains.
private enum Summing {
    static func run(_ ring: AuthEventRing, count: Int, _ event: @escaping @Sendable (Int) -> AuthEvent) -> (Int, Int) {
        nonisolated(unsafe) var sum = 0
        onThreads(2) { thread in
            if thread == 0 {
                let none: [UInt8] = []
                for number in 0..<count {
                    let name = [UInt8](repeating: UInt8(number % 251), count: number % 97)
                    while !ring.push(event(number), userName: name.span, callingStation: none.span, nasPortID: name.span) {}
                }
            } else {
                var taken = 0
                while taken < count {
                    taken += ring.drain(limit: 64) { entry in
                        let number = Int(entry.event.atMicroseconds)
                        let isWhole = entry.userName == [UInt8](repeating: UInt8(number % 251), count: number % 97)
                        if isWhole, entry.nasPortID == entry.userName { sum += number }
                    }
                }
            }
        }
        return (sum, count * (count - 1) / 2)
    }
}
