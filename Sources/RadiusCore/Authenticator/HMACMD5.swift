/// HMAC-MD5 (RFC 2104), which makes Message-Authenticator (RFC 3579 §3.2).
///
/// A small value that never allocates.
public struct HMACMD5: Sendable {
    /// A secret after it has been absorbed by the inner and the outer MD5, so that no message pays for it again.
    public struct Key: Sendable {
        let inner: MD5Chain
        let outer: MD5Chain

        /// Prepares a secret of any length; one above 64 octets is replaced by its MD5 (RFC 2104 §2).
        public init(_ secret: Span<UInt8>) {
            var padded = InlineArray<64, UInt8>(repeating: 0)
            if secret.count > 64 {
                var digest = MD5()
                digest.update(secret)
                let short = digest.finish()
                for i in 0..<16 { padded[i] = short[i] }
            } else {
                for i in secret.indices { padded[i] = secret[i] }
            }
            inner = Self.absorb(padded, mask: 0x36)
            outer = Self.absorb(padded, mask: 0x5c)
        }

        private static func absorb(_ padded: InlineArray<64, UInt8>, mask: UInt8) -> MD5Chain {
            var block = padded
            for i in 0..<64 { block[i] ^= mask }
            var chain = MD5Chain()
            chain.compress(block.span.bytes, at: 0)
            return chain
        }
    }

    private var inner: MD5
    private let outer: MD5Chain

    /// Begins an empty message under `key`.
    public init(key: Key) {
        inner = MD5(afterOneBlock: key.inner)
        outer = key.outer
    }

    /// Appends octets to the message.
    public mutating func update(_ input: Span<UInt8>) { inner.update(input) }

    /// Ends the message and returns its code. Call once.
    public mutating func finish() -> Digest16 {
        let digest = inner.finish()
        var second = MD5(afterOneBlock: outer)
        second.update(digest.span)
        return second.finish()
    }
}
