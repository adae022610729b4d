/// Which values of one name are left: what `RuleReach` reasons with.
struct RuleDomain {
    /// Sets of values of one kind.
    enum Values {
        case all
        /// Ranges of numbers, in any order.
        case numbers([ClosedRange<UInt64>])
        /// These texts alone.
        case texts(Set<[UInt8]>)
        /// All texts but these, that match all of these patterns.
        case textsExcept(Set<[UInt8]>, [Glob])
        /// Addresses in one of these networks.
        case networks([(network: IPAddress, length: Int)])
    }

    private let values: Values
    private let mayBeAbsent: Bool

    static let everything = RuleDomain(.all, mayBeAbsent: true)
    static let nothing = RuleDomain(.numbers([]), mayBeAbsent: false)
    static let absent = RuleDomain(.numbers([]), mayBeAbsent: true)

    private init(_ values: Values, mayBeAbsent: Bool) {
        self.values = values
        self.mayBeAbsent = mayBeAbsent
    }

    /// These numbers alone.
    init(numbers: [UInt64]) { self.init(.numbers(numbers.map { $0...$0 }), mayBeAbsent: false) }

    /// The values that fulfil `test`.
    init(_ test: RuleTest) {
        mayBeAbsent = false
        switch test.predicate {
        case .present, .without: values = .all
        case .inside(let first, let last): values = .numbers(first <= last ? [first...last] : [])
        case .outside(let first, let last): values = .numbers(Self.outside(first, last))
        case .equal(let octets): values = .texts([octets])
        case .different(let octets): values = .textsExcept([octets], [])
        case .matches(let glob): values = .textsExcept([], [glob])
        case .within(let network, let length): values = .networks([(network, length)])
        }
    }

    private static func outside(_ first: UInt64, _ last: UInt64) -> [ClosedRange<UInt64>] {
        (first > 0 ? [0...first - 1] : []) + (last < .max ? [last + 1 ... .max] : [])
    }

    /// The values that do not fulfil the test, absence among them; nil where that is not one of these sets.
    var complement: RuleDomain? {
        switch values {
        case .numbers(let ranges) where ranges.count == 1:
            RuleDomain(.numbers(Self.outside(ranges[0].lowerBound, ranges[0].upperBound)), mayBeAbsent: true)
        case .texts(let texts): RuleDomain(.textsExcept(texts, []), mayBeAbsent: true)
        case .textsExcept(let texts, let globs) where globs.isEmpty: RuleDomain(.texts(texts), mayBeAbsent: true)
        default: nil
        }
    }

    var isEmpty: Bool {
        if mayBeAbsent { return false }
        return switch values {
        case .all, .textsExcept: false
        case .numbers(let ranges): ranges.isEmpty
        case .texts(let texts): texts.isEmpty
        case .networks(let networks): networks.isEmpty
        }
    }

    func intersection(_ other: RuleDomain) -> RuleDomain {
        RuleDomain(Self.intersection(values, other.values), mayBeAbsent: mayBeAbsent && other.mayBeAbsent)
    }

    private static func intersection(_ one: Values, _ other: Values) -> Values {
        switch (one, other) {
        case (.all, let rest), (let rest, .all): return rest
        case (.numbers(let one), .numbers(let other)):
            return .numbers(
                one.flatMap { left in
                    other.compactMap { right in left.overlaps(right) ? left.clamped(to: right) : nil }
                })
        case (.texts(let one), .texts(let other)): return .texts(one.intersection(other))
        case (.texts(let texts), .textsExcept(let except, let globs)), (.textsExcept(let except, let globs), .texts(let texts)):
            return .texts(texts.filter { text in !except.contains(text) && globs.allSatisfy { $0.matches(text) } })
        case (.textsExcept(let one, let globs), .textsExcept(let other, let more)): return .textsExcept(one.union(other), globs + more)
        case (.networks(let one), .networks(let other)):
            return .networks(one.flatMap { left in other.compactMap { Self.common(left, $0) } })
        // Absence alone meets a kind of values.
        case (.numbers(let ranges), _) where ranges.isEmpty, (_, .numbers(let ranges)) where ranges.isEmpty: return .numbers([])
        default: return .all
        }
    }

    /// Of two networks the one inside of the other.
    private static func common(
        _ one: (network: IPAddress, length: Int), _ other: (network: IPAddress, length: Int)
    ) -> (network: IPAddress, length: Int)? {
        let (wide, narrow) = one.length <= other.length ? (one, other) : (other, one)
        return narrow.network.masked(to: wide.length) == wide.network ? narrow : nil
    }

    func union(_ other: RuleDomain) -> RuleDomain {
        RuleDomain(Self.union(values, other.values), mayBeAbsent: mayBeAbsent || other.mayBeAbsent)
    }

    private static func union(_ one: Values, _ other: Values) -> Values {
        switch (one, other) {
        case (.numbers(let one), let rest) where one.isEmpty: rest
        case (.numbers(let one), .numbers(let other)): .numbers(one + other)
        case (.texts(let one), .texts(let other)): .texts(one.union(other))
        case (.networks(let one), .networks(let other)): .networks(one + other)
        default: .all
        }
    }
}
