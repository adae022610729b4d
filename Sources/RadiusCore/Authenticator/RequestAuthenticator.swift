/// The Request Authenticator of packets that are signed as a whole: Accounting-Request (RFC 2866 §3), CoA-Request and
/// Disconnect-Request (RFC 5176 §2.3).
///
/// MD5 over the packet, with 16 zero octets in place of the authenticator, and the shared secret. A packet is the whole of it:
/// code, identifier, length, authenticator, attributes, and nothing behind them.
public enum RequestAuthenticator {
    /// Whether octets 4..<20 of `packet` are what its sender's secret makes of the rest.
    ///
    /// Constant time in the digest. False for fewer than 20 octets.
    public static func verify(_ packet: Span<UInt8>, secret: SharedSecret) -> Bool {
        guard packet.count >= 20 else { return false }
        let expected = PacketDigest.compute(packet, authenticator: Digest16(repeating: 0), secret: secret)
        return ConstantTime.equal(packet.extracting(4..<20), expected.span)
    }

    /// Writes octets 4..<20 of `packet`, whose other octets are final. At least 20 octets.
    public static func sign(_ packet: inout MutableSpan<UInt8>, secret: SharedSecret) {
        let digest = PacketDigest.compute(packet.span, authenticator: Digest16(repeating: 0), secret: secret)
        PacketDigest.write(digest, into: &packet, at: 4)
    }
}
