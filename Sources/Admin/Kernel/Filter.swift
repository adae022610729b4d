import Database

/// How a query parameter compares: `field[gte]=5`; none is equality.
public enum FilterOperator: String, CaseIterable, Sendable {
    case equal = ""
    case notEqual = "ne"
    case less = "lt"
    case atMost = "lte"
    case greater = "gt"
    case atLeast = "gte"
    case oneOf = "in"
    case contains
    case startsWith = "startswith"
    case isNull = "isnull"
    /// A network that the address or network lies in.
    case within

    /// The operator in SQL, where it stands between two values.
    var comparison: String? {
        switch self {
        case .equal: "="
        case .notEqual: "IS DISTINCT FROM"
        case .less: "<"
        case .atMost: "<="
        case .greater: ">"
        case .atLeast: ">="
        case .within: "<<="
        default: nil
        }
    }
}

extension Field {
    /// The comparisons that make sense for this field; none when it cannot be filtered by.
    public var filterOperators: [FilterOperator] {
        switch kind {
        case .text: [.equal, .notEqual, .oneOf, .contains, .startsWith, .less, .atMost, .greater, .atLeast] + nullOperators
        case .integer, .rate, .timestamp, .date: [.equal, .notEqual, .oneOf, .less, .atMost, .greater, .atLeast] + nullOperators
        case .boolean: [.equal, .notEqual] + nullOperators
        case .choice, .reference, .hardwareAddress: [.equal, .notEqual, .oneOf] + nullOperators
        case .address: [.equal, .notEqual, .oneOf, .within] + nullOperators
        case .prefix: [.equal, .notEqual, .oneOf, .within, .contains] + nullOperators
        case .textList: [.contains]
        case .attributes, .document, .secret: []
        }
    }

    private var nullOperators: [FilterOperator] { isNullable || expression != nil ? [.isNull] : [] }

    /// The condition `self <operation> text`.
    ///
    /// - Throws: `FieldFault` when the text is no value of this field.
    func condition(_ operation: FilterOperator, _ text: String, in registry: Registry, _ statement: inout Statement) throws(FieldFault)
        -> String
    {
        switch operation {
        case .isNull:
            guard text == "true" || text == "false" else { throw FieldFault("type", "true or false is expected") }
            return "\(operand) IS \(text == "true" ? "" : "NOT ")NULL"
        case .oneOf:
            var alternatives: [String] = []
            for part in text.split(separator: ",") {
                alternatives.append(try condition(.equal, String(part), in: registry, &statement))
            }
            return alternatives.isEmpty ? "false" : "(\(alternatives.joined(separator: " OR ")))"
        case .contains: return try containment(text, &statement)
        case .startsWith: return "starts_with(\(operand), \(statement.bind(.text(try bounded(text))))::text)"
        case .within:
            let network = try Field.prefix(name, .any).value(ofText: text) { _, _ in nil }
            guard case .bound(let value) = network else { throw FieldFault("prefix", "a network is expected") }
            return "\(operand) <<= \(statement.bind(value))::inet"
        default:
            guard let comparison = operation.comparison else { throw FieldFault("operator", "this comparison is not possible") }
            // Of texts that the daemon alone writes the form tells those that there can be.
            if isReadOnly, operation == .equal || operation == .notEqual, let reason = form?.reason(text) {
                throw FieldFault("choice", reason)
            }
            return "\(operand) \(comparison) \(try operandValue(text, in: registry, &statement))"
        }
    }

    private func containment(_ text: String, _ statement: inout Statement) throws(FieldFault) -> String {
        switch kind {
        case .prefix:
            let address = try Field.prefix(name, .any).value(ofText: text) { _, _ in nil }
            guard case .bound(let value) = address else { throw FieldFault("prefix", "an address is expected") }
            return "\(operand) >>= \(statement.bind(value))::inet"
        case .textList: return "\(statement.bind(.text(try bounded(text))))::text = ANY(\(operand))"
        default: return "strpos(lower(\(operand)), lower(\(statement.bind(.text(try bounded(text))))::text)) > 0"
        }
    }

    private func operandValue(_ text: String, in registry: Registry, _ statement: inout Statement) throws(FieldFault) -> String {
        if case .reference(let name) = kind, let target = registry.resource(name) {
            let key = RowKey(try bounded(text))
            guard let condition = target.condition(key, "n", &statement) else {
                throw FieldFault("type", "the id of a \(target.noun) is expected")
            }
            let found = "(SELECT n.\(target.key) FROM \(target.table) n WHERE \(condition))"
            // What is gone is known by its id alone, and rows speak of it.
            guard let id = key.id else { return found }
            return "coalesce(\(found), \(statement.bind(.int(id)))::bigint)"
        }
        if kind == .text { return statement.bind(.text(try bounded(text))) + "::text" }
        guard case .bound(let value) = try value(ofText: text, attribute: { _, _ in nil }) else {
            throw FieldFault("type", "this cannot be compared")
        }
        return statement.bind(value, as: self)
    }

    private func bounded(_ text: String) throws(FieldFault) -> String {
        guard text.utf8.count <= 1000, !text.utf8.contains(0) else {
            throw FieldFault("length", "at most 1000 octets without NUL are possible")
        }
        return text
    }
}
