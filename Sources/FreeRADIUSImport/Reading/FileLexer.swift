/// Words of FreeRADIUS's own files.
struct FileLexer {
    private let octets: [UInt8]
    /// As in configuration files, where a backslash within quotes stays unless the quote stands behind it.
    private let keepsBackslashes: Bool
    private(set) var index = 0

    init(_ octets: [UInt8], keepsBackslashes: Bool = false) {
        self.octets = octets
        self.keepsBackslashes = keepsBackslashes
    }

    var isAtEnd: Bool { index >= octets.count }

    /// The octet that comes next.
    var next: UInt8? { index < octets.count ? octets[index] : nil }

    mutating func skipBlanks() {
        while let octet = next, octet == 0x20 || octet == 0x09 || octet == 0x0D { index += 1 }
        if next == UInt8(ascii: "#") { index = octets.count }
    }

    mutating func take(_ sign: Character) -> Bool {
        guard let octet = sign.asciiValue, next == octet else { return false }
        index += 1
        return true
    }

    /// A quoted text, or the octets up to a blank, a comma, or one of `stops`; nil where neither stands.
    ///
    /// - Throws: `SourceFault` with line 0 for a quote that is never closed, or text that is not UTF-8.
    mutating func text(stops: Set<UInt8> = []) throws(SourceFault) -> (text: String, quote: SourcePair.Quote)? {
        guard let first = next else { return nil }
        switch first {
        case UInt8(ascii: "\""): return (try quoted(first), .double)
        case UInt8(ascii: "'"): return (try quoted(first), .single)
        case UInt8(ascii: "`"): return (try quoted(first), .back)
        default: break
        }
        let start = index
        while let octet = next, octet > 0x20, octet != UInt8(ascii: ","), !stops.contains(octet) { index += 1 }
        return index > start ? (try Self.string(octets[start..<index]), .none) : nil
    }

    private mutating func quoted(_ quote: UInt8) throws(SourceFault) -> String {
        index += 1
        var content: [UInt8] = []
        while let octet = next {
            index += 1
            if octet == quote { return try Self.string(content[...]) }
            guard octet == 0x5C, let letter = next else {
                content.append(octet)
                continue
            }
            index += 1
            switch letter {
            case _ where keepsBackslashes: content += letter == quote ? [letter] : [0x5C, letter]
            case UInt8(ascii: "n") where quote == UInt8(ascii: "\""): content.append(10)
            case UInt8(ascii: "r") where quote == UInt8(ascii: "\""): content.append(13)
            case UInt8(ascii: "t") where quote == UInt8(ascii: "\""): content.append(9)
            case quote, 0x5C: content.append(letter)
            default: content += [0x5C, letter]
            }
        }
        throw SourceFault(line: 0, "a quote is never closed")
    }

    private static func string(_ octets: ArraySlice<UInt8>) throws(SourceFault) -> String {
        guard let text = String(validating: octets, as: UTF8.self) else { throw SourceFault(line: 0, "it holds octets that are no UTF-8") }
        return text
    }

    /// An operator; nil where none stands.
    mutating func operation() -> PairOperator? {
        let signs = Array("=:+-!<>~*".utf8)
        let rest = octets[index...].prefix(2).prefix { signs.contains($0) }
        for count in [2, 1] where rest.count >= count {
            guard let found = PairOperator(rawValue: String(decoding: rest.prefix(count), as: UTF8.self)) else { continue }
            index += count
            return found
        }
        return nil
    }
}
