/// What stands inside one Vendor-Specific attribute (RFC 2865 §5.26).
public struct VendorAttribute: Sendable {
    /// The number of Vendor-Specific.
    public static let type: UInt8 = 26
    /// IANA Private Enterprise Number, below 2^24.
    public let vendor: UInt32
    /// Where the vendor's own octets lie in the packet.
    public let range: Range<Int>

    /// Reads the vendor of the Vendor-Specific attribute at `location`.
    ///
    /// Nil when the value has fewer than four octets or the highest of them is not zero; such a value is opaque.
    public init?(_ location: AttributeLocation, in packet: Span<UInt8>) {
        self.init(location.range, in: packet)
    }

    /// Reads a vendor in front of `range`: a Vendor-Specific attribute's value, or an extended one's (RFC 6929 §2.4).
    init?(_ range: Range<Int>, in octets: Span<UInt8>) {
        guard range.count >= 4, octets[range.lowerBound] == 0 else { return nil }
        var number: UInt32 = 0
        for position in range.lowerBound + 1..<range.lowerBound + 4 { number = number << 8 | UInt32(octets[position]) }
        vendor = number
        self.range = range.lowerBound + 4..<range.upperBound
    }

    /// The vendor's sub-attributes.
    public func members(_ format: VendorFormat = VendorFormat()) -> AttributeCursor {
        AttributeCursor(range, format: format)
    }

    /// Where the first sub-attribute `number` of `vendor` lies in the packet that `index` describes; allocates nothing.
    ///
    /// What follows a length that lies is passed over.
    public static func first(
        _ number: UInt32, of vendor: UInt32, format: VendorFormat = VendorFormat(), in packet: Span<UInt8>,
        _ index: borrowing AttributeIndex
    ) -> Range<Int>? {
        var position = index.position(of: type)
        while let found = position {
            if let attribute = VendorAttribute(index[found], in: packet), attribute.vendor == vendor {
                var cursor = attribute.members(format)
                while let member = cursor.next(in: packet) {
                    if member.type == number { return member.range }
                }
            }
            position = index.position(of: type, from: found + 1)
        }
        return nil
    }
}

extension VendorFormat {
    /// Octets in front of a sub-attribute's value.
    var headerOctets: Int { Int(typeOctets) + Int(lengthOctets) + (hasContinuation ? 1 : 0) }

    /// The largest number of a sub-attribute.
    var largestNumber: UInt32 { typeOctets >= 4 ? .max : UInt32(1) << (8 * UInt32(typeOctets)) - 1 }

    /// Octets of value that fit one Vendor-Specific attribute.
    var largestValue: Int { 253 - 4 - headerOctets }

    /// A sub-attribute's header.
    func header(number: UInt32, valueOctets: Int, continues: Bool) -> [UInt8] {
        var octets = NumberText.octets(UInt64(number), count: Int(typeOctets))
        octets += NumberText.octets(UInt64(headerOctets + valueOctets), count: Int(lengthOctets))
        if hasContinuation { octets.append(continues ? 0x80 : 0) }
        return octets
    }
}
