internal import RadiusCore

/// Words, strings and numbers of SQL, as far as dumps have them.
extension DumpReader {
    struct Identifier {
        let text: String
        let isQuoted: Bool
    }

    /// The first word of the next statement in lower case; nil at the end.
    mutating func nextWord() throws -> String? {
        while true {
            try skipBlanks()
            guard let octet = try input.peek() else { return nil }
            if Self.isWord(octet) { return try word().lowercased() }
            if octet == UInt8(ascii: ";") {
                try input.next()
            } else if octet == UInt8(ascii: "\\") {
                // A command of psql's, such as \connect or \restrict.
                _ = try input.readLine()
            } else {
                try skipStatement()
            }
        }
    }

    /// Blanks and comments: `-- ...`, `# ...` and `/* ... */`, also those that MySQL would execute.
    mutating func skipBlanks() throws {
        while let octet = try input.peek() {
            switch octet {
            case 0x20, 0x09, 0x0A, 0x0D, 0x0C: try input.next()
            case UInt8(ascii: "-"):
                guard try input.peekSecond() == UInt8(ascii: "-") else { return }
                _ = try skipLine()
            case UInt8(ascii: "#"):
                guard dialect == .mysql else { return }
                _ = try skipLine()
            case UInt8(ascii: "/"):
                guard try input.peekSecond() == UInt8(ascii: "*") else { return }
                try skipComment()
            default: return
            }
        }
    }

    private mutating func skipLine() throws {
        let end = Array(dialect.end.utf8)
        var begin: [UInt8] = []
        while let octet = try input.next(), octet != 0x0A {
            if begin.count < end.count { begin.append(octet) }
        }
        hasEnd = hasEnd || begin == end
    }

    private mutating func skipComment() throws {
        let start = input.line
        try input.next()
        try input.next()
        while let octet = try input.next() {
            if octet == UInt8(ascii: "*"), try input.take(UInt8(ascii: "/")) { return }
        }
        throw SourceFault(line: start, "a comment is opened here and never closed")
    }

    /// To the semicolon that ends the statement.
    mutating func skipStatement() throws {
        while true {
            try skipBlanks()
            guard let octet = try input.peek() else { throw fault("the dump ends inside of a statement") }
            if octet == UInt8(ascii: ";") {
                try input.next()
                return
            }
            try skipToken(octet)
        }
    }

    /// To the comma or the parenthesis that ends a column's definition.
    mutating func skipDefinition() throws {
        var depth = 0
        while true {
            try skipBlanks()
            guard let octet = try input.peek(), octet != UInt8(ascii: ";") else { throw fault("CREATE TABLE is not closed") }
            if depth == 0, octet == UInt8(ascii: ",") || octet == UInt8(ascii: ")") { return }
            if octet == UInt8(ascii: "(") { depth += 1 }
            if octet == UInt8(ascii: ")") { depth -= 1 }
            try skipToken(octet)
        }
    }

    private mutating func skipToken(_ octet: UInt8) throws {
        switch octet {
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"): try skipQuoted(octet)
        case UInt8(ascii: "$") where dialect == .postgresql: try skipDollarQuoted()
        default:
            if Self.isWord(octet) { _ = try word() } else { try input.next() }
        }
    }

    private mutating func skipQuoted(_ quote: UInt8) throws {
        let start = input.line
        let escapes = dialect.escapesByBackslash && quote != UInt8(ascii: "`")
        try input.next()
        while let octet = try input.next() {
            if escapes, octet == 0x5C { try input.next() } else if octet == quote, try !input.take(quote) { return }
        }
        throw SourceFault(line: start, "a quote is opened here and never closed")
    }

    /// `$tag$ ... $tag$`: the bodies of functions.
    private mutating func skipDollarQuoted() throws {
        let start = input.line
        try input.next()
        var tag: [UInt8] = []
        while let octet = try input.peek(), Self.isWord(octet), octet != UInt8(ascii: "$"), tag.count < 64 {
            tag.append(octet)
            try input.next()
        }
        guard try input.take(UInt8(ascii: "$")) else { return }
        let closing = tag + [UInt8(ascii: "$")]
        while let octet = try input.next() {
            guard octet == UInt8(ascii: "$") else { continue }
            // A sign that is not the tag's may begin the next try.
            var matched = 0
            while matched < closing.count, try input.take(closing[matched]) { matched += 1 }
            if matched == closing.count { return }
            if matched > 0 { input.putBack(Array(closing[..<matched])) }
        }
        throw SourceFault(line: start, "a dollar quote is opened here and never closed")
    }

    // MARK: Names and signs

    static func isWord(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80...0xFF: true
        default: false
        }
    }

    mutating func word() throws -> String { String(decoding: try wordOctets(), as: UTF8.self) }

    private mutating func wordOctets() throws -> [UInt8] {
        var octets: [UInt8] = []
        while let octet = try input.peek(), Self.isWord(octet) {
            octets.append(octet)
            try input.next()
            guard octets.count <= Self.valueLimit else { throw fault("a word has more than \(Self.valueLimit) octets") }
        }
        return octets
    }

    /// A name, quoted or not; nil when something else follows.
    mutating func identifier() throws -> Identifier? {
        try skipBlanks()
        guard let octet = try input.peek() else { return nil }
        if octet == UInt8(ascii: "`") || octet == UInt8(ascii: "\"") {
            return Identifier(text: String(decoding: try quoted(octet, escapes: false), as: UTF8.self), isQuoted: true)
        }
        return Self.isWord(octet) ? Identifier(text: try word(), isQuoted: false) : nil
    }

    mutating func takeSign(_ sign: Character) throws -> Bool {
        try skipBlanks()
        guard let octet = sign.asciiValue else { return false }
        return try input.take(octet)
    }

    /// Takes the next word when it is `keyword`, in any case.
    mutating func peekKeyword(_ keyword: String) throws -> Bool {
        try skipBlanks()
        guard let octet = try input.peek(), Self.isWord(octet) else { return false }
        let word = try wordOctets()
        if String(decoding: word, as: UTF8.self).lowercased() == keyword { return true }
        input.putBack(word)
        return false
    }

    // MARK: Values

    mutating func value() throws -> SQLCell {
        try skipBlanks()
        guard let octet = try input.peek() else { throw fault("the dump ends inside of a row") }
        if octet == UInt8(ascii: "'") || (octet == UInt8(ascii: "\"") && dialect == .mysql) {
            return SQLCell(try quoted(octet, escapes: dialect.escapesByBackslash))
        }
        if octet == UInt8(ascii: "-") || octet == UInt8(ascii: "+") {
            try input.next()
            let digits = try number()
            return .text(octet == UInt8(ascii: "-") ? "-" + digits : digits)
        }
        guard Self.isWord(octet) else { throw fault("a value is expected") }
        if (0x30...0x39).contains(octet) {
            let digits = try number()
            guard digits.hasPrefix("0x"), let octets = Hexadecimal.octets(digits.utf8.dropFirst(2)) else { return .text(digits) }
            return SQLCell(octets)
        }
        return try prefixed(try word().lowercased())
    }

    private mutating func number() throws -> String {
        var text = ""
        while let octet = try input.peek(),
            Self.isWord(octet) || octet == UInt8(ascii: ".") || (octet == UInt8(ascii: "-") && text.hasSuffix("e"))
        {
            text.unicodeScalars.append(Unicode.Scalar(octet))
            try input.next()
            guard text.utf8.count <= Self.valueLimit else { throw fault("a number has more than \(Self.valueLimit) digits") }
        }
        guard text.utf8.first.map({ (0x30...0x39).contains($0) }) == true else { throw fault("a number is expected") }
        return text
    }

    /// `NULL`, `TRUE`, `x'..'`, `E'..'`, `_binary '..'`, `N'..'`.
    private mutating func prefixed(_ word: String) throws -> SQLCell {
        switch word {
        case "null", "default": return .null
        case "true": return .text("1")
        case "false": return .text("0")
        default: break
        }
        try skipBlanks()
        guard try input.peek() == UInt8(ascii: "'") else { throw fault("“\(word.prefix(40))” is no value that a dump has") }
        switch word {
        case "x":
            guard let octets = Hexadecimal.octets(try quoted(UInt8(ascii: "'"), escapes: false)) else {
                throw fault("x'...' holds no octets")
            }
            return SQLCell(octets)
        case "e": return SQLCell(try quoted(UInt8(ascii: "'"), escapes: true))
        case "n", "_binary", "_utf8", "_utf8mb3", "_utf8mb4", "_latin1":
            return SQLCell(try quoted(UInt8(ascii: "'"), escapes: dialect.escapesByBackslash))
        default: throw fault("“\(word.prefix(40))'...'” is no value that a dump has")
        }
    }

    /// What stands between quotes: doubled ones are one, backslashes escape where `escapes`.
    private mutating func quoted(_ quote: UInt8, escapes: Bool) throws -> [UInt8] {
        let start = input.line
        try input.next()
        var octets: [UInt8] = []
        while let octet = try input.next() {
            guard octets.count <= Self.valueLimit else { throw SourceFault(line: start, "a value has more than \(Self.valueLimit) octets") }
            if octet == quote {
                guard try input.take(quote) else { return octets }
                octets.append(quote)
            } else if escapes, octet == 0x5C {
                guard let letter = try input.next() else { break }
                octets.append(Self.escape(letter))
            } else {
                octets.append(octet)
            }
        }
        throw SourceFault(line: start, "a quote is opened here and never closed")
    }

    /// MySQL's escapes: `\0 \b \n \r \t \Z`; any other sign stands for itself.
    private static func escape(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "0"): 0
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "r"): 13
        case UInt8(ascii: "t"): 9
        case UInt8(ascii: "Z"): 26
        default: letter
        }
    }
}
