import Database

extension PostgresFixture {
    /// How other programs reach a new empty database as its superuser: a connection string of libpq's.
    public static func emptyDatabase() async throws -> String {
        let fresh = try await freshDatabase(migrated: false).conninfo
        let name = fresh.split(separator: " ").last { $0.hasPrefix("dbname=") }?.dropFirst("dbname=".count) ?? ""
        return try await superuser(database: String(name)).conninfo
    }
}
