/// Message-Authenticator: HMAC-MD5 over the whole packet with the attribute's own value as zeros (RFC 2869 §5.14, RFC 3579 §3.2).
///
/// `attributeOffset` is where the attribute's type octet stands, from the packet's first octet; its 18 octets lie inside the packet.
/// `authenticator` is what stands in octets 4..<20 for the computation: an Access-Request's and a Status-Server's own; the
/// request's for a reply; zeros for Accounting, CoA and Disconnect requests (RFC 5176 §3.4).
public enum MessageAuthenticator {
    /// The value that the attribute must have.
    public static func compute(
        _ packet: Span<UInt8>, attributeOffset: Int, authenticator: Digest16, secret: SharedSecret
    ) -> Digest16 {
        precondition(attributeOffset >= 20 && attributeOffset <= packet.count &- 18)
        var code = HMACMD5(key: secret.hmacKey)
        code.update(packet.extracting(0..<4))
        code.update(authenticator.span)
        code.update(packet.extracting(20..<(attributeOffset &+ 2)))
        let zeros = Digest16(repeating: 0)
        code.update(zeros.span)
        code.update(packet.extracting((attributeOffset &+ 18)..<packet.count))
        return code.finish()
    }

    /// Whether the attribute at `attributeOffset` has the value that the secret demands.
    ///
    /// Constant time in the digest. False when no 18 octets stand at the offset.
    public static func verify(
        _ packet: Span<UInt8>, attributeOffset: Int, authenticator: Digest16, secret: SharedSecret
    ) -> Bool {
        guard attributeOffset >= 20, attributeOffset <= packet.count &- 18 else { return false }
        let expected = compute(packet, attributeOffset: attributeOffset, authenticator: authenticator, secret: secret)
        return ConstantTime.equal(packet.extracting((attributeOffset &+ 2)..<(attributeOffset &+ 18)), expected.span)
    }

    /// Writes the attribute's value. Everything else but the authenticator of a packet that is signed later is final by now.
    public static func sign(
        _ packet: inout MutableSpan<UInt8>, attributeOffset: Int, authenticator: Digest16, secret: SharedSecret
    ) {
        let code = compute(packet.span, attributeOffset: attributeOffset, authenticator: authenticator, secret: secret)
        PacketDigest.write(code, into: &packet, at: attributeOffset &+ 2)
    }
}
