import Testing

@testable import RadiusCore

@Suite struct FairQueueTests {
    private func drained(_ queue: inout FairQueue<String>) -> [String] {
        var taken: [String] = []
        while let next = queue.removeFirst() { taken.append(next) }
        return taken
    }

    @Test func servesClientsInTurnsAndEachInOrder() {
        var queue = FairQueue<String>(limit: 10, share: 5)
        for name in ["a1", "a2", "a3", "a4"] { #expect(queue.append(name, for: 1) == nil) }
        for name in ["b1", "b2"] { #expect(queue.append(name, for: 2) == nil) }
        #expect(queue.append("c1", for: 3) == nil)
        #expect(drained(&queue) == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"])
        #expect(queue.count == 0)
    }

    @Test func oneClientFillsItsShareAndLeavesTheRestToOthers() {
        var queue = FairQueue<String>(limit: 4, share: 2)
        #expect(queue.append("a1", for: 1) == nil)
        #expect(queue.append("a2", for: 1) == nil)
        #expect(queue.append("a3", for: 1) == .clientShare)
        #expect(queue.append("b1", for: 2) == nil)
        #expect(queue.append("c1", for: 3) == nil)
        #expect(queue.append("d1", for: 4) == .full)
        #expect(queue.removeFirst() == "a1")
        #expect(queue.append("a3", for: 1) == nil)
        #expect(drained(&queue) == ["b1", "c1", "a2", "a3"])
    }

    @Test func aClientThatComesBackWaitsForItsTurn() {
        var queue = FairQueue<String>(limit: 10, share: 5)
        for name in ["a1", "b1"] { #expect(queue.append(name, for: name == "a1" ? 1 : 2) == nil) }
        #expect(queue.removeFirst() == "a1")
        #expect(queue.append("a2", for: 1) == nil)
        #expect(drained(&queue) == ["b1", "a2"])
    }

    /// Long use must neither lose an element nor take it twice.
    @Test func keepsCountOverManyTurns() {
        var queue = FairQueue<Int>(limit: 300, share: 150)
        var taken: [Int64: [Int]] = [:]
        var given: [Int64: [Int]] = [:]
        for step in 0..<20_000 {
            let client = Int64(step * step % 7)
            if queue.append(step, for: client) == nil { given[client, default: []].append(step) }
            guard step % 3 != 0, let next = queue.removeFirst() else { continue }
            taken[Int64(next * next % 7), default: []].append(next)
        }
        while let next = queue.removeFirst() { taken[Int64(next * next % 7), default: []].append(next) }
        #expect(taken == given)
    }
}
