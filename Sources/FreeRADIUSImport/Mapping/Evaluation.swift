/// What FreeRADIUS would answer a user: its files first, then its tables (`radiusd.conf`'s usual order), with the rules of the operators.
struct Evaluation {
    /// A reply item and whose it is.
    struct Item: Hashable {
        var pair: SourcePair
        /// The group, or DEFAULT; empty for the user's own.
        var origin: String
    }

    /// Check items that set something.
    private(set) var control: [Item] = []
    private(set) var reply: [Item] = []
    /// Check items of the user that compare: the entry holds only for requests that fit.
    private(set) var restrictions: [SourcePair] = []
    /// Groups whose reply counts, in order.
    private(set) var groups: [String] = []
    private(set) var remarks: [Remark] = []

    private let source: FreeRADIUSSource
    private let subject: String

    init(_ user: SourceUser, in source: FreeRADIUSSource) {
        self.source = source
        subject = user.name
        files(user)
        tables(user)
    }

    /// The reply of groups alone, as a user without items of its own gets it.
    init(groups: [String], in source: FreeRADIUSSource) {
        self.source = source
        subject = ""
        for group in groups {
            if group == "DEFAULT" {
                for entry in source.defaults where Self.conditions(entry.check).isEmpty {
                    merge(entry.reply, into: \.reply, origin: group)
                    if Self.fallsThrough(entry.reply) != true { break }
                }
            } else {
                merge(source.groups[group]?.reply ?? [], into: \.reply, origin: group)
            }
        }
    }

    // MARK: Files

    private mutating func files(_ user: SourceUser) {
        var own = user.entries[...]
        var general = source.defaults[...]
        var hasOwn = false
        while let entry = Self.earlier(&own, &general) {
            let conditions = Self.conditions(entry.check)
            if entry.name == "DEFAULT" {
                // Those with conditions are remarked once for all users.
                guard conditions.isEmpty else { continue }
                if !groups.contains("DEFAULT") { groups.append("DEFAULT") }
            } else {
                guard restrictions.isEmpty, !hasOwn || conditions.isEmpty else {
                    lose(entry.place, "a further entry", "only the first entry of a user is carried over")
                    continue
                }
                hasOwn = true
                restrictions += conditions
            }
            let origin = entry.name == "DEFAULT" ? "DEFAULT" : ""
            merge(entry.check.filter { !Self.isCondition($0) }, into: \.control, origin: origin)
            merge(entry.reply, into: \.reply, origin: origin)
            if Self.fallsThrough(entry.reply) != true { break }
        }
        for entry in own { lose(entry.place, "a further entry", "FreeRADIUS never comes to it: one before it has no Fall-Through", .note) }
    }

    private static func earlier(_ own: inout ArraySlice<SourceEntry>, _ general: inout ArraySlice<SourceEntry>) -> SourceEntry? {
        guard let first = own.first else { return general.popFirst() }
        guard let other = general.first, other.position < first.position else { return own.popFirst() }
        return general.popFirst()
    }

    // MARK: Tables

    private mutating func tables(_ user: SourceUser) {
        restrictions += Self.conditions(user.check)
        merge(user.check.filter { !Self.isCondition($0) }, into: \.control, origin: "")
        merge(user.reply, into: \.reply, origin: "")
        guard Self.fallsThrough(user.reply) != false else { return }
        var seen: Set<[UInt8]> = []
        var goesOn = true
        for membership in user.memberships.sorted(by: { ($0.priority, $0.place.number) < ($1.priority, $1.place.number) }) {
            guard let group = source.groups[membership.group] else {
                lose(membership.place, "group \(membership.group)", "the group has neither check nor reply items", .note)
                continue
            }
            guard goesOn else {
                lose(
                    membership.place, "group \(membership.group)", "FreeRADIUS never comes to it: a group before it has no Fall-Through",
                    .note)
                continue
            }
            guard seen.insert(Array(group.name.utf8)).inserted else {
                lose(membership.place, "group \(membership.group)", "the user is in it twice", .note)
                continue
            }
            merge(group.check.filter { !Self.isCondition($0) }, into: \.control, origin: group.name)
            merge(group.reply, into: \.reply, origin: group.name)
            groups.append(group.name)
            goesOn = Self.fallsThrough(group.reply) == true
        }
    }

    private mutating func lose(_ place: Place, _ what: String, _ why: String, _ level: Remark.Level = .lost) {
        remarks.append(Remark(level, place, subject, what, why))
    }

    // MARK: Operators

    static func isCondition(_ pair: SourcePair) -> Bool { pair.operation.compares && !ServerAttribute.isControl(pair.key) }

    static func conditions(_ pairs: [SourcePair]) -> [SourcePair] { pairs.filter(isCondition) }

    /// What Fall-Through says; nil when it says nothing.
    static func fallsThrough(_ reply: [SourcePair]) -> Bool? {
        reply.last { $0.key == "fall-through" }.map { ["yes", "1", "true"].contains($0.value.lowercased()) }
    }

    /// Merges a list as FreeRADIUS does: `=` adds what the list before did not have, `:=` replaces, `+=` adds, `-=` takes away.
    private mutating func merge(_ pairs: [SourcePair], into path: WritableKeyPath<Evaluation, [Item]>, origin: String) {
        var list = self[keyPath: path]
        let before = Dictionary(grouping: list.indices, by: { list[$0].pair.key })
        var replaced: Set<Int> = []
        var added: [Item] = []
        for pair in pairs where pair.key != "fall-through" {
            let item = Item(pair: pair, origin: origin)
            let known = before[pair.key] ?? []
            switch pair.operation {
            case .equal where !known.isEmpty: break
            case .set where !known.isEmpty:
                guard let free = known.first(where: { !replaced.contains($0) }) else {
                    added.append(item)
                    continue
                }
                list[free] = item
                replaced.insert(free)
            case .subtract:
                lose(pair.place, pair.shown, "items that are taken away again are not worked out", .lost)
            case .equal, .set, .add: added.append(item)
            default:
                // In check lists only what sets something comes here, whatever its operator.
                if ServerAttribute.isControl(pair.key) {
                    if known.isEmpty { added.append(item) }
                } else {
                    lose(pair.place, pair.shown, "this operator means nothing in a reply")
                }
            }
        }
        self[keyPath: path] = list + added
    }
}
