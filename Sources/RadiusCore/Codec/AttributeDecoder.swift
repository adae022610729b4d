/// Makes attributes readable: every value of every packet that parses, one way or the other.
///
/// Whatever a dictionary does not explain, and whatever is malformed inside an attribute, stays visible as octets under an `Attr-...`
/// name. For tools and logs; it allocates.
public enum AttributeDecoder {
    /// The attributes of a packet, in its order.
    ///
    /// - Parameters:
    ///   - packet: header first; octets beyond its Length are padding.
    ///   - dictionary: explains numbers.
    ///   - keys: reveal hidden values; without them those stay hidden.
    ///   - limit: the largest packet; 65535 for what came over TCP (RFC 7930).
    /// - Returns: a pair for each value; several for a TLV, one for values that go on.
    /// - Throws: why the packet as a whole is malformed (RFC 2865 §3, §5).
    public static func decode(
        _ packet: Span<UInt8>, dictionary: RadiusDictionary, keys: RevealKeys? = nil, limit: Int = PacketHeader.maximumLength
    ) throws(DecodeError) -> [AttributePair] {
        let length = try PacketHeader.length(of: packet, limit: limit)
        let packet = packet.extracting(0..<length)
        var index = AttributeIndex()
        try index.fill(from: packet)
        var walk = AttributeWalk(packet, index, dictionary, keys)
        return walk.run()
    }

    /// The attributes of a run without a header, such as `AttributeEncoder` makes.
    public static func decode(
        attributes: Span<UInt8>, dictionary: RadiusDictionary, keys: RevealKeys? = nil
    ) throws(DecodeError) -> [AttributePair] {
        guard attributes.count <= 65_535 - PacketHeader.count else { throw .lengthOutOfRange }
        var packet = [UInt8](repeating: 0, count: PacketHeader.count)
        for position in attributes.indices { packet.append(attributes[position]) }
        var index = AttributeIndex()
        try index.fill(from: packet.span)
        var walk = AttributeWalk(packet.span, index, dictionary, keys)
        return walk.run()
    }
}

/// One pass over a packet's attributes.
struct AttributeWalk {
    let packet: [UInt8]
    let locations: [AttributeLocation]
    let values: AttributeValueDecoder
    private(set) var pairs: [AttributePair] = []

    init(_ packet: Span<UInt8>, _ index: borrowing AttributeIndex, _ dictionary: RadiusDictionary, _ keys: RevealKeys?) {
        self.packet = packet.indices.map { packet[$0] }
        var locations: [AttributeLocation] = []
        locations.reserveCapacity(index.count)
        for position in 0..<index.count { locations.append(index[position]) }
        self.locations = locations
        values = AttributeValueDecoder(layout: AttributeLayout(dictionary: dictionary), keys: keys)
    }

    mutating func run() -> [AttributePair] {
        var position = 0
        while position < locations.count { position += step(at: position) }
        return pairs
    }

    /// Decodes the attribute at `position` and those that go on with it. Returns how many they were.
    private mutating func step(at position: Int) -> Int {
        let location = locations[position]
        let definition = values.dictionary.attribute(number: UInt32(location.type))
        if location.type == VendorAttribute.type, (definition?.type ?? .vsa) == .vsa { return vendor(at: position) }
        if let shape = values.layout.shape(of: UInt32(location.type)) { return extended(at: position, shape) }
        let path = AttributePath(numbers: [UInt32(location.type)])
        if definition?.isConcatenated == true { return joined(at: position, path) }
        if path == AttributeLayout.filterRule, definition?.type == .string { return rules(at: position, path) }
        emit(Array(packet[location.range]), at: path)
        return 1
    }

    private mutating func emit(_ octets: [UInt8], at path: AttributePath) {
        pairs += values.decode(octets, at: path)
    }

    /// Leaves `count` attributes as they are.
    private mutating func unexplained(at position: Int, count: Int = 1) -> Int {
        for location in locations[position..<position + count] {
            pairs.append(AttributePair(unnamed: AttributePath(numbers: [UInt32(location.type)]), Array(packet[location.range])))
        }
        return count
    }

    // MARK: concatenated attributes

    /// Attributes of one number that stand side by side.
    private func neighbours(at position: Int) -> ArraySlice<AttributeLocation> {
        let type = locations[position].type
        let end = locations[position...].firstIndex { $0.type != type } ?? locations.count
        return locations[position..<end]
    }

    private mutating func joined(at position: Int, _ path: AttributePath) -> Int {
        let parts = neighbours(at: position)
        emit(parts.flatMap { packet[$0.range] }, at: path)
        return parts.count
    }

    /// NAS-Filter-Rule: the values joined, then cut at each NUL (RFC 4849 §2). Empty rules say nothing and go, unless all are empty.
    private mutating func rules(at position: Int, _ path: AttributePath) -> Int {
        let parts = neighbours(at: position)
        let text = parts.flatMap { packet[$0.range] }
        let rules = text.split(separator: 0)
        for rule in rules.isEmpty ? [[]] : rules { emit(Array(rule), at: path) }
        return parts.count
    }

    // MARK: extended attributes

    private mutating func extended(at position: Int, _ shape: ExtendedAttribute.Shape) -> Int {
        guard let first = ExtendedAttribute(locations[position], shape, in: packet.span) else { return unexplained(at: position) }
        var octets = Array(packet[first.range])
        var count = 1
        var continues = first.continues
        while continues {
            guard position + count < locations.count, locations[position + count].type == locations[position].type,
                let next = ExtendedAttribute(locations[position + count], shape, in: packet.span), next.number == first.number
            else { return unexplained(at: position, count: count) }
            octets += packet[next.range]
            continues = next.continues
            count += 1
        }
        let path = AttributePath(numbers: [UInt32(locations[position].type), UInt32(first.number)])
        if first.number == ExtendedAttribute.vendorSpecific {
            extendedVendor(octets, at: path)
        } else {
            emit(octets, at: path)
        }
        return count
    }

    /// A vendor's attribute inside an extended one: vendor, one octet of number, value (RFC 6929 §2.4).
    private mutating func extendedVendor(_ octets: [UInt8], at path: AttributePath) {
        guard let attribute = VendorAttribute(0..<octets.count, in: octets.span), let number = octets[attribute.range].first else {
            pairs.append(AttributePair(unnamed: path, octets))
            return
        }
        let inner = AttributePath(base: UInt8(path.numbers[0]), vendor: attribute.vendor, numbers: [UInt32(number)])
        emit(Array(octets[attribute.range].dropFirst()), at: inner)
    }

    // MARK: vendor attributes

    private struct VendorMembers {
        let vendor: UInt32
        let members: [AttributeCursor.Member]
    }

    /// The sub-attributes of the Vendor-Specific at `position`; nil when it has none or one that does not parse.
    private func members(at position: Int) -> VendorMembers? {
        let span = packet.span
        guard let attribute = VendorAttribute(locations[position], in: span) else { return nil }
        var cursor = attribute.members(values.layout.format(of: attribute.vendor))
        var members: [AttributeCursor.Member] = []
        while let member = cursor.next(in: span) { members.append(member) }
        // Only the last may go on in the next attribute.
        if cursor.isMalformed || members.isEmpty || members.dropLast().contains(where: { $0.continues }) { return nil }
        return VendorMembers(vendor: attribute.vendor, members: members)
    }

    /// Sub-attributes of this attribute, and of those behind it that carry on a WiMAX value.
    private mutating func vendor(at position: Int) -> Int {
        guard let first = members(at: position) else { return unexplained(at: position) }
        var all = first.members
        var count = 1
        while let open = all.last, open.continues {
            guard position + count < locations.count, locations[position + count].type == VendorAttribute.type,
                let next = members(at: position + count), next.vendor == first.vendor, next.members[0].type == open.type
            else { return unexplained(at: position, count: count) }
            all += next.members
            count += 1
        }
        var octets: [UInt8] = []
        for member in all {
            octets += packet[member.range]
            if member.continues { continue }
            emit(octets, at: AttributePath(base: VendorAttribute.type, vendor: first.vendor, numbers: [member.type]))
            octets = []
        }
        return count
    }
}
