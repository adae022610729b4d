/// Records as text in each format.
struct Rendering {
    let format: OutputFormat
    /// Aligned for people; else tabs, for programs.
    var isPretty = Terminal.outIsTTY
    var hasColour = Terminal.hasColour
    var hasHeader = true

    /// A list of records.
    func list(_ records: [JSONValue], columns: [Column]) -> String {
        switch format {
        case .json: return JSONText.pretty(.array(records)) + "\n"
        case .yaml: return YAMLText.document(.array(records))
        case .csv:
            return CSVText.document(
                header: hasHeader ? columns.map(\.name) : nil, records.map { record in columns.map { $0.plain(record) } })
        case .table: return isPretty ? table(records, columns) : tabs(records, columns)
        }
    }

    /// One record, a member a line.
    func record(_ record: JSONValue, columns: [Column]) -> String {
        let shown = record.members.map { member in columns.first { $0.name == member.name } ?? Column(member.name) }
        switch format {
        case .json: return JSONText.pretty(record) + "\n"
        case .yaml: return YAMLText.document(record)
        case .csv: return CSVText.document(header: hasHeader ? shown.map(\.name) : nil, [shown.map { $0.plain(record) }])
        case .table:
            guard isPretty else { return shown.map { "\($0.name)\t\(Self.tabFree($0.plain(record)))\n" }.joined() }
            let width = shown.map { Printable.width($0.name) }.max() ?? 0
            return shown.map { "\(bold(Printable.padded($0.name, to: width)))  \($0.pretty(record))\n" }.joined()
        }
    }

    private func table(_ records: [JSONValue], _ columns: [Column]) -> String {
        let rows = records.map { record in columns.map { $0.pretty(record) } }
        let header = columns.map { $0.name.uppercased() }
        let widths = columns.indices.map { column in
            (rows.map { Printable.width($0[column]) } + [hasHeader ? header[column].count : 0]).max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.indices.map { position in
                if columns[position].isNumeric { return Printable.padded(left: cells[position], to: widths[position]) }
                return position == cells.count - 1 ? cells[position] : Printable.padded(cells[position], to: widths[position])
            }
            return padded.joined(separator: "  ")
        }
        let head = hasHeader ? [bold(line(header))] : []
        return (head + rows.map(line)).map { $0 + "\n" }.joined()
    }

    private func tabs(_ records: [JSONValue], _ columns: [Column]) -> String {
        let head = hasHeader ? [columns.map(\.name)] : []
        let rows = head + records.map { record in columns.map { Self.tabFree($0.plain(record)) } }
        return rows.map { $0.joined(separator: "\t") + "\n" }.joined()
    }

    /// A cell never breaks its line or column.
    private static func tabFree(_ text: String) -> String { Printable.line(text) }

    private func bold(_ text: String) -> String { hasColour ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
}
