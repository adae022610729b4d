/// A pattern that a whole text matches or not: `*` stands for any octets, `?` for one, `[a-f0-9]` for one of these, `[!x]` for one that
/// is not; a backslash makes the next character stand for itself.
///
/// It is a set of states in one word, one bit for each sign of the pattern that is not `*`. Each octet of the text moves all of them at
/// once, so a match takes a few instructions an octet, whatever pattern and text are.
struct Glob: Hashable, Sendable {
    /// Signs besides `*`.
    static let limit = 63

    /// For each octet the class that it belongs to.
    let classes: [UInt8]
    /// For each class the signs that it matches; bit n is sign n.
    let masks: [UInt64]
    /// The states that any octet may stay in.
    let loops: UInt64
    /// Signs besides `*`.
    let count: Int
    /// The octets that every text begins with: cheap to compare first.
    let prefix: [UInt8]
    private let pattern: [UInt8]

    /// - Throws: `RuleFault` with what is wrong.
    init(_ text: String) throws(RuleFault) {
        var reader = GlobReader(Array(text.utf8))
        var signs: [GlobReader.Members] = []
        var prefix: [UInt8] = []
        var loops: UInt64 = 0
        while let sign = try reader.next() {
            switch sign {
            case .many: loops |= 1 << UInt64(signs.count)
            case .one(let members):
                if loops == 0, prefix.count == signs.count, let only = members.only { prefix.append(only) }
                signs.append(members)
            }
            guard signs.count <= Self.limit else { throw RuleFault("has more than \(Self.limit) signs besides *") }
        }
        var classOfMask: [UInt64: UInt8] = [:]
        var masks: [UInt64] = []
        classes = (0...255).map { octet in
            var mask: UInt64 = 0
            for (place, members) in signs.enumerated() where members.contains(UInt8(octet)) { mask |= 1 << UInt64(place) }
            if let known = classOfMask[mask] { return known }
            let new = UInt8(masks.count)
            classOfMask[mask] = new
            masks.append(mask)
            return new
        }
        self.masks = masks
        self.loops = loops
        count = signs.count
        pattern = Array(text.utf8)
        self.prefix = prefix
    }

    func matches(_ octets: some Sequence<UInt8>) -> Bool {
        var states: UInt64 = 1
        for octet in octets {
            let moved = (states & masks[Int(classes[Int(octet)])]) << 1
            states = moved | states & loops
        }
        return states >> UInt64(count) & 1 != 0
    }
}

/// Reads the signs of a pattern.
struct GlobReader {
    /// Which octets one sign stands for.
    struct Members {
        private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

        static var all: Members {
            var members = Members()
            for octet in UInt8.min...UInt8.max { members.insert(octet) }
            return members
        }

        mutating func insert(_ octet: UInt8) {
            let bit = UInt64(1) << UInt64(octet & 63)
            switch octet >> 6 {
            case 0: words.0 |= bit
            case 1: words.1 |= bit
            case 2: words.2 |= bit
            default: words.3 |= bit
            }
        }

        func contains(_ octet: UInt8) -> Bool {
            let word =
                switch octet >> 6 {
                case 0: words.0
                case 1: words.1
                case 2: words.2
                default: words.3
                }
            return word >> UInt64(octet & 63) & 1 != 0
        }

        /// The octet, where it is a single one.
        var only: UInt8? {
            let bits = [words.0, words.1, words.2, words.3]
            guard bits.reduce(0, { $0 + $1.nonzeroBitCount }) == 1, let word = bits.firstIndex(where: { $0 != 0 }) else { return nil }
            return UInt8(word * 64 + bits[word].trailingZeroBitCount)
        }

        var inverted: Members {
            var members = Members()
            members.words = (~words.0, ~words.1, ~words.2, ~words.3)
            return members
        }
    }

    enum Sign {
        case many
        case one(Members)
    }

    private var rest: ArraySlice<UInt8>

    init(_ octets: [UInt8]) {
        rest = octets[...]
    }

    /// The next sign; nil at the end.
    mutating func next() throws(RuleFault) -> Sign? {
        guard let octet = rest.popFirst() else { return nil }
        switch octet {
        case UInt8(ascii: "*"): return .many
        case UInt8(ascii: "?"): return .one(.all)
        case UInt8(ascii: "["): return .one(try set())
        case UInt8(ascii: "\\"): return .one(Self.just(try escaped()))
        default: return .one(Self.just(octet))
        }
    }

    private static func just(_ octet: UInt8) -> Members {
        var members = Members()
        members.insert(octet)
        return members
    }

    private mutating func escaped() throws(RuleFault) -> UInt8 {
        guard let octet = rest.popFirst() else { throw RuleFault("ends in a backslash; write two of them for one") }
        return octet
    }

    /// What stands between `[` and `]`.
    private mutating func set() throws(RuleFault) -> Members {
        var members = Members()
        var isEmpty = true
        let isInverted = rest.first == UInt8(ascii: "!")
        if isInverted { rest.removeFirst() }
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "]"), !isEmpty { return isInverted ? members.inverted : members }
            isEmpty = false
            let first = octet == UInt8(ascii: "\\") ? try escaped() : octet
            guard rest.first == UInt8(ascii: "-"), let last = rest.dropFirst().first, last != UInt8(ascii: "]") else {
                members.insert(first)
                continue
            }
            guard last >= first else { throw RuleFault("has a set whose range goes backwards") }
            rest = rest.dropFirst(2)
            for member in first...last { members.insert(member) }
        }
        throw RuleFault("has a set that does not end; close it by ]")
    }
}
