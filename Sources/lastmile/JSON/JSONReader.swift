/// Why a text is no JSON.
struct JSONFault: Error, Equatable {
    /// Octets in front of the mistake.
    let offset: Int
    let reason: String
}

/// Reads JSON (RFC 8259): strict, at most 64 levels deep.
struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0
    private static let depthLimit = 64

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The one value that `bytes` hold.
    static func parse(_ bytes: [UInt8]) throws(JSONFault) -> JSONValue {
        var reader = JSONReader(bytes)
        let value = try reader.value(depth: 0)
        reader.skipBlanks()
        guard reader.position == bytes.count else { throw reader.fault("text follows the value") }
        return value
    }

    static func parse(_ text: String) throws(JSONFault) -> JSONValue { try parse(Array(text.utf8)) }

    private func fault(_ reason: String) -> JSONFault { JSONFault(offset: position, reason: reason) }

    private mutating func skipBlanks() {
        while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
    }

    private mutating func take(_ octet: Character) -> Bool {
        guard position < bytes.count, bytes[position] == octet.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONFault) -> JSONValue {
        guard depth < Self.depthLimit else { throw fault("more than \(Self.depthLimit) levels") }
        skipBlanks()
        guard position < bytes.count else { throw fault("a value is missing") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: return try word()
        }
    }

    private mutating func object(_ depth: Int) throws(JSONFault) -> JSONValue {
        position += 1
        var members: [JSONValue.Member] = []
        skipBlanks()
        if take("}") { return .object([]) }
        repeat {
            skipBlanks()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw fault("a member's name is missing") }
            let name = try string()
            skipBlanks()
            guard take(":") else { throw fault("a colon is missing") }
            members.append(.init(name, try value(depth: depth + 1)))
            skipBlanks()
        } while take(",")
        guard take("}") else { throw fault("the object is not closed") }
        return .object(members)
    }

    private mutating func array(_ depth: Int) throws(JSONFault) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        skipBlanks()
        if take("]") { return .array([]) }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
        } while take(",")
        guard take("]") else { throw fault("the array is not closed") }
        return .array(elements)
    }

    private mutating func word() throws(JSONFault) -> JSONValue {
        for (word, value) in [("true", JSONValue.bool(true)), ("false", .bool(false)), ("null", .null)] {
            guard bytes[position...].starts(with: word.utf8) else { continue }
            position += word.utf8.count
            return value
        }
        throw fault("this begins no value")
    }

    private mutating func digits() -> Int {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) { position += 1 }
        return position - start
    }

    private mutating func number() throws(JSONFault) -> JSONValue {
        let start = position
        _ = take("-")
        let first = position
        let whole = digits()
        guard whole == 1 || whole > 1 && bytes[first] != UInt8(ascii: "0") else { throw fault("this is no number") }
        if take("."), digits() == 0 { throw fault("digits are missing behind the point") }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw fault("the exponent has no digits") }
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func string() throws(JSONFault) -> String {
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let octet = bytes[position]
            if octet == UInt8(ascii: "\"") {
                position += 1
                guard let valid = String(validating: text, as: UTF8.self) else { throw fault("the string is not UTF-8") }
                return valid
            }
            guard octet >= 0x20 else { throw fault("a control character stands in a string") }
            position += 1
            if octet == UInt8(ascii: "\\") { text += Array(String(try escape()).utf8) } else { text.append(octet) }
        }
        throw fault("the string is not closed")
    }

    private mutating func escape() throws(JSONFault) -> Unicode.Scalar {
        guard position < bytes.count else { throw fault("the string is not closed") }
        position += 1
        switch bytes[position - 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicode()
        default: throw fault("this is no escape")
        }
    }

    private mutating func unicode() throws(JSONFault) -> Unicode.Scalar {
        let unit = try fourDigits()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xdc00, take("\\"), take("u") else { throw fault("half of a surrogate pair") }
        let low = try fourDigits()
        guard (0xdc00...0xdfff).contains(low), let scalar = Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + low - 0xdc00) else {
            throw fault("half of a surrogate pair")
        }
        return scalar
    }

    private mutating func fourDigits() throws(JSONFault) -> UInt32 {
        let digits = bytes[position..<min(position + 4, bytes.count)]
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw fault("four hexadecimal digits are expected") }
        position += 4
        return value
    }
}
