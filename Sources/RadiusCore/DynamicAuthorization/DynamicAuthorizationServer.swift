/// Why a server drops a CoA-Request or Disconnect-Request without an answer (RFC 5176 §2.3, §6.3).
public enum DynamicAuthorizationError: Error, Hashable, Sendable {
    case packet(DecodeError)
    /// Event-Timestamp lies outside the window: a replay, or clocks that differ.
    case staleTimestamp
}

/// The NAS's side of RFC 5176: verifies requests and builds answers. A value without sockets or clock.
public struct DynamicAuthorizationServer: Sendable {
    private let secret: SharedSecret
    private let timestampWindowSeconds: UInt32
    private let requiresMessageAuthenticator: Bool

    /// Event-Timestamp may be off by `timestampWindowSeconds`; RFC 5176 §6.3 gives 300.
    public init(secret: SharedSecret, timestampWindowSeconds: UInt32 = 300, requiresMessageAuthenticator: Bool = false) {
        self.secret = secret
        self.timestampWindowSeconds = timestampWindowSeconds
        self.requiresMessageAuthenticator = requiresMessageAuthenticator
    }

    /// A request that verified.
    public struct Request: Sendable {
        public let kind: CoARequest.Kind
        public let identifier: UInt8
        /// Its Request Authenticator; with the identifier it tells a repetition from a new request.
        public let authenticator: [UInt8]
        /// Encoded attributes.
        public let attributes: [UInt8]

        /// The value of the first attribute with that number.
        public func value(_ number: UInt8) -> [UInt8]? {
            var cursor = AttributeCursor(0..<attributes.count)
            while let member = cursor.next(in: attributes.span) {
                if member.type == UInt32(number) { return Array(attributes[member.range]) }
            }
            return nil
        }

        /// Whether every attribute of the request that identifies NAS or session fits `session` (RFC 5176 §3).
        ///
        /// - Returns: nil when it fits; else the cause to refuse with: 402 when no attribute names a session, 403 when another NAS
        ///   is meant, 503 when another session is.
        public func mismatch(with session: SessionIdentity) -> ErrorCause? {
            var namesSession = false
            for key in IdentityKey.allCases {
                let isNAS = key == .nasAddress || key == .nasIdentifier
                let numbers = key == .nasAddress ? [AttributeNumber.nasIPAddress, AttributeNumber.nasIPv6Address] : [key.number]
                for number in numbers {
                    guard let asked = value(number) else { continue }
                    let own = session.attribute(key)
                    guard let own, own.number == number, own.value == asked else {
                        return isNAS ? .nasIdentificationMismatch : .sessionContextNotFound
                    }
                    if !isNAS { namesSession = true }
                }
            }
            return namesSession ? nil : .missingAttribute
        }
    }

    /// Checks length, code, Request Authenticator, Message-Authenticator and Event-Timestamp of a datagram as it arrived.
    ///
    /// `now` is seconds since 1970. Errors: why the datagram is to be dropped without an answer.
    public func verify(_ datagram: Span<UInt8>, now: UInt32) throws(DynamicAuthorizationError) -> Request {
        let request: Request
        do throws(DecodeError) {
            request = try authenticated(datagram.extracting(0..<(try PacketHeader.length(of: datagram))))
        } catch {
            throw .packet(error)
        }
        guard isTimely(request, now) else { throw .staleTimestamp }
        return request
    }

    private func authenticated(_ packet: Span<UInt8>) throws(DecodeError) -> Request {
        guard let kind = CoARequest.Kind.allCases.first(where: { $0.code.rawValue == packet[0] }) else { throw .unsupportedCode }
        var index = AttributeIndex()
        try index.fill(from: packet)
        guard RequestAuthenticator.verify(packet, secret: secret) else { throw .requestAuthenticatorInvalid }
        if let position = index.position(of: AttributeNumber.messageAuthenticator) {
            let found = index[position]
            guard found.count == 16 else { throw .messageAuthenticatorLength }
            guard index.position(of: AttributeNumber.messageAuthenticator, from: position + 1) == nil else {
                throw .messageAuthenticatorRepeated
            }
            let zeros = Digest16(repeating: 0)
            guard MessageAuthenticator.verify(packet, attributeOffset: found.start, authenticator: zeros, secret: secret) else {
                throw .messageAuthenticatorInvalid
            }
        } else if requiresMessageAuthenticator {
            throw .messageAuthenticatorMissing
        }
        return Request(
            kind: kind, identifier: packet[1], authenticator: CoAReply.octets(packet, 4..<20),
            attributes: CoAReply.octets(packet, PacketHeader.count..<packet.count))
    }

    private func isTimely(_ request: Request, _ now: UInt32) -> Bool {
        guard let value = request.value(AttributeNumber.eventTimestamp) else { return true }
        guard value.count == 4 else { return false }
        let sent = value.reduce(0) { $0 << 8 | UInt32($1) }
        return max(sent, now) - min(sent, now) <= timestampWindowSeconds
    }

    /// The ACK; `attributes` are encoded and stand behind Proxy-State.
    public func acknowledge(_ request: Request, attributes: [UInt8] = []) -> [UInt8] {
        reply(request, code: request.kind.ackCode, attributes: attributes)
    }

    /// The NAK with its Error-Cause (RFC 5176 §3.5).
    public func refuse(_ request: Request, cause: ErrorCause?) -> [UInt8] {
        guard let cause else { return reply(request, code: request.kind.nakCode, attributes: []) }
        let value = withUnsafeBytes(of: cause.rawValue.bigEndian) { Array($0) }
        return reply(request, code: request.kind.nakCode, attributes: [AttributeNumber.errorCause, 6] + value)
    }

    /// Signs a reply; Proxy-State is returned as it came (RFC 5176 §3.1), Message-Authenticator when the request had one.
    private func reply(_ request: Request, code: PacketCode, attributes: [UInt8]) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: PacketHeader.maximumLength)
        var writer = PacketWriter(octets.mutableSpan, code: code, identifier: request.identifier)
        if request.value(AttributeNumber.messageAuthenticator) != nil { writer.reserveMessageAuthenticator() }
        var cursor = AttributeCursor(0..<request.attributes.count)
        while let member = cursor.next(in: request.attributes.span) {
            guard member.type == UInt32(AttributeNumber.proxyState) else { continue }
            writer.append(AttributeNumber.proxyState, request.attributes.span.extracting(member.range))
        }
        writer.append(encoded: attributes.span)
        let packet = writer.finish()
        octets.removeLast(octets.count - packet.count)
        var span = octets.mutableSpan
        let authenticator = Digest16 { request.authenticator[$0] }
        if let offset = packet.messageAuthenticatorOffset {
            MessageAuthenticator.sign(&span, attributeOffset: offset, authenticator: authenticator, secret: secret)
        }
        ResponseAuthenticator.sign(&span, requestAuthenticator: authenticator, secret: secret)
        return octets
    }
}

extension IdentityKey {
    /// The attribute's number; NAS-IP-Address for an address of the NAS.
    var number: UInt8 {
        switch self {
        case .userName: AttributeNumber.userName
        case .nasAddress: AttributeNumber.nasIPAddress
        case .framedIPAddress: AttributeNumber.framedIPAddress
        case .callingStationID: AttributeNumber.callingStationID
        case .nasIdentifier: AttributeNumber.nasIdentifier
        case .acctSessionID: AttributeNumber.acctSessionID
        case .nasPortID: AttributeNumber.nasPortID
        }
    }
}
