internal import RadiusCore

/// Reads rows out of a dump by mysqldump, mariadb-dump, pg_dump (COPY or INSERT) or sqlite3, without a database.
///
/// Only `CREATE TABLE` (for the order of columns), `INSERT`, `REPLACE` and `COPY ... FROM stdin` mean something; every other statement is
/// passed over, its strings and comments understood, so that nothing inside of them is taken for a statement. The dump is not trusted:
/// memory is bounded by the longest single value and row.
public struct DumpReader {
    /// Told of each row: table in lower case without schema, columns in lower case or empty when the dump does not name them, cells, line.
    public typealias Sink = (_ table: String, _ columns: [String], _ cells: [SQLCell], _ line: Int) throws -> Void

    /// Octets of one value, at most.
    static let valueLimit = 1 << 20
    /// Values in a row, at most.
    static let columnLimit = 200

    var input: OctetReader
    let dialect: SQLDialect
    private let wanted: Set<String>
    /// Which of the wanted tables the dump makes, or has rows of.
    public private(set) var tables: Set<String> = []
    /// The dump ends as its tool ends one, see `SQLDialect.end`. Between two statements a dump that was cut looks whole otherwise.
    public internal(set) var hasEnd = false
    private var columns: [String: [String]] = [:]

    /// - Parameters:
    ///   - input: the dump.
    ///   - dialect: see `SQLDialect.detect`.
    ///   - tables: whose rows are wanted, in lower case.
    public init(_ input: OctetReader, dialect: SQLDialect, tables: Set<String>) {
        self.input = input
        self.dialect = dialect
        wanted = tables
    }

    /// Reads to the end.
    ///
    /// - Throws: `SourceFault` for what is no dump, and what `sink` throws.
    public mutating func read(_ sink: Sink) throws {
        while let word = try nextWord() {
            switch word {
            case "create": try createTable()
            case "insert", "replace": try insert(sink)
            case "copy": try copy(sink)
            default: try skipStatement()
            }
            hasEnd = dialect == .sqlite && word == "commit"
        }
    }

    // MARK: Statements

    private mutating func createTable() throws {
        var word = try identifier()
        while let prefix = word?.text.lowercased(), ["temporary", "temp", "unlogged", "or", "replace"].contains(prefix) {
            word = try identifier()
        }
        guard word?.text.lowercased() == "table" else { return try skipStatement() }
        for skipped in ["if", "not", "exists"] { _ = try peekKeyword(skipped) }
        guard let table = try tableName(), wanted.contains(table), try takeSign("(") else { return try skipStatement() }
        var names: [String] = []
        repeat {
            guard let name = try identifier() else { break }
            if name.isQuoted || !Self.constraints.contains(name.text.lowercased()) { names.append(name.text.lowercased()) }
            guard names.count <= Self.columnLimit else { throw fault("a table has more than \(Self.columnLimit) columns") }
            try skipDefinition()
        } while try takeSign(",")
        columns[table] = names
        tables.insert(table)
        try skipStatement()
    }

    /// What stands in a table's definition besides columns.
    private static let constraints: Set<String> = [
        "primary", "key", "unique", "constraint", "index", "fulltext", "check", "foreign", "spatial", "exclude", "like",
    ]

    private mutating func insert(_ sink: Sink) throws {
        for skipped in ["low_priority", "delayed", "high_priority", "ignore"] { _ = try peekKeyword(skipped) }
        if try peekKeyword("or") { _ = try identifier() }
        _ = try peekKeyword("into")
        guard let table = try tableName(), wanted.contains(table) else { return try skipStatement() }
        let named = try columnList()
        if try peekKeyword("overriding") {
            _ = try identifier()
            _ = try peekKeyword("value")
        }
        guard try peekKeyword("values") || peekKeyword("value") else {
            throw fault("INSERT INTO \(table) is not followed by VALUES; only rows can be read")
        }
        let columns = named ?? self.columns[table] ?? []
        tables.insert(table)
        repeat {
            try skipBlanks()
            let line = input.line
            guard try takeSign("(") else { throw fault("a row of \(table) does not begin with a parenthesis") }
            var cells: [SQLCell] = []
            repeat {
                cells.append(try value())
                guard cells.count <= Self.columnLimit else { throw fault("a row has more than \(Self.columnLimit) values") }
            } while try takeSign(",")
            guard try takeSign(")") else { throw fault("a row of \(table) is not closed where it should be") }
            try sink(table, columns, cells, line)
        } while try takeSign(",")
        try skipStatement()
    }

    private mutating func copy(_ sink: Sink) throws {
        guard let table = try tableName() else { return try skipStatement() }
        let named = try columnList()
        guard try peekKeyword("from"), try peekKeyword("stdin") else { return try skipStatement() }
        try skipStatement()
        _ = try input.readLine()
        let columns = named ?? self.columns[table] ?? []
        if wanted.contains(table) { tables.insert(table) }
        while true {
            let line = input.line
            guard let text = try input.readLine() else { throw SourceFault(line: line, "COPY \(table) ends without \\.") }
            if text == [0x5C, 0x2E] { return }
            if wanted.contains(table) { try sink(table, columns, try CopyLine.cells(text, line: line), line) }
        }
    }

    private mutating func columnList() throws -> [String]? {
        guard try takeSign("(") else { return nil }
        var names: [String] = []
        repeat {
            guard let name = try identifier() else { throw fault("a column's name is expected") }
            names.append(name.text.lowercased())
            guard names.count <= Self.columnLimit else { throw fault("a table has more than \(Self.columnLimit) columns") }
        } while try takeSign(",")
        guard try takeSign(")") else { throw fault("the list of columns is not closed") }
        return names
    }

    /// The last part of `schema.table`, in lower case.
    private mutating func tableName() throws -> String? {
        guard var name = try identifier() else { return nil }
        while try takeSign(".") {
            guard let next = try identifier() else { return nil }
            name = next
        }
        return name.text.lowercased()
    }

    func fault(_ reason: String) -> SourceFault { SourceFault(line: input.line, reason) }
}

/// A line of COPY's text format (PostgreSQL manual, COPY, File Formats).
enum CopyLine {
    static func cells(_ line: [UInt8], line number: Int) throws(SourceFault) -> [SQLCell] {
        let fields = line.split(separator: 0x09, maxSplits: DumpReader.columnLimit, omittingEmptySubsequences: false)
        guard fields.count <= DumpReader.columnLimit else {
            throw SourceFault(line: number, "a row has more than \(DumpReader.columnLimit) values")
        }
        return fields.map { $0.elementsEqual([0x5C, 0x4E]) ? .null : SQLCell(unescaped($0)) }
    }

    private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        guard field.contains(0x5C) else { return Array(field) }
        var octets: [UInt8] = []
        var index = field.startIndex
        func digits(_ limit: Int, _ value: (UInt8) -> UInt8?) -> (Int, UInt8) {
            var (count, sum) = (0, UInt8(0))
            while count < limit, index < field.endIndex, let digit = value(field[index]) {
                sum = sum &* (limit == 3 ? 8 : 16) &+ digit
                index += 1
                count += 1
            }
            return (count, sum)
        }
        while index < field.endIndex {
            let octet = field[index]
            index += 1
            guard octet == 0x5C, index < field.endIndex else {
                octets.append(octet)
                continue
            }
            if (0x30...0x37).contains(field[index]) {
                octets.append(digits(3) { (0x30...0x37).contains($0) ? $0 - 0x30 : nil }.1)
                continue
            }
            let letter = field[index]
            index += 1
            if letter == UInt8(ascii: "x") {
                let (count, sum) = digits(2) { Hexadecimal.digit($0) }
                octets.append(count > 0 ? sum : letter)
            } else {
                octets.append(controls[letter] ?? letter)
            }
        }
        return octets
    }

    private static let controls: [UInt8: UInt8] = [
        UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
        UInt8(ascii: "v"): 11,
    ]
}
