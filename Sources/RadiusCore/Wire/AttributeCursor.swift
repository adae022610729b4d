/// Walks a run of (type, length, value) inside a packet: the attributes themselves, or a vendor's sub-attributes.
///
/// Yields offsets from the packet's first octet, so a value is read by `packet.extracting(location.range)`. A run that does not
/// parse ends the walk and sets `isMalformed`; RFC 2865 §5.26 lets such vendor data stand as opaque octets.
public struct AttributeCursor: Sendable {
    private var offset: Int
    private let end: Int
    private let format: VendorFormat
    /// The walk met a length that lies.
    public private(set) var isMalformed = false

    /// - Parameters:
    ///   - range: where the run lies in the packet.
    ///   - format: octets of type and length; the standard's 1,1 unless a vendor differs.
    public init(_ range: Range<Int>, format: VendorFormat = VendorFormat()) {
        offset = range.lowerBound
        end = range.upperBound
        self.format = format
    }

    /// One member of the run.
    public struct Member: Sendable {
        public let type: UInt32
        public let range: Range<Int>
        /// WiMAX: the value goes on in the next member of the same type.
        public let continues: Bool
    }

    /// The next member, or nil at the end or at a malformed one.
    public mutating func next(in packet: Span<UInt8>) -> Member? {
        guard offset < end, end <= packet.count else { return nil }
        let typeOctets = Int(format.typeOctets)
        let headerOctets = typeOctets + Int(format.lengthOctets) + (format.hasContinuation ? 1 : 0)
        guard end - offset >= headerOctets else { return malformed() }
        let type = Self.number(in: packet, at: offset, octets: typeOctets)
        var length = end - offset
        if format.lengthOctets > 0 {
            length = Int(Self.number(in: packet, at: offset + typeOctets, octets: Int(format.lengthOctets)))
        }
        guard length >= headerOctets, length <= end - offset else { return malformed() }
        let continues = format.hasContinuation && packet[offset + headerOctets - 1] & 0x80 != 0
        let member = Member(type: type, range: offset + headerOctets..<offset + length, continues: continues)
        offset += length
        return member
    }

    private mutating func malformed() -> Member? {
        isMalformed = true
        offset = end
        return nil
    }

    private static func number(in packet: Span<UInt8>, at offset: Int, octets: Int) -> UInt32 {
        var value: UInt32 = 0
        for position in offset..<offset + octets { value = value << 8 | UInt32(packet[position]) }
        return value
    }
}
