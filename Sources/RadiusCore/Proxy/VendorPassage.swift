/// How one Vendor-Specific attribute crosses from hop to hop: without what the filter keeps out, and with hidden values hidden anew.
struct VendorPassage {
    let filter: AttributeFilter
    let dictionary: RadiusDictionary
    /// Of a reply; nil where values cross as they are, or an `AttributeTranslation` behind it hides them anew.
    let hops: (from: Hop, to: Hop)?

    /// - Parameters:
    ///   - value: of the attribute in `packet`, its vendor in front.
    ///   - packet: holds it.
    ///   - salt: is counted on for each hidden value.
    /// - Returns: the value to send; nil when nothing of it may pass.
    /// - Throws: `hiddenValue`.
    func pass(_ value: Range<Int>, of packet: Span<UInt8>, salt: inout UInt16) throws(ProxyFault) -> [UInt8]? {
        let whole = Self.copy(value, of: packet)
        guard let attribute = VendorAttribute(value, in: packet) else { return filter.passes(VendorAttribute.type) ? whole : nil }
        let format = dictionary.vendor(attribute.vendor)?.format ?? VendorFormat()
        // What goes on in another attribute is not taken apart.
        guard !format.hasContinuation else { return filter.passes(vendor: attribute.vendor, nil) ? whole : nil }
        var result = Self.copy(value.lowerBound..<attribute.range.lowerBound, of: packet)
        let header = result.count
        var cursor = attribute.members(format)
        while let member = cursor.next(in: packet) {
            guard filter.passes(vendor: attribute.vendor, member.type) else { continue }
            let passed =
                format == VendorFormat() ? try rehidden(member, attribute.vendor, packet, &salt) : Self.copy(member.range, of: packet)
            let head = format.header(number: member.type, valueOctets: passed.count, continues: false)
            guard result.count + head.count + passed.count <= 253 else { throw .tooLarge }
            result += head + passed
        }
        // RFC 2865 §5.26: what is no attribute inside may be anything, also what the filter keeps out.
        if cursor.isMalformed, filter.passes(vendor: attribute.vendor, nil), !filter.namesMembers(of: attribute.vendor) { return whole }
        return result.count > header || whole.count == header ? result : nil
    }

    private func rehidden(
        _ member: AttributeCursor.Member, _ vendor: UInt32, _ packet: Span<UInt8>, _ salt: inout UInt16
    ) throws(ProxyFault) -> [UInt8] {
        let definition = dictionary.attribute(number: member.type, vendor: vendor)
        guard let hops else { return Self.copy(member.range, of: packet) }
        if definition?.encryption == .userPassword {
            return try hops.from.rehide(password: packet.extracting(member.range), for: hops.to)
        }
        if definition?.encryption == .ascendSecret {
            return try hops.from.rehide(ascend: packet.extracting(member.range), for: hops.to)
        }
        guard definition?.encryption == .tunnelPassword else { return Self.copy(member.range, of: packet) }
        return try Self.rehide(member.range, isTagged: definition?.isTagged == true, of: packet, hops.from, hops.to, &salt)
    }

    /// A salted value, its tag left in front.
    static func rehide(
        _ range: Range<Int>, isTagged: Bool, of packet: Span<UInt8>, _ from: Hop, _ to: Hop, _ salt: inout UInt16
    ) throws(ProxyFault) -> [UInt8] {
        let tagOctets = isTagged ? 1 : 0
        guard range.count > tagOctets else { throw .hiddenValue }
        salt &+= 1
        let start = range.lowerBound + tagOctets
        let hidden = try from.rehide(salted: packet.extracting(start..<range.upperBound), for: to, salt: salt)
        return copy(range.lowerBound..<start, of: packet) + hidden
    }

    static func copy(_ range: Range<Int>, of packet: Span<UInt8>) -> [UInt8] { range.map { packet[$0] } }
}
