import FoundationEssentials

/// A text file of the checkout.
struct TextFile: Sendable, CustomStringConvertible {
    /// Relative to the top of the checkout: `Sources/RadiusCore/Wire/PacketCode.swift`.
    let path: String
    let text: String
    /// Without their line ends.
    let lines: [Substring]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        // By octets: as characters, "\r\n" is one and no line end.
        lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { Substring($0) }
    }

    var description: String { path }
    var name: String { String(path.split(separator: "/").last ?? "") }
    var folder: String { path.split(separator: "/").dropLast().joined(separator: "/") }
    var isSwift: Bool { path.hasSuffix(".swift") }
}

/// The checkout's own text files: what is built, fetched or kept at run time is left out.
struct SourceTree: Sendable {
    static let checkout = SourceTree(root: #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined())

    private static let leftOut: Set<String> = [".git", ".build", ".swiftpm", "var"]

    let files: [TextFile]

    init(root: String) {
        files = Self.paths(under: root, prefix: "").sorted().compactMap { path in
            guard let data = try? Data(contentsOf: URL(filePath: root + "/" + path)), !data.contains(0) else { return nil }
            return String(bytes: data, encoding: .utf8).map { TextFile(path: path, text: $0) }
        }
    }

    func files(under folder: String) -> [TextFile] { files.filter { $0.path.hasPrefix(folder + "/") } }

    private static func paths(under directory: String, prefix: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.flatMap { name -> [String] in
            if prefix.isEmpty, leftOut.contains(name) { return [] }
            if name == ".build" { return [] }
            var isDirectory = false
            let path = directory + "/" + name
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return [] }
            return isDirectory ? paths(under: path, prefix: prefix + name + "/") : [prefix + name]
        }
    }
}
