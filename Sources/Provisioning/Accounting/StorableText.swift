/// Octets from the network as text that PostgreSQL stores and people read, without two different values becoming one.
///
/// Valid UTF-8 stays as it is. NUL, control characters and octets that are not UTF-8 become `\x` and two hexadecimal digits; a
/// backslash that would read as such an escape is escaped itself.
public enum StorableText {
    public static func of(_ octets: [UInt8]) -> String { String(decoding: self.octets(of: octets), as: UTF8.self) }

    /// The same as UTF-8.
    static func octets(of octets: [UInt8]) -> [UInt8] {
        if isPlain(octets) { return octets }
        var kept: [UInt8] = []
        var position = 0
        while position < octets.count {
            let length = characterLength(octets, at: position)
            if length == 0 || isEscape(octets, at: position) {
                kept += Array("\\x".utf8) + [digit(octets[position] >> 4), digit(octets[position] & 15)]
                position += 1
            } else {
                kept += octets[position..<position + length]
                position += length
            }
        }
        return kept
    }

    /// What `octets(of:)` made `text` of.
    static func original(of text: [UInt8]) -> [UInt8] {
        var octets: [UInt8] = []
        var position = 0
        while position < text.count {
            guard isEscape(text, at: position) else {
                octets.append(text[position])
                position += 1
                continue
            }
            octets.append(value(text[position + 2]) << 4 | value(text[position + 3]))
            position += 4
        }
        return octets
    }

    private static func isPlain(_ octets: [UInt8]) -> Bool {
        for octet in octets where octet < 0x20 || octet >= 0x7f || octet == UInt8(ascii: "\\") { return false }
        return true
    }

    /// Upper limit of octets that `of` may make of `count` octets.
    static func longest(_ count: Int) -> Int { count * 4 }

    /// Octets of the well-formed printable character at `position`; 0 when there is none (Unicode, table 3-7).
    private static func characterLength(_ octets: [UInt8], at position: Int) -> Int {
        let first = octets[position]
        if first < 0x80 { return first >= 0x20 && first != 0x7f ? 1 : 0 }
        let length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
        guard position + length <= octets.count else { return 0 }
        guard String(validating: octets[position..<position + length], as: UTF8.self) != nil else { return 0 }
        // U+0080...U+009F are control characters, too.
        return first == 0xc2 && octets[position + 1] < 0xa0 ? 0 : length
    }

    /// Whether a backslash stands here that would read as an escape.
    private static func isEscape(_ octets: [UInt8], at position: Int) -> Bool {
        guard position + 3 < octets.count, octets[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "x")]) else { return false }
        return [octets[position + 2], octets[position + 3]].allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
    }

    private static func value(_ digit: UInt8) -> UInt8 { UInt8(Character(UnicodeScalar(digit)).hexDigitValue ?? 0) }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
