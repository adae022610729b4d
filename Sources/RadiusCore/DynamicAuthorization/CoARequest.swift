/// Why a request cannot be made.
public enum CoARequestError: Error, Hashable, Sendable {
    /// Too little is known of the session for this vendor.
    case unidentified
    /// An attribute that must not stand in such a request, or that this server adds itself.
    case forbiddenAttribute(UInt8)
    /// The attributes to append do not parse.
    case malformedAttributes
    /// A value is longer than an attribute holds.
    case valueTooLong(UInt8)
    /// The packet would be longer than 4096 octets.
    case packetTooLong
    /// A hidden value of a home server's request cannot be revealed.
    case hiddenValue

    /// What to do, for the operator.
    public var message: String {
        switch self {
        case .unidentified:
            "The accounting of this NAS does not say enough to name the session. Make it send Acct-Session-Id or Framed-IP-Address."
        case .forbiddenAttribute(let number):
            "Attribute \(number) may not stand in a CoA-Request. Remove it from the profile's own attributes."
        case .malformedAttributes:
            "The attributes for the request do not parse. Correct the profile's own attributes."
        case .valueTooLong(let number):
            "The value of attribute \(number) is longer than 253 octets. The NAS's accounting sent it so; name the session otherwise."
        case .packetTooLong:
            "The request is longer than 4096 octets. Shorten the profile's own attributes."
        case .hiddenValue:
            "A hidden value of the home server's request cannot be revealed. Compare the secrets, and which attributes it hides."
        }
    }
}

/// One CoA-Request or Disconnect-Request before it has an identifier (RFC 5176 §2.1, §2.2).
public struct CoARequest: Hashable, Sendable {
    public enum Kind: UInt8, CaseIterable, Hashable, Sendable {
        case disconnect
        case coa

        public var code: PacketCode { self == .disconnect ? .disconnectRequest : .coaRequest }
        public var ackCode: PacketCode { self == .disconnect ? .disconnectACK : .coaACK }
        public var nakCode: PacketCode { self == .disconnect ? .disconnectNAK : .coaNAK }
    }

    public let kind: Kind
    /// Encoded attributes: identification first, then the change.
    public let attributes: [UInt8]

    /// Names the session as `vendor` wants it, and its NAS as a proxy before us does, and appends `change`: encoded attributes, which a
    /// Disconnect-Request leaves out.
    public init(_ kind: Kind, of session: SessionIdentity, at vendor: NASVendor, change: [UInt8] = []) throws(CoARequestError) {
        guard let keys = VendorIdentification.of(vendor).keys(for: session) else { throw .unidentified }
        var octets: [UInt8] = []
        for key in keys {
            guard let attribute = session.attribute(key) else { continue }
            guard attribute.value.count <= 253 else { throw .valueTooLong(attribute.number) }
            octets += [attribute.number, UInt8(attribute.value.count + 2)] + attribute.value
        }
        if let operatorNAS = session.operatorNAS, !operatorNAS.isEmpty {
            guard operatorNAS.count <= OperatorNASIdentifiers.longest else {
                throw .valueTooLong(AttributeNumber.extendedAttribute1)
            }
            octets += OperatorNASIdentifiers.attribute(operatorNAS)
        }
        try self.init(kind, attributes: octets + (kind == .coa ? change : []))
    }

    /// A request of attributes that the caller chose all.
    public init(_ kind: Kind, attributes: [UInt8]) throws(CoARequestError) {
        var cursor = AttributeCursor(0..<attributes.count)
        while let member = cursor.next(in: attributes.span) {
            let number = UInt8(truncatingIfNeeded: member.type)
            if Self.forbidden.contains(number) { throw .forbiddenAttribute(number) }
        }
        guard !cursor.isMalformed else { throw .malformedAttributes }
        guard attributes.count <= PacketHeader.maximumLength - PacketHeader.count - Self.reserve else { throw .packetTooLong }
        self.kind = kind
        self.attributes = attributes
    }

    /// The packet, signed (RFC 5176 §2.3, §3.4).
    ///
    /// Message-Authenticator stands first and is computed over a zero authenticator; the Request Authenticator then covers it.
    /// `timestamp` is seconds since 1970 for Event-Timestamp, by which the NAS knows a replay (RFC 5176 §6.3). A few devices
    /// refuse Message-Authenticator; for them `hasMessageAuthenticator` is false.
    public func encode(
        identifier: UInt8, timestamp: UInt32, secret: SharedSecret, hasMessageAuthenticator: Bool = true
    ) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: PacketHeader.count + Self.reserve + attributes.count)
        var writer = PacketWriter(octets.mutableSpan, code: kind.code, identifier: identifier)
        if hasMessageAuthenticator { writer.reserveMessageAuthenticator() }
        writer.append(encoded: attributes.span)
        writer.append(AttributeNumber.eventTimestamp, timestamp)
        let packet = writer.finish()
        octets.removeLast(octets.count - packet.count)
        var span = octets.mutableSpan
        if let offset = packet.messageAuthenticatorOffset {
            MessageAuthenticator.sign(&span, attributeOffset: offset, authenticator: Digest16(repeating: 0), secret: secret)
        }
        RequestAuthenticator.sign(&span, secret: secret)
        return octets
    }

    /// Octets of Message-Authenticator and Event-Timestamp.
    private static let reserve = 18 + 6

    /// Secrets, what RFC 5176 §3.6 keeps out of requests, and what `encode` adds.
    private static let forbidden: Set<UInt8> = [
        AttributeNumber.userPassword, AttributeNumber.chapPassword, AttributeNumber.acctTerminateCause, AttributeNumber.eventTimestamp,
        AttributeNumber.eapMessage, AttributeNumber.messageAuthenticator, AttributeNumber.errorCause,
    ]
}
