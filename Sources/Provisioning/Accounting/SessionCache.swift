import RadiusCore

/// Open sessions as the last transaction left them, so that a batch need not read them again. Bounded; one thread.
///
/// A row in here is only a guess: whoever saves it says which transaction must have written it, and a guess that was wrong is
/// dropped. Two generations: what was not asked for while the younger filled up goes.
struct SessionCache {
    private var young: [SessionKey: SessionRow] = [:]
    private var old: [SessionKey: SessionRow] = [:]
    private let generation: Int
    /// Counts the times that `young` became `old`, from 1.
    private var turn = 1

    /// - Parameter limit: most sessions kept; 0 keeps none.
    init(limit: Int) {
        generation = max(0, limit / 2)
    }

    var count: Int { young.count + old.count }

    /// The open session under `key`.
    func row(_ key: SessionKey) -> SessionRow? { young[key] ?? old[key] }

    mutating func keep(_ row: SessionRow) {
        guard generation > 0, row.keptTurn != turn else { return }
        if young.count >= generation {
            old = young
            young = [:]
            young.reserveCapacity(generation)
            turn += 1
        }
        row.keptTurn = turn
        young.updateValue(row, forKey: row.key)?.keptTurn = 0
    }

    mutating func forget(_ key: SessionKey) {
        young.removeValue(forKey: key)?.keptTurn = 0
        if !old.isEmpty { old[key] = nil }
    }
}
