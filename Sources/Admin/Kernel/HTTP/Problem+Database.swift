import Database

extension Problem {
    /// The answer to what the database refused; nil when it is a fault of this program, which callers must not see.
    init?(_ error: DatabaseError, _ resource: Resource?, in registry: Registry) {
        if error.isOutcomeUnknown {
            self = .outcomeUnknown()
            return
        }
        if error.isConnectionLoss
            || [.poolBusy, .unableToConnect, .connectionFailure, .cannotConnectNow, .tooManyConnections].contains(error.code)
        {
            self = .unavailable("the database does not answer; try again")
            return
        }
        if error.isRetryable || error.code == .queryCanceled || error.code == .lockNotAvailable {
            self = .unavailable("the database was too busy with other changes; try again")
            return
        }
        guard let resource else { return nil }
        if let remedy = error.constraint.flatMap({ resource.remedies[$0] }) {
            self = error.code == .uniqueViolation ? .conflict(remedy.detail, [remedy]) : .invalid([remedy])
            return
        }
        let fields = resource.fields(of: error)
        switch error.code {
        case .uniqueViolation:
            // Of several only all together are taken, which belongs to none of them.
            let members = fields.count == 1 ? fields.map { Fault.member($0.name, "unique", "it is taken") } : []
            self = .conflict("there is another \(resource.noun) with this \(Self.together(fields))", members)
        case .foreignKeyViolation: self = Self.reference(error, resource, fields, registry)
        case .checkViolation, .notNullViolation, .exclusionViolation:
            self = .invalid(
                fields.isEmpty
                    ? [.init(.body(""), "range", "a value does not fit")]
                    : fields.map { .member($0.name, "range", "the value does not fit") })
        default:
            guard error.code.classCode == "22" else { return nil }
            self = .invalid([.init(.body(""), "range", "a value is out of range or of the wrong form")])
        }
    }

    /// `quota, percent and action`
    private static func together(_ fields: [Field]) -> String {
        guard let last = fields.last?.name else { return "value" }
        let others = fields.dropLast().map(\.name).joined(separator: ", ")
        return others.isEmpty ? last : "\(others) and \(last)"
    }

    private static func reference(_ error: DatabaseError, _ resource: Resource, _ fields: [Field], _ registry: Registry) -> Problem {
        guard error.table == nil || error.table == resource.table else {
            let user = registry.resources.first { $0.table == error.table }?.noun ?? error.table ?? "something"
            return .conflict("it is still in use by a \(user); remove or change that first")
        }
        return .invalid(fields.map { .member($0.name, "not_found", "the \($0.name) that it names does not exist") })
    }
}

extension Resource {
    /// The fields that a violated constraint is about.
    func fields(of error: DatabaseError) -> [Field] {
        if let name = error.constraint, let field = constraints[name].flatMap(field) { return [field] }
        if let column = error.column { return fields.filter { $0.column == column && !$0.isReadOnly } }
        guard let constraint = error.constraint else { return [] }
        let table = table.split(separator: ".").last.map(String.init) ?? table
        var words = constraint.hasPrefix(table + "_") ? String(constraint.dropFirst(table.count + 1)) : constraint
        for suffix in ["_key", "_fkey", "_check", "_excl", "_idx"] where words.hasSuffix(suffix) {
            words = String(words.dropLast(suffix.count))
        }
        let padded = "_\(words)_"
        let named = fields.filter { $0.expression == nil && $0.kind != .secret && padded.contains("_\($0.column)_") }
        let longest = named.filter { field in !named.contains { $0.column != field.column && $0.column.contains(field.column) } }
        return longest
    }
}
