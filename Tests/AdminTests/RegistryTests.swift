import Database
import Logging
import Support
import Testing

@testable import Admin

/// Compares what resources say with what the tables are on a freshly migrated database.
@Suite struct RegistryTests {
    static let registry = Registry.all(vendors: ["generic"])

    /// A column as PostgreSQL's catalogue has it.
    struct Column: Sendable {
        let type: String
        let isNotNull: Bool
        let hasDefault: Bool
    }

    struct Table: Sendable {
        let kind: String
        let isProtected: Bool
        let options: [String]
        let columns: [String: Column]
        /// Column to the table that it refers to.
        let foreignKeys: [String: String]
        /// Columns of each unique constraint or index, joined by commas.
        let uniques: [String]
    }

    static func table(_ name: String, _ connection: Connection) throws -> Table {
        let relation = try #require(
            try connection.queryOne(
                """
                SELECT relkind::text, relrowsecurity AND relforcerowsecurity, coalesce(reloptions, '{}') FROM pg_class WHERE oid = $1::text::regclass
                """, [.text(name)]), "there is no table \(name)")
        var columns: [String: Column] = [:]
        try connection.query(
            """
            SELECT attname::text, format_type(atttypid, NULL), attnotnull, atthasdef OR attidentity <> '' FROM pg_attribute
            WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
            """, [.text(name)]
        ) { row in
            columns[try row.string(0)] = Column(type: try row.string(1), isNotNull: try row.bool(2), hasDefault: try row.bool(3))
        }
        var foreignKeys: [String: String] = [:]
        try connection.query(
            """
            SELECT a.attname::text, n.nspname || '.' || f.relname FROM pg_constraint c
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[cardinality(c.conkey)]
            JOIN pg_class f ON f.oid = c.confrelid JOIN pg_namespace n ON n.oid = f.relnamespace
            WHERE c.contype = 'f' AND c.conrelid = $1::text::regclass
            """, [.text(name)]
        ) { row in foreignKeys[try row.string(0)] = try row.string(1) }
        let uniques = try connection.queryAll(
            """
            SELECT string_agg(a.attname::text, ',' ORDER BY k.position) FROM pg_index i
            CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, position)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
            WHERE i.indisunique AND i.indrelid = $1::text::regclass GROUP BY i.indexrelid
            """, [.text(name)]
        ) { try $0.string(0) }
        return Table(
            kind: try relation.string(0), isProtected: try relation.bool(1), options: try relation.strings(2), columns: columns,
            foreignKeys: foreignKeys, uniques: uniques)
    }

    static func tables() async throws -> [String: Table] {
        let pool = try Pool(configuration: try await PostgresFixture.freshDatabase(), logger: Logger(label: "tests"))
        let tables = try await pool.run { connection in
            var tables: [String: Table] = [:]
            for resource in registry.resources { tables[resource.table] = try table(resource.table, connection) }
            return tables
        }
        try await onOwnThread { pool.shutdown() }
        return tables
    }

    @Test func fitsItsTables() async throws {
        let tables = try await Self.tables()
        for resource in Self.registry.resources {
            let table = try #require(tables[resource.table])
            for field in resource.fields where field.expression == nil { check(field, of: resource, table) }
            checkKeys(resource, table)
            if resource.scope == .tenant {
                #expect(table.columns["tenant_id"]?.type == "bigint", "\(resource.name)")
                #expect(
                    table.kind == "v" ? table.options.contains("security_invoker=true") : table.isProtected,
                    "\(resource.name) has no row-level security")
            }
        }
    }

    private func check(_ field: Field, of resource: Resource, _ table: Table) {
        let place = Comment(rawValue: "\(resource.name).\(field.name)")
        guard let column = table.columns[field.column] else {
            Issue.record("\(place): \(resource.table) has no column \(field.column)")
            return
        }
        #expect(Self.types(field).contains(column.type), "\(place) is \(column.type)")
        guard table.kind != "v" else { return }
        #expect(column.isNotNull == !field.isNullable, "\(place): nullability")
        if field.initial != nil { #expect(column.hasDefault, "\(place): default") }
        if field.isRequired, !field.isReadOnly { #expect(!column.hasDefault, "\(place) is required and yet has a default") }
        if case .reference(let target) = field.kind, !field.isLoose {
            #expect(table.foreignKeys[field.column] == Self.registry.resource(target)?.table, "\(place): foreign key")
        }
        if field.isUnique {
            #expect(table.uniques.contains { $0 == field.column || $0 == "tenant_id," + field.column }, "\(place): unique")
        }
        if let (column, _) = field.sets { #expect(table.columns[column]?.type == "text", "\(place) sets \(column)") }
    }

    private func checkKeys(_ resource: Resource, _ table: Table) {
        if !resource.key.isEmpty { #expect(table.columns[resource.key]?.type == "bigint", "\(resource.name): key") }
        if resource.isVersioned {
            #expect(table.columns["version"]?.type == "bigint", "\(resource.name): version")
            #expect(table.columns["updated_at"] != nil, "\(resource.name): updated_at")
        }
        if let name = resource.nameField { #expect(resource.field(name)?.isUnique == true, "\(resource.name): name") }
        for name in resource.list { #expect(resource.filterField(name) != nil, "\(resource.name) lists \(name), which it lacks") }
        for part in resource.order where !resource.isSingleton {
            #expect(resource.filterField(String(part.drop { $0 == "-" })) != nil, "\(resource.name): order \(part)")
        }
        let names = resource.fields.map(\.name)
        #expect(Set(names).count == names.count, "\(resource.name): a name stands twice")
        let described = Set(resource.fields.map(\.column) + ["id", "tenant_id", "version", resource.key])
        let hidden = Set(table.columns.keys).subtracting(described)
        #expect(hidden.isEmpty, "\(resource.name) does not describe \(hidden.sorted())")
    }

    private static func types(_ field: Field) -> Set<String> {
        switch field.kind {
        case .text, .choice: ["text"]
        case .integer: ["bigint", "integer"]
        case .rate, .reference: ["bigint"]
        case .boolean: ["boolean"]
        case .address: ["inet"]
        case .prefix: ["cidr"]
        case .hardwareAddress: ["macaddr"]
        case .textList: ["text[]"]
        case .attributes, .document: ["jsonb"]
        case .secret: ["bytea"]
        case .timestamp: ["timestamp with time zone"]
        case .date: ["date"]
        }
    }
}
