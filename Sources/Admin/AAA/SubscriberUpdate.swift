import Database
internal import RadiusCore

/// Gives subscribers that exist what lines of a file say, and leaves those alone that have it already.
///
/// An empty cell is the column's default, with these exceptions: a line without a password, SIM credential or status leaves the stored
/// one, and the end that the first login set stays where the line names no other.
struct SubscriberUpdate {
    let exchange: Exchange
    let rows: [SubscriberSheet.Row]
    let columns: [Field]

    /// How many were changed.
    func run(_ connection: Connection) throws -> Int {
        let shapes = SubscriberImport.shapes(columns).filter { $0.column != "username" }
        guard !rows.isEmpty, !shapes.isEmpty else { return 0 }
        let record = (["username text"] + shapes.map { "\($0.column) \($0.type)" }).joined(separator: ", ")
        let given = shapes.map { Self.given($0.column) }
        let assignments = zip(shapes, given).map { "\($0.column) = \($1)" }.joined(separator: ", ")
        let differences = zip(shapes, given).map { "t.\($0.column) IS DISTINCT FROM \($1)" }.joined(separator: " OR ")
        let text = """
            UPDATE aaa.subscriber t SET \(assignments), version = t.version + 1, updated_at = now()
            FROM json_to_recordset($2::json) AS r(\(record))
            WHERE t.tenant_id = $1 AND t.username = r.username AND (\(differences))
            """
        let stored = try secrets(connection)
        let documents = try rows.map { try document($0, stored[$0.key] ?? [:]) }
        let json = String(decoding: JSON.array(documents).bytes, as: UTF8.self)
        return Int(try connection.execute(text, [.int(exchange.principal.tenant), .json(json)]))
    }

    /// What a column gets; `r` is the line, `t` what is stored.
    private static func given(_ column: String) -> String {
        switch column {
        case "expires_at": "coalesce(r.expires_at, CASE WHEN t.activated_at IS NOT NULL THEN t.expires_at END)"
        case "status": "coalesce(r.status, t.status)"
        default: "r.\(column)"
        }
    }

    /// A secret as it is stored: sealed, and what kind of password it is.
    private struct Stored {
        let sealed: [UInt8]
        let kind: String?
    }

    /// Columns that hold secrets, each once.
    private var secretColumns: [String] {
        columns.filter { $0.kind == .secret }.reduce(into: [String]()) { if !$0.contains($1.column) { $0.append($1.column) } }
    }

    /// By the octets of the username, then by column.
    private func secrets(_ connection: Connection) throws -> [[UInt8]: [String: Stored]] {
        var found: [[UInt8]: [String: Stored]] = [:]
        for column in secretColumns {
            let kind = column == "password" ? "password_kind" : "NULL"
            let text = "SELECT username, \(column), \(kind) FROM aaa.subscriber WHERE \(column) IS NOT NULL AND username = ANY($1::text[])"
            try connection.query(text, [.textArray(rows.map(\.username))]) { row in
                found[Array(try row.string(0).utf8), default: [:]][column] =
                    Stored(sealed: try row.bytes(1), kind: try row.optionalString(2))
            }
        }
        return found
    }

    /// The record of a line; a secret that is stored already keeps its seal, since a new one would look like a change.
    private func document(_ row: SubscriberSheet.Row, _ stored: [String: Stored]) throws -> JSON {
        var row = row
        var kept: [JSON.Member] = []
        // Else it would be the default, and bring back whoever was suspended here.
        var dropped: Set<String> = row.values.contains { $0.field.column == "status" } ? [] : ["status"]
        for (column, secret) in stored {
            let given = row.values.first { $0.field.column == column }
            guard try keeps(secret, given?.field.sets?.word, given?.value) else { continue }
            row.values.removeAll { $0.field.column == column }
            dropped.insert(column)
            kept.append(.init(column, .string("\\x" + Hexadecimal.text(secret.sealed))))
            if let kind = secret.kind {
                dropped.insert("password_kind")
                kept.append(.init("password_kind", .string(kind)))
            }
        }
        let record = try SubscriberImport.document(row, columns, exchange.services.seal)
        return .object((record.members ?? []).filter { !dropped.contains($0.name) } + kept)
    }

    private func keeps(_ stored: Stored, _ kind: String?, _ value: FieldValue?) throws -> Bool {
        guard case .secret(let clear)? = value else { return true }
        // One that cannot be opened any more is to be replaced.
        return kind == stored.kind && (try? exchange.services.open(stored.sealed)) == clear
    }
}
