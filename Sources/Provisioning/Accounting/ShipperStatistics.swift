import Glibc
import RadiusCore
import Synchronization

/// What a shipper has done since it was started, and how far it is behind.
public struct ShipperStatistics: Sendable, Equatable {
    public var isConnected = false
    /// Records that are in PostgreSQL, and the transactions that took them there.
    public var records: UInt64 = 0
    public var batches: UInt64 = 0
    public var opened: UInt64 = 0
    public var closed: UInt64 = 0
    public var duplicates: UInt64 = 0
    public var late: UInt64 = 0
    public var reopened: UInt64 = 0
    /// Records in `aaa.accounting_reject`.
    public var rejected: UInt64 = 0
    /// Records whose Event-Timestamp could not be true.
    public var skewed: UInt64 = 0
    /// Octet counters that no line can have filled; left out of the totals. Their packets stand in `aaa.accounting_record`.
    public var absurd: UInt64 = 0
    /// Batches that were begun again because somebody else had changed one of their sessions.
    public var rereads: UInt64 = 0
    /// Records that the journal promised and no longer has.
    public var lost: UInt64 = 0
    /// Transactions that failed and were tried again.
    public var retries: UInt64 = 0
    /// The journal's durable records that are not in PostgreSQL, and the age of the oldest of them.
    public var lagRecords: UInt64 = 0
    public var lagSeconds: Double = 0
    /// Octets of the former on disk, by the mean size of the records seen so far.
    public var lagOctets: UInt64 = 0
    /// Why the last transaction failed; nil once one succeeded.
    public var problem: String?
}

/// The statistics as the shipper's thread writes them and others read them.
final class ShipperCounters: Sendable {
    private struct State {
        var statistics = ShipperStatistics()
        /// Nil until the database has said it.
        var cursor: UInt64?
        var oldestMicroseconds: Int64?
    }

    private let state = Mutex(State())

    func add(_ outcome: BatchTransaction.Outcome) {
        state.withLock { state in
            func count(_ kind: SessionEffect.Kind) -> UInt64 { UInt64(outcome.counts[kind]) }
            state.statistics.records += UInt64(outcome.records)
            state.statistics.batches += 1
            state.statistics.opened += count(.opened)
            state.statistics.closed += count(.closed) + UInt64(outcome.closedByRestart)
            state.statistics.duplicates += count(.duplicate)
            state.statistics.late += count(.late)
            state.statistics.reopened += count(.resumed)
            state.statistics.rejected += UInt64(outcome.refused)
            state.statistics.skewed += UInt64(outcome.skewed)
            state.statistics.absurd += UInt64(outcome.absurd)
            state.statistics.problem = nil
            state.statistics.isConnected = true
        }
    }

    func rejected() {
        state.withLock { state in
            state.statistics.records += 1
            state.statistics.rejected += 1
        }
    }

    func failed(_ problem: String, isConnected: Bool) {
        state.withLock { state in
            state.statistics.retries += 1
            state.statistics.problem = problem
            state.statistics.isConnected = isConnected
        }
    }

    var cursor: UInt64? { state.withLock { $0.cursor } }

    func reread() {
        state.withLock { $0.statistics.rereads += 1 }
    }

    func connected() {
        state.withLock { $0.statistics.isConnected = true }
    }

    func stands(at cursor: UInt64) {
        state.withLock { state in
            state.cursor = cursor
            state.oldestMicroseconds = nil
        }
    }

    func lost(_ records: UInt64) {
        state.withLock { $0.statistics.lost += records }
    }

    /// The shipper is about to move records of which the oldest arrived at `microseconds`.
    func moving(oldestMicroseconds microseconds: Int64) {
        state.withLock { $0.oldestMicroseconds = microseconds }
    }

    func read(durable: UInt64) -> ShipperStatistics {
        state.withLock { state in
            var statistics = state.statistics
            let cursor = state.cursor ?? 0
            statistics.lagRecords = durable > cursor ? durable - cursor : 0
            if let oldest = state.oldestMicroseconds, statistics.lagRecords > 0 {
                statistics.lagSeconds = max(0, Double(WallClock.microseconds - oldest) / 1_000_000)
            }
            return statistics
        }
    }
}

enum WallClock {
    /// Microseconds since 1970.
    static var microseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
    }
}
