import Database
import Provisioning
internal import RadiusCore

/// Stores subscribers from a CSV file: all of them or none, unless `partial=true`.
struct SubscriberImport {
    static let action: Action = Action(
        "import", on: .collection,
        summary: "Stores subscribers from CSV: the first line names the columns (fields of a subscriber), an empty cell leaves the default",
        parameters: [
            ("partial", "true: store the good lines and list the bad ones"),
            ("dry_run", "true: check everything and store nothing; the answer has dry_run, too"),
            ("existing", "update: give subscribers that exist what their line says, an empty cell the default; secrets and status stay"),
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
                let answer = try store(connection, isPartial: isPartial, isRehearsal: isRehearsal)
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

    private func store(_ connection: Connection, isPartial: Bool, isRehearsal: Bool) throws -> Answer {
        let updates = try updatesExisting()
        var sheet = try SubscriberSheet(exchange.body, resource, attribute: exchange.services.validateAttribute)
        let known = try taken(sheet.rows.map(\.username), connection)
        var references: [String: [[UInt8]: Int64]] = [:]
        for (resource, names) in sheet.referenced { references[resource] = try ids(of: resource, names, connection) }
        sheet.settle(ids: references, taken: updates ? [] : known)
        try refusePooled(&sheet, connection)
        try sheet.refuseUnboundable(connection)
        try refuseAll(sheet, unless: isPartial)
        var (stored, found, updated) = (0, 0, 0)
        var start = 0
        let rows = sheet.rows
        while start < rows.count {
            let all = rows[start..<min(start + Self.batchSize, rows.count)]
            let batch = all.filter { !known.contains($0.key) }[...]
            let names = try insert(batch, sheet.columns, connection)
            let existing = all.filter { known.contains($0.key) }
            found += existing.count
            updated += try SubscriberUpdate(exchange: exchange, rows: existing, columns: sheet.columns).run(connection)
            stored += names.count
            for row in batch where !names.contains(row.key) {
                sheet.refuse(row.line, "username", "unique", "“\(row.username)” exists already")
            }
            start += Self.batchSize
        }
        try refuseAll(sheet, unless: isPartial)
        var counts: JSON = ["imported": .number(String(stored)), "refused": .number(String(sheet.refusedLines.count))]
        if updates {
            let more = [JSON.Member("updated", .number(String(updated))), .init("unchanged", .number(String(found - updated)))]
            counts = .object((counts.members ?? []) + more)
        }
        try Audit(exchange: exchange, resource: resource).record(
            "import", id: 0, name: "", before: nil, after: String(decoding: counts.bytes, as: UTF8.self), connection)
        let mark: [JSON.Member] = isRehearsal ? [.init("dry_run", true)] : []
        return .json(.object(mark + (counts.members ?? []) + [.init("errors", .array(sheet.sortedFaults.map(\.document)))]))
    }

    /// Refuses lines with an address that a pool hands out.
    private func refusePooled(_ sheet: inout SubscriberSheet, _ connection: Connection) throws {
        var fixed: [(line: Int, column: String, address: String)] = []
        for row in sheet.rows {
            for case (let field, .bound(.inet(let address))) in row.values { fixed.append((row.line, field.name, address)) }
        }
        let clashes = try FixedAddresses(connection, tenant: exchange.principal.tenant).clashes(of: fixed.map(\.address))
        for clash in clashes { sheet.refuse(fixed[clash.place].line, fixed[clash.place].column, "pool", clash.detail) }
        let refused = sheet.refusedLines
        if !clashes.isEmpty { sheet.rows.removeAll { refused.contains($0.line) } }
    }

    private func updatesExisting() throws(Problem) -> Bool {
        guard let word = exchange.parameter("existing") else { return false }
        guard word == "update" else { throw .badRequest("existing can be update, or left out") }
        return true
    }

    private func refuseAll(_ sheet: SubscriberSheet, unless isPartial: Bool) throws(Problem) {
        guard !isPartial, sheet.faultCount > 0 else { return }
        throw .badFile(sheet.sortedFaults, total: sheet.faultCount)
    }

    /// The ids of the rows of `resource` with these names, by their octets.
    private func ids(of resource: String, _ names: [String], _ connection: Connection) throws -> [[UInt8]: Int64] {
        var ids: [[UInt8]: Int64] = [:]
        try connection.query("SELECT name, id FROM aaa.\(resource) WHERE name = ANY($1::text[])", [.textArray(names)]) { row in
            ids[Array(try row.string(0).utf8)] = try row.int64(1)
        }
        return ids
    }

    /// The keys of names that are stored.
    private func taken(_ names: [String], _ connection: Connection) throws -> Set<[UInt8]> {
        let found = try connection.queryAll(
            "SELECT username FROM aaa.subscriber WHERE username = ANY($1::text[])", [.textArray(names)]
        ) { Array(try $0.string(0).utf8) }
        return Set(found)
    }

    /// Inserts rows and gives the keys of those that were stored.
    private func insert(_ rows: ArraySlice<SubscriberSheet.Row>, _ columns: [Field], _ connection: Connection) throws -> Set<[UInt8]> {
        guard !rows.isEmpty else { return [] }
        let shapes = Self.shapes(columns)
        let names = shapes.map(\.column).joined(separator: ", ")
        let record = shapes.map { "\($0.column) \($0.type)" }.joined(separator: ", ")
        let text = """
            INSERT INTO aaa.subscriber (tenant_id, \(names)) SELECT $1, \(names) FROM json_to_recordset($2::json) AS r(\(record))
            ON CONFLICT (tenant_id, username) DO NOTHING RETURNING username
            """
        let documents = try rows.map { try Self.document($0, columns, exchange.services.seal) }
        let json = String(decoding: JSON.array(documents).bytes, as: UTF8.self)
        return Set(try connection.queryAll(text, [.int(exchange.principal.tenant), .json(json)]) { Array(try $0.string(0).utf8) })
    }

    /// The columns of the table that fields fill, each once, with their types.
    static func shapes(_ columns: [Field]) -> [(column: String, type: String)] {
        var shapes: [(column: String, type: String)] = []
        for field in columns where !shapes.contains(where: { $0.column == field.column }) { shapes.append((field.column, field.sqlType)) }
        if columns.contains(where: { $0.sets != nil }) { shapes.append(("password_kind", "text")) }
        return shapes
    }

    /// A row as the record that PostgreSQL reads; what is not said gets its default.
    static func document(
        _ row: SubscriberSheet.Row, _ columns: [Field], _ seal: (_ clear: [UInt8]) throws -> [UInt8]
    ) throws -> JSON {
        var members = try row.values.map { JSON.Member($0.field.column, try plain($0.value, seal)) }
        if columns.contains(where: { $0.sets != nil }) {
            let word = row.values.compactMap { $0.field.sets?.word }.first ?? "clear"
            members.append(.init("password_kind", .string(word)))
        }
        for field in columns where !row.values.contains(where: { $0.field.name == field.name }) {
            if let initial = field.initial { members.append(.init(field.column, initial)) }
        }
        return .object(members)
    }

    static func plain(_ value: FieldValue, _ seal: (_ clear: [UInt8]) throws -> [UInt8]) throws -> JSON {
        switch value {
        case .bound(.text(let text)), .bound(.inet(let text)): .string(text)
        case .bound(.int(let number)), .id(let number): .number(String(number))
        case .bound(.bool(let flag)): .boolean(flag)
        case .bound(.textArray(let texts)): .array(texts.map(JSON.string))
        case .bound(.json(let text)): try JSONParser.parse(Array(text.utf8))
        case .secret(let clear): .string("\\x" + Hexadecimal.text(try seal(clear)))
        default: .null
        }
    }
}
