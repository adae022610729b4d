/// Finds the name that somebody probably meant.
enum AttributeSuggestion {
    /// The attribute whose name takes the fewest edits to reach from `name`; nil when even that takes more than a quarter of it.
    static func nearest(to name: String, in dictionary: RadiusDictionary) -> String? {
        nearest(to: name, among: dictionary.attributes.lazy.map(\.name))
    }

    /// The same among other names.
    static func nearest(to name: String, among names: some Sequence<String>) -> String? {
        let wanted = folded(name.prefix { $0 != ":" })
        guard (3...64).contains(wanted.count) else { return nil }
        var best: String?
        var fewest = wanted.count / 4 + 2
        for candidate in names where abs(candidate.utf8.count - wanted.count) < fewest {
            let edits = edits(wanted, folded(candidate), below: fewest)
            if edits < fewest { (best, fewest) = (candidate, edits) }
        }
        return best
    }

    /// Capitals made small, and the marks that people mix up made one.
    private static func folded(_ text: some StringProtocol) -> [UInt8] {
        text.utf8.map { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: " ") ? UInt8(ascii: "-") : $0.foldedASCII }
    }

    /// Insertions, removals and replacements between two texts; `limit` when there are as many or more.
    private static func edits(_ first: [UInt8], _ second: [UInt8], below limit: Int) -> Int {
        var row = Array(0...second.count)
        for (line, octet) in first.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for (column, other) in second.enumerated() {
                let kept = diagonal + (octet == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(kept, row[column] + 1, row[column + 1] + 1)
            }
            if row.min() ?? 0 >= limit { return limit }
        }
        return row[second.count]
    }
}
