/// Compares a revealed User-Password with what is stored (RFC 2865 §5.2).
public enum PAP {
    /// Whether the password is the stored clear text. Constant time but for the length.
    public static func verify(_ password: Span<UInt8>, clearText: Span<UInt8>) -> Bool {
        ConstantTime.equal(password, clearText)
    }

    /// Whether the password has the stored NT hash. False for a password that is not UTF-8.
    public static func verify(_ password: Span<UInt8>, ntHash: Digest16) -> Bool {
        guard let hash = MSCHAP.ntHash(ofUTF8: password) else { return false }
        return ConstantTime.equal(hash, ntHash)
    }

    /// Compares the password with a stored `$...` hash. Slow on purpose: milliseconds to seconds, never on a packet thread.
    public static func verify(_ password: Span<UInt8>, hash: Span<UInt8>) -> PasswordHash.Outcome {
        PasswordHash.verify(password, against: hash)
    }
}
