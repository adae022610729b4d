internal import Database
internal import Glibc

/// The migrations before one of them, as a daemon of that time shipped them, in a directory of their own.
public struct FormerMigrations {
    public let directory: String
    private let names: [String]

    /// - Parameter name: of the first that is left out, without number and `.sql`.
    /// - Throws: `DatabaseError` when there is no such migration, or no directory can be made.
    public init(before name: String) throws {
        let source = PostgresFixture.migrationsDirectory
        guard let listing = opendir(source) else { throw DatabaseError(.clusterUnavailable, "cannot read \(source)") }
        defer { closedir(listing) }
        var all: [String] = []
        while let item = readdir(listing) {
            all.append(withUnsafeBytes(of: &item.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        guard let first = all.first(where: { $0.hasSuffix("_\(name).sql") }) else {
            throw DatabaseError(.clusterUnavailable, "no migration is named \(name)")
        }
        names = all.filter { $0.hasSuffix(".sql") && $0 < first }
        directory = try PostgresFixture.temporaryDirectory()
        for name in names {
            guard symlink("\(source)/\(name)", "\(directory)/\(name)") == 0 else {
                throw DatabaseError(.clusterUnavailable, "cannot link \(name) into \(directory)")
            }
        }
    }

    public func remove() {
        for name in names { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }
}
