/// Octets as text: hexadecimal, and strings whose unprintable octets are escaped so that a terminal, a log line or a CSV cell cannot be
/// taken over by them.
enum OctetText {
    /// `0x` and two digits an octet.
    static func hexadecimal(_ octets: some Sequence<UInt8>) -> String { "0x" + Hexadecimal.text(octets) }

    /// The octets of `0x...`, or nil. An even number of digits, of either case; none make no octets.
    static func octets(hexadecimal text: some StringProtocol) -> [UInt8]? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 2, bytes[0] == UInt8(ascii: "0"), bytes[1] | 0x20 == UInt8(ascii: "x") else { return nil }
        return Hexadecimal.octets(bytes[2...])
    }

    /// `\xNN`.
    static func escape(_ octet: UInt8) -> String { "\\x" + Hexadecimal.text([octet]) }

    /// A string value as text: UTF-8 stays, a backslash doubles, and whatever is no UTF-8, steers a terminal, breaks a line or turns the
    /// direction of writing becomes `\xNN`.
    static func string(_ octets: [UInt8]) -> String {
        var text = ""
        var position = 0
        var iterator = octets.makeIterator()
        var parser = Unicode.UTF8.ForwardParser()
        while true {
            switch parser.parseScalar(from: &iterator) {
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                let length = encoded.count
                if scalar == "\\" {
                    text += "\\\\"
                } else if isSafe(scalar) {
                    text.unicodeScalars.append(scalar)
                } else {
                    for octet in octets[position..<position + length] { text += escape(octet) }
                }
                position += length
            case .error(let length):
                for octet in octets[position..<position + length] { text += escape(octet) }
                position += length
            case .emptyInput:
                return text
            }
        }
    }

    private static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7f }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return false
        default: return true
        }
    }

    /// The octets of a string value from its text, escapes taken back.
    ///
    /// - Throws: `controlCharacter` for one that stands there itself, `badEscape`.
    static func octets(string text: some StringProtocol) throws(AttributeTextError.Reason) -> [UInt8] {
        let bytes = Array(text.utf8)
        var octets: [UInt8] = []
        octets.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte < 0x20 || byte == 0x7f { throw .controlCharacter(byte) }
            if byte == UInt8(ascii: "\\") {
                octets.append(try unescape(bytes, &position))
            } else {
                octets.append(byte)
                position += 1
            }
        }
        return octets
    }

    /// Takes back the escape at `position` and steps behind it.
    private static func unescape(_ bytes: [UInt8], _ position: inout Int) throws(AttributeTextError.Reason) -> UInt8 {
        guard position + 1 < bytes.count else { throw .badEscape }
        let kind = bytes[position + 1]
        position += 2
        switch kind {
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): return kind
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "x"):
            guard position + 1 < bytes.count, let high = Hexadecimal.digit(bytes[position]),
                let low = Hexadecimal.digit(bytes[position + 1])
            else {
                throw .badEscape
            }
            position += 2
            return high << 4 | low
        default: throw .badEscape
        }
    }

    /// Foreign text made fit for a message: escaped, and cut after `limit` characters.
    static func printable(_ text: String, limit: Int) -> String {
        let cut = text.prefix(limit)
        return string(Array(cut.utf8)) + (cut.endIndex == text.endIndex ? "" : "...")
    }
}
