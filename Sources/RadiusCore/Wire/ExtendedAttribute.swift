/// What stands inside one extended attribute (RFC 6929 §2.1, §2.2).
public struct ExtendedAttribute: Sendable {
    /// How an attribute's value begins.
    public enum Shape: Sendable {
        /// 241...244: one octet of Extended-Type.
        case short
        /// 245 and 246: Extended-Type, and an octet of flags.
        case long

        /// Octets between the attribute's Length and the value proper.
        public var headerOctets: Int { self == .short ? 1 : 2 }

        /// Octets of value that fit one attribute.
        public var largestValue: Int { 253 - headerOctets }
    }

    /// The Extended-Type that holds a vendor's attributes (RFC 6929 §2.4).
    public static let vendorSpecific: UInt8 = 26

    /// Extended-Type.
    public let number: UInt8
    /// The value goes on in the next attribute of the same Type and Extended-Type (RFC 6929 §2.2).
    public let continues: Bool
    /// Where the value lies in the packet; never empty.
    public let range: Range<Int>

    /// Reads the extended attribute at `location`; nil when it is too short to have a value, which RFC 6929 §2.1 calls invalid.
    public init?(_ location: AttributeLocation, _ shape: Shape, in packet: Span<UInt8>) {
        guard location.count > shape.headerOctets else { return nil }
        number = packet[location.offset]
        continues = shape == .long && packet[location.offset + 1] & 0x80 != 0
        range = location.offset + shape.headerOctets..<location.offset + location.count
    }

    /// The shape that RFC 6929 §3 gives to an attribute's number; nil outside 241...246.
    public static func shape(of type: UInt8) -> Shape? {
        switch type {
        case 241...244: .short
        case 245, 246: .long
        default: nil
        }
    }
}
