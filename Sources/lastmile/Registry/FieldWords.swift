/// The words behind a registry command: options that name fields, and the names of things.
struct FieldWords: Equatable {
    /// What stands without an option.
    var names: [String] = []
    /// Members of the body, in order.
    var body: [JSONValue.Member] = []
    /// Names that stand right behind an option that needs no value, and that option.
    private var behindFlags: [String: String] = [:]

    /// Reads `--field value`, `--field=value`, `--set field=value` and `--clear field`.
    ///
    /// - Throws: which word is wrong, and what would be possible.
    init(_ words: [String], noun: Noun) throws(CommandFailure) {
        var rest = words[...]
        var onlyNames = false
        while let word = rest.popFirst() {
            if onlyNames || !word.hasPrefix("-") || word == "-" {
                names.append(word)
            } else if word == "--" {
                onlyNames = true
            } else {
                try option(word, &rest, noun)
            }
        }
    }

    /// The body as JSON text; nil when no field was named.
    var document: [UInt8]? {
        body.isEmpty ? nil : Array(JSONText.compact(.object(body)).utf8)
    }

    private mutating func option(_ word: String, _ rest: inout ArraySlice<String>, _ noun: Noun) throws(CommandFailure) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let option = String(parts[0].drop { $0 == "-" })
        var value: String? = parts.count == 2 ? parts[1] : nil
        let field = noun.fields.first { $0.option == option || $0.name.replacing("_", with: "-") == option.replacing("_", with: "-") }
        guard word.hasPrefix("--"), field != nil || option == "set" || option == "clear" else { throw Self.unknown(parts[0], noun) }
        if let field, field.kind == .flag, value == nil, rest.first.flatMap(Self.flag) == nil {
            value = "true"
            if let next = rest.first, !next.hasPrefix("-") { behindFlags[next] = field.option }
        }
        guard let value = value ?? rest.popFirst() else {
            throw .usage("\(parts[0]) has no value", next: field.map { "\($0.option): \($0.summary)." } ?? "Write \(parts[0]) field=value.")
        }
        if let field {
            try set(field, value)
        } else if option == "set" {
            try set(assignment: value, noun)
        } else {
            put(Self.field(value, noun)?.name ?? value.replacing("-", with: "_"), .null)
        }
    }

    /// `field=value` of `--set`: by the field's kind; the value of an unknown field is JSON if it can be, else a text.
    private mutating func set(assignment: String, _ noun: Noun) throws(CommandFailure) {
        let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw .usage("--set \(assignment) is no assignment", next: "Write --set field=value.")
        }
        if let field = Self.field(parts[0], noun) {
            try set(field, parts[1])
        } else {
            put(parts[0], (try? JSONReader.parse(parts[1])) ?? .string(parts[1]))
        }
    }

    private mutating func set(_ field: Noun.Field, _ text: String) throws(CommandFailure) {
        switch field.kind {
        case .text: put(field.name, .string(text))
        case .integer:
            guard Int64(text) != nil else {
                throw .usage("--\(field.option) is “\(text)”, which is no whole number", next: "\(field.option): \(field.summary).")
            }
            put(field.name, .number(text.hasPrefix("+") ? String(text.dropFirst()) : text))
        case .flag:
            guard let flag = Self.flag(text) else { throw Self.noFlag(field.option, text) }
            put(field.name, .bool(flag))
        case .list: add(field.name, .string(text))
        case .attributes:
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(Self.trimmed)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw .usage("--\(field.option) \(text) is no attribute", next: "Write --\(field.option) 'Name=value'.")
            }
            add(field.name, .object([.init("name", .string(parts[0])), .init("value", .string(parts[1]))]))
        }
    }

    private mutating func put(_ name: String, _ value: JSONValue) {
        body.removeAll { $0.name == name }
        body.append(.init(name, value))
    }

    private mutating func add(_ name: String, _ value: JSONValue) {
        guard let known = body.firstIndex(where: { $0.name == name }), case .array(let earlier) = body[known].value else {
            put(name, .array([value]))
            return
        }
        body[known].value = .array(earlier + [value])
    }

    /// Refuses names beyond `count` when one of them was meant as the value of an option.
    func checkNames(atMost count: Int) throws(CommandFailure) {
        guard names.count > count, let name = names.last(where: { behindFlags[$0] != nil }), let option = behindFlags[name] else { return }
        throw Self.noFlag(option, name)
    }

    private static func flag(_ text: String) -> Bool? { ["true": true, "yes": true, "false": false, "no": false][text] }

    private static func noFlag(_ option: String, _ text: String) -> CommandFailure {
        .usage("--\(option) is “\(text)”", next: "true or false is possible.")
    }

    private static func field(_ name: String, _ noun: Noun) -> Noun.Field? {
        noun.fields.first { $0.name == name.replacing("-", with: "_") || $0.option == name }
    }

    private static func unknown(_ word: String, _ noun: Noun) -> CommandFailure {
        let options = noun.fields.map { "--" + $0.option }
        let near = Nearest.to(word, among: options + ["--set", "--clear"]).map { "Did you mean \($0)? " } ?? ""
        return .usage(
            "a \(noun.name) has no option \(word)",
            next: near + "Possible are \(options.joined(separator: ", ")), and --set field=value for any other field.")
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var trimmed = text.drop { $0 == " " }
        while trimmed.last == " " { trimmed = trimmed.dropLast() }
        return String(trimmed)
    }
}

/// The word that somebody probably meant.
enum Nearest {
    /// The candidate with the fewest changed letters, when they are few enough.
    static func to(_ word: String, among candidates: [String]) -> String? {
        guard word.utf8.count <= 60 else { return nil }
        let ranked = candidates.map { (word: $0, distance: distance(Array(word.utf8), Array($0.utf8))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= max(2, word.utf8.count / 4) else { return nil }
        return best.word
    }

    private static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var previous = Array(0...second.count)
        for row in first.indices {
            var current = [row + 1]
            for column in second.indices {
                let substitution = previous[column] + (first[row] == second[column] ? 0 : 1)
                current.append(min(previous[column + 1] + 1, current[column] + 1, substitution))
            }
            previous = current
        }
        return previous[second.count]
    }
}
