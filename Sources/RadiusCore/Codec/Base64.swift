/// Octets as base64 (RFC 4648). Not for the packet path: it allocates.
public struct Base64: Sendable {
    /// RFC 4648 §4: with `+` and `/`, and filled with `=` up to a multiple of four digits.
    public static let standard = Base64("+/", isPadded: true)
    /// RFC 4648 §5: with `-` and `_`, which addresses of the web and names of files can hold, and nothing behind the last digit.
    public static let url = Base64("-_", isPadded: false)

    private let digits: [UInt8]
    private let isPadded: Bool

    private init(_ last: String, isPadded: Bool) {
        digits = Array(("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last).utf8)
        self.isPadded = isPadded
    }

    public func text(of octets: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((octets.count + 2) / 3 * 4)
        var (bits, count): (UInt32, Int) = (0, 0)
        for octet in octets {
            (bits, count) = (bits << 8 | UInt32(octet), count + 8)
            while count >= 6 {
                count -= 6
                text.append(digits[Int(bits >> UInt32(count) & 63)])
            }
        }
        if count > 0 { text.append(digits[Int(bits << UInt32(6 - count) & 63)]) }
        while isPadded, text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil when `text` is not exactly what `text(of:)` makes of some octets.
    public func octets(of text: some StringProtocol) -> [UInt8]? {
        var octets: [UInt8] = []
        var (bits, count): (UInt32, Int) = (0, 0)
        for digit in text.utf8 where digit != UInt8(ascii: "=") {
            guard let value = digits.firstIndex(of: digit) else { return nil }
            (bits, count) = (bits << 6 | UInt32(value), count + 6)
            guard count >= 8 else { continue }
            count -= 8
            octets.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return self.text(of: octets).utf8.elementsEqual(text.utf8) ? octets : nil
    }
}
