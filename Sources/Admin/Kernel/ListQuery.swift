import Database

/// What the query of a list asks for, checked against the resource's fields.
struct ListQuery {
    static let defaultLimit = 100
    static let limitMaximum = 500
    /// Parameters besides the filters.
    static let controls = ["limit", "cursor", "sort", "q", "count"]

    /// One field of the order.
    struct Order {
        let field: Field
        let isDescending: Bool
    }

    let limit: Int
    let order: [Order]
    let countsExactly: Bool
    /// What a cursor is bound to: the filters and the order as they were written.
    let signature: String
    private var conditions: [(Field, FilterOperator, [String])] = []
    private var shortcuts: [(name: String, condition: String, field: Field, value: String)] = []
    private let search: String?
    private let resource: Resource

    /// - Throws: `Problem` that names every parameter that is unknown or wrong.
    init(_ exchange: Exchange, _ resource: Resource) throws(Problem) {
        var faults: [Problem.Fault] = []
        var single: [String: String] = [:]
        for parameter in exchange.query {
            if Self.controls.contains(parameter.name) {
                if single.updateValue(parameter.value, forKey: parameter.name) != nil {
                    faults.append(.init(.parameter(parameter.name), "repeated", "it can stand only once"))
                }
            } else if case .condition(let condition, let field)? = resource.shortcut(parameter.name) {
                shortcuts.append((parameter.name, condition, field, parameter.value))
            } else if let (field, operation) = resource.filter(parameter.name) {
                let known = conditions.firstIndex { $0.0.name == field.name && $0.1 == operation }
                if let known {
                    conditions[known].2.append(parameter.value)
                } else {
                    conditions.append((field, operation, [parameter.value]))
                }
            } else {
                faults.append(.init(.parameter(parameter.name), "unknown", resource.unknownFilter(parameter.name)))
            }
        }
        self.resource = resource
        search = single["q"]
        limit = Self.limit(single["limit"], &faults)
        order = Self.order(single["sort"], resource, &faults)
        countsExactly = single["count"] == "exact"
        if let count = single["count"], count != "exact" { faults.append(.init(.parameter("count"), "choice", "only exact is possible")) }
        if single["q"] != nil, !resource.fields.contains(where: \.isSearchable) {
            faults.append(.init(.parameter("q"), "unknown", "\(resource.noun) has no text to search"))
        }
        let bound = exchange.query.filter { !["limit", "cursor", "count"].contains($0.name) }
        signature = bound.map { "\($0.name)\u{1}\($0.value)" }.joined(separator: "\u{2}")
        guard faults.isEmpty else { throw .badParameters(faults) }
    }

    /// The conditions in SQL over the alias `t`; `true` when there are none.
    func condition(in registry: Registry, _ statement: inout Statement) throws(Problem) -> String {
        var parts: [String] = []
        var faults: [Problem.Fault] = []
        for (field, operation, values) in conditions {
            var alternatives: [String] = []
            for value in values {
                do {
                    alternatives.append(try field.condition(operation, value, in: registry, &statement))
                } catch {
                    faults.append(.init(.parameter(field.name), error.code, error.detail))
                }
            }
            let isNegative = operation == .notEqual
            parts.append("(" + alternatives.joined(separator: isNegative ? " AND " : " OR ") + ")")
        }
        for shortcut in shortcuts {
            do {
                guard case .bound(let value) = try shortcut.field.value(ofText: shortcut.value, attribute: { _, _ in nil }) else {
                    continue
                }
                parts.append("(" + shortcut.condition.replacing("?", with: statement.bind(value, as: shortcut.field)) + ")")
            } catch {
                faults.append(.init(.parameter(shortcut.name), error.code, error.detail))
            }
        }
        if let search { parts.append(self.search(search, &statement)) }
        guard faults.isEmpty else { throw .badParameters(faults) }
        return parts.isEmpty ? "true" : parts.joined(separator: " AND ")
    }

    /// Refuses to look for what belongs to something that there is not. By its id a row may be meant that is gone.
    func checkNames(in registry: Registry, _ connection: Connection) throws {
        var faults: [Problem.Fault] = []
        for (field, operation, values) in conditions where operation == .equal {
            guard case .reference(let name) = field.kind, let target = registry.resource(name), values.count <= 100 else { continue }
            for value in values {
                guard case .name(let text) = RowKey(value) else { continue }
                var statement = Statement("SELECT 1 FROM \(target.table) n WHERE ")
                guard let condition = target.condition(.name(text), "n", &statement) else { continue }
                guard try connection.queryOne(statement.text + condition, statement.values) == nil else { continue }
                faults.append(.init(.parameter(field.name), "not_found", "there is no \(target.noun) called “\(text)”"))
            }
        }
        guard faults.isEmpty else { throw Problem.badParameters(faults) }
    }

    private func search(_ text: String, _ statement: inout Statement) -> String {
        let placeholder = statement.bind(.text(text.replacing("\0", with: "")))
        let fields = resource.fields.filter(\.isSearchable)
        return "(" + fields.map { "strpos(lower(\($0.operand)), lower(\(placeholder)::text)) > 0" }.joined(separator: " OR ") + ")"
    }

    private static func limit(_ text: String?, _ faults: inout [Problem.Fault]) -> Int {
        guard let text else { return defaultLimit }
        guard let limit = Int(text), (1...limitMaximum).contains(limit) else {
            faults.append(.init(.parameter("limit"), "range", "1 to \(limitMaximum) is possible"))
            return defaultLimit
        }
        return limit
    }

    private static func order(_ text: String?, _ resource: Resource, _ faults: inout [Problem.Fault]) -> [Order] {
        var order: [Order] = []
        for part in (text ?? "").split(separator: ",").map(String.init) + resource.order {
            let isDescending = part.hasPrefix("-")
            let name = String(isDescending ? part.dropFirst() : part[...])
            guard let field = resource.filterField(name), field.isSortable else {
                faults.append(.init(.parameter("sort"), "unknown", "one cannot sort by \(name)"))
                continue
            }
            if !order.contains(where: { $0.field.name == name }) { order.append(Order(field: field, isDescending: isDescending)) }
        }
        return order
    }
}

extension Field {
    var isSortable: Bool {
        switch kind {
        case .textList, .attributes, .document, .secret, .reference: false
        default: true
        }
    }
}

extension Resource {
    /// The row's id as a field.
    var idField: Field { Field.integer("id", .column(key), .required, .readOnly) }

    /// The field that a filter or an order may name: also `id`, `version` and the `_id` of references.
    func filterField(_ name: String) -> Field? {
        if name == "id" { return hasID ? idField : nil }
        if name == "version", isVersioned { return Field.integer("version", .required, .readOnly) }
        if let field = field(name) { return field }
        for field in fields {
            if case .reference = field.kind, field.column == name { return Field(name, .integer, field.isRequired ? [.required] : []) }
        }
        return nil
    }

    /// What the shortcut `name` means.
    func shortcut(_ name: String) -> Shortcut.Meaning? {
        shortcuts.first { $0.name == name }?.meaning
    }

    /// The field and comparison of the parameter `name`, `address[within]`.
    func filter(_ name: String) -> (Field, FilterOperator)? {
        if case .filter(let field, let operation)? = shortcut(name), let field = self.field(field) { return (field, operation) }
        var base = name
        var operation = FilterOperator.equal
        if name.hasSuffix("]"), let bracket = name.firstIndex(of: "[") {
            base = String(name[..<bracket])
            guard let named = FilterOperator(rawValue: String(name[name.index(after: bracket)...].dropLast())), named != .equal else {
                return nil
            }
            operation = named
        }
        guard let field = filterField(base), field.filterOperators.contains(operation) else { return nil }
        return (field, operation)
    }

    func unknownFilter(_ name: String) -> String {
        let base = name.prefix { $0 != "[" }
        if let field = filterField(String(base)) {
            let operators = field.filterOperators.map { $0 == .equal ? String(base) : "\(base)[\($0.rawValue)]" }
            return operators.isEmpty ? "one cannot filter by \(base)" : "possible are \(operators.joined(separator: ", "))"
        }
        let known =
            (hasID ? ["id"] : []) + fields.filter { !$0.filterOperators.isEmpty }.map(\.name) + shortcuts.map(\.name) + ListQuery.controls
        return "there is no such parameter; there are \(known.joined(separator: ", "))"
    }
}
