/// PPP CHAP with MD5 (RFC 1994 §4.1) as CHAP-Password carries it (RFC 2865 §5.3).
public enum CHAP {
    /// Whether the peer knows the password: MD5(identifier, password, challenge) is what it answered.
    ///
    /// - Parameters:
    ///   - response: the value of CHAP-Password; one octet of identifier, 16 of answer.
    ///   - challenge: the value of CHAP-Challenge, else the Request Authenticator.
    ///   - password: the clear password.
    /// - Returns: whether the answer is the right one; constant time in the digest.
    /// - Throws: `DecodeError.chapLength` when `response` is not 17 octets or `challenge` is empty.
    public static func verify(
        response: Span<UInt8>, challenge: Span<UInt8>, password: Span<UInt8>
    ) throws(DecodeError) -> Bool {
        guard response.count == 17, !challenge.isEmpty else { throw .chapLength }
        var digest = MD5()
        digest.update(response.extracting(0..<1))
        digest.update(password)
        digest.update(challenge)
        let expected = digest.finish()
        return ConstantTime.equal(response.extracting(1..<17), expected.span)
    }
}
