/// The checks between a parsed packet and any policy: who signed it, and whether it had to.
extension PacketPath {
    /// Message-Authenticator of an Access-Request, and the rules against CVE-2024-3596.
    func verifyAccess(_ packet: Span<UInt8>, from client: NASClient) throws(DecodeError) {
        counters.add(.accessRequests)
        let hasEAP = index.contains(AttributeNumber.eapMessage)
        let hasProxyState = index.contains(AttributeNumber.proxyState)
        let signed = try verifySignature(packet, from: client, authenticator: Self.authenticator(of: packet))
        if !signed {
            if hasEAP || client.demandsMessageAuthenticator { throw .messageAuthenticatorMissing }
            if hasProxyState && client.refusesUnsignedProxyState { throw .proxyStateUnsigned }
        }
        // EAP is always signed, so it says nothing about the client's other packets.
        if client.learns && !hasEAP { client.observation.learn(signed: signed, hasProxyState: hasProxyState) }
    }

    /// The Request Authenticator of an Accounting-Request (RFC 2866 §3), and Message-Authenticator where present.
    func verifyAccounting(_ packet: Span<UInt8>, from client: NASClient) throws(DecodeError) {
        counters.add(.accountingRequests)
        guard RequestAuthenticator.verify(packet, secret: client.secret) else { throw .requestAuthenticatorInvalid }
        _ = try verifySignature(packet, from: client, authenticator: Digest16(repeating: 0))
    }

    /// A Status-Server must be signed (RFC 5997 §3).
    func verifyStatus(_ packet: Span<UInt8>, from client: NASClient) throws(DecodeError) {
        guard try verifySignature(packet, from: client, authenticator: Self.authenticator(of: packet)) else {
            throw .messageAuthenticatorMissing
        }
    }

    /// - Returns: whether a Message-Authenticator is present; it then verifies.
    private func verifySignature(
        _ packet: Span<UInt8>, from client: NASClient, authenticator: Digest16
    ) throws(DecodeError) -> Bool {
        guard let position = index.position(of: AttributeNumber.messageAuthenticator) else { return false }
        let attribute = index[position]
        guard attribute.count == 16 else { throw .messageAuthenticatorLength }
        guard index.position(of: AttributeNumber.messageAuthenticator, from: position + 1) == nil else {
            throw .messageAuthenticatorRepeated
        }
        guard
            MessageAuthenticator.verify(
                packet, attributeOffset: attribute.start, authenticator: authenticator, secret: client.secret)
        else { throw .messageAuthenticatorInvalid }
        return true
    }
}
