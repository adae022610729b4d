/// Which rules can hold, by the value that each of them demands.
///
/// A rule that says, beside anything else, that some value equals one of a few, cannot hold unless it does. So rules are found by these
/// values in one hash table, and only those are run; rules without such a demand are always run. A wrong hit costs a run and no more.
struct PolicyIndex {
    struct Entry: BitwiseCopyable {
        var hash: UInt64
        /// Index of the first word of a set of rules; 0 where nothing is.
        var set: UInt32
    }

    /// A value that a rule demands.
    enum Key: Hashable {
        case number(UInt64)
        case address(IPAddress)
        case octets([UInt8])
    }

    /// Words of a set of rules.
    let width: Int
    /// Sets of rules, one bit a rule; the first is that of rules without a demand.
    private(set) var words: [UInt64]
    private(set) var entries: [Entry]
    /// Slots that some rule is found by.
    private(set) var slots: [UInt8] = []

    init(_ conditions: [RuleCondition], slot: (RuleSubject) -> UInt8) {
        width = max(1, (conditions.count + 63) / 64)
        words = [UInt64](repeating: 0, count: width)
        let demands = conditions.map(Self.demands)
        var variety: [RuleSubject: Set<Key>] = [:]
        for demand in demands { for (subject, keys) in demand { variety[subject, default: []].formUnion(keys) } }
        var sets: [UInt64: Int] = [:]
        for (rule, demand) in demands.enumerated() {
            let ranked = demand.map { (slot: slot($0.key), keys: $0.value, variety: variety[$0.key]?.count ?? 0) }
            guard let best = ranked.max(by: { ($0.variety, $1.slot) < ($1.variety, $0.slot) }) else {
                words[rule / 64] |= 1 << UInt64(rule % 64)
                continue
            }
            if !slots.contains(best.slot) { slots.append(best.slot) }
            for key in best.keys {
                let hash = Self.hash(key, slot: best.slot)
                let set = sets[hash] ?? words.count
                if sets[hash] == nil { words += [UInt64](repeating: 0, count: width) }
                sets[hash] = set
                words[set + rule / 64] |= 1 << UInt64(rule % 64)
            }
        }
        entries = Self.table(sets)
    }

    private static func table(_ sets: [UInt64: Int]) -> [Entry] {
        var size = 8
        while size < sets.count * 2 { size *= 2 }
        var entries = [Entry](repeating: Entry(hash: 0, set: 0), count: size)
        for (hash, set) in sets {
            var place = Int(truncatingIfNeeded: hash) & (size - 1)
            while entries[place].set != 0 { place = (place + 1) & (size - 1) }
            entries[place] = Entry(hash: hash, set: UInt32(set))
        }
        return entries
    }

    /// For each value that the condition demands, what it may be.
    private static func demands(_ condition: RuleCondition) -> [RuleSubject: Set<Key>] {
        switch condition {
        case .always, .not: return [:]
        case .test(let test): return key(test).map { [test.subject: [$0]] } ?? [:]
        case .all(let parts): return parts.map(demands).reduce(into: [:]) { $0.merge($1) { $0.count <= $1.count ? $0 : $1 } }
        case .any(let parts):
            // Of alternatives, only what all of them demand of one value.
            let each = parts.map(demands)
            guard let first = each.first else { return [:] }
            var common: [RuleSubject: Set<Key>] = [:]
            for subject in first.keys {
                let keys = each.compactMap { $0[subject] }
                if keys.count == each.count { common[subject] = keys.reduce(into: []) { $0.formUnion($1) } }
            }
            return common
        }
    }

    private static func key(_ test: RuleTest) -> Key? {
        switch test.predicate {
        case .inside(let first, let last) where first == last: .number(first)
        case .equal(let octets): .octets(octets)
        case .within(let address, 128) where !test.subject.isPrefix: .address(address)
        default: nil
        }
    }

    private static func hash(_ key: Key, slot: UInt8) -> UInt64 {
        switch key {
        case .number(let number): hash(number, 0, slot: slot)
        case .address(let address): hash(address.low, address.high, slot: slot)
        case .octets(let octets): octets.withUnsafeBytes { hash($0, slot: slot) }
        }
    }

    @inline(__always)
    static func hash(_ low: UInt64, _ high: UInt64, slot: UInt8) -> UInt64 {
        var mixed = (low ^ high &* 0x9e37_79b9_7f4a_7c15) &+ UInt64(slot) &* 0xff51_afd7_ed55_8ccd
        mixed = (mixed ^ mixed &>> 32) &* 0xd6e8_feb8_6659_fd93
        return mixed ^ mixed &>> 32
    }

    @inline(__always)
    static func hash(_ octets: UnsafeRawBufferPointer, slot: UInt8) -> UInt64 {
        SubscriberIndex.hash(tenant: Int64(slot), octets, seed: 0)
    }
}

extension RuleSubject {
    var isPrefix: Bool {
        if case .prefix = kind { return true }
        return false
    }
}
