/// Why octets are no EAP packet (RFC 3748 §4).
public enum EAPDecodeError: Error, Equatable, Sendable {
    /// Fewer than four octets, or a Length below four.
    case tooShort
    /// The Length promises more octets than arrived.
    case lengthBeyondMessage
    /// None of the four codes.
    case unknownCode
    /// A Request or Response without a Type, or an Expanded Type without its vendor and number.
    case typeMissing
    /// A Success or Failure with more than a header.
    case trailingOctets
}

/// One EAP packet (RFC 3748 §4).
public struct EAPPacket: Equatable, Sendable {
    public enum Code: UInt8, Sendable {
        case request = 1, response, success, failure
    }

    public static let headerCount = 4
    /// An Expanded Type takes this many octets, of which the first is 254.
    static let expandedCount = 8

    public let code: Code
    public let identifier: UInt8
    /// Nil for Success and Failure.
    public let type: EAPType?
    /// Whether the type was written as an Expanded Type, which says how a Nak is read.
    public let isExpanded: Bool
    /// What follows the type.
    public let data: [UInt8]

    private init(_ code: Code, _ identifier: UInt8, _ type: EAPType?, _ isExpanded: Bool, _ data: [UInt8]) {
        self.code = code
        self.identifier = identifier
        self.type = type
        self.isExpanded = isExpanded
        self.data = data
    }

    /// Reads a packet; octets behind its Length are padding (RFC 3748 §4.1).
    ///
    /// - Parameter octets: of any length and content.
    /// - Throws: `EAPDecodeError`.
    public init(_ octets: Span<UInt8>) throws(EAPDecodeError) {
        guard octets.count >= Self.headerCount else { throw .tooShort }
        let count = Int(octets[2]) << 8 | Int(octets[3])
        guard count >= Self.headerCount else { throw .tooShort }
        guard count <= octets.count else { throw .lengthBeyondMessage }
        guard let code = Code(rawValue: octets[0]) else { throw .unknownCode }
        if code == .success || code == .failure {
            guard count == Self.headerCount else { throw .trailingOctets }
            self.init(code, octets[1], nil, false, [])
            return
        }
        guard count > Self.headerCount else { throw .typeMissing }
        guard octets[4] == EAPType.expanded else {
            self.init(code, octets[1], EAPType(UInt32(octets[4])), false, Self.copy(octets, 5..<count))
            return
        }
        let end = Self.headerCount + Self.expandedCount
        guard count >= end else { throw .typeMissing }
        let type = Self.expandedType(Self.copy(octets, 4..<end)[...])
        self.init(code, octets[1], type, true, Self.copy(octets, end..<count))
    }

    /// The type in eight octets of which the first is 254.
    static func expandedType(_ octets: ArraySlice<UInt8>) -> EAPType {
        let vendor = octets.dropFirst().prefix(3).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return EAPType(vendor: vendor, octets.dropFirst(4).prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }

    private static func copy(_ octets: Span<UInt8>, _ range: Range<Int>) -> [UInt8] { range.map { octets[$0] } }

    /// The octets of a Request or Response of an IETF type, whose number is below 254.
    static func octets(_ code: Code, _ identifier: UInt8, _ type: EAPType, _ data: [UInt8]) -> [UInt8] {
        precondition(type.vendor == 0 && type.number < UInt32(EAPType.expanded))
        let count = headerCount + 1 + data.count
        precondition(count <= Int(UInt16.max))
        return [code.rawValue, identifier, UInt8(count >> 8), UInt8(count & 0xff), UInt8(type.number)] + data
    }

    /// The octets of a Success or Failure; its identifier is that of the Response that it ends (RFC 3748 §4.2).
    static func octets(_ code: Code, _ identifier: UInt8) -> [UInt8] { [code.rawValue, identifier, 0, UInt8(headerCount)] }
}

extension PacketWriter {
    /// Appends an EAP packet as EAP-Message attributes of at most 253 octets each (RFC 3579 §3.1).
    @_lifetime(self: copy self)
    mutating func append(eap packet: [UInt8]) {
        var start = 0
        while start < packet.count {
            let end = min(packet.count, start + 253)
            append(AttributeNumber.eapMessage, packet.span.extracting(start..<end))
            start = end
        }
    }
}
