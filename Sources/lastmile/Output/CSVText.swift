/// Writes comma-separated values (RFC 4180, with LF as the tools here expect).
enum CSVText {
    static func document(header: [String]?, _ rows: [[String]]) -> String {
        ((header.map { [$0] } ?? []) + rows).map { $0.map(cell).joined(separator: ",") + "\n" }.joined()
    }

    /// A cell, quoted where it must be. Not defused against spreadsheets: a cell is what the value is.
    static func cell(_ text: String) -> String {
        let special = text.unicodeScalars.contains { [",", "\"", "\n", "\r"].contains($0) }
        guard special || text.hasPrefix(" ") || text.hasSuffix(" ") else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
