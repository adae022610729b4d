import Database

/// Stores subscribers from a CSV file: all of them or none, unless `partial=true`.
struct SubscriberImport {
    static let action: Action = Action(
        "import", on: .collection,
        summary: "Stores subscribers from CSV: the first line names the columns (fields of a subscriber), an empty cell leaves the default",
        parameters: [
            ("partial", "true: store the good lines and list the bad ones"),
            ("dry_run", "true: check everything and store nothing"),
        ],
        mediaType: "text/csv", bodyLimit: 64 << 20
    ) { exchange, _ in
        try await SubscriberImport(exchange: exchange).run()
    }

    /// Rows in one statement.
    static let batchSize = 5000

    private let exchange: Exchange
    private let resource: Resource = .subscriber

    private struct Rehearsed: Error {
        let answer: Answer
    }

    private func run() async throws -> Answer {
        let isPartial = try exchange.flag("partial")
        let isRehearsal = try exchange.flag("dry_run")
        let idempotency = try Idempotency(exchange)
        let tenant = exchange.principal.tenant
        do {
            return try await exchange.services.pool.transaction(.tenant(tenant)) { connection in
                if let earlier = try idempotency?.claim(connection) { return earlier }
                let answer = try store(connection, isPartial: isPartial)
                try idempotency?.keep(answer, connection)
                if isRehearsal { throw Rehearsed(answer: answer) }
                return answer
            }
        } catch let rehearsed as Rehearsed {
            return rehearsed.answer
        } catch let error as DatabaseError {
            throw Problem(error, resource, in: Registry([resource])) ?? error
        }
    }

    private func store(_ connection: Connection, isPartial: Bool) throws -> Answer {
        var sheet = try SubscriberSheet(exchange.body, resource, attribute: exchange.services.validateAttribute)
        sheet.settle(profiles: try profiles(sheet.profileNames, connection), taken: try taken(sheet.rows.map(\.username), connection))
        try refuseAll(sheet, unless: isPartial)
        var stored = 0
        var start = 0
        let rows = sheet.rows
        while start < rows.count {
            let batch = rows[start..<min(start + Self.batchSize, rows.count)]
            let names = try insert(batch, sheet.columns, connection)
            stored += names.count
            for row in batch where !names.contains(row.username) {
                sheet.refuse(row.line, "username", "unique", "“\(row.username)” exists already")
            }
            start += Self.batchSize
        }
        try refuseAll(sheet, unless: isPartial)
        let counts: JSON = ["imported": .number(String(stored)), "refused": .number(String(sheet.refusedLines.count))]
        try Audit(exchange: exchange, resource: resource).record(
            "import", id: 0, name: "", before: nil, after: String(decoding: counts.bytes, as: UTF8.self), connection)
        return .json(.object((counts.members ?? []) + [.init("errors", .array(sheet.sortedFaults.map(\.document)))]))
    }

    private func refuseAll(_ sheet: SubscriberSheet, unless isPartial: Bool) throws(Problem) {
        guard !isPartial, sheet.faultCount > 0 else { return }
        throw .badFile(sheet.sortedFaults, total: sheet.faultCount)
    }

    private func profiles(_ names: Set<String>, _ connection: Connection) throws -> [String: Int64] {
        var ids: [String: Int64] = [:]
        try connection.query("SELECT name, id FROM aaa.profile WHERE name = ANY($1::text[])", [.textArray(Array(names))]) { row in
            ids[try row.string(0)] = try row.int64(1)
        }
        return ids
    }

    private func taken(_ names: [String], _ connection: Connection) throws -> Set<String> {
        let found = try connection.queryAll(
            "SELECT username FROM aaa.subscriber WHERE username = ANY($1::text[])", [.textArray(names)]
        ) { try $0.string(0) }
        return Set(found)
    }

    /// Inserts rows and gives the usernames that were stored.
    private func insert(_ rows: ArraySlice<SubscriberSheet.Row>, _ columns: [Field], _ connection: Connection) throws -> Set<String> {
        var shapes: [(column: String, type: String)] = []
        for field in columns where !shapes.contains(where: { $0.column == field.column }) { shapes.append((field.column, field.sqlType)) }
        if columns.contains(where: { $0.sets != nil }) { shapes.append(("password_kind", "text")) }
        let names = shapes.map(\.column).joined(separator: ", ")
        let record = shapes.map { "\($0.column) \($0.type)" }.joined(separator: ", ")
        let text = """
            INSERT INTO aaa.subscriber (tenant_id, \(names)) SELECT $1, \(names) FROM json_to_recordset($2::json) AS r(\(record))
            ON CONFLICT (tenant_id, username) DO NOTHING RETURNING username
            """
        let documents = try rows.map { try document($0, columns) }
        let json = String(decoding: JSON.array(documents).bytes, as: UTF8.self)
        return Set(try connection.queryAll(text, [.int(exchange.principal.tenant), .json(json)]) { try $0.string(0) })
    }

    /// A row as the record that PostgreSQL reads; what is not said gets its default.
    private func document(_ row: SubscriberSheet.Row, _ columns: [Field]) throws -> JSON {
        var members = try row.values.map { JSON.Member($0.field.column, try plain($0.value)) }
        if columns.contains(where: { $0.sets != nil }) {
            let word = row.values.compactMap { $0.field.sets?.word }.first ?? "clear"
            members.append(.init("password_kind", .string(word)))
        }
        for field in columns where !row.values.contains(where: { $0.field.name == field.name }) {
            if let initial = field.initial { members.append(.init(field.column, initial)) }
        }
        return .object(members)
    }

    private func plain(_ value: FieldValue) throws -> JSON {
        switch value {
        case .bound(.text(let text)), .bound(.inet(let text)): .string(text)
        case .bound(.int(let number)), .id(let number): .number(String(number))
        case .bound(.bool(let flag)): .boolean(flag)
        case .bound(.textArray(let texts)): .array(texts.map(JSON.string))
        case .bound(.json(let text)): try JSONParser.parse(Array(text.utf8))
        case .secret(let clear): .string("\\x" + Self.hexadecimal(try exchange.services.seal(clear)))
        default: .null
        }
    }

    private static func hexadecimal(_ octets: [UInt8]) -> String {
        let digits = [UInt8]("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(octets.count * 2)
        for octet in octets { text.append(contentsOf: [digits[Int(octet >> 4)], digits[Int(octet & 15)]]) }
        return String(decoding: text, as: UTF8.self)
    }
}
