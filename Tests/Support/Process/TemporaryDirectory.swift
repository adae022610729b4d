internal import FoundationEssentials

/// A directory that lives as long as the work in it.
public enum TemporaryDirectory {
    /// Runs `body` with a new directory, whose path is short, and removes it afterwards.
    public static func use<T>(_ body: (String) async throws -> T) async throws -> T {
        let path = try PostgresFixture.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }
}
