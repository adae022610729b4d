import Database

/// A body checked against a resource's fields: what to store, and all that is wrong.
struct Draft {
    /// Fields that the body names, in the resource's order.
    private(set) var values: [(field: Field, value: FieldValue)] = []
    private(set) var faults: [Problem.Fault] = []

    /// - Parameters:
    ///   - body: the JSON object of a POST, or the merge patch of a PATCH (RFC 7396).
    ///   - resource: whose fields are meant.
    ///   - isCreation: required fields must stand there.
    ///   - exchange: who asks, and the dictionary's check.
    /// - Throws: `Problem` when the body is no object; other faults gather in `faults`.
    init(_ body: JSON, _ resource: Resource, isCreation: Bool, _ exchange: Exchange) throws(Problem) {
        let attribute = exchange.services.validateAttribute
        guard let members = body.members else {
            throw .invalid([.init(.body(""), "type", "a JSON object is expected, not \(body.kindName)")])
        }
        for member in members { faults += Self.refusal(member, resource, isCreation: isCreation) }
        for field in resource.fields where !field.isReadOnly {
            guard let member = members.first(where: { $0.name == field.name }) else { continue }
            do {
                values.append((field, try field.value(of: member.value, attribute: attribute)))
            } catch {
                faults.append(.init(.body(Problem.Fault.pointer(field.name) + error.below), error.code, error.detail))
            }
        }
        if isCreation { requireFields(resource, members) }
        refuseRivals()
        faults += resource.rules.check(exchange, members, isCreation)
    }

    private static func refusal(_ member: JSON.Member, _ resource: Resource, isCreation: Bool) -> [Problem.Fault] {
        guard let field = resource.field(member.name) else {
            if resource.filterField(member.name) != nil { return [.member(member.name, "read_only", "it cannot be set")] }
            let known = resource.fields.filter { !$0.isReadOnly }.map(\.name)
            return [.member(member.name, "unknown", "there is no such member; there are: \(known.joined(separator: ", "))")]
        }
        if field.isReadOnly { return [.member(member.name, "read_only", "it cannot be set")] }
        if field.isFixed, !isCreation { return [.member(member.name, "fixed", "it cannot be changed, only given when it is created")] }
        return []
    }

    private mutating func requireFields(_ resource: Resource, _ members: [JSON.Member]) {
        for field in resource.fields where field.isRequired && !field.isReadOnly {
            guard !members.contains(where: { $0.name == field.name }) else { continue }
            faults.append(.member(field.name, "required", "it must be given"))
        }
    }

    /// Two fields that fill one column cannot both be given.
    private mutating func refuseRivals() {
        for (index, entry) in values.enumerated() {
            guard let rival = values[..<index].first(where: { $0.field.column == entry.field.column }) else { continue }
            faults.append(.member(entry.field.name, "rival", "give \(rival.field.name) or \(entry.field.name), not both"))
        }
    }

    /// The columns to write, with references looked up and secrets sealed.
    ///
    /// - Throws: `Problem` with all faults of the body, the unknown references among them.
    mutating func columns(
        _ connection: Connection, _ registry: Registry, seal: (_ clear: [UInt8]) throws -> [UInt8]
    ) throws -> [(name: String, type: String, value: SQLValue?)] {
        var columns: [(name: String, type: String, value: SQLValue?)] = []
        for (field, value) in values {
            let bound: SQLValue?
            switch value {
            case .bound(let value): bound = value
            case .initial: bound = nil
            case .secret(let clear): bound = .bytes(try seal(clear))
            case .id, .name: bound = try resolve(field, value, connection, registry).map(SQLValue.int)
            }
            columns.append((field.column, field.sqlType, bound))
            if let (column, word) = field.sets { columns.append((column, "text", value == .initial ? nil : .text(word))) }
            if let column = field.clears { columns.append((column, "text", nil)) }
        }
        guard faults.isEmpty else { throw Problem.invalid(faults) }
        return columns
    }

    private mutating func resolve(_ field: Field, _ value: FieldValue, _ connection: Connection, _ registry: Registry) throws -> Int64? {
        guard case .reference(let name) = field.kind, let target = registry.resource(name) else { return nil }
        let key: RowKey
        let shown: String
        switch value {
        case .name(let text): (key, shown) = (RowKey(text), "called “\(text)”")
        case .id(let id): (key, shown) = (.id(id), "with the id \(id)")
        default: return nil
        }
        var statement = Statement()
        let condition = target.condition(key, "t", &statement) ?? "false"
        let row = try connection.queryOne("SELECT t.\(target.key) FROM \(target.table) t WHERE \(condition)", statement.values)
        guard let row else {
            faults.append(.member(field.name, "not_found", "there is no \(target.noun) \(shown)"))
            return nil
        }
        return try row.int64(0)
    }

    /// Leaves a field as it is stored.
    mutating func drop(_ field: Field) {
        values.removeAll { $0.field.name == field.name }
    }

    /// Names of the secrets that are written, for audit: their values are never recorded.
    var secrets: [String] {
        values.filter { $0.field.kind == .secret }.map(\.field.name)
    }
}
