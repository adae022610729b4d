internal import CPostgres

/// Writes rows in PostgreSQL's binary COPY format into a buffer that is sent whenever it fills.
///
/// Begin each row with `row(columns:)`, then write exactly that many fields, in the order and of the types of the COPY's
/// columns. A field of the wrong width is refused by the server (`22P03`); a wrong count of fields here (`badCopyFileFormat`).
public struct CopyWriter: ~Copyable {
    private static let capacity = 64 * 1024
    /// Octets of a field of fixed width with its length, at most. For each field of the row that is still to come so many are free.
    private static let fixedField = 12
    /// PostgreSQL's tables have no more (MaxHeapAttributeNumber).
    private static let columnLimit = 1600
    /// An array's length, its number of dimensions, flags and type, then extent and lower bound of the one dimension.
    private static let arrayHeader = 24
    /// As many elements fit the buffer together with what the row's other fields may need.
    private static let elementLimit = (capacity - arrayHeader - columnLimit * fixedField) / fixedField
    private let answer: AnswerWait
    private let buffer: UnsafeMutableRawBufferPointer
    private var used = 0
    private var fieldsLeft = 0
    /// Rows begun so far.
    public private(set) var rowCount = 0

    init(_ answer: AnswerWait) {
        self.answer = answer
        buffer = .allocate(byteCount: CopyWriter.capacity, alignment: 8)
        let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]
        buffer.copyBytes(from: signature + [UInt8](repeating: 0, count: 8))
        used = signature.count + 8
    }

    deinit { buffer.deallocate() }

    public mutating func row(columns: Int) throws {
        guard fieldsLeft == 0 else { throw wrongCount("\(fieldsLeft) fields of row \(rowCount) were not written") }
        guard columns <= Self.columnLimit else {
            throw wrongCount("row \(rowCount + 1) has \(columns) columns; at most \(Self.columnLimit)")
        }
        try reserve(2 + columns * Self.fixedField)
        append(Int16(clamping: columns))
        fieldsLeft = columns
        rowCount += 1
    }

    public mutating func null() throws {
        try begin()
        append(Int32(-1))
    }

    public mutating func bool(_ value: Bool) throws { try number(UInt8(value ? 1 : 0)) }

    public mutating func int2(_ value: Int16) throws { try number(value) }
    public mutating func int4(_ value: Int32) throws { try number(value) }
    public mutating func int8(_ value: Int64) throws { try number(value) }
    public mutating func float8(_ value: Double) throws { try number(value.bitPattern) }

    public mutating func timestamp(microsecondsSinceUnixEpoch value: Int64) throws {
        try number(try postgresInstant(value))
    }

    /// A `bigint[]` of one dimension, at most 3,800 elements; those that equal `null` are null.
    public mutating func int8Array(_ values: [Int64], null: Int64? = nil) throws { try array(values, type: 20, null: null) }

    /// An `integer[]`; as `int8Array(_:null:)`.
    public mutating func int4Array(_ values: [Int32], null: Int32? = nil) throws { try array(values, type: 23, null: null) }

    /// A `timestamptz[]` of one dimension, at most 3,800 elements.
    public mutating func timestampArray(microsecondsSinceUnixEpoch values: [Int64]) throws {
        try array(try values.map { try postgresInstant($0) }, type: 1184, null: nil)
    }

    /// UTF-8 text, for `text`, `varchar`, `json` and enums.
    public mutating func text(_ value: String) throws {
        var value = value
        try value.withUTF8 { try bytes(UnsafeRawBufferPointer($0)) }
    }

    /// Text as octets; the server refuses octets that are not UTF-8 or hold NUL (`characterNotInRepertoire`).
    public mutating func text(octets: UnsafeRawBufferPointer) throws { try bytes(octets) }

    public mutating func jsonb(_ value: String) throws {
        var value = value
        try value.withUTF8 { document in
            try begin(octets: document.count + 1)
            append(UInt8(1))
            try send(UnsafeRawBufferPointer(document))
        }
    }

    public mutating func bytes(_ value: [UInt8]) throws {
        try value.withUnsafeBytes { try bytes($0) }
    }

    /// A `bytea`, or any field whose binary form the caller has ready.
    public mutating func bytes(_ value: UnsafeRawBufferPointer) throws {
        try begin(octets: value.count)
        try send(value)
    }

    /// Sixteen octets.
    public mutating func uuid(_ octets: UnsafeRawBufferPointer) throws {
        guard octets.count == 16 else { throw DatabaseError(.invalidParameterValue, "a uuid has 16 octets, not \(octets.count)") }
        try bytes(octets)
    }

    /// An address of 4 or 16 octets in network order, for `inet`; with `isCIDR`, a prefix for `cidr`.
    public mutating func inet(_ address: UnsafeRawBufferPointer, prefixLength: Int? = nil, isCIDR: Bool = false) throws {
        guard address.count == 4 || address.count == 16 else {
            throw DatabaseError(.invalidParameterValue, "an address has 4 or 16 octets, not \(address.count)")
        }
        let family: UInt8 = address.count == 4 ? 2 : 3
        try begin(octets: 4 + address.count)
        append(family)
        append(UInt8(clamping: prefixLength ?? address.count * 8))
        append(UInt8(isCIDR ? 1 : 0))
        append(UInt8(address.count))
        try send(address)
    }

    /// Ends the stream; the trailer is a row of -1 fields.
    mutating func finish() throws {
        guard fieldsLeft == 0 else { throw wrongCount("\(fieldsLeft) fields of the last row were not written") }
        try reserve(2)
        append(Int16(-1))
        try flush()
    }

    private func wrongCount(_ problem: String) -> DatabaseError {
        DatabaseError(.badCopyFileFormat, "COPY: \(problem)")
    }

    private func postgresInstant(_ microseconds: Int64) throws -> Int64 {
        if microseconds == .max || microseconds == .min { return microseconds }
        let (sum, overflow) = microseconds.subtractingReportingOverflow(Timestamp.postgresEpoch)
        guard !overflow else { throw DatabaseError(.numericValueOutOfRange, "the instant in row \(rowCount) is out of range") }
        return sum
    }

    /// Room is made once; the length and the flag for nulls are known behind the last element. `type` is the element's (pg_type.oid).
    private mutating func array<Value: FixedWidthInteger>(_ values: [Value], type: Int32, null: Value?) throws {
        guard values.count <= Self.elementLimit else {
            throw DatabaseError(
                .invalidParameterValue, "an array in row \(rowCount) has \(values.count) elements; at most \(Self.elementLimit)")
        }
        try begin()
        try reserve(Self.arrayHeader + (values.count + fieldsLeft) * Self.fixedField)
        let start = used
        for word in [0, values.isEmpty ? 0 : 1, 0, type] as [Int32] { append(word) }
        if !values.isEmpty {
            append(Int32(values.count))
            append(Int32(1))
        }
        var hasNulls = false
        for value in values {
            if value == null {
                append(Int32(-1))
                hasNulls = true
            } else {
                append(Int32(MemoryLayout<Value>.size))
                append(value)
            }
        }
        buffer.storeBytes(of: Int32(used - start - 4).bigEndian, toByteOffset: start, as: Int32.self)
        if hasNulls { buffer.storeBytes(of: Int32(1).bigEndian, toByteOffset: start + 8, as: Int32.self) }
    }

    private mutating func number<Value: FixedWidthInteger>(_ value: Value) throws {
        try begin()
        append(Int32(MemoryLayout<Value>.size))
        append(value)
    }

    /// Starts a field, whose room for `fixedField` octets is free.
    private mutating func begin() throws {
        guard fieldsLeft > 0 else { throw wrongCount("row \(rowCount) has more fields than it announced") }
        fieldsLeft -= 1
    }

    /// Starts a field of any length, of which `send` takes all but the first eight octets at most.
    private mutating func begin(octets: Int) throws {
        guard let length = Int32(exactly: octets) else { throw DatabaseError(.stringTooLong, "a field of 2 GiB or more cannot be stored") }
        try begin()
        append(length)
    }

    private mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        buffer.storeBytes(of: value.bigEndian, toByteOffset: used, as: Value.self)
        used += MemoryLayout<Value>.size
    }

    private mutating func reserve(_ count: Int) throws {
        if used + count > buffer.count { try flush() }
    }

    private mutating func send(_ octets: UnsafeRawBufferPointer) throws {
        let fieldsToCome = fieldsLeft * Self.fixedField
        try reserve(octets.count + fieldsToCome)
        guard octets.count <= buffer.count - used - fieldsToCome else {
            try flush()
            return try put(octets)
        }
        UnsafeMutableRawBufferPointer(rebasing: buffer[used...]).copyMemory(from: octets)
        used += octets.count
    }

    private mutating func flush() throws {
        try put(UnsafeRawBufferPointer(rebasing: buffer[..<used]))
        used = 0
    }

    private func put(_ octets: UnsafeRawBufferPointer) throws {
        guard let base = octets.baseAddress, !octets.isEmpty else { return }
        let piece = 1 << 20
        for start in stride(from: 0, to: octets.count, by: piece) {
            let count = Int32(min(piece, octets.count - start))
            let sent = PQputCopyData(answer.handle, base.advanced(by: start).assumingMemoryBound(to: CChar.self), count)
            guard sent == 1 else { throw DatabaseError(connection: answer.handle) }
            try answer.send()
        }
    }
}
