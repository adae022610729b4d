/// Which statements a connection has prepared on the server, by text; bounded, least recently used goes first.
///
/// A statement is prepared at its second use, so that one-off texts neither cost a round trip nor push out the common ones.
struct StatementCache {
    enum Plan: Equatable {
        /// Send text and parameters together.
        case once
        /// Prepare under this name first.
        case prepare(String)
        /// Run the statement of this name.
        case prepared(String)
    }

    private struct Entry {
        var name: String?
        var lastUse: UInt64
    }

    private var entries: [String: Entry] = [:]
    private var uses: UInt64 = 0
    private var serial: UInt64 = 0
    let capacity: Int

    init(capacity: Int = 256) {
        self.capacity = capacity
    }

    /// How to run `text`, and the name of a prepared statement that has to make room for it.
    mutating func plan(for text: String) -> (plan: Plan, evicted: String?) {
        uses += 1
        guard let known = entries[text] else {
            let evicted = entries.count < capacity ? nil : evict()
            entries[text] = Entry(name: nil, lastUse: uses)
            return (.once, evicted)
        }
        entries[text]?.lastUse = uses
        if let name = known.name { return (.prepared(name), nil) }
        serial += 1
        return (.prepare("lastmile_\(serial)"), nil)
    }

    mutating func didPrepare(_ text: String, as name: String) {
        entries[text]?.name = name
    }

    /// Forgets everything: the server did too, or its plans are stale.
    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
    }

    private mutating func evict() -> String? {
        guard let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return nil }
        entries[oldest.key] = nil
        return oldest.value.name
    }
}
