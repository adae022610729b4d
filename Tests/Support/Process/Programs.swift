internal import FoundationEssentials
internal import Glibc

/// Where programs are that tests start.
public enum Programs {
    /// What holds `lastmiled` and `lastmile`: `LASTMILE_TEST_PROGRAMS`, or where the tests themselves were built.
    public static let directory: String = {
        if let chosen = ProcessInfo.processInfo.environment["LASTMILE_TEST_PROGRAMS"] { return chosen }
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = max(0, readlink("/proc/self/exe", &buffer, buffer.count))
        let ourselves = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let besides = ourselves.split(separator: "/").dropLast().reduce(into: "") { $0 += "/\($1)" }
        if access(besides + "/lastmiled", X_OK) == 0 { return besides }
        return testBundleDirectory ?? besides
    }()

    /// The checkout that the tests were built from.
    public static var checkout: String { #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/\($1)" } }

    /// The absolute path of `name`.
    ///
    /// - Throws: `ProcessFailure` that says where it was looked for.
    public static func path(of name: String) throws -> String {
        if name.hasPrefix("/") { return name }
        let search = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let places = [directory] + search.split(separator: ":").map(String.init) + ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        guard let found = places.map({ $0 + "/" + name }).first(where: { access($0, X_OK) == 0 }) else {
            throw ProcessFailure(
                "\(name) is in none of \(places.joined(separator: ", ")); for our own run: swift build; for others: make setup")
        }
        return found
    }

    /// Some runners load the tests as a bundle that they name on their command line.
    private static var testBundleDirectory: String? {
        CommandLine.arguments.first { $0.contains(".xctest") && $0.hasPrefix("/") }.map { argument in
            argument.split(separator: "/").prefix { !$0.hasSuffix(".xctest") }.reduce(into: "") { $0 += "/\($1)" }
        }
    }
}

/// Whole files as text.
public enum TextFile {
    /// Empty when it cannot be read.
    public static func read(_ path: String) -> String {
        (try? [UInt8](contentsOf: path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    public static func write(_ text: String, to path: String) throws {
        try Array(text.utf8).write(to: path)
    }
}

extension [UInt8] {
    fileprivate init(contentsOf path: String) throws {
        guard let file = fopen(path, "re") else { throw ProcessFailure("cannot read \(path): \(String(cString: strerror(errno)))") }
        defer { fclose(file) }
        self = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return }
            append(contentsOf: buffer.prefix(count))
        }
    }

    func write(to path: String) throws {
        guard let file = fopen(path, "we") else { throw ProcessFailure("cannot write \(path): \(String(cString: strerror(errno)))") }
        let written = fwrite(self, 1, count, file)
        guard fclose(file) == 0, written == count else { throw ProcessFailure("cannot write \(path)") }
    }
}
