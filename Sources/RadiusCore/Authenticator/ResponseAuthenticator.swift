/// The Response Authenticator of every reply (RFC 2865 §3).
///
/// MD5 over the reply, with the request's authenticator in place of its own, and the shared secret.
public enum ResponseAuthenticator {
    /// Writes octets 4..<20 of `reply`, whose other octets (Message-Authenticator among them) are final. At least 20 octets.
    public static func sign(_ reply: inout MutableSpan<UInt8>, requestAuthenticator: Digest16, secret: SharedSecret) {
        let digest = PacketDigest.compute(reply.span, authenticator: requestAuthenticator, secret: secret)
        PacketDigest.write(digest, into: &reply, at: 4)
    }

    /// Whether `reply` answers the request with that authenticator and comes from who knows the secret.
    ///
    /// Constant time in the digest. False for fewer than 20 octets.
    public static func verify(_ reply: Span<UInt8>, requestAuthenticator: Digest16, secret: SharedSecret) -> Bool {
        guard reply.count >= 20 else { return false }
        let expected = PacketDigest.compute(reply, authenticator: requestAuthenticator, secret: secret)
        return ConstantTime.equal(reply.extracting(4..<20), expected.span)
    }
}
