/// Salt encryption: Tunnel-Password (RFC 2868 §3.5) and MS-MPPE-Send-Key and MS-MPPE-Recv-Key (RFC 2548 §2.4.2, §2.4.3).
///
/// A salted value is the salt's two octets and, in steps of 16, the hidden octets of: a length octet, the value, zeros.
/// Tunnel-Password's tag stands before the salt and is none of this. `authenticator` is the request's for a reply to it; 16 zero
/// octets inside requests that are themselves signed (Accounting, CoA, Disconnect).
public enum SaltEncryption {
    /// Longest clear value, in octets: what fits an attribute beside tag, salt and length octet.
    public static let maximumCount = 239

    /// Hides a value.
    ///
    /// - Parameters:
    ///   - clear: 0...239 octets.
    ///   - salt: unique within the packet; its highest bit is set here.
    ///   - authenticator: see above.
    ///   - secret: what the peer shares.
    ///   - salted: receives salt and hidden octets; at least 2 + (`clear.count` + 1 rounded up to 16) long.
    /// - Returns: octets written; 18...242.
    public static func hide(
        _ clear: Span<UInt8>, salt: UInt16, authenticator: Digest16, secret: SharedSecret, into salted: inout MutableSpan<UInt8>
    ) -> Int {
        precondition(clear.count <= maximumCount)
        let marked = salt | 0x8000
        salted[0] = UInt8(truncatingIfNeeded: marked &>> 8)
        salted[1] = UInt8(truncatingIfNeeded: marked)
        let total = 2 &+ ((clear.count &+ 16) & ~15)
        var chain = PadChain(secret: secret, authenticator: authenticator, salt: marked)
        var start = 2
        while true {
            for i in 0..<16 { salted[start &+ i] = octet(start &- 2 &+ i, of: clear) ^ chain.pad[i] }
            if start &+ 16 == total { return total }
            chain.advance(over: salted.span.extracting(start..<(start &+ 16)))
            start &+= 16
        }
    }

    /// Reveals a value.
    ///
    /// - Parameters:
    ///   - salted: begins with the salt, whose highest bit is not insisted on.
    ///   - authenticator: see above.
    ///   - secret: what the peer shares.
    ///   - clear: receives the value; at least `salted.count - 3` long. What the length octet leaves out is not written.
    /// - Returns: octets of the value, 0...239.
    /// - Throws: `DecodeError.saltedValueLength` unless 16...240 octets in steps of 16 follow the salt and the length octet, once
    ///   revealed, stays within them.
    public static func reveal(
        _ salted: Span<UInt8>, authenticator: Digest16, secret: SharedSecret, into clear: inout MutableSpan<UInt8>
    ) throws(DecodeError) -> Int {
        guard salted.count >= 18, salted.count <= 242, salted.count & 15 == 2 else { throw .saltedValueLength }
        let salt = UInt16(salted[0]) &<< 8 | UInt16(salted[1])
        var chain = PadChain(secret: secret, authenticator: authenticator, salt: salt)
        let count = Int(salted[2] ^ chain.pad[0])
        guard count <= salted.count &- 3 else { throw .saltedValueLength }
        var block = 2
        for position in 0..<count {
            let at = position &+ 3
            if at &- block == 16 {
                chain.advance(over: salted.extracting(block..<at))
                block = at
            }
            clear[position] = salted[at] ^ chain.pad[at &- block]
        }
        return count
    }

    /// The octet `index` of the padded clear text: the length, the value, zeros.
    private static func octet(_ index: Int, of clear: Span<UInt8>) -> UInt8 {
        if index == 0 { return UInt8(truncatingIfNeeded: clear.count) }
        return index <= clear.count ? clear[index &- 1] : 0
    }
}
