import Database
import Logging

/// Looks for sessions that are older than the range of their address; none of that is carved before. Some sessions in a round, so that
/// nothing else waits for them, and one node at a time.
struct TakingUp {
    private static let againMilliseconds: Int64 = 10_000

    let store: AddressStore
    let logger: Logger
    /// What is looked for, and the last session that was looked at.
    private var work: (ranges: [FreshRange], behind: Int64)?
    private var resumesAt = Int64.min
    /// Something was done in this round, and the next one is due at once.
    private(set) var isBusy = false

    init(store: AddressStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Does what is due of it. Does not fail where only this cannot go on.
    mutating func round(_ rows: [AddressPoolRow], horizon: Int64, at time: Int64, _ connection: Connection) throws {
        isBusy = false
        guard work != nil || rows.contains(where: \.isFresh), time >= resumesAt else { return }
        do {
            try step(horizon, connection)
        } catch let error as DatabaseError where !error.isConnectionLoss {
            resumesAt = time + Self.againMilliseconds
            logger.error(
                "sessions cannot be looked through for addresses of new ranges, which are not handed out before",
                metadata: ["reason": "\(error)"])
        }
    }

    private mutating func step(_ horizon: Int64, _ connection: Connection) throws {
        if work == nil { work = try begin(horizon, connection) }
        guard let (ranges, behind) = work else { return }
        isBusy = true
        let last = try connection.transaction(.system) { try store.takeUp(ranges, behind: behind, $0) }
        if let last {
            work = (ranges, last)
            return
        }
        try connection.transaction(.system) { try store.tookUp(ranges, $0) }
        work = nil
        try store.leaveTurn(connection)
    }

    private func begin(_ horizon: Int64, _ connection: Connection) throws -> (ranges: [FreshRange], behind: Int64)? {
        let isDue = try connection.transaction(.system) { connection in
            try store.see(connection)
            return try !store.fresh(before: horizon, connection).isEmpty
        }
        guard isDue, try store.takeTurn(connection) else { return nil }
        // Once more: another node may have had the turn until now.
        let ranges = try connection.transaction(.system) { try store.fresh(before: horizon, $0) }
        if !ranges.isEmpty { return (ranges, 0) }
        try store.leaveTurn(connection)
        return nil
    }
}
