/// A client's shared secret with everything that can be computed once (RFC 2865 §3).
///
/// Immutable, so that any thread may use it.
public final class SharedSecret: Sendable {
    /// The secret as configured; any octets. RFC 2865 §3 forbids an empty one: whoever reads the configuration refuses it.
    public let bytes: [UInt8]

    /// The secret as the key of Message-Authenticator.
    let hmacKey: HMACMD5.Key

    /// MD5 after the secret, where the pads of User-Password and of salted values begin.
    let absorbed: MD5

    /// Prepares a secret for use.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        hmacKey = HMACMD5.Key(bytes.span)
        var digest = MD5()
        digest.update(bytes.span)
        absorbed = digest
    }
}

extension MD5 {
    /// Appends a shared secret to the message.
    mutating func update(_ secret: SharedSecret) {
        secret.bytes.withUnsafeBufferPointer { update($0.span) }
    }
}
