/// Finds the name that somebody probably meant.
enum Suggestion {
    /// The candidate nearest to `name`, when it is near enough to be worth proposing.
    static func nearest(to name: String, among candidates: [String]) -> String? {
        // Hostile names are not worth the quadratic work.
        guard name.utf8.count <= 80 else { return nil }
        let ranked = candidates.map { (name: $0, distance: distance(Array(name.lowercased().utf8), Array($0.utf8))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= max(2, name.utf8.count / 4) else { return nil }
        return best.name
    }

    /// Insertions, deletions, substitutions and swaps of neighbours that turn `first` into `second` (optimal string alignment).
    static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...second.count)
        for row in first.indices {
            var current = [row + 1]
            for column in second.indices {
                let substitution = previous[column] + (first[row] == second[column] ? 0 : 1)
                var best = min(previous[column + 1] + 1, current[column] + 1, substitution)
                if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                    best = min(best, beforePrevious[column - 1] + 1)
                }
                current.append(best)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[second.count]
    }
}
