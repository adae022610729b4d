/// A word, text or sign of a condition.
struct RuleToken: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// A name, a number, an address, a keyword: whatever stands between blanks, signs and quotes.
        case word
        /// What stands between double quotes; `text` has them, `content` has not.
        case quoted
        case sign
        case end
    }

    let kind: Kind
    /// As it was written.
    let text: String
    let place: RulePlace

    /// A text without its quotes; escapes as they were written.
    var content: String { kind == .quoted ? String(text.dropFirst().dropLast()) : text }

    func isWord(_ keyword: String) -> Bool { kind == .word && text == keyword }
    func isSign(_ sign: String) -> Bool { kind == .sign && text == sign }
}

/// Cuts a condition into tokens.
struct RuleLexer {
    /// Octets of a condition.
    static let longest = 4000
    private static let signs = ["==", "!=", "<=", ">=", "<", ">", "(", ")", ","]

    private let characters: [Character]
    private var position = 0
    private var line = 1
    private var column = 1

    private init(_ text: String) {
        characters = Array(text)
    }

    /// The tokens of `text`, `end` last.
    static func tokens(of text: String) throws(RuleError) -> [RuleToken] {
        guard text.utf8.count <= longest else {
            throw RuleError(RulePlace(line: 1, column: 1), text, "a condition has at most \(longest) octets; split it into several rules")
        }
        var lexer = RuleLexer(text)
        var tokens: [RuleToken] = []
        repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
        return tokens
    }

    private mutating func next() throws(RuleError) -> RuleToken {
        while let character = peek, character.isWhitespace { advance() }
        let (place, start) = (RulePlace(line: line, column: column), position)
        guard let first = peek else { return RuleToken(kind: .end, text: "", place: place) }
        if first == "\"" {
            try quoted(place, start)
            return token(.quoted, place, from: start)
        }
        for sign in Self.signs where characters[position...].starts(with: sign) {
            for _ in sign { advance() }
            return token(.sign, place, from: start)
        }
        while let character = peek, Self.isWord(character) { advance() }
        guard position > start else {
            throw RuleError(place, String(first), "this sign means nothing here; signs are \(Self.signs.joined(separator: " "))")
        }
        return token(.word, place, from: start)
    }

    private mutating func quoted(_ place: RulePlace, _ start: Int) throws(RuleError) {
        advance()
        while let character = peek, character != "\"", !character.isNewline {
            advance()
            if character == "\\", peek != nil { advance() }
        }
        guard peek == "\"" else {
            throw RuleError(place, String(characters[start..<position]), "the text does not end; close it by a double quote")
        }
        advance()
    }

    private func token(_ kind: RuleToken.Kind, _ place: RulePlace, from start: Int) -> RuleToken {
        RuleToken(kind: kind, text: String(characters[start..<position]), place: place)
    }

    private var peek: Character? { position < characters.count ? characters[position] : nil }

    private mutating func advance() {
        if characters[position].isNewline {
            line += 1
            column = 1
        } else {
            column += 1
        }
        position += 1
    }

    /// Whatever names and values are made of: letters, digits, and `-_./:`.
    private static func isWord(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "-_./:+".contains(character))
    }
}
