/// Reads a condition: `Service-Type == Framed-User and not (nas.name matches "bng-*" or time.of_day in 22:00..06:00)`.
///
/// `or` binds less than `and`, `and` less than `not`. An empty condition always holds.
struct RuleParser {
    /// Parentheses and `not` within one another.
    static let deepest = 32
    /// Tests in a condition, each value of a list counted.
    static let mostTests = 256
    private static let keywords = ["and", "or", "not", "has", "in", "matches"]
    private static let operators = "==, !=, <, <=, >, >=, in or matches"

    private let tokens: [RuleToken]
    private let typing: RuleTyping
    private var position = 0
    private var depth = 0
    private var tests = 0

    /// - Throws: the first thing that is wrong.
    static func condition(_ text: String, dictionary: RadiusDictionary) throws(RuleError) -> RuleCondition {
        var parser = RuleParser(tokens: try RuleLexer.tokens(of: text), typing: RuleTyping(dictionary: dictionary))
        if parser.peek.kind == .end { return .always }
        let condition = try parser.either()
        guard parser.peek.kind == .end else { throw RuleError(parser.peek, "and, or, or the end of the condition is expected") }
        return condition
    }

    private init(tokens: [RuleToken], typing: RuleTyping) {
        self.tokens = tokens
        self.typing = typing
    }

    private var peek: RuleToken { tokens[min(position, tokens.count - 1)] }

    private mutating func take() -> RuleToken {
        let token = peek
        position += 1
        return token
    }

    private mutating func either() throws(RuleError) -> RuleCondition {
        var parts = [try both()]
        while peek.isWord("or") {
            _ = take()
            parts.append(try both())
        }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func both() throws(RuleError) -> RuleCondition {
        var parts = [try single()]
        while peek.isWord("and") {
            _ = take()
            parts.append(try single())
        }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func single() throws(RuleError) -> RuleCondition {
        let token = peek
        guard token.isWord("not") || token.isSign("(") else { return try test() }
        _ = take()
        depth += 1
        guard depth <= Self.deepest else {
            throw RuleError(token, "more than \(Self.deepest) levels; split the condition into several rules")
        }
        defer { depth -= 1 }
        if token.kind == .word { return .not(try single()) }
        let inner = try either()
        try expect(")", "the parenthesis of line \(token.place.line), column \(token.place.column) is open: and, or, or ) is expected")
        return inner
    }

    private mutating func expect(_ sign: String, _ reason: String) throws(RuleError) {
        guard peek.isSign(sign) else { throw RuleError(peek, reason) }
        _ = take()
    }

    private mutating func test() throws(RuleError) -> RuleCondition {
        if peek.isWord("has") {
            let keyword = take()
            let name = try name()
            return .test(try checked(typing.subject(name), .present, keyword, "has " + name.text))
        }
        let name = try name()
        let subject = try typing.subject(name)
        let sign = take()
        switch sign.text {
        case "in" where sign.kind == .word: return try membership(name, subject)
        case "matches" where sign.kind == .word:
            let pattern = take()
            return .test(try checked(subject, typing.pattern(pattern, subject, name), name, "\(name.text) matches \(pattern.text)"))
        case "==" where sign.kind == .sign, "!=" where sign.kind == .sign, "<" where sign.kind == .sign, "<=" where sign.kind == .sign,
            ">" where sign.kind == .sign, ">=" where sign.kind == .sign:
            let value = take()
            let predicate = try typing.comparison(sign, value, subject, name)
            return .test(try checked(subject, predicate, name, "\(name.text) \(sign.text) \(value.text)"))
        default: throw RuleError(sign, "\(Self.operators) is expected behind \(name.text)")
        }
    }

    private mutating func name() throws(RuleError) -> RuleToken {
        let token = take()
        guard token.kind == .word, !Self.keywords.contains(token.text) else {
            throw RuleError(token, "the name of an attribute is expected, or one such as subscriber.profile, nas.name, time.of_day")
        }
        return token
    }

    /// What stands behind `in`: one network or range, or a list between parentheses.
    private mutating func membership(_ name: RuleToken, _ subject: RuleSubject) throws(RuleError) -> RuleCondition {
        guard peek.isSign("(") else { return try member(name, subject) }
        _ = take()
        var members: [RuleCondition] = []
        repeat {
            members.append(try member(name, subject))
            if peek.isSign(")") { break }
            try expect(",", "a comma or ) is expected in a list")
        } while true
        _ = take()
        return members.count == 1 ? members[0] : .any(members)
    }

    private mutating func member(_ name: RuleToken, _ subject: RuleSubject) throws(RuleError) -> RuleCondition {
        let value = take()
        let predicates = try typing.membership(value, subject, name)
        var parts: [RuleCondition] = []
        for predicate in predicates { parts.append(.test(try checked(subject, predicate, value, "\(name.text) in \(value.text)"))) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func checked(
        _ subject: RuleSubject, _ predicate: RulePredicate, _ token: RuleToken, _ text: String
    ) throws(RuleError) -> RuleTest {
        tests += 1
        guard tests <= Self.mostTests else {
            throw RuleError(token, "more than \(Self.mostTests) tests; split the condition into several rules")
        }
        return RuleTest(subject: subject, predicate: predicate, place: token.place, text: OctetText.printable(text, limit: 160))
    }
}
