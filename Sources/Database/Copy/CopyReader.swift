/// One row of a binary COPY: fields by position, without types; the reader knows what it asked for.
///
/// Valid only inside the call that lends it. Reads throw `nullValueNotAllowed` for null and `datatypeMismatch` for a field of
/// another width.
public struct CopyRow {
    let bytes: UnsafeRawBufferPointer
    /// For each field its offset and length; length -1 = null.
    let fields: [(offset: Int, count: Int)]

    public var columnCount: Int { fields.count }

    /// Whether every one of `columns` is null.
    public func areNull(_ columns: ClosedRange<Int>) -> Bool {
        for column in columns where !isNull(column) { return false }
        return true
    }

    public func isNull(_ column: Int) -> Bool { fields.indices.contains(column) && fields[column].count < 0 }

    /// The field's octets; nil for null.
    public func optionalBytes(_ column: Int) throws(DatabaseError) -> UnsafeRawBufferPointer? {
        guard fields.indices.contains(column) else { throw DatabaseError(.undefinedColumn, "COPY row has no column \(column)") }
        let field = fields[column]
        return field.count < 0 ? nil : UnsafeRawBufferPointer(rebasing: bytes[field.offset..<(field.offset + field.count)])
    }

    public func bytes(_ column: Int) throws(DatabaseError) -> UnsafeRawBufferPointer {
        guard let bytes = try optionalBytes(column) else { throw DatabaseError(.nullValueNotAllowed, "COPY column \(column) is null") }
        return bytes
    }

    public func int16(_ column: Int) throws(DatabaseError) -> Int16 { try number(column) }
    public func int32(_ column: Int) throws(DatabaseError) -> Int32 { try number(column) }
    public func int64(_ column: Int) throws(DatabaseError) -> Int64 { try number(column) }
    public func double(_ column: Int) throws(DatabaseError) -> Double { Double(bitPattern: try number(column)) }
    public func bool(_ column: Int) throws(DatabaseError) -> Bool { try number(column) as UInt8 != 0 }

    /// Microseconds since the Unix epoch.
    public func timestamp(_ column: Int) throws(DatabaseError) -> Int64 {
        Timestamp.unixMicroseconds(fromPostgres: try number(column))
    }

    public func string(_ column: Int) throws(DatabaseError) -> String {
        guard let text = String(validating: try bytes(column), as: UTF8.self) else { throw mismatch(column) }
        return text
    }

    /// The address of an `inet` or `cidr` field (4 or 16 octets in network order) and its prefix length.
    public func inet(_ column: Int) throws(DatabaseError) -> (address: UnsafeRawBufferPointer, prefixLength: Int) {
        let field = try bytes(column)
        guard field.count >= 4, [4, 16].contains(field[3]), field.count == 4 + Int(field[3]) else { throw mismatch(column) }
        return (UnsafeRawBufferPointer(rebasing: field[4...]), Int(field[1]))
    }

    /// The elements of a one-dimensional array of text without nulls; empty for a null array.
    public func strings(_ column: Int) throws(DatabaseError) -> [String] {
        guard let field = try optionalBytes(column) else { return [] }
        let decoder = FieldDecoder(bytes: field, type: 0)
        guard let elements = decoder.elements({ String(validating: $0.bytes, as: UTF8.self) }) else { throw mismatch(column) }
        return elements
    }

    private func number<Value: FixedWidthInteger>(_ column: Int) throws(DatabaseError) -> Value {
        let field = try bytes(column)
        guard field.count == MemoryLayout<Value>.size, let value = FieldDecoder.bigEndian(field, as: Value.self) else {
            throw mismatch(column)
        }
        return value
    }

    private func mismatch(_ column: Int) -> DatabaseError {
        DatabaseError(.datatypeMismatch, "COPY column \(column) has another type than the one read")
    }
}

/// Cuts a binary COPY stream into rows, wherever the chunks happen to break.
struct CopyReader {
    private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]
    private var pending: [UInt8] = []
    private var fields: [(offset: Int, count: Int)] = []
    private var hasHeader = false
    private var isFinished = false

    /// Takes one chunk and calls `each` for every row that is now complete.
    mutating func consume(_ chunk: UnsafeRawBufferPointer, _ each: (CopyRow) throws -> Void) throws {
        guard !pending.isEmpty else {
            let used = try rows(chunk, each)
            if used < chunk.count { pending.append(contentsOf: chunk[used...]) }
            return
        }
        pending.append(contentsOf: chunk)
        var held: [UInt8] = []
        swap(&held, &pending)
        let used = try held.withUnsafeBytes { try rows($0, each) }
        pending = Array(held[used...])
    }

    /// - Throws: `badCopyFileFormat` when the stream ended inside a row.
    func finish() throws(DatabaseError) {
        guard isFinished, pending.isEmpty else { throw DatabaseError(.badCopyFileFormat, "the COPY stream ended early") }
    }

    /// Reads whole rows; the number of octets used.
    private mutating func rows(_ bytes: UnsafeRawBufferPointer, _ each: (CopyRow) throws -> Void) throws -> Int {
        var offset = 0
        if !hasHeader {
            guard let length = try headerLength(bytes) else { return 0 }
            hasHeader = true
            offset = length
        }
        while !isFinished, let end = nextRow(bytes, from: offset) {
            if !isFinished { try each(CopyRow(bytes: bytes, fields: fields)) }
            offset = end
        }
        return offset
    }

    private func headerLength(_ bytes: UnsafeRawBufferPointer) throws -> Int? {
        guard let extensionLength = FieldDecoder.bigEndian(bytes, at: 15, as: UInt32.self) else { return nil }
        guard bytes.starts(with: CopyReader.signature) else {
            throw DatabaseError(.badCopyFileFormat, "the COPY stream is not in binary format")
        }
        let length = 19 + Int(extensionLength)
        return bytes.count >= length ? length : nil
    }

    /// Fills `fields`; the end of the row, or nil when it is not whole yet.
    private mutating func nextRow(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let count = FieldDecoder.bigEndian(bytes, at: start, as: Int16.self) else { return nil }
        isFinished = count < 0
        let expected = max(0, Int(count))
        if fields.count != expected { fields = Array(repeating: (0, -1), count: expected) }
        return fields.withUnsafeMutableBufferPointer { fields in
            var offset = start + 2
            for place in fields.indices {
                guard bytes.count - offset >= 4 else { return nil }
                let length = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
                offset += 4
                guard length <= bytes.count - offset else { return nil }
                fields[place] = (offset, length)
                offset += max(0, length)
            }
            return offset
        }
    }
}
