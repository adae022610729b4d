import Synchronization

/// A client's rate limit: as many requests at once as it may send in a second, then one each `1 / rate` seconds.
///
/// Shared by all workers and snapshots, exact over all of them; one word, changed without a lock.
public struct TokenBucket: ~Copyable, Sendable {
    private static let second: UInt64 = 1_000_000_000
    /// When the bucket will be full again: each token taken moves it one interval on (the virtual scheduling form of the generic cell
    /// rate algorithm, ITU-T I.371 Annex A).
    private let fullAt = Atomic<UInt64>(0)

    /// Takes one token.
    ///
    /// - Parameters:
    ///   - rate: tokens for each second, 1...1000000; more count as the most.
    ///   - nowNanoseconds: monotonic clock; may lag a little behind another worker's.
    /// - Returns: false when there is none.
    func take(perSecond rate: UInt32, nowNanoseconds: UInt64) -> Bool {
        let interval = Self.second / UInt64(max(1, min(1_000_000, rate)))
        var seen = fullAt.load(ordering: .relaxed)
        while true {
            let start = max(seen, nowNanoseconds)
            guard start - nowNanoseconds <= Self.second - interval else { return false }
            let attempt = fullAt.weakCompareExchange(expected: seen, desired: start + interval, ordering: .relaxed)
            if attempt.exchanged { return true }
            seen = attempt.original
        }
    }
}
