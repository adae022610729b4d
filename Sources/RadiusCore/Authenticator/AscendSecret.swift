/// Ascend-Send-Secret and Ascend-Receive-Secret (`encrypt=3` in dictionaries): up to 16 octets XORed with
/// MD5(Request Authenticator, secret). Hiding and revealing are the same step.
public enum AscendSecret {
    /// Longest clear value, and the only length of a hidden one, in octets.
    public static let maximumCount = 16

    /// Hides a value of 0...16 octets, padded with zeros, into the first 16 octets of `hidden`. Returns 16.
    public static func hide(
        _ clear: Span<UInt8>, requestAuthenticator: Digest16, secret: SharedSecret, into hidden: inout MutableSpan<UInt8>
    ) -> Int {
        precondition(clear.count <= maximumCount)
        let pad = pad(requestAuthenticator, secret)
        for i in 0..<16 { hidden[i] = (i < clear.count ? clear[i] : 0) ^ pad[i] }
        return 16
    }

    /// Reveals a value into `clear`, at least 16 octets long. Returns its length without the zeros that end it, 0...16.
    ///
    /// - Throws: `DecodeError.passwordLength` unless `hidden` has 16 octets.
    public static func reveal(
        _ hidden: Span<UInt8>, requestAuthenticator: Digest16, secret: SharedSecret, into clear: inout MutableSpan<UInt8>
    ) throws(DecodeError) -> Int {
        guard hidden.count == 16 else { throw .passwordLength }
        let pad = pad(requestAuthenticator, secret)
        for i in 0..<16 { clear[i] = hidden[i] ^ pad[i] }
        var count = 16
        while count > 0, clear[count &- 1] == 0 { count &-= 1 }
        return count
    }

    private static func pad(_ authenticator: Digest16, _ secret: SharedSecret) -> Digest16 {
        var digest = MD5()
        digest.update(authenticator.span)
        digest.update(secret)
        return digest.finish()
    }
}
