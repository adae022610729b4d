/// Durations in log-linear buckets: 64 for each power of two, so that a quantile is at most 1.6 % too large.
///
/// All of UInt64 fits; recording allocates nothing.
public struct LatencyHistogram: Sendable {
    private static let subBits = 6
    private static let subCount = 1 << subBits
    private var buckets: [UInt64]
    public private(set) var count: UInt64 = 0
    public private(set) var maximum: UInt64 = 0
    private var sum: UInt64 = 0

    public init() {
        buckets = [UInt64](repeating: 0, count: Self.subCount * (64 - Self.subBits + 1))
    }

    /// Adds one duration.
    public mutating func record(_ nanoseconds: UInt64) {
        buckets[Self.bucket(nanoseconds)] &+= 1
        count &+= 1
        sum &+= nanoseconds
        if nanoseconds > maximum { maximum = nanoseconds }
    }

    /// Adds all that `other` recorded.
    public mutating func merge(_ other: LatencyHistogram) {
        for position in buckets.indices { buckets[position] &+= other.buckets[position] }
        count &+= other.count
        sum &+= other.sum
        maximum = max(maximum, other.maximum)
    }

    /// The arithmetic mean; 0 when nothing was recorded.
    public var mean: UInt64 { count == 0 ? 0 : sum / count }

    /// The smallest duration that at least the share `perMille / 1000` of all do not exceed; 0 when nothing was recorded.
    ///
    /// - Parameter perMille: 0...1000; 999 is p99.9.
    /// - Returns: nanoseconds: the end of the bucket that it falls into, never above `maximum`.
    public func quantile(perMille: UInt64) -> UInt64 {
        guard count > 0 else { return 0 }
        let wanted = max(1, (count * min(perMille, 1000) + 999) / 1000)
        var seen: UInt64 = 0
        for position in buckets.indices {
            seen += buckets[position]
            if seen >= wanted { return min(maximum, Self.upperBound(position)) }
        }
        return maximum
    }

    static func bucket(_ value: UInt64) -> Int {
        guard value >= UInt64(subCount) else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        let sub = Int(truncatingIfNeeded: value >> UInt64(exponent - subBits)) & (subCount - 1)
        return (exponent - subBits + 1) * subCount + sub
    }

    /// The largest value that falls into the bucket.
    static func upperBound(_ bucket: Int) -> UInt64 {
        guard bucket >= subCount else { return UInt64(bucket) }
        let shift = UInt64(bucket / subCount - 1)
        let base = UInt64(bucket % subCount + subCount)
        return base << shift + ((1 << shift) - 1)
    }
}
