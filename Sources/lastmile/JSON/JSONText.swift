/// Writes JSON (RFC 8259).
enum JSONText {
    /// Without white space.
    static func compact(_ value: JSONValue) -> String {
        var text = ""
        write(value, indentation: nil, into: &text)
        return text
    }

    /// One member a line, two blanks a level.
    static func pretty(_ value: JSONValue) -> String {
        var text = ""
        write(value, indentation: 0, into: &text)
        return text
    }

    private static func write(_ value: JSONValue, indentation: Int?, into text: inout String) {
        switch value {
        case .null: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .number(let digits): text += digits
        case .string(let string): quote(string, into: &text)
        case .array(let elements):
            list(elements, "[", "]", indentation, &text) { write($0, indentation: $1, into: &$2) }
        case .object(let members):
            list(members, "{", "}", indentation, &text) { member, inner, text in
                quote(member.name, into: &text)
                text += inner == nil ? ":" : ": "
                write(member.value, indentation: inner, into: &text)
            }
        }
    }

    private static func list<Element>(
        _ elements: [Element], _ open: String, _ close: String, _ indentation: Int?, _ text: inout String,
        _ element: (Element, Int?, inout String) -> Void
    ) {
        text += open
        let inner = indentation.map { $0 + 1 }
        for (position, value) in elements.enumerated() {
            if position > 0 { text += "," }
            if let inner { text += "\n" + String(repeating: "  ", count: inner) }
            element(value, inner, &text)
        }
        if let indentation, !elements.isEmpty { text += "\n" + String(repeating: "  ", count: indentation) }
        text += close
    }

    /// A string with its quotes; control characters, DEL included, are escaped.
    static func quote(_ string: String, into text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            default:
                guard scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) else {
                    text.unicodeScalars.append(scalar)
                    continue
                }
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        text += "\""
    }
}
