/// How long files and functions and how full folders may be.
enum SizeRule {
    static let fileLines = 400
    static let functionLines = 70
    static let folderFiles = 20

    static func longFiles(in files: [TextFile]) -> [String] {
        files.filter { $0.isSwift && $0.path.hasPrefix("Sources/") && $0.lines.count > fileLines + 1 }
            .map { "\($0.path): \($0.lines.count - 1) lines, allowed \(fileLines)" }
    }

    static func longFunctions(in file: TextFile) -> [String] {
        guard file.isSwift else { return [] }
        return SwiftOutline(file.text).functions.filter { $0.lineCount > functionLines }
            .map { "\(file.path):\($0.firstLine): a function of \($0.lineCount) lines, allowed \(functionLines)" }
    }

    static func fullFolders(in files: [TextFile]) -> [String] {
        Dictionary(grouping: files.filter(\.isSwift), by: \.folder).filter { $0.value.count > folderFiles }
            .map { "\($0.key): \($0.value.count) Swift files, allowed \(folderFiles)" }.sorted()
    }
}
