/// A CSV file of subscribers, checked as far as that is possible without the daemon.
struct CSVSheet {
    struct Fault: Equatable {
        let line: Int
        let column: String
        let reason: String

        var text: String { "line \(line)" + (column.isEmpty ? "" : ", \(column)") + ": " + reason }
    }

    private(set) var rows = 0
    private(set) var faults: [Fault] = []
    private var columns: [String] = []
    private var firstLines: [[UInt8]: Int] = [:]

    /// Reads the file: header, quotes, cells in each line, usernames that stand twice, encoding.
    ///
    /// `progress`: told how many octets are read.
    init(_ bytes: [UInt8], fields: [String] = Noun.subscriber.fields.map(\.name), progress: (Int) -> Void = { _ in }) {
        var reader = CSVRecords(bytes)
        guard let header = reader.next() else {
            faults.append(
                Fault(line: 1, column: "", reason: "the file is empty; its first line names the columns: username,password,profile"))
            return
        }
        readHeader(header, fields)
        guard faults.isEmpty else { return }
        while let record = reader.next() {
            rows += 1
            check(record)
            if rows % 1000 == 0 { progress(reader.position) }
        }
        progress(bytes.count)
        if rows == 0, faults.isEmpty {
            faults.append(Fault(line: header.line, column: "", reason: "no subscriber follows the first line"))
        }
    }

    private mutating func readHeader(_ record: CSVRecords.Record, _ fields: [String]) {
        if let reason = record.fault { faults.append(Fault(line: record.line, column: "", reason: reason)) }
        for cell in record.cells {
            let name = Self.trimmed(String(decoding: cell, as: UTF8.self)).lowercased()
            if columns.contains(name) {
                faults.append(Fault(line: record.line, column: name, reason: "the column stands here a second time"))
            } else if !fields.contains(name) {
                let near =
                    Nearest.to(name, among: fields).map { "; did you mean \($0)?" } ?? "; there are \(fields.joined(separator: ", "))"
                faults.append(Fault(line: record.line, column: name, reason: "there is no such column" + near))
            }
            columns.append(name)
        }
        if !columns.contains("username"), faults.isEmpty {
            faults.append(Fault(line: record.line, column: "username", reason: "the column is missing; the first line names the columns"))
        }
    }

    private mutating func check(_ record: CSVRecords.Record) {
        if let reason = record.fault {
            faults.append(Fault(line: record.line, column: "", reason: reason))
            return
        }
        guard record.cells.count == columns.count else {
            let reason = "\(record.cells.count.counted("cell")), but the first line names \(columns.count.counted("column"))"
            faults.append(Fault(line: record.line, column: "", reason: reason))
            return
        }
        for (column, cell) in zip(columns, record.cells) {
            if String(validating: cell, as: UTF8.self) == nil {
                faults.append(Fault(line: record.line, column: column, reason: "not UTF-8; save the file as UTF-8"))
            } else if cell.contains(0) {
                faults.append(Fault(line: record.line, column: column, reason: "a NUL character"))
            } else if column == "username" {
                checkName(Array(cell), record.line)
            }
        }
    }

    private mutating func checkName(_ name: [UInt8], _ line: Int) {
        if name.isEmpty {
            faults.append(Fault(line: line, column: "username", reason: "it is empty"))
        } else if let first = firstLines.updateValue(line, forKey: name) {
            firstLines[name] = first
            let shown = String(decoding: name, as: UTF8.self)
            faults.append(Fault(line: line, column: "username", reason: "“\(shown)” stands on line \(first) already"))
        }
    }

    private static func trimmed(_ text: String) -> String {
        var trimmed = text.drop { $0 == " " || $0 == "\t" }
        while let last = trimmed.last, last == " " || last == "\t" { trimmed = trimmed.dropLast() }
        return String(trimmed)
    }
}

/// Records of comma-separated values (RFC 4180): quotes, doubled quotes, line ends inside of quotes, CRLF or LF, a BOM in front.
struct CSVRecords {
    struct Record {
        /// The line of the file on which it begins, counted from 1.
        let line: Int
        var cells: [ArraySlice<UInt8>] = []
        /// Why the record cannot be read.
        var fault: String?
    }

    private let bytes: [UInt8]
    /// Octets read so far.
    private(set) var position: Int
    private var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    }

    /// The next record that is not an empty line; nil at the end.
    mutating func next() -> Record? {
        while position < bytes.count {
            var record = Record(line: line)
            repeat { cell(&record) } while take(UInt8(ascii: ","))
            endLine(&record)
            if record.cells.count > 1 || record.cells.first?.isEmpty == false || record.fault != nil { return record }
        }
        return nil
    }

    private mutating func cell(_ record: inout Record) {
        guard take(UInt8(ascii: "\"")) else {
            let start = position
            while position < bytes.count, ![UInt8(ascii: ","), 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
            record.cells.append(bytes[start..<position])
            return
        }
        let opened = line
        var content: [UInt8] = []
        while position < bytes.count {
            let octet = bytes[position]
            position += 1
            if octet == 0x0a { line += 1 }
            if octet == UInt8(ascii: "\""), !take(UInt8(ascii: "\"")) {
                record.cells.append(content[...])
                return
            }
            content.append(octet)
        }
        record.fault = "a quote is opened on line \(opened) and never closed"
    }

    private mutating func endLine(_ record: inout Record) {
        if position < bytes.count, bytes[position] != 0x0a, bytes[position] != 0x0d {
            record.fault = record.fault ?? "text follows a closing quote"
            while position < bytes.count, bytes[position] != 0x0a { position += 1 }
        }
        _ = take(0x0d)
        _ = take(0x0a)
        line += 1
    }

    private mutating func take(_ octet: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == octet else { return false }
        position += 1
        return true
    }
}
