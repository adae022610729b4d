/// The chain of MD5 pads that hides User-Password (RFC 2865 §5.2) and salted values (RFC 2868 §3.5).
///
/// The first pad is MD5(secret, seed); each later one is MD5(secret, hidden block before). Blocks are of 16 octets.
struct PadChain {
    private let absorbed: MD5
    private(set) var pad: Digest16

    /// Begins with the authenticator as seed, and behind it the salt when there is one.
    init(secret: SharedSecret, authenticator: Digest16, salt: UInt16? = nil) {
        absorbed = secret.absorbed
        var digest = absorbed
        digest.update(authenticator.span)
        if let salt {
            let octets: InlineArray<2, UInt8> = [UInt8(truncatingIfNeeded: salt &>> 8), UInt8(truncatingIfNeeded: salt)]
            digest.update(octets.span)
        }
        pad = digest.finish()
    }

    /// Makes the pad that follows the 16 octets of `hidden`.
    mutating func advance(over hidden: Span<UInt8>) {
        var digest = absorbed
        digest.update(hidden)
        pad = digest.finish()
    }
}
