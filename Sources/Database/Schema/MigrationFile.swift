internal import Glibc

/// One numbered migration file, `NNNN_name.sql`.
struct MigrationFile: Sendable {
    let version: Int64
    let name: String
    let path: String
    let sql: String

    /// All migrations of `directory`, by number.
    /// - Throws: `migrationInvalid` for an unreadable directory or file, a misnamed file, or a number used twice.
    static func all(in directory: String) throws(DatabaseError) -> [MigrationFile] {
        var files: [MigrationFile] = []
        for name in try FileSystem.names(in: directory) where name.hasSuffix(".sql") {
            files.append(try MigrationFile(directory: directory, fileName: name))
        }
        files.sort { $0.version < $1.version }
        for (first, second) in zip(files, files.dropFirst()) where first.version == second.version {
            throw DatabaseError(.migrationInvalid, "\(first.path) and \(second.path) have the same number", hint: "renumber one of them")
        }
        guard !files.isEmpty else { throw DatabaseError(.migrationInvalid, "no migrations (NNNN_name.sql) in \(directory)") }
        return files
    }

    private init(directory: String, fileName: String) throws(DatabaseError) {
        path = "\(directory)/\(fileName)"
        let stem = fileName.dropLast(4)
        let digits = stem.prefix(4)
        guard digits.count == 4, digits.utf8.allSatisfy({ (48...57).contains($0) }), stem.dropFirst(4).hasPrefix("_"), stem.count > 5,
            let version = Int64(digits)
        else { throw DatabaseError(.migrationInvalid, "\(path) is not named NNNN_name.sql") }
        self.version = version
        name = String(stem.dropFirst(5))
        guard let octets = try? FileSystem.read(path), let text = String(validating: octets, as: UTF8.self), !octets.contains(0) else {
            throw DatabaseError(.migrationInvalid, "\(path) cannot be read as UTF-8 text")
        }
        sql = text
    }

    /// The line of a position counted in characters from 1.
    func line(ofPosition position: Int) -> Int {
        1 + sql.unicodeScalars.prefix(max(0, position - 1)).count { $0 == "\n" }
    }
}
