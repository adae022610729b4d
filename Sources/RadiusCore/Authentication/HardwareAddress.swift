/// A hardware address as access points and switches write it: twelve hexadecimal digits, whole or in groups, whatever stands between
/// (`00:53:00:12:34:56`, `00-53-00-12-34-56`, `0053.0012.3456`, `005300123456`).
struct HardwareAddress: Hashable, BitwiseCopyable {
    /// Octets of the form that names of subscribers have: `00:53:00:12:34:56`.
    static let textCount = 17
    /// 48 bits.
    let value: UInt64

    /// - Parameter text: read to its end; nil where it is anything else, such as an address with more behind it.
    init?(_ text: Span<UInt8>) {
        guard text.count >= 12, text.count <= Self.textCount else { return nil }
        var value: UInt64 = 0
        var digits = 0
        var wasDigit = false
        for position in text.indices {
            if let digit = Hexadecimal.digit(text[position]) {
                guard digits < 12 else { return nil }
                value = value << 4 | UInt64(digit)
                digits += 1
                wasDigit = true
            } else {
                // One sign between groups of even length, and digits behind it.
                guard wasDigit, digits & 1 == 0, digits < 12, Self.isSeparator(text[position]) else { return nil }
                wasDigit = false
            }
        }
        guard digits == 12 else { return nil }
        self.value = value
    }

    private static func isSeparator(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: ":") || octet == UInt8(ascii: "-") || octet == UInt8(ascii: ".")
    }

    /// Lower case, in pairs between colons.
    var text: InlineArray<17, UInt8> {
        InlineArray { position in
            if position % 3 == 2 { return UInt8(ascii: ":") }
            let nibble = UInt8(truncatingIfNeeded: value >> UInt64(44 - 4 * (position - position / 3))) & 15
            return nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
        }
    }
}
