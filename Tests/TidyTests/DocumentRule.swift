/// Headings that readers may count on, and what data files may hold.
enum DocumentRule {
    static let readme = [
        "What it is", "Set-up", "The first five minutes", "Command line", "Settings", "Where things are written down", "Licence",
    ]
    static let domain = ["What", "Resources", "Rules", "Settings"]

    /// Folders of Admin that serve all domains and are none themselves.
    private static let notDomains: Set<String> = ["Kernel", "Web"]

    /// The `## ` headings of `file`, outside code blocks.
    static func headings(of file: TextFile) -> [String] {
        var isCode = false
        return file.lines.compactMap { line in
            if line.hasPrefix("```") { isCode.toggle() }
            return !isCode && line.hasPrefix("## ") ? String(line.dropFirst(3)) : nil
        }
    }

    /// The domain folders whose README is missing or has other sections than the fixed ones.
    static func domainsWithoutSections(in files: [TextFile]) -> [String] {
        let folders = Set(
            files.map { $0.path.split(separator: "/") }.filter { $0.count > 3 && $0.starts(with: ["Sources", "Admin"]) }.map { $0[2] })
        return folders.filter { !notDomains.contains(String($0)) }.sorted().compactMap { folder in
            let path = "Sources/Admin/\(folder)/README.md"
            guard let file = files.first(where: { $0.path == path }) else { return "\(path): is missing" }
            return headings(of: file) == domain ? nil : "\(path): its sections must be \(domain.joined(separator: ", "))"
        }
    }

    /// Dictionaries hold facts: at most one comment line, and it comes first.
    static func prose(in file: TextFile) -> [String] {
        guard file.path.hasPrefix("dictionaries/") else { return [] }
        return file.lines.enumerated().filter { index, line in index > 0 && line.contains("#") }
            .map { "\(file.path):\($0.offset + 1): a comment; one line at the top is all a dictionary has" }
    }

    /// Migrations are `0001_name.sql`, counted without gaps.
    static func misnumberedMigrations(in files: [TextFile]) -> [String] {
        let names = files.filter { $0.path.hasPrefix("Sources/Database/Migrations/") }.map(\.name).sorted()
        return names.enumerated().compactMap { index, name in
            let number = name.prefix { $0 != "_" }
            let isNamed = name.hasSuffix(".sql") && number.count == 4 && name.count > "0000_.sql".count
            return isNamed && Int(number) == index + 1 ? nil : "\(name): number \(index + 1) was expected, as in 0001_name.sql"
        }
    }
}
