internal import CPostgres

/// A column, by its position from 0 or by its name. Names are looked up each time: use positions for long results.
public protocol ColumnKey: Sendable {
    func position(in row: Row) -> Int?
    var columnDescription: String { get }
}

extension Int: ColumnKey {
    public func position(in row: Row) -> Int? { self >= 0 && self < row.columnCount ? self : nil }
    public var columnDescription: String { "column \(self)" }
}

extension String: ColumnKey {
    public func position(in row: Row) -> Int? { row.position(named: self) }
    public var columnDescription: String { "column \"\(self)\"" }
}

/// The rows that one statement brought, kept until the last `Row` of it is gone.
final class ResultSet {
    let pointer: OpaquePointer
    let rowCount: Int32
    let columnCount: Int

    /// Takes over `pointer`.
    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
        rowCount = PQntuples(pointer)
        columnCount = Int(PQnfields(pointer))
    }

    deinit { PQclear(pointer) }
}

/// One row of a result: typed reads by column.
///
/// Reads throw `DatabaseError`: `nullValueNotAllowed` for a null where no optional is asked, `datatypeMismatch` where the
/// column's type holds no such value, `numericValueOutOfRange`, `undefinedColumn`. A row belongs to its connection's thread.
public struct Row {
    let result: ResultSet
    let index: Int32

    public var columnCount: Int { result.columnCount }

    func position(named name: String) -> Int? {
        (0..<columnCount).first { PQfname(result.pointer, Int32($0)).map { String(cString: $0) == name } ?? false }
    }

    /// The column's name as the server gave it; nil beyond the last.
    public func columnName(_ position: Int) -> String? {
        PQfname(result.pointer, Int32(clamping: position)).map { String(cString: $0) }
    }

    public func isNull(_ column: some ColumnKey) throws(DatabaseError) -> Bool {
        try field(column) == nil
    }

    public func int64(_ column: some ColumnKey) throws(DatabaseError) -> Int64 {
        try required(column, try optionalInt64(column))
    }

    public func int(_ column: some ColumnKey) throws(DatabaseError) -> Int {
        Int(try int64(column))
    }

    public func int32(_ column: some ColumnKey) throws(DatabaseError) -> Int32 {
        try required(column, try optionalInt32(column))
    }

    public func bool(_ column: some ColumnKey) throws(DatabaseError) -> Bool {
        try required(column, try optionalBool(column))
    }

    public func double(_ column: some ColumnKey) throws(DatabaseError) -> Double {
        try required(column, try optionalDouble(column))
    }

    /// Text of text-like columns, JSON, numbers, `numeric`, `uuid`, addresses, dates and instants. Cast other types with `::text`.
    public func string(_ column: some ColumnKey) throws(DatabaseError) -> String {
        try required(column, try optionalString(column))
    }

    /// The octets of a `bytea`, text or JSON column.
    public func bytes(_ column: some ColumnKey) throws(DatabaseError) -> [UInt8] {
        try required(column, try optionalBytes(column))
    }

    /// Microseconds since the Unix epoch of a `timestamptz`, `timestamp` (read as UTC) or `date`.
    public func timestamp(_ column: some ColumnKey) throws(DatabaseError) -> Int64 {
        try required(column, try optionalTimestamp(column))
    }

    public func strings(_ column: some ColumnKey) throws(DatabaseError) -> [String] {
        try required(column, try decode(column, "text[]") { $0.elements { $0.string } })
    }

    public func int64s(_ column: some ColumnKey) throws(DatabaseError) -> [Int64] {
        try required(column, try decode(column, "bigint[]") { $0.elements { $0.int64 } })
    }

    /// Lends the octets of a `bytea`, text or JSON column without copying; they must not leave `body`.
    public func withBytes<T>(_ column: some ColumnKey, _ body: (UnsafeRawBufferPointer) throws -> T) throws -> T {
        let octets = try required(column, try decode(column, "bytea") { $0.octets })
        return try withExtendedLifetime(result) { try body(octets) }
    }

    private func required<T>(_ column: some ColumnKey, _ value: T?) throws(DatabaseError) -> T {
        guard let value else { throw failure(.nullValueNotAllowed, column, "is null") }
        return value
    }

    func failure(_ code: SQLState, _ column: some ColumnKey, _ problem: String) -> DatabaseError {
        var error = DatabaseError(code, "\(column.columnDescription) of the result \(problem)")
        error.column = column.position(in: self).flatMap(columnName)
        return error
    }

    private func field(_ column: some ColumnKey) throws(DatabaseError) -> FieldDecoder? {
        guard let position = column.position(in: self) else {
            throw failure(.undefinedColumn, column, "does not exist; it has \(columnCount) columns")
        }
        let column = Int32(position)
        guard PQgetisnull(result.pointer, index, column) == 0 else { return nil }
        let count = Int(PQgetlength(result.pointer, index, column))
        let bytes = UnsafeRawBufferPointer(start: PQgetvalue(result.pointer, index, column), count: count)
        return FieldDecoder(bytes: bytes, type: PQftype(result.pointer, column))
    }

    func decode<T>(_ column: some ColumnKey, _ wanted: String, _ read: (FieldDecoder) -> T?) throws(DatabaseError) -> T? {
        guard let field = try field(column) else { return nil }
        guard let value = read(field) else {
            throw failure(.datatypeMismatch, column, "(type OID \(field.type)) cannot be read as \(wanted); cast it in the statement")
        }
        return value
    }
}

extension Row {
    public func optionalInt64(_ column: some ColumnKey) throws(DatabaseError) -> Int64? {
        try decode(column, "bigint") { $0.int64 }
    }

    public func optionalInt32(_ column: some ColumnKey) throws(DatabaseError) -> Int32? {
        guard let value = try optionalInt64(column) else { return nil }
        guard let narrow = Int32(exactly: value) else { throw failure(.numericValueOutOfRange, column, "does not fit 32 bits") }
        return narrow
    }

    public func optionalBool(_ column: some ColumnKey) throws(DatabaseError) -> Bool? {
        try decode(column, "boolean") { $0.bool }
    }

    public func optionalDouble(_ column: some ColumnKey) throws(DatabaseError) -> Double? {
        try decode(column, "double precision") { $0.double }
    }

    public func optionalString(_ column: some ColumnKey) throws(DatabaseError) -> String? {
        try decode(column, "text") { $0.string }
    }

    public func optionalBytes(_ column: some ColumnKey) throws(DatabaseError) -> [UInt8]? {
        try decode(column, "bytea") { $0.octets.map(Array.init) }
    }

    public func optionalTimestamp(_ column: some ColumnKey) throws(DatabaseError) -> Int64? {
        try decode(column, "timestamptz") { $0.timestamp }
    }
}
