import Database

/// A CSV file of subscribers, checked line by line against the fields.
struct SubscriberSheet {
    /// Most mistakes that are listed; the rest are counted.
    static let faultLimit = 1000

    /// One line that fits so far.
    struct Row {
        let line: Int
        let username: String
        var values: [(field: Field, value: FieldValue)]

        /// Names are compared octet by octet, as the database does; a String takes composed and decomposed letters as equal.
        var key: [UInt8] { Array(username.utf8) }
    }

    private let resource: Resource
    private(set) var columns: [Field] = []
    var rows: [Row] = []
    private(set) var faults: [Problem.Fault] = []
    private(set) var faultCount = 0
    private(set) var refusedLines: Set<Int> = []

    /// Reads all lines.
    ///
    /// - Throws: `Problem` when the header line or the quoting is so wrong that lines mean nothing.
    init(_ bytes: [UInt8], _ resource: Resource, attribute: Field.AttributeCheck) throws(Problem) {
        self.resource = resource
        var reader = CSVReader(bytes)
        do throws(CSVError) {
            guard let header = try reader.next() else {
                throw CSVError(line: 1, reason: "the file is empty; the first line names the columns")
            }
            readHeader(header)
            guard faults.isEmpty else { throw CSVError(line: 0, reason: "") }
            var lines: [[UInt8]: Int] = [:]
            while let record = try reader.next() { read(record, &lines, attribute) }
        } catch {
            if error.line > 0 { refuse(error.line, "", "csv", error.reason) }
            throw .badFile(faults, total: faultCount)
        }
    }

    private mutating func readHeader(_ header: CSVReader.Record) {
        for cell in header.cells {
            let name = Field.trimmed(cell).lowercased()
            guard let field = resource.field(name), !field.isReadOnly else {
                let known = resource.fields.filter { !$0.isReadOnly }.map(\.name).joined(separator: ", ")
                refuse(header.line, name, "unknown", "there is no such column; there are: \(known)")
                continue
            }
            if columns.contains(where: { $0.name == name }) {
                refuse(header.line, name, "repeated", "the column stands here a second time")
            }
            columns.append(field)
        }
        if !columns.contains(where: { $0.name == "username" }), faults.isEmpty {
            refuse(header.line, "username", "required", "the column is missing")
        }
    }

    private mutating func read(_ record: CSVReader.Record, _ lines: inout [[UInt8]: Int], _ attribute: Field.AttributeCheck) {
        guard record.cells.count == columns.count else {
            refuse(record.line, "", "cells", "as many cells as in the first line are expected: \(columns.count), not \(record.cells.count)")
            return
        }
        var row = Row(line: record.line, username: "", values: [])
        var isGood = true
        for (field, cell) in zip(columns, record.cells) where !cell.isEmpty || field.isRequired {
            do throws(FieldFault) {
                let value = try field.value(ofText: cell, isStored: true, attribute: attribute)
                if let rival = row.values.first(where: { $0.field.column == field.column }) {
                    throw FieldFault("rival", "give \(rival.field.name) or \(field.name), not both")
                }
                row.values.append((field, value))
            } catch {
                refuse(record.line, field.name, error.code, error.detail)
                isGood = false
            }
        }
        guard isGood, case .bound(.text(let username))? = row.values.first(where: { $0.field.name == "username" })?.value else { return }
        let good = Row(line: record.line, username: username, values: row.values)
        if let earlier = lines[good.key] {
            refuse(record.line, "username", "repeated", "“\(username)” stands on line \(earlier) already")
            return
        }
        lines[good.key] = record.line
        rows.append(good)
    }

    /// Notes a mistake.
    mutating func refuse(_ line: Int, _ column: String, _ code: String, _ detail: String) {
        faultCount += 1
        refusedLines.insert(line)
        if faults.count < Self.faultLimit { faults.append(.init(.line(line, column: column), code, detail)) }
    }

    /// Mistakes in the order of the lines.
    var sortedFaults: [Problem.Fault] {
        func line(_ fault: Problem.Fault) -> Int {
            if case .line(let line, _) = fault.place { return line }
            return 0
        }
        return faults.sorted { line($0) < line($1) }
    }

    /// Replaces names of profiles and quotas by their ids, and refuses lines with one that does not exist or whose username is taken. `ids`
    /// are by resource, then by the octets of the name.
    mutating func settle(ids: [String: [[UInt8]: Int64]], taken: Set<[UInt8]>) {
        var settled: [Row] = []
        for var row in rows {
            var isGood = true
            if taken.contains(row.key) {
                refuse(row.line, "username", "unique", "“\(row.username)” exists already")
                isGood = false
            }
            for index in row.values.indices {
                guard case .name(let name) = row.values[index].value,
                    case .reference(let resource) = row.values[index].field.kind
                else { continue }
                if let id = ids[resource]?[Array(name.utf8)] {
                    row.values[index].value = .id(id)
                } else {
                    refuse(row.line, row.values[index].field.name, "not_found", "there is no \(resource) called “\(name)”")
                    isGood = false
                }
            }
            if isGood { settled.append(row) }
        }
        rows = settled
    }

    /// The names that lines refer to, by resource.
    var referenced: [String: [String]] {
        var names: [String: Set<[UInt8]>] = [:]
        for row in rows {
            for case (let field, .name(let name)) in row.values {
                if case .reference(let resource) = field.kind { names[resource, default: []].insert(Array(name.utf8)) }
            }
        }
        return names.mapValues { $0.map { String(decoding: $0, as: UTF8.self) } }
    }
}
