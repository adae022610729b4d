/// Hides and reveals User-Password (RFC 2865 §5.2); MS-CHAP-MPPE-Keys is hidden the same way (RFC 2548 §2.4.1).
///
/// The password is padded with zeros to a multiple of 16 octets, at most 128, and XORed with a chain of MD5 digests.
public enum UserPassword {
    /// Longest password, and longest hidden value, in octets.
    public static let maximumCount = 128

    /// Reveals the password in `hidden`.
    ///
    /// - Parameters:
    ///   - hidden: the attribute's value.
    ///   - requestAuthenticator: octets 4..<20 of the request that carries it.
    ///   - secret: what the client shares.
    ///   - clear: receives the password; at least as long as `hidden`. The octets behind the password become zeros.
    /// - Returns: octets of the password, without the zeros that end it; 0...128.
    /// - Throws: `DecodeError.passwordLength` unless `hidden` has 16...128 octets in steps of 16.
    public static func reveal(
        _ hidden: Span<UInt8>, requestAuthenticator: Digest16, secret: SharedSecret, into clear: inout MutableSpan<UInt8>
    ) throws(DecodeError) -> Int {
        guard hidden.count >= 16, hidden.count <= maximumCount, hidden.count & 15 == 0 else { throw .passwordLength }
        var chain = PadChain(secret: secret, authenticator: requestAuthenticator)
        var start = 0
        while true {
            for i in 0..<16 { clear[start &+ i] = hidden[start &+ i] ^ chain.pad[i] }
            if start &+ 16 == hidden.count { break }
            chain.advance(over: hidden.extracting(start..<(start &+ 16)))
            start &+= 16
        }
        var count = hidden.count
        while count > 0, clear[count &- 1] == 0 { count &-= 1 }
        return count
    }

    /// Hides a password.
    ///
    /// - Parameters:
    ///   - clear: the password; 0...128 octets.
    ///   - requestAuthenticator: octets 4..<20 of the request that will carry it.
    ///   - secret: what the peer shares.
    ///   - hidden: receives the attribute's value; at least `clear.count` rounded up to 16, and 16, long.
    /// - Returns: octets written; 16...128 in steps of 16.
    public static func hide(
        _ clear: Span<UInt8>, requestAuthenticator: Digest16, secret: SharedSecret, into hidden: inout MutableSpan<UInt8>
    ) -> Int {
        precondition(clear.count <= maximumCount)
        let total = max(16, (clear.count &+ 15) & ~15)
        var chain = PadChain(secret: secret, authenticator: requestAuthenticator)
        var start = 0
        while true {
            for i in 0..<16 { hidden[start &+ i] = (start &+ i < clear.count ? clear[start &+ i] : 0) ^ chain.pad[i] }
            if start &+ 16 == total { return total }
            chain.advance(over: hidden.span.extracting(start..<(start &+ 16)))
            start &+= 16
        }
    }
}
