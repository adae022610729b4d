/// Why a text is no JSON value, and where.
public struct JSONError: Error, Equatable, Sendable {
    /// The line, counted from 1.
    public let line: Int
    /// The octet within its line, counted from 1.
    public let column: Int
    public let reason: String
}

/// Reads one JSON value (RFC 8259) from octets that come from outside.
///
/// Stricter than the RFC where leniency hurts: a name may stand once in an object, nesting ends at 32, numbers end at 64 characters,
/// lone surrogates and U+0000 are refused (PostgreSQL cannot hold them).
public struct JSONParser {
    static let depthLimit = 32
    static let numberLimit = 64

    private let bytes: [UInt8]
    private var index = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The value that `bytes` spell, with nothing but white space around it.
    ///
    /// - Throws: `JSONError` with the place of the first mistake.
    public static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON {
        var parser = JSONParser(bytes)
        parser.skipSpace()
        let value = try parser.value(depth: 1)
        parser.skipSpace()
        guard parser.index == bytes.count else { throw parser.failure("something follows the value") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        guard depth <= Self.depthLimit else { throw failure("nested deeper than \(Self.depthLimit)") }
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-")?, (UInt8(ascii: "0")...UInt8(ascii: "9"))?: return try number()
        case nil: throw failure("the text ends where a value is expected")
        default: throw failure("a value is expected here")
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        var members: [JSON.Member] = []
        var names: Set<String> = []
        index += 1
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object([]) }
        while true {
            guard peek == UInt8(ascii: "\"") else { throw failure("a member's name in quotes is expected here") }
            let start = index
            let name = try string()
            guard names.insert(name).inserted else { throw failure("the member “\(name)” stands here a second time", at: start) }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw failure("a colon is expected here") }
            skipSpace()
            members.append(JSON.Member(name, try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw failure("a comma or a closing brace is expected here") }
            skipSpace()
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        var elements: [JSON] = []
        index += 1
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw failure("a comma or a closing bracket is expected here") }
            skipSpace()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for offset in 0..<word.utf8CodeUnitCount {
            guard peek == word.utf8Start[offset] else { throw failure("“\(word)” is expected here") }
            index += 1
        }
        return value
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = index
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        guard index - start <= Self.numberLimit else {
            throw failure("a number of more than \(Self.numberLimit) characters", at: start)
        }
        return .number(String(decoding: bytes[start..<index], as: UTF8.self))
    }

    private mutating func digits() throws(JSONError) {
        let start = index
        while let octet = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) { index += 1 }
        guard index > start else { throw failure("a digit is expected here") }
    }

    private mutating func string() throws(JSONError) -> String {
        index += 1
        var text: [UInt8] = []
        let start = index
        while let octet = peek {
            switch octet {
            case UInt8(ascii: "\""):
                index += 1
                guard let string = String(validating: text, as: UTF8.self) else { throw failure("a string is not UTF-8", at: start) }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw failure("a control character in a string must be escaped")
            default:
                text.append(octet)
                index += 1
            }
        }
        throw failure("the text ends inside a string")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        index += 1
        guard let letter = peek else { throw failure("the text ends inside a string") }
        index += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try scalar()).utf8)
        default: throw failure("an unknown escape", at: index - 2)
        }
    }

    /// The scalar behind `\u`, with the second half of a surrogate pair (RFC 8259 §7).
    private mutating func scalar() throws(JSONError) -> Character {
        let start = index - 2
        var code = try hexadecimal()
        if (0xD800..<0xDC00).contains(code) {
            guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw failure("half a surrogate pair", at: start) }
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair", at: start) }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard code != 0 else { throw failure("U+0000 cannot be stored", at: start) }
        guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair", at: start) }
        return Character(scalar)
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let octet = peek, let digit = Character(Unicode.Scalar(octet)).hexDigitValue, octet < 0x80 else {
                throw failure("four hexadecimal digits are expected here")
            }
            code = code << 4 | UInt32(digit)
            index += 1
        }
        return code
    }

    private var peek: UInt8? {
        index < bytes.count ? bytes[index] : nil
    }

    private mutating func take(_ octet: UInt8) -> Bool {
        guard peek == octet else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while let octet = peek, octet == 0x20 || octet == 0x0A || octet == 0x0D || octet == 0x09 { index += 1 }
    }

    private func failure(_ reason: String, at place: Int? = nil) -> JSONError {
        let before = bytes[..<(place ?? index)]
        let line = before.count { $0 == 0x0A } + 1
        let column = before.count - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
        return JSONError(line: line, column: column, reason: reason)
    }
}
