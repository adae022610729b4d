/// A packet as people read it.
public struct DecodedPacket: Hashable, Sendable {
    /// What a check of a digest came to.
    public enum Verdict: String, Hashable, Sendable {
        /// There is nothing to check: no Message-Authenticator, or the random authenticator of an Access-Request.
        case absent
        /// The secret, or a reply's request, is not known.
        case unchecked
        case valid
        /// Wrong secret, or an altered packet.
        case invalid
        /// Message-Authenticator has another length than 16, or stands there twice (RFC 2869 §5.14).
        case malformed
    }

    public var code: PacketCode
    public var identifier: UInt8
    /// The packet's Length field, 20 or more.
    public var length: Int
    /// Octets that arrived behind the packet (RFC 2865 §3).
    public var paddingOctets: Int
    /// Octets 4..<20.
    public var authenticator: [UInt8]
    public var packetAuthenticator: Verdict
    public var messageAuthenticator: Verdict
    /// The attributes in the packet's order.
    public var pairs: [AttributePair]
}

extension DecodedPacket: CustomStringConvertible {
    /// A line for the header, one for each attribute, and one for each digest that could be checked.
    public var description: String {
        var lines = ["\(code.name) id \(identifier) length \(length) authenticator \(OctetText.hexadecimal(authenticator))"]
        if paddingOctets > 0 { lines.append("# octets of padding behind the packet: \(paddingOctets)") }
        lines += pairs.map { $0.description }
        for (name, verdict) in [("authenticator", packetAuthenticator), ("Message-Authenticator", messageAuthenticator)]
        where verdict != .absent && verdict != .unchecked { lines.append("# \(name) \(verdict.rawValue)") }
        return lines.joined(separator: "\n")
    }
}

/// Whole packets as text.
public enum PacketText {
    /// Reads a packet: header, attributes, and what can be said of its digests.
    ///
    /// - Parameters:
    ///   - datagram: what arrived, padding included.
    ///   - dictionary: explains numbers.
    ///   - secret: what the peers share; reveals hidden values and checks digests.
    ///   - requestAuthenticator: for a reply, the authenticator of the request that it answers.
    ///   - limit: the largest packet; 65535 for what came over TCP (RFC 7930).
    /// - Returns: the packet, whatever its digests say.
    /// - Throws: why the packet is malformed (RFC 2865 §3, §5).
    public static func describe(
        _ datagram: Span<UInt8>, dictionary: RadiusDictionary, secret: SharedSecret? = nil, requestAuthenticator: Digest16? = nil,
        limit: Int = PacketHeader.maximumLength
    ) throws(DecodeError) -> DecodedPacket {
        let length = try PacketHeader.length(of: datagram, limit: limit)
        let packet = datagram.extracting(0..<length)
        let code = PacketCode(rawValue: packet[0])
        let own = Digest16 { packet[4 + $0] }
        let base = code.saltAuthenticator(own: own, request: requestAuthenticator)
        var keys: RevealKeys?
        if let secret, let base { keys = RevealKeys(secret: secret, authenticator: base) }
        let pairs = try AttributeDecoder.decode(packet, dictionary: dictionary, keys: keys, limit: limit)
        return DecodedPacket(
            code: code, identifier: packet[1], length: length, paddingOctets: datagram.count - length,
            authenticator: (0..<16).map { own[$0] }, packetAuthenticator: verdict(of: packet, code, secret, requestAuthenticator),
            messageAuthenticator: try messageVerdict(of: packet, secret, base), pairs: pairs)
    }

    private static func verdict(
        of packet: Span<UInt8>, _ code: PacketCode, _ secret: SharedSecret?, _ requestAuthenticator: Digest16?
    ) -> DecodedPacket.Verdict {
        if code.hasRandomAuthenticator { return .absent }
        guard let secret else { return .unchecked }
        if code.isSignedRequest { return RequestAuthenticator.verify(packet, secret: secret) ? .valid : .invalid }
        guard let requestAuthenticator else { return .unchecked }
        let isValid = ResponseAuthenticator.verify(packet, requestAuthenticator: requestAuthenticator, secret: secret)
        return isValid ? .valid : .invalid
    }

    private static func messageVerdict(
        of packet: Span<UInt8>, _ secret: SharedSecret?, _ base: Digest16?
    ) throws(DecodeError) -> DecodedPacket.Verdict {
        var index = AttributeIndex()
        try index.fill(from: packet)
        guard let position = index.position(of: AttributeNumber.messageAuthenticator) else { return .absent }
        let location = index[position]
        guard location.count == 16, index.position(of: location.type, from: position + 1) == nil else { return .malformed }
        guard let secret, let base else { return .unchecked }
        let isValid = MessageAuthenticator.verify(packet, attributeOffset: location.start, authenticator: base, secret: secret)
        return isValid ? .valid : .invalid
    }

    /// The octets of hexadecimal digits, as tools print packets: blanks and colons between them, and `0x` in front, are passed over.
    /// Nil for anything else.
    public static func octets(hexadecimal text: some StringProtocol) -> [UInt8]? {
        var digits = text.utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: ":") }[...]
        if digits.starts(with: "0x".utf8) || digits.starts(with: "0X".utf8) { digits = digits.dropFirst(2) }
        return Hexadecimal.octets(digits)
    }

    /// An authenticator from 32 hexadecimal digits.
    public static func authenticator(hexadecimal text: some StringProtocol) -> Digest16? {
        guard let octets = octets(hexadecimal: text), octets.count == 16 else { return nil }
        return Digest16 { octets[$0] }
    }
}

extension PacketCode {
    /// Access-Request and Status-Server: the authenticator is a random number (RFC 2865 §3, RFC 5997 §3).
    var hasRandomAuthenticator: Bool { self == .accessRequest || self == .statusServer }

    /// Requests whose authenticator is a digest over the packet (RFC 2866 §3, RFC 5176 §2.3).
    var isSignedRequest: Bool { self == .accountingRequest || self == .disconnectRequest || self == .coaRequest }

    /// The authenticator that hides values and stands in for the packet's own in Message-Authenticator; nil for a reply to an
    /// unknown request.
    func saltAuthenticator(own: Digest16, request: Digest16?) -> Digest16? {
        if hasRandomAuthenticator { return own }
        return isSignedRequest ? Digest16(repeating: 0) : request
    }
}
