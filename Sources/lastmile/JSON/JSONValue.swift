/// A JSON value that keeps the order of members and the digits of numbers.
enum JSONValue: Equatable {
    case null
    case bool(Bool)
    /// As it was written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    struct Member: Equatable {
        var name: String
        var value: JSONValue

        init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    static func number(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }

    /// The member called `name`, when this is an object that has one.
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    var text: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    var integer: Int64? {
        if case .number(let digits) = self { return Int64(digits) }
        return nil
    }

    var flag: Bool? {
        if case .bool(let flag) = self { return flag }
        return nil
    }

    var elements: [JSONValue] {
        if case .array(let elements) = self { return elements }
        return []
    }

    var members: [Member] {
        if case .object(let members) = self { return members }
        return []
    }

    /// The value as a cell shows it: texts bare, null empty, lists joined, anything deeper as JSON.
    var cell: String {
        switch self {
        case .null: ""
        case .bool(let flag): flag ? "true" : "false"
        case .number(let digits): digits
        case .string(let text): text
        case .array(let elements): elements.map(\.listCell).joined(separator: ", ")
        case .object: listCell
        }
    }

    /// An element of a list: a reference by its name, an attribute as `Name = value`.
    private var listCell: String {
        guard case .object(let members) = self else { return cell }
        if members.count <= 3, let name = self["name"]?.text {
            guard let value = self["value"] else { return name }
            return "\(name) = \(value.cell)"
        }
        return JSONText.compact(self)
    }
}
