/// How a path lies in a packet: which of its numbers make the attribute, and which are TLV levels inside it.
struct AttributeLayout {
    let dictionary: RadiusDictionary

    /// NAS-Filter-Rule: rules joined with NUL across attributes (RFC 4849 §2).
    static let filterRule = AttributePath(numbers: [92])

    /// The shape of the extended attributes with number `type`; the dictionary's word counts before RFC 6929's, since old
    /// equipment used these numbers otherwise.
    func shape(of type: UInt32) -> ExtendedAttribute.Shape? {
        guard let type = UInt8(exactly: type) else { return nil }
        switch dictionary.attribute(number: UInt32(type))?.type {
        case .extended: return .short
        case .longExtended: return .long
        case nil: return ExtendedAttribute.shape(of: type)
        default: return nil
        }
    }

    func format(of vendor: UInt32) -> VendorFormat {
        dictionary.vendor(vendor)?.format ?? VendorFormat()
    }

    /// TLV levels of `path` below its attribute.
    func levels(of path: AttributePath) -> Int {
        let isExtended = path.base == 0 && path.numbers.count > 1 && shape(of: path.numbers[0]) != nil
        return max(0, path.numbers.count - (isExtended ? 2 : 1))
    }

    /// Octets of value at `path` that fit one attribute, with the headers of the TLVs that it stands in.
    func largestValue(at path: AttributePath) -> Int {
        let levels = levels(of: path)
        guard levels == 0 else {
            var top = path
            top.numbers.removeLast(levels)
            return largestValue(at: top) - 2 * levels
        }
        if path.base == 26 { return format(of: path.vendor).largestValue }
        if path.base != 0 { return (shape(of: UInt32(path.base)) ?? .short).largestValue - 5 }
        guard path.numbers.count > 1, let shape = shape(of: path.numbers[0]) else { return 253 }
        return shape.largestValue
    }

    /// The whole attribute or attributes with the value `octets`, type and length in front; `path` has no TLV levels.
    func frame(_ octets: [UInt8], at path: AttributePath) throws(AttributeTextError.Reason) -> [UInt8] {
        guard let number = path.numbers.first else { throw .notOnTheWire }
        if path.base == 26 { return try vendor(octets, path.vendor, number) }
        if path.base != 0 {
            guard number <= 255, path.vendor >> 24 == 0, let shape = shape(of: UInt32(path.base)) else { throw .notOnTheWire }
            let value = NumberText.octets(UInt64(path.vendor), count: 4) + [UInt8(number)] + octets
            return try extended(value, path.base, ExtendedAttribute.vendorSpecific, shape)
        }
        guard let type = UInt8(exactly: number) else { throw .notOnTheWire }
        if path.numbers.count > 1 {
            guard let shape = shape(of: number), let inner = UInt8(exactly: path.numbers[1]) else { throw .notOnTheWire }
            return try extended(octets, type, inner, shape)
        }
        return try plain(octets, type)
    }

    private func plain(_ octets: [UInt8], _ type: UInt8) throws(AttributeTextError.Reason) -> [UInt8] {
        if octets.count <= 253 { return [type, UInt8(octets.count + 2)] + octets }
        let isRule = UInt32(type) == Self.filterRule.numbers[0]
        guard isRule || dictionary.attribute(number: UInt32(type))?.isConcatenated == true else {
            throw .tooLong(octets: octets.count, limit: 253)
        }
        return Self.pieces(octets, 253).flatMap { piece, _ in [type, UInt8(piece.count + 2)] + piece }
    }

    private func extended(
        _ octets: [UInt8], _ type: UInt8, _ inner: UInt8, _ shape: ExtendedAttribute.Shape
    ) throws(AttributeTextError.Reason) -> [UInt8] {
        guard !octets.isEmpty else { throw .emptyValue }
        if shape == .short {
            guard octets.count <= shape.largestValue else { throw .tooLong(octets: octets.count, limit: shape.largestValue) }
            return [type, UInt8(octets.count + 3), inner] + octets
        }
        return Self.pieces(octets, shape.largestValue).flatMap { piece, continues in
            [type, UInt8(piece.count + 4), inner, continues ? 0x80 : 0] + piece
        }
    }

    private func vendor(_ octets: [UInt8], _ vendor: UInt32, _ number: UInt32) throws(AttributeTextError.Reason) -> [UInt8] {
        let format = format(of: vendor)
        guard vendor >> 24 == 0, number <= format.largestNumber else { throw .notOnTheWire }
        let limit = format.largestValue
        guard octets.count <= limit || format.hasContinuation else { throw .tooLong(octets: octets.count, limit: limit) }
        return Self.pieces(octets, limit).flatMap { piece, continues in
            let header =
                NumberText.octets(UInt64(vendor), count: 4)
                + format.header(number: number, valueOctets: piece.count, continues: continues)
            return [VendorAttribute.type, UInt8(header.count + piece.count + 2)] + header + piece
        }
    }

    /// `octets` cut into pieces of at most `limit`, each with whether another follows; no octets make one empty piece.
    private static func pieces(_ octets: [UInt8], _ limit: Int) -> [(ArraySlice<UInt8>, Bool)] {
        if octets.isEmpty { return [([], false)] }
        return stride(from: 0, to: octets.count, by: limit).map { start in
            let end = min(start + limit, octets.count)
            return (octets[start..<end], end < octets.count)
        }
    }
}
