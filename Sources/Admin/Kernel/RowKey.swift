import Database

/// How an address, a query or a reference in a body names a row.
enum RowKey: Equatable {
    case id(Int64)
    case name(String)
    /// The row of this name; without one, that of this id.
    case nameOrID(String, Int64)
    /// The only row of a singleton.
    case only

    /// `id:` and `name:` say which is meant; without them it is a name, and an id where nothing is called so.
    ///
    /// Only what an id is written as is one: `0007` is not 7.
    init(_ text: String) {
        if text.hasPrefix("name:") {
            self = .name(String(text.dropFirst(5)))
        } else if text.hasPrefix("id:"), let id = Self.number(text.dropFirst(3)) {
            self = .id(id)
        } else if let id = Self.number(text[...]) {
            self = .nameOrID(text, id)
        } else {
            self = .name(text)
        }
    }

    private static func number(_ text: Substring) -> Int64? {
        guard let id = Int64(text), id >= 0, String(id) == text else { return nil }
        return id
    }
}

extension Resource {
    /// The condition over the alias `alias` that holds for the row that `key` names; nil when it is a name and rows have none.
    func condition(_ key: RowKey, _ alias: String, _ statement: inout Statement) -> String? {
        let column = nameField.flatMap(field)?.column
        switch (key, column) {
        case (.id(let id), _), (.nameOrID(_, let id), nil):
            return "\(alias).\(self.key) = \(statement.bind(.int(id)))::bigint"
        case (.name(let name), let column?):
            return "\(alias).\(column) = \(statement.bind(.text(name)))::text"
        case (.nameOrID(let name, let id), let column?):
            // A subquery as a whole, so that the row is found by the index of ids under row-level security, too.
            let named = "SELECT o.\(self.key) FROM \(table) o WHERE o.\(column) = \(statement.bind(.text(name)))::text"
            return "\(alias).\(self.key) = (SELECT coalesce((\(named)), \(statement.bind(.int(id)))::bigint))"
        case (.name, nil), (.only, _): return nil
        }
    }

    /// The last segment of a row's own address, which no name takes away from it.
    func segment(_ id: Int64) -> String { nameField == nil ? "\(id)" : "id:\(id)" }
}

extension RowKey {
    /// That it is, or may be.
    var id: Int64? {
        switch self {
        case .id(let id), .nameOrID(_, let id): id
        case .name, .only: nil
        }
    }
}

extension Exchange {
    /// The name of the NAS that `text` names as an address would. What names none stays as it is, for the service to refuse.
    ///
    /// - Throws: `ServiceFailure` when the NAS has no address yet.
    func nasName(_ text: String?) async throws -> String? {
        guard let text else { return nil }
        if let found = try await nas(text) {
            guard found.isServed else {
                throw ServiceFailure.refused("the NAS “\(found.name)” has no address yet (\(found.missing))")
            }
            return found.name
        }
        if case .name(let name) = RowKey(text) { return name }
        return text
    }

    /// The id of the NAS that `text` names likewise; what is gone is known by its id alone.
    ///
    /// - Throws: `ServiceFailure` when there is no NAS of this name.
    func nasID(_ text: String) async throws -> Int64 {
        guard let id = try await nas(text)?.id ?? RowKey(text).id else { throw ServiceFailure.notFound("the NAS “\(text)”") }
        return id
    }

    private struct FoundNAS {
        let id: Int64
        let name: String
        /// False while it has no address; what DNS said is in `missing`.
        let isServed: Bool
        let missing: String
    }

    private func nas(_ text: String) async throws -> FoundNAS? {
        var statement = Statement(
            """
            SELECT t.id, t.name, NOT t.enabled OR t.address IS NOT NULL, concat(t.dns_name, ': ', coalesce(t.dns_error, 'not looked up yet'))
            FROM aaa.nas t WHERE\u{20}
            """)
        // PostgreSQL's texts have no NUL.
        guard !text.utf8.contains(0),
            let condition = Resource.nas(vendors: services.vendorNames).condition(RowKey(text), "t", &statement)
        else { return nil }
        let (query, values) = (statement.text + condition, statement.values)
        return try await services.pool.transaction(.tenant(principal.tenant), readOnly: true) { connection in
            try connection.queryOne(query, values).map {
                FoundNAS(id: try $0.int64(0), name: try $0.string(1), isServed: try $0.bool(2), missing: try $0.string(3))
            }
        }
    }
}
