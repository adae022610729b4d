internal import Crypto
import Database

extension ResourceStore {
    /// One page as the octets of `{"data": [...], "page": {...}}`: PostgreSQL writes each row's JSON, and it is passed on as it is.
    func page(_ query: ListQuery, after cursor: Cursor?, scope: String, key: SymmetricKey, _ connection: Connection) throws -> Page {
        var statement = Statement()
        let filter = try query.condition(in: registry, &statement)
        try query.checkNames(in: registry, connection)
        let filterValues = statement.values
        let place = cursor.map { " AND \($0.condition(query.order, &statement))" } ?? ""
        let keys = query.order.map { ", (\($0.field.operand))::text" }.joined()
        let order = query.order.map { "\($0.field.operand)\($0.isDescending ? " DESC" : "")" }.joined(separator: ", ")
        let text =
            "SELECT \(resource.document(in: registry))\(keys) FROM \(resource.table) t WHERE \(filter)\(place) "
            + "ORDER BY \(order) LIMIT \(query.limit + 1)"
        var page = Page()
        var count = 0
        try connection.query(text, statement.values) { row in
            count += 1
            guard count <= query.limit else { return }
            if count > 1 { page.body.append(UInt8(ascii: ",")) }
            try row.withBytes(0) { page.body.append(contentsOf: $0) }
            guard count == query.limit else { return }
            page.last = try query.order.indices.map { try row.optionalString($0 + 1) }
        }
        page.next = count > query.limit ? Cursor(values: page.last).text(scope: scope, key: key) : nil
        if query.countsExactly {
            page.total = try connection.queryOne("SELECT count(*) FROM \(resource.table) t WHERE \(filter)", filterValues)?.int64(0)
        }
        return page
    }

    /// A page of a list.
    struct Page: Sendable {
        var body: [UInt8] = []
        var last: [String?] = []
        var next: String?
        var total: Int64?

        var document: [UInt8] {
            var members: [JSON.Member] = [.init("next", next.map(JSON.string) ?? .null)]
            if let total { members.append(.init("total", .number(String(total)))) }
            return Array("{\"data\":[".utf8) + body + Array("],\"page\":".utf8) + JSON.object(members).bytes + Array("}".utf8)
        }
    }
}
