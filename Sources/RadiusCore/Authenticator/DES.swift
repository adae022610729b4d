/// DES in the one way that MS-CHAP needs it: one block, a key of 56 bits without parity (RFC 2433 §A.4, RFC 2759 §8.6; FIPS 46-3).
///
/// The first use in a process builds the tables (about 18 KB); after that nothing allocates.
public enum DES {
    /// Encrypts one block.
    ///
    /// - Parameters:
    ///   - block: the clear text.
    ///   - key7: 56 bits of key; the eighth, parity bit of every octet of a DES key is left out.
    /// - Returns: the hidden block.
    public static func encrypt(block: InlineArray<8, UInt8>, key7: InlineArray<7, UInt8>) -> InlineArray<8, UInt8> {
        var clear: UInt64 = 0
        for i in 0..<8 { clear = clear &<< 8 | UInt64(block[i]) }
        var key: UInt64 = 0
        for i in 0..<7 { key = key &<< 8 | UInt64(key7[i]) }
        let hidden = encrypt(clear, key: key)
        return InlineArray { UInt8(truncatingIfNeeded: hidden &>> UInt64(56 &- 8 &* $0)) }
    }

    /// Encrypts 64 bits under the low 56 bits of `key`; the first octet stands highest.
    static func encrypt(_ clear: UInt64, key: UInt64) -> UInt64 {
        let tables = DESTables.shared
        let chosen = tables.keyChoice.apply(to: key)
        var c = UInt32(truncatingIfNeeded: chosen &>> 28)
        var d = UInt32(truncatingIfNeeded: chosen & 0xfff_ffff)
        var left = UInt32(truncatingIfNeeded: clear &>> 32)
        var right = UInt32(truncatingIfNeeded: clear)
        permuteInitially(&left, &right)
        for round in 0..<16 {
            let turn: UInt32 = turnsByOne & (1 &<< UInt32(round)) != 0 ? 1 : 2
            c = turned28(c, by: turn)
            d = turned28(d, by: turn)
            let roundKey = tables.roundKeyChoice.apply(to: UInt64(c) &<< 28 | UInt64(d))
            (left, right) = (right, left ^ tables.mix(right, roundKey))
        }
        swap(&left, &right)
        permuteFinally(&left, &right)
        return UInt64(left) &<< 32 | UInt64(right)
    }

    /// Rounds 1, 2, 9 and 16 turn the key halves by one bit, the others by two.
    private static let turnsByOne: UInt32 = 0x8103

    @inline(__always)
    private static func turned28(_ half: UInt32, by turn: UInt32) -> UInt32 {
        (half &<< turn | half &>> (28 &- turn)) & 0xfff_ffff
    }

    /// The initial permutation as five exchanges of bit groups between the halves.
    private static func permuteInitially(_ left: inout UInt32, _ right: inout UInt32) {
        exchange(&left, &right, by: 4, mask: 0x0f0f_0f0f)
        exchange(&left, &right, by: 16, mask: 0x0000_ffff)
        exchange(&right, &left, by: 2, mask: 0x3333_3333)
        exchange(&right, &left, by: 8, mask: 0x00ff_00ff)
        exchange(&left, &right, by: 1, mask: 0x5555_5555)
    }

    /// The same exchanges backwards.
    private static func permuteFinally(_ left: inout UInt32, _ right: inout UInt32) {
        exchange(&left, &right, by: 1, mask: 0x5555_5555)
        exchange(&right, &left, by: 8, mask: 0x00ff_00ff)
        exchange(&right, &left, by: 2, mask: 0x3333_3333)
        exchange(&left, &right, by: 16, mask: 0x0000_ffff)
        exchange(&left, &right, by: 4, mask: 0x0f0f_0f0f)
    }

    @inline(__always)
    private static func exchange(_ high: inout UInt32, _ low: inout UInt32, by distance: UInt32, mask: UInt32) {
        let different = (high &>> distance ^ low) & mask
        low ^= different
        high ^= different &<< distance
    }
}
