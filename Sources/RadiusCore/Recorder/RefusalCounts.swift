import Synchronization

/// Why a NAS was told no, or nothing, and how often. Written by all workers, read by anyone.
public final class RefusalCounts: @unchecked Sendable {
    // Guard: each cell is an atomic; the memory lives as long as the object.
    private let cells: UnsafeMutablePointer<Atomic<UInt32>>

    private static let reasons = AccessReason.allCases
    private static let count = reasons.count + DecodeError.allCases.count
    /// The cell of each reason, by number.
    private static let places: [UInt8] = {
        var places = [UInt8](repeating: 0, count: Int(reasons.map(\.rawValue).max() ?? 0) + 1)
        for (position, reason) in reasons.enumerated() { places[Int(reason.rawValue)] = UInt8(position) }
        return places
    }()

    init() {
        cells = .allocate(capacity: Self.count)
        for cell in 0..<Self.count { (cells + cell).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: Self.count)
        cells.deallocate()
    }

    /// Any worker; what is refused is not what has to be fast.
    func add(_ reason: AccessReason) { cells[Int(Self.places[Int(reason.rawValue)])].add(1, ordering: .relaxed) }
    func add(_ drop: DecodeError) { cells[Self.reasons.count + Int(drop.rawValue)].add(1, ordering: .relaxed) }

    /// Reasons of Access-Rejects that were given at least once.
    public var rejects: [(reason: AccessReason, count: UInt32)] {
        Self.reasons.enumerated().compactMap { position, reason in
            let count = cells[position].load(ordering: .relaxed)
            return count > 0 ? (reason, count) : nil
        }
    }

    /// Reasons of dropped packets that there were.
    public var drops: [(reason: DecodeError, count: UInt32)] {
        DecodeError.allCases.compactMap { drop in
            let count = cells[Self.reasons.count + Int(drop.rawValue)].load(ordering: .relaxed)
            return count > 0 ? (drop, count) : nil
        }
    }
}
