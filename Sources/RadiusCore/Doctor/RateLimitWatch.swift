import Synchronization

/// Which NAS sent more than their rate limit lets through: those packets are dropped unread, so that nothing else names them.
public struct RateLimitWatch: Sendable {
    private struct Told {
        let atSeconds: Int64
        let dropped: UInt64
    }

    /// Of each NAS is told once in this time at most.
    private static let silenceSeconds: Int64 = 600
    private var told: [Int64: Told] = [:]

    public init() {}

    /// - Parameters:
    ///   - clients: all that there are.
    ///   - nowSeconds: of a clock that does not fall.
    /// - Returns: who is to be named now, and how many requests of it were dropped since it was named last.
    public mutating func look(at clients: [NASClient], nowSeconds: Int64) -> [(client: NASClient, dropped: UInt64)] {
        var found: [(client: NASClient, dropped: UInt64)] = []
        for client in clients {
            let dropped = client.observation.rateLimited.load(ordering: .relaxed)
            guard dropped > 0 else { continue }
            let before = told[client.id]
            if let before, dropped <= before.dropped || nowSeconds - before.atSeconds < Self.silenceSeconds { continue }
            told[client.id] = Told(atSeconds: nowSeconds, dropped: dropped)
            found.append((client, dropped - (before?.dropped ?? 0)))
        }
        return found
    }
}
