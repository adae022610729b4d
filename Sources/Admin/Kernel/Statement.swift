import Database

/// A statement under construction: its text and the parameters bound so far. No value ever becomes part of the text.
struct Statement {
    var text: String
    private(set) var values: [SQLValue] = []

    init(_ text: String = "") {
        self.text = text
    }

    /// The placeholder of a newly bound value, `$3`.
    mutating func bind(_ value: SQLValue) -> String {
        values.append(value)
        return "$\(values.count)"
    }

    /// The placeholder of a newly bound value, with the type of `field`'s column.
    mutating func bind(_ value: SQLValue, as field: Field) -> String {
        bind(value) + "::" + field.sqlType
    }
}

extension Field {
    /// The type that parameters for this field are cast to.
    var sqlType: String {
        switch kind {
        case .text, .choice: "text"
        case .integer, .rate, .reference: "bigint"
        case .boolean: "boolean"
        case .address: "inet"
        case .prefix: "cidr"
        case .hardwareAddress: "macaddr"
        case .textList: "text[]"
        case .attributes, .document: "jsonb"
        case .secret: "bytea"
        case .timestamp: "timestamptz"
        case .date: "date"
        }
    }

    /// The SQL over the alias `t` that filters and sorting look at.
    var operand: String {
        if let expression { return "(\(expression))" }
        return "t.\(column)"
    }

    /// What answers hold, as pairs of a name and SQL over the alias `t`.
    func answer(in registry: Registry) -> [(name: String, sql: String)] {
        switch kind {
        case .secret: return []
        case .address: return [(name, "host(\(operand))")]
        case .prefix, .hardwareAddress: return [(name, "\(operand)::text")]
        case .timestamp: return [(name, "to_char(\(operand) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")]
        case .date: return [(name, "to_char(\(operand), 'YYYY-MM-DD')")]
        case .reference(let target): return [(name, registry.nameExpression(of: target, id: operand)), (column, operand)]
        default: return [(name, operand)]
        }
    }
}

extension Registry {
    /// SQL for the unique name of the `target` whose id is `id`.
    func nameExpression(of target: String, id: String) -> String {
        guard let resource = resource(target), let nameField = resource.nameField.flatMap(resource.field) else { return id }
        return "(SELECT n.\(nameField.column) FROM \(resource.table) n WHERE n.\(resource.key) = \(id))"
    }
}

extension Resource {
    /// The SQL that builds the JSON text of the row `t`.
    func document(in registry: Registry) -> String {
        var members = hasID ? [(name: "id", sql: "t.\(key)")] : []
        for field in fields { members += field.answer(in: registry) }
        if isVersioned { members.append(("version", "t.version")) }
        let list = members.map { "\($0.sql) AS \"\($0.name)\"" }.joined(separator: ", ")
        return "(SELECT row_to_json(a)::text FROM (SELECT \(list)) a)"
    }

    /// The JSON, version, id and name of one row.
    func selection(in registry: Registry) -> String {
        let name = nameField.flatMap(field).map { "t.\($0.column)" } ?? "''"
        let version = isVersioned ? "t.version" : "0::bigint"
        return "SELECT \(document(in: registry)), \(version), t.\(key), \(name)::text FROM \(table) t"
    }
}
