/// What hides values between two neighbours: their secret, and the authenticator of the request (RFC 2865 §5.2, RFC 2868 §3.5).
struct Hop {
    let secret: SharedSecret
    let authenticator: Digest16

    init(_ secret: SharedSecret, _ authenticator: Digest16) {
        self.secret = secret
        self.authenticator = authenticator
    }

    /// A User-Password, or MS-CHAP-MPPE-Keys (RFC 2548 §2.4.1), as it is hidden on the next hop; of the same length.
    func rehide(password hidden: Span<UInt8>, for next: Hop) throws(ProxyFault) -> [UInt8] {
        var clear = [UInt8](repeating: 0, count: UserPassword.maximumCount)
        var clearSpan = clear.mutableSpan
        do {
            _ = try UserPassword.reveal(hidden, requestAuthenticator: authenticator, secret: secret, into: &clearSpan)
        } catch { throw .hiddenValue }
        var result = [UInt8](repeating: 0, count: UserPassword.maximumCount)
        var span = result.mutableSpan
        let length = UserPassword.hide(
            clear.span.extracting(0..<hidden.count), requestAuthenticator: next.authenticator, secret: next.secret, into: &span)
        return Array(result[..<length])
    }

    /// An Ascend-Send-Secret or Ascend-Receive-Secret as it is hidden on the next hop.
    func rehide(ascend hidden: Span<UInt8>, for next: Hop) throws(ProxyFault) -> [UInt8] {
        var clear = [UInt8](repeating: 0, count: AscendSecret.maximumCount)
        var clearSpan = clear.mutableSpan
        do {
            _ = try AscendSecret.reveal(hidden, requestAuthenticator: authenticator, secret: secret, into: &clearSpan)
        } catch { throw .hiddenValue }
        var result = [UInt8](repeating: 0, count: AscendSecret.maximumCount)
        var span = result.mutableSpan
        let length = AscendSecret.hide(clear.span, requestAuthenticator: next.authenticator, secret: next.secret, into: &span)
        return Array(result[..<length])
    }

    /// A salted value, behind its tag where it has one, as it is hidden on the next hop.
    func rehide(salted: Span<UInt8>, for next: Hop, salt: UInt16) throws(ProxyFault) -> [UInt8] {
        var clear = [UInt8](repeating: 0, count: SaltEncryption.maximumCount + 16)
        var clearSpan = clear.mutableSpan
        let count: Int
        do {
            count = try SaltEncryption.reveal(salted, authenticator: authenticator, secret: secret, into: &clearSpan)
        } catch { throw .hiddenValue }
        guard count <= SaltEncryption.maximumCount else { throw .hiddenValue }
        var result = [UInt8](repeating: 0, count: 2 + 256)
        var span = result.mutableSpan
        let length = SaltEncryption.hide(
            clear.span.extracting(0..<count), salt: salt, authenticator: next.authenticator, secret: next.secret, into: &span)
        return Array(result[..<length])
    }
}

/// Why a packet cannot be passed on.
enum ProxyFault: Error, Equatable {
    /// A hidden value cannot be revealed: its length is impossible, or the secrets differ.
    case hiddenValue
    /// With what is added it is longer than a packet may be.
    case tooLarge
}
