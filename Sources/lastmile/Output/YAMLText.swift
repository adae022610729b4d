/// Writes YAML 1.2 in block style.
enum YAMLText {
    /// The value as a document of its own.
    static func document(_ value: JSONValue) -> String {
        switch value {
        case .array(let elements) where !elements.isEmpty: sequence(elements, indentation: 0)
        case .object(let members) where !members.isEmpty: mapping(members, indentation: 0)
        default: scalar(value) + "\n"
        }
    }

    private static func sequence(_ elements: [JSONValue], indentation: Int) -> String {
        let margin = String(repeating: " ", count: indentation)
        return elements.map { element in
            switch element {
            case .object(let members) where !members.isEmpty:
                margin + "- " + mapping(members, indentation: indentation + 2).dropFirst(indentation + 2)
            case .array(let inner) where !inner.isEmpty:
                margin + "- " + sequence(inner, indentation: indentation + 2).dropFirst(indentation + 2)
            default: margin + "- \(scalar(element))\n"
            }
        }.joined()
    }

    private static func mapping(_ members: [JSONValue.Member], indentation: Int) -> String {
        let margin = String(repeating: " ", count: indentation)
        return members.map { member in
            let name = margin + text(member.name) + ":"
            switch member.value {
            case .object(let inner) where !inner.isEmpty: return name + "\n" + mapping(inner, indentation: indentation + 2)
            case .array(let inner) where !inner.isEmpty: return name + "\n" + sequence(inner, indentation: indentation + 2)
            default: return name + " \(scalar(member.value))\n"
            }
        }.joined()
    }

    private static func scalar(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .number(let digits): digits
        case .string(let string): text(string)
        case .array: "[]"
        case .object: "{}"
        }
    }

    /// Plain where no reader could take it for anything but this text, else quoted as in JSON, which YAML includes.
    static func text(_ string: String) -> String {
        if isPlain(string) { return string }
        var quoted = ""
        JSONText.quote(string, into: &quoted)
        return quoted
    }

    private static func isPlain(_ string: String) -> Bool {
        guard let first = string.utf8.first, isLetter(first), !string.hasSuffix(" ") else { return false }
        // YAML 1.1 readers take these for something else.
        let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
        guard !words.contains(string.lowercased()) else { return false }
        return string.utf8.allSatisfy { octet in
            isLetter(octet) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) || " _-./+@".utf8.contains(octet)
        }
    }

    private static func isLetter(_ octet: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet | 0x20)
    }
}
