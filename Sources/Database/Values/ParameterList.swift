/// Parameters laid out as libpq wants them: one buffer, and per parameter where it begins, how long it is and its format.
///
/// Binary format is used only for `bytea`; everything else travels as text, which PostgreSQL reads into whatever type it inferred.
struct ParameterList {
    private var buffer: [UInt8] = []
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    var count: Int { offsets.count }

    /// - Throws: `DatabaseError` with `characterNotInRepertoire` for text with NUL.
    init(_ values: [SQLValue]) throws(DatabaseError) {
        for (index, value) in values.enumerated() {
            let start = buffer.count
            let isBinary = append(value)
            if !isBinary, buffer[start...].contains(0) {
                throw DatabaseError(
                    .characterNotInRepertoire, "parameter $\(index + 1) holds a NUL character, which text in PostgreSQL cannot")
            }
            offsets.append(value == .null ? -1 : start)
            lengths.append(Int32(clamping: buffer.count - start))
            formats.append(isBinary ? 1 : 0)
            buffer.append(0)
        }
    }

    /// Calls `body` with libpq's three arrays; valid only inside.
    func withPointers<T>(
        _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> T
    ) -> T {
        buffer.withUnsafeBytes { bytes in
            let pointers = offsets.map { offset -> UnsafePointer<CChar>? in
                offset < 0 ? nil : bytes.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self)
            }
            return pointers.withUnsafeBufferPointer { values in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        body(Int32(values.count), values.baseAddress, lengths.baseAddress, formats.baseAddress)
                    }
                }
            }
        }
    }

    /// Appends the value's bytes; true when they are in binary format.
    private mutating func append(_ value: SQLValue) -> Bool {
        switch value {
        case .null: break
        case .bool(let value): buffer.append(value ? UInt8(ascii: "t") : UInt8(ascii: "f"))
        case .int(let value): buffer.append(contentsOf: String(value).utf8)
        case .double(let value): buffer.append(contentsOf: value.description.utf8)
        case .text(let value), .json(let value), .inet(let value), .uuid(let value): buffer.append(contentsOf: value.utf8)
        case .timestamp(let microseconds): Timestamp.append(microseconds, to: &buffer)
        case .intArray(let values): appendArray(values) { buffer, value in buffer.append(contentsOf: String(value).utf8) }
        case .textArray(let values): appendArray(values) { buffer, value in ParameterList.appendQuoted(value, to: &buffer) }
        case .bytesArray(let values): appendArray(values) { buffer, value in ParameterList.appendHex(value, to: &buffer) }
        case .bytes(let value):
            buffer.append(contentsOf: value)
            return true
        }
        return false
    }

    private mutating func appendArray<Element>(_ values: [Element], _ each: (inout [UInt8], Element) -> Void) {
        buffer.append(UInt8(ascii: "{"))
        for (index, value) in values.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: ",")) }
            each(&buffer, value)
        }
        buffer.append(UInt8(ascii: "}"))
    }

    private static func appendQuoted(_ value: String, to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "\""))
        for octet in value.utf8 {
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") { buffer.append(UInt8(ascii: "\\")) }
            buffer.append(octet)
        }
        buffer.append(UInt8(ascii: "\""))
    }

    private static func appendHex(_ value: [UInt8], to buffer: inout [UInt8]) {
        buffer.append(contentsOf: #""\\x"#.utf8)
        for octet in value {
            for nibble in [octet >> 4, octet & 15] {
                buffer.append(nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10)
            }
        }
        buffer.append(UInt8(ascii: "\""))
    }
}
