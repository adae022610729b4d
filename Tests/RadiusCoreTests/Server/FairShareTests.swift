import Testing

@testable import RadiusCore

@Suite struct FairShareTests {
    /// A queue of `capacity` datagrams before a worker that needs 4 steps to answer and 1 to drop; one datagram arrives every `every`
    /// steps, each `ratio + 1`-th of them from client 2.
    private struct Model {
        var queue: [Int64] = []
        let capacity = 1024
        var answered: [Int64: Int] = [:]
        var shed: [Int64: Int] = [:]
        /// Lost to a full queue.
        var lost: [Int64: Int] = [:]

        mutating func run(arrivals: Int, every: Int, ratio: Int, fair: Bool) {
            var share = FairShare()
            var (arrived, head, busy) = (0, 0, 0)
            for step in 0..<arrivals * every {
                if step % every == 0 {
                    let client: Int64 = arrived % (ratio + 1) == ratio ? 2 : 1
                    arrived += 1
                    if queue.count - head < capacity { queue.append(client) } else { lost[client, default: 0] += 1 }
                }
                busy -= 1
                guard busy <= 0, head < queue.count else { continue }
                if fair && head % 64 == 0 { share.observe(octets: UInt32(queue.count - head), limit: UInt32(capacity)) }
                let client = queue[head]
                head += 1
                let isServed = !fair || share.admits(client)
                if isServed { answered[client, default: 0] += 1 } else { shed[client, default: 0] += 1 }
                busy = isServed ? 4 : 1
            }
        }
    }

    @Test(arguments: [10, 100])
    func underAFloodTheOtherClientLosesNothing(ratio: Int) {
        var unfair = Model()
        unfair.run(arrivals: 100_000, every: 2, ratio: ratio, fair: false)
        #expect(unfair.lost[2, default: 0] > 100_000 / (ratio + 1) / 3)

        var fair = Model()
        fair.run(arrivals: 100_000, every: 2, ratio: ratio, fair: true)
        #expect(fair.lost[2] == nil)
        #expect(fair.lost[1, default: 0] < 100)
        #expect(fair.shed[2] == nil)
        #expect(fair.answered[2, default: 0] >= 100_000 / (ratio + 1) - 1024)
        // 4 steps for each answer and 1 for each drop, in 2 steps an arrival: a third can be answered at most, and nearly is.
        #expect(fair.answered.values.reduce(0, +) > 32_000)
    }

    /// How many of `count` datagrams of one client are served.
    private func served(_ count: Int, of client: Int64, by share: inout FairShare) -> Int {
        var served = 0
        for _ in 0..<count where share.admits(client) { served += 1 }
        return served
    }

    /// How many of `count` tokens are there.
    private func taken(_ count: Int, from bucket: borrowing TokenBucket, at nanoseconds: UInt64) -> Int {
        var taken = 0
        for _ in 0..<count where bucket.take(perSecond: 10, nowNanoseconds: nanoseconds) { taken += 1 }
        return taken
    }

    @Test func shedsNothingWhileTheQueueIsLessThanHalfFull() {
        var share = FairShare()
        var served = 0
        for _ in 0..<80 {
            share.observe(octets: 499, limit: 1000)
            served += self.served(64, of: 1, by: &share)
        }
        #expect(served == 5120)
    }

    @Test func anEmptyQueueEndsTheSharesAtOnce() {
        var share = FairShare()
        share.observe(octets: 900, limit: 1000)
        #expect(served(FairShare.round, of: 1, by: &share) == FairShare.round)
        #expect(served(FairShare.round, of: 1, by: &share) == 80)
        share.observeEmpty()
        #expect(served(1000, of: 1, by: &share) == 1000)
    }

    /// 128 datagrams, ten sixteenths of them served: 80 among 100, 20, 5 and 3 leaves 52 to the largest.
    @Test func dividesWhatIsLeftAmongThoseWhoWantMore() {
        var share = FairShare()
        share.observe(octets: 900, limit: 1000)
        let round = [(Int64(1), 100), (2, 20), (3, 5), (4, 3)]
        func run() -> [Int64: Int] {
            var served: [Int64: Int] = [:]
            for (client, count) in round {
                for _ in 0..<count where share.admits(client) { served[client, default: 0] += 1 }
            }
            return served
        }
        #expect(run() == [1: 100, 2: 20, 3: 5, 4: 3])
        #expect(run() == [1: 52, 2: 20, 3: 5, 4: 3])
    }

    @Test func manyClientsEachGetAtLeastOne() {
        var share = FairShare()
        share.observe(octets: 900, limit: 1000)
        var served = 0
        for _ in 0..<4 {
            for client in 0..<FairShare.round { served += self.served(1, of: Int64(client * 7919), by: &share) }
        }
        #expect(served == 4 * FairShare.round)
    }

    @Test func aBucketGivesASecondsWorthAtOnceThenAtItsRate() {
        let bucket = TokenBucket()
        let start: UInt64 = 5_000_000_000
        #expect(taken(20, from: bucket, at: start) == 10)
        #expect(taken(20, from: bucket, at: start + 99_999_999) == 0)
        #expect(taken(20, from: bucket, at: start + 100_000_000) == 1)
        #expect(taken(20, from: bucket, at: start + 60_000_000_000) == 10)
        // Another worker's clock that lags must neither trap nor give tokens away.
        #expect(taken(20, from: bucket, at: start) == 0)
    }

    @Test func threadsThatShareABucketTakeNoMoreThanThereIs() {
        final class Shared: Sendable { let bucket = TokenBucket() }
        let shared = Shared()
        let counters = (0..<4).map { _ in WorkerCounters() }
        onThreads(4) { number in
            for _ in 0..<1000 where shared.bucket.take(perSecond: 700, nowNanoseconds: 1_000_000_000) {
                counters[number].add(.accessRequests)
            }
        }
        #expect(counters.reduce(0) { $0 + $1[ServerCounter.accessRequests] } == 700)
    }
}
