/// What a file with tests must and must not hold.
enum TestFileRule {
    // Put together so that this folder does not hold them itself.
    private static let waits = ["Task.sl" + "eep", "usl" + "eep(", "nanosl" + "eep(", " sl" + "eep(", "(sl" + "eep("]

    static func violations(in file: TextFile) -> [String] {
        guard file.isSwift, file.path.hasPrefix("Tests/") else { return [] }
        return withoutExpectation(file) + sleeping(file)
    }

    /// A test that expects nothing cannot fail.
    private static func withoutExpectation(_ file: TextFile) -> [String] {
        guard file.name.hasSuffix("Tests.swift") else { return [] }
        let expects = file.lines.contains { $0.contains("#expect") || $0.contains("#require") || $0.contains("Issue.record") }
        return expects ? [] : ["\(file.path): has no #expect and no #require"]
    }

    /// Waiting for a condition with a deadline is written once, in Tests/Support.
    private static func sleeping(_ file: TextFile) -> [String] {
        guard !file.path.hasPrefix("Tests/Support/") else { return [] }
        return file.lines.enumerated().compactMap { index, line in
            waits.contains { (" " + line).contains($0) } ? "\(file.path):\(index + 1): sleeps; wait for a condition instead" : nil
        }
    }
}
