internal import Glibc

/// Turns one binary field into a Swift value; nil when the type does not hold such a value or the bytes do not fit the type.
///
/// Formats are those of PostgreSQL's `*_send` functions: big-endian numbers, counts before arrays.
struct FieldDecoder {
    let bytes: UnsafeRawBufferPointer
    let type: UInt32

    static func bigEndian<Value: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0, as: Value.Type) -> Value? {
        guard offset >= 0, bytes.count - offset >= MemoryLayout<Value>.size else { return nil }
        return Value(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    var int64: Int64? {
        switch type {
        case TypeOID.int8: FieldDecoder.bigEndian(bytes, as: Int64.self)
        case TypeOID.int4: FieldDecoder.bigEndian(bytes, as: Int32.self).map(Int64.init)
        case TypeOID.int2: FieldDecoder.bigEndian(bytes, as: Int16.self).map(Int64.init)
        case TypeOID.oid: FieldDecoder.bigEndian(bytes, as: UInt32.self).map(Int64.init)
        case TypeOID.numeric: NumericText.decode(bytes).flatMap { Int64($0) }
        default: nil
        }
    }

    var bool: Bool? {
        type == TypeOID.bool && bytes.count == 1 ? bytes[0] != 0 : nil
    }

    var double: Double? {
        switch type {
        case TypeOID.float8: FieldDecoder.bigEndian(bytes, as: UInt64.self).map(Double.init(bitPattern:))
        case TypeOID.float4: FieldDecoder.bigEndian(bytes, as: UInt32.self).map { Double(Float(bitPattern: $0)) }
        case TypeOID.numeric: NumericText.decode(bytes).flatMap { Double($0) }
        default: int64.map(Double.init)
        }
    }

    /// Unix microseconds; a `date` counts from its midnight UTC.
    var timestamp: Int64? {
        switch type {
        case TypeOID.timestamptz, TypeOID.timestamp:
            return FieldDecoder.bigEndian(bytes, as: Int64.self).map(Timestamp.unixMicroseconds(fromPostgres:))
        case TypeOID.date:
            guard let days = FieldDecoder.bigEndian(bytes, as: Int32.self) else { return nil }
            if days == .max || days == .min { return days == .max ? .max : .min }
            return Int64(days) * 86_400_000_000 + Timestamp.postgresEpoch
        default: return nil
        }
    }

    /// The octets of a `bytea`, of text, or of a JSON document (without `jsonb`'s version octet).
    var octets: UnsafeRawBufferPointer? {
        if type == TypeOID.bytea || TypeOID.isText(type) { return bytes }
        guard type == TypeOID.jsonb, bytes.first == 1 else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    }

    /// Text of any type that has one obvious form; nil for others, which the statement casts with `::text`.
    var string: String? {
        switch type {
        case TypeOID.bytea: return nil
        case TypeOID.bool: return bool.map { $0 ? "true" : "false" }
        case TypeOID.int8, TypeOID.int4, TypeOID.int2, TypeOID.oid: return int64.map { String($0) }
        case TypeOID.float8: return double.map { $0.description }
        case TypeOID.float4: return double.map { Float($0).description }
        case TypeOID.numeric: return NumericText.decode(bytes)
        case TypeOID.uuid: return bytes.count == 16 ? hexadecimal(separator: "-", after: [4, 6, 8, 10]) : nil
        case TypeOID.macaddr: return bytes.count == 6 ? hexadecimal(separator: ":", after: [1, 2, 3, 4, 5]) : nil
        case TypeOID.macaddr8: return bytes.count == 8 ? hexadecimal(separator: ":", after: [1, 2, 3, 4, 5, 6, 7]) : nil
        case TypeOID.inet, TypeOID.cidr: return network
        case TypeOID.timestamptz, TypeOID.timestamp: return timestamp.map(Timestamp.text(microsecondsSinceUnixEpoch:))
        case TypeOID.date: return FieldDecoder.bigEndian(bytes, as: Int32.self).map(dateText)
        case TypeOID.void: return ""
        default: return octets.flatMap { String(validating: $0, as: UTF8.self) }
        }
    }

    private func dateText(_ days: Int32) -> String {
        if days == .max || days == .min { return days == .max ? "infinity" : "-infinity" }
        return Timestamp.dateText(daysSinceUnixEpoch: Int64(days) + Timestamp.postgresEpoch / 86_400_000_000)
    }

    private func hexadecimal(separator: String, after breaks: Set<Int>) -> String {
        var text = ""
        for (index, octet) in bytes.enumerated() {
            if breaks.contains(index) { text += separator }
            text += octet < 16 ? "0" + String(octet, radix: 16) : String(octet, radix: 16)
        }
        return text
    }

    /// `inet_send`: family, prefix length, is-cidr, octet count, octets.
    private var network: String? {
        guard bytes.count >= 4, [4, 16].contains(bytes[3]), bytes.count == 4 + Int(bytes[3]) else { return nil }
        let isIPv4 = bytes[3] == 4
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(isIPv4 ? AF_INET : AF_INET6, bytes.baseAddress?.advanced(by: 4), &text, socklen_t(text.count)) != nil
        else { return nil }
        let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let isWhole = bytes[1] == (isIPv4 ? 32 : 128)
        return isWhole && type == TypeOID.inet ? address : "\(address)/\(bytes[1])"
    }

    /// The elements of a one-dimensional array; nil for more dimensions.
    func elements<Element>(_ decode: (FieldDecoder) -> Element?) -> [Element]? {
        guard let dimensions = FieldDecoder.bigEndian(bytes, as: Int32.self), dimensions <= 1,
            let element = FieldDecoder.bigEndian(bytes, at: 8, as: UInt32.self)
        else { return nil }
        guard dimensions == 1 else { return [] }
        guard let count = FieldDecoder.bigEndian(bytes, at: 12, as: Int32.self), count >= 0 else { return nil }
        var result: [Element] = []
        var offset = 20
        for _ in 0..<count {
            guard let length = FieldDecoder.bigEndian(bytes, at: offset, as: Int32.self), length >= 0,
                bytes.count - offset - 4 >= Int(length)
            else { return nil }
            let field = UnsafeRawBufferPointer(rebasing: bytes[(offset + 4)..<(offset + 4 + Int(length))])
            guard let value = decode(FieldDecoder(bytes: field, type: element)) else { return nil }
            result.append(value)
            offset += 4 + Int(length)
        }
        return result
    }
}
