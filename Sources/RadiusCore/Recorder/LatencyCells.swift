import Synchronization

/// How long answers to log-ins took, of one worker: counts by powers of two. Written by that worker alone, read by anyone.
public final class LatencyCells: @unchecked Sendable {
    /// What an answer waited for.
    public enum Path: Int, CaseIterable, Sendable {
        /// Nothing: decided by the worker.
        case direct
        /// A thread that compares a hashed password.
        case slowCheck
        /// A step of an EAP conversation.
        case eap
        /// A home server.
        case proxy

        /// The name in metrics.
        public var name: String {
            switch self {
            case .direct: "direct"
            case .slowCheck: "slow_check"
            case .eap: "eap"
            case .proxy: "proxy"
            }
        }
    }

    /// Upper bounds are 2^4...2^23 microseconds, 16 µs to 8.4 s; one more for what took longer.
    public static let bounds = (4...23).map { UInt64(1) << $0 }
    private static let width = bounds.count + 2

    // Guard: each cell is an atomic; the memory lives as long as the object.
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>

    init() {
        let count = Self.width * Path.allCases.count
        cells = .allocate(capacity: count)
        for cell in 0..<count { (cells + cell).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: Self.width * Path.allCases.count)
        cells.deallocate()
    }

    /// Worker: counts `answers` that took `microseconds` each.
    func add(_ path: Path, microseconds: UInt64, answers: Int) {
        guard answers > 0 else { return }
        let row = cells + path.rawValue * Self.width
        let count = UInt64(truncatingIfNeeded: answers)
        Self.raise(row + Self.place(microseconds), by: count)
        Self.raise(row + (Self.width - 1), by: microseconds &* count)
    }

    /// Which bound holds `microseconds`; `bounds.count` for more than the last.
    static func place(_ microseconds: UInt64) -> Int {
        guard microseconds > 16 else { return 0 }
        return min(bounds.count, 60 - (microseconds - 1).leadingZeroBitCount)
    }

    private static func raise(_ cell: UnsafeMutablePointer<Atomic<UInt64>>, by count: UInt64) {
        // One writer: a plain load and store is enough.
        cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ count, ordering: .relaxed)
    }

    /// Any thread: answers within each bound and beyond the last, not added up, and the sum of their times.
    public func read(_ path: Path) -> (counts: [UInt64], microseconds: UInt64) {
        let row = cells + path.rawValue * Self.width
        return (
            (0...Self.bounds.count).map { row[$0].load(ordering: .relaxed) }, row[Self.width - 1].load(ordering: .relaxed)
        )
    }
}
