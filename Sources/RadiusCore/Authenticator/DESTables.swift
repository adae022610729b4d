/// The tables of DES (FIPS 46-3), unfolded once so that a round is eight look-ups and not 48 single bits.
///
/// A round's eight groups of six bits stand in the eight octets of a word, highest first, in the order 0, 2, 4, 6, 1, 3, 5, 7: so two
/// turns of a half expand it to all groups at once.
struct DESTables: Sendable {
    static let shared = DESTables()

    /// Permuted choice 1, for a key that lacks its parity bits.
    let keyChoice = BitChoice(DESTables.permutedChoice1.map { $0 - $0 / 8 }) { 55 - $0 }

    /// Permuted choice 2, with its groups in octets.
    let roundKeyChoice = BitChoice(DESTables.permutedChoice2) { 8 * (7 - DESTables.octet(ofGroup: $0 / 6)) + 5 - $0 % 6 }

    /// For each octet of a round's word and each six bits: the output of the group's substitution box at its place, permuted by P.
    private let substitutions: [UInt32]

    private init() {
        var table = [UInt32](repeating: 0, count: 512)
        for (group, digits) in Self.substitutionBoxes.enumerated() {
            for six in 0..<64 {
                let row = (six >> 4 & 2) | (six & 1)
                let nibble = Self.nibble(digits.utf8Start[row * 16 + (six >> 1 & 15)])
                table[Self.octet(ofGroup: group) * 64 + six] = Self.permuted(nibble << UInt32(28 - 4 * group))
            }
        }
        substitutions = table
    }

    /// The function f of a round: expands `half` to eight groups of six bits, adds the round key's, substitutes, permutes.
    func mix(_ half: UInt32, _ roundKey: UInt64) -> UInt32 {
        let turned = UInt64(half.turnedLeft(by: 31)) &<< 32 | UInt64(half.turnedLeft(by: 3))
        let groups = turned &>> 2 & 0x3f3f_3f3f_3f3f_3f3f ^ roundKey
        let table = substitutions.span
        var mixed: UInt32 = 0
        for octet in 0..<8 {
            let six = Int(truncatingIfNeeded: groups &>> UInt64(56 &- 8 &* octet)) & 63
            mixed |= table[unchecked: octet &* 64 &+ six]
        }
        return mixed
    }

    /// Which octet of a round's word a group stands in, counted from the highest.
    private static func octet(ofGroup group: Int) -> Int { group / 2 + (group % 2) * 4 }

    private static func nibble(_ digit: UInt8) -> UInt32 {
        UInt32(digit < 58 ? digit - 48 : digit - 87)
    }

    private static func permuted(_ word: UInt32) -> UInt32 {
        permutation.reduce(0) { $0 << 1 | word >> (32 - $1) & 1 }
    }

    private static let permutation: [UInt32] = [
        16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
        2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
    ]

    private static let permutedChoice1: [Int] = [
        57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
        63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
    ]

    private static let permutedChoice2: [Int] = [
        14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
        41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
    ]

    /// S1...S8, four rows of 16 hexadecimal digits each.
    private static let substitutionBoxes: [StaticString] = [
        "e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d",
        "f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
        "a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c",
        "7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
        "2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453",
        "c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
        "4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c",
        "d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b",
    ]
}

/// A choice of bits out of 56, made seven bits at a time.
struct BitChoice: Sendable {
    private let table: [UInt64]

    /// `sources` names the bits to copy, 1 being the highest of 56; `place` tells which bit of the result, 0 being the lowest, the
    /// source at an index becomes.
    init(_ sources: [Int], place: (Int) -> Int) {
        var table = [UInt64](repeating: 0, count: 8 * 128)
        for (index, source) in sources.enumerated() {
            let bit: UInt64 = 1 << UInt64(place(index))
            let (group, offset) = ((source - 1) / 7, (source - 1) % 7)
            for value in 0..<128 where value >> (6 - offset) & 1 == 1 { table[group * 128 + value] |= bit }
        }
        self.table = table
    }

    /// The chosen bits of the low 56 of `word`.
    func apply(to word: UInt64) -> UInt64 {
        let entries = table.span
        var chosen: UInt64 = 0
        for group in 0..<8 {
            let value = Int(truncatingIfNeeded: word &>> UInt64(49 &- 7 &* group)) & 127
            chosen |= entries[unchecked: group &* 128 &+ value]
        }
        return chosen
    }
}
