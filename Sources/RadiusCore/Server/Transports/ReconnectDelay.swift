/// How long to wait before the next connection: longer each time, and not all at the same moment.
public struct ReconnectDelay: Sendable {
    private var failures = 0
    /// Seconds at most.
    public static let longest = 60

    public init() {}

    /// A connection was open: the next failure counts as the first.
    public mutating func succeeded() { failures = 0 }

    /// A connection failed, or ended.
    ///
    /// - Parameter random: spreads the peers of a server that was away.
    /// - Returns: seconds, 1...60: a second at first, then double each time, less up to a half.
    public mutating func failed(_ random: inout some RandomNumberGenerator) -> Int {
        let whole = min(Self.longest, 1 << min(failures, 6))
        failures += 1
        return max(1, whole - Int.random(in: 0...whole / 2, using: &random))
    }
}
