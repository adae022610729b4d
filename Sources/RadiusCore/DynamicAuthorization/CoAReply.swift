/// Reads replies to CoA and Disconnect requests; trusts nothing before it is verified.
enum CoAReply {
    /// Why a datagram is no answer.
    enum Rejection: UInt8, Error {
        case malformed, wrongCode, unverified
    }

    /// What `packet`, exactly and without padding, says to a request of `kind` with that Request Authenticator.
    /// `takesProtocolError`: it may say so by Protocol-Error, too (RFC 9765 §6.1).
    static func read(
        _ packet: Span<UInt8>, to kind: CoARequest.Kind, authenticator: Digest16, secret: SharedSecret, takesProtocolError: Bool = false,
        index: inout AttributeIndex
    ) throws(Rejection) -> CoAOutcome {
        let code = PacketCode(rawValue: packet[0])
        guard code == kind.ackCode || code == kind.nakCode || takesProtocolError && code == .protocolError else { throw .wrongCode }
        do { try index.fill(from: packet) } catch { throw .malformed }
        guard ResponseAuthenticator.verify(packet, requestAuthenticator: authenticator, secret: secret) else { throw .unverified }
        try verifyMessageAuthenticator(packet, authenticator: authenticator, secret: secret, index)
        if code == kind.ackCode { return .ack(attributes: octets(packet, PacketHeader.count..<packet.count)) }
        return .nak(errorCause: errorCause(packet, index))
    }

    /// One Message-Authenticator is checked, none is allowed, two are not (RFC 5176 §3.4).
    private static func verifyMessageAuthenticator(
        _ packet: Span<UInt8>, authenticator: Digest16, secret: SharedSecret, _ index: borrowing AttributeIndex
    ) throws(Rejection) {
        guard let position = index.position(of: AttributeNumber.messageAuthenticator) else { return }
        let found = index[position]
        guard found.count == 16, index.position(of: AttributeNumber.messageAuthenticator, from: position + 1) == nil else {
            throw .malformed
        }
        let isTrue = MessageAuthenticator.verify(packet, attributeOffset: found.start, authenticator: authenticator, secret: secret)
        guard isTrue else { throw .unverified }
    }

    private static func errorCause(_ packet: Span<UInt8>, _ index: borrowing AttributeIndex) -> UInt32? {
        guard let found = index.first(AttributeNumber.errorCause), found.count == 4 else { return nil }
        return octets(packet, found.range).reduce(0) { $0 << 8 | UInt32($1) }
    }

    static func octets(_ packet: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        range.map { packet[$0] }
    }
}

extension CoACounters {
    /// Counts a reply that is no answer to trust.
    mutating func add(_ rejection: CoAReply.Rejection) {
        switch rejection {
        case .malformed: malformed += 1
        case .wrongCode: wrongCode += 1
        case .unverified: unverified += 1
        }
    }
}
