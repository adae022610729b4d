import Database
internal import Logging

/// Reads and writes the rows of one resource in one caller's scope. Its functions run on a database thread, inside a transaction.
struct ResourceStore {
    let resource: Resource
    let registry: Registry
    let exchange: Exchange

    /// A row as it is answered.
    struct Stored {
        let id: Int64
        let version: Int64
        let name: String
        let json: String

        var etag: String { "\"\(version)\"" }
    }

    /// What a row is locked for.
    enum Lock: String {
        /// Whoever stores something that refers to the row, as the logs do all the time, need not wait for it.
        case change = "NO KEY UPDATE"
        case removal = "UPDATE"
    }

    /// The row that `key` names.
    ///
    /// - Throws: `Problem.notFound`.
    func find(_ key: RowKey, _ connection: Connection, lockedFor lock: Lock? = nil) throws -> Stored {
        var statement = Statement(resource.selection(in: registry))
        if case .only = key {
            try connection.execute(
                "INSERT INTO \(resource.table) (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING", [.int(exchange.principal.tenant)])
            statement.text += " WHERE t.tenant_id = \(statement.bind(.int(exchange.principal.tenant)))"
        } else if let condition = resource.condition(key, "t", &statement) {
            statement.text += " WHERE " + condition
        } else {
            throw Problem.notFound("\(described(key)): it is known by its id alone, and this")
        }
        if let lock { statement.text += " FOR \(lock.rawValue) OF t" }
        guard let row = try connection.queryOne(statement.text, statement.values) else { throw Problem.notFound(described(key)) }
        return Stored(id: try row.int64(2), version: try row.int64(1), name: try row.string(3), json: try row.string(0))
    }

    private func described(_ key: RowKey) -> String {
        switch key {
        case .id(let id): "\(resource.noun) \(id)"
        case .name(let name), .nameOrID(let name, _): "\(resource.noun) “\(name)”"
        case .only: resource.noun
        }
    }

    /// Inserts what `draft` holds, and `extra` columns that no field fills.
    func insert(_ draft: Draft, _ extra: [Rules.Column], _ connection: Connection) throws -> Stored {
        var draft = draft
        let given = try draft.columns(connection, registry, seal: exchange.services.seal)
        let columns = given + extra.map { (name: $0.name, type: $0.type, value: $0.value) }
        var statement = Statement()
        var names: [String] = []
        var places: [String] = []
        for column in columns {
            guard let value = column.value else { continue }
            names.append(column.name)
            places.append(statement.bind(value) + "::" + column.type)
        }
        if resource.scope == .tenant {
            names.append("tenant_id")
            places.append(statement.bind(.int(exchange.principal.tenant)))
        }
        let text =
            "INSERT INTO \(resource.table) (\(names.joined(separator: ", "))) VALUES (\(places.joined(separator: ", "))) RETURNING \(resource.key)"
        guard let row = try connection.queryOne(text, statement.values) else { throw Problem.internalError() }
        return try find(.id(try row.int64(0)), connection)
    }

    /// Writes what `draft` holds over `stored`, and raises its version; nothing happens when the draft names no field, or only secrets
    /// that are stored already.
    func update(_ stored: Stored, _ draft: Draft, _ connection: Connection) throws -> Stored {
        var draft = draft
        for (field, value) in draft.values {
            guard case .secret(let clear) = value, try holds(clear, field, stored.id, connection) else { continue }
            draft.drop(field)
        }
        let columns = try draft.columns(connection, registry, seal: exchange.services.seal)
        guard !columns.isEmpty else { return stored }
        var statement = Statement()
        var assignments: [String] = []
        for column in columns {
            let value = column.value.map { statement.bind($0) + "::" + column.type } ?? "DEFAULT"
            assignments.append("\(column.name) = \(value)")
        }
        assignments += ["version = version + 1", "updated_at = now()"]
        let key = statement.bind(.int(stored.id))
        let text = "UPDATE \(resource.table) SET \(assignments.joined(separator: ", ")) WHERE \(resource.key) = \(key)"
        guard try connection.execute(text, statement.values) == 1 else { throw Problem.notFound("\(resource.noun) \(stored.id)") }
        return try find(resource.isSingleton ? .only : .id(stored.id), connection)
    }

    /// Whether the row has this secret: sealed anew it would look like a change.
    private func holds(_ clear: [UInt8], _ field: Field, _ id: Int64, _ connection: Connection) throws -> Bool {
        let kind = field.sets.map { ", \($0.column)" } ?? ""
        let text = "SELECT \(field.column)\(kind) FROM \(resource.table) WHERE \(resource.key) = $1"
        guard let row = try connection.queryOne(text, [.int(id)]), try !row.isNull(0) else { return false }
        if let word = field.sets?.word, try row.string(1) != word { return false }
        // One that cannot be opened any more is to be replaced.
        return (try? exchange.services.open(try row.bytes(0))) == clear
    }

    func delete(_ stored: Stored, _ connection: Connection) throws {
        try connection.execute("DELETE FROM \(resource.table) WHERE \(resource.key) = $1", [.int(stored.id)])
    }

    /// The versions that `If-Match` names (RFC 9110 §13.1.1), quotes and all; `*` is any.
    func requireMatch() throws(Problem) -> [String] {
        let named = (exchange.header("If-Match") ?? "").split(separator: ",").map(Field.trimmed).filter { !$0.isEmpty }
        guard !named.isEmpty else { throw .preconditionRequired() }
        return named
    }

    /// Refuses when `If-Match` does not name the stored version.
    func checkMatch(_ stored: Stored) throws(Problem) {
        let named = try requireMatch()
        if named == ["*"] { return }
        guard named.contains(stored.etag) else { throw .stale(current: stored.etag) }
    }
}
