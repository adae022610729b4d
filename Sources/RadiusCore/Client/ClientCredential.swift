/// How a client proves a password in an Access-Request.
///
/// A value without sockets or clock; whoever sends chooses the challenges.
public struct ClientCredential: Sendable {
    /// Microsoft's vendor number and the attributes of RFC 2548 §2.
    enum Microsoft {
        static let vendor: UInt32 = 311
        static let chapResponse: UInt8 = 1
        static let chapError: UInt8 = 2
        static let chapChallenge: UInt8 = 11
        static let chap2Response: UInt8 = 25
        static let chap2Success: UInt8 = 26
    }

    /// The methods that need nothing but one request and one reply.
    public static let methods: [AuthenticationMethod] = [.pap, .chap, .msCHAP, .msCHAPv2]

    public let method: AuthenticationMethod
    public let password: [UInt8]

    /// Nil when the method cannot carry the password.
    ///
    /// - Parameters:
    ///   - method: one of `methods`.
    ///   - password: at most 128 octets for PAP; UTF-8 for MS-CHAP.
    public init?(_ method: AuthenticationMethod, password: [UInt8]) {
        guard Self.methods.contains(method) else { return nil }
        if method == .pap, password.count > UserPassword.maximumCount { return nil }
        if method == .msCHAP || method == .msCHAPv2, MSCHAP.ntHash(ofUTF8: password.span) == nil { return nil }
        self.method = method
        self.password = password
    }

    /// Appends the attributes that prove the password.
    ///
    /// - Parameters:
    ///   - userName: as in User-Name; MS-CHAPv2 hashes it.
    ///   - authenticator: the request's; CHAP takes it for the challenge, PAP hides with it.
    ///   - challenge: 16 random octets for MS-CHAP; version 1 uses the first 8.
    ///   - peerChallenge: 16 random octets for MS-CHAPv2.
    ///   - secret: shared with the server; PAP hides with it.
    ///   - writer: holds the request so far.
    @_lifetime(writer: copy writer)
    func append(
        userName: [UInt8], authenticator: Digest16, challenge: Digest16, peerChallenge: Digest16, secret: SharedSecret,
        to writer: inout PacketWriter
    ) {
        switch method {
        case .chap:
            let response = CHAP.response(identifier: challenge[0], challenge: authenticator.span, password: password.span)
            writer.append(AttributeNumber.chapPassword, response.span)
        case .msCHAP:
            guard let hash = MSCHAP.ntHash(ofUTF8: password.span) else { return }
            let response = MSCHAP.V1.response(identifier: challenge[0], challenge: challenge.span.extracting(0..<8), ntHash: hash)
            writer.append(vendor: Microsoft.vendor, Microsoft.chapChallenge, challenge.span.extracting(0..<8))
            writer.append(vendor: Microsoft.vendor, Microsoft.chapResponse, response.span)
        case .msCHAPv2:
            guard let hash = MSCHAP.ntHash(ofUTF8: password.span) else { return }
            let response = MSCHAP.V2.response(
                identifier: challenge[0], challenge: challenge.span, peerChallenge: peerChallenge, ntHash: hash, userName: userName.span)
            writer.append(vendor: Microsoft.vendor, Microsoft.chapChallenge, challenge.span)
            writer.append(vendor: Microsoft.vendor, Microsoft.chap2Response, response.span)
        default:
            var hidden = InlineArray<128, UInt8>(repeating: 0)
            var buffer = hidden.mutableSpan
            let count = UserPassword.hide(password.span, requestAuthenticator: authenticator, secret: secret, into: &buffer)
            writer.append(AttributeNumber.userPassword, hidden.span.extracting(0..<count))
        }
    }
}

extension CHAP {
    /// What the peer answers: its identifier and MD5(identifier, password, challenge) (RFC 1994 §4.1).
    static func response(identifier: UInt8, challenge: Span<UInt8>, password: Span<UInt8>) -> InlineArray<17, UInt8> {
        let identifiers: InlineArray<1, UInt8> = [identifier]
        var digest = MD5()
        digest.update(identifiers.span)
        digest.update(password)
        digest.update(challenge)
        let answer = digest.finish()
        return InlineArray { $0 == 0 ? identifier : answer[$0 &- 1] }
    }
}

extension MSCHAP.V1 {
    /// MS-CHAP-Response with the NT answer alone (RFC 2548 §2.1.3); `challenge` has 8 octets.
    static func response(identifier: UInt8, challenge: Span<UInt8>, ntHash: Digest16) -> InlineArray<50, UInt8> {
        let answer = MSCHAP.challengeResponse(challenge: InlineArray { challenge[$0] }, hash: ntHash)
        return InlineArray { position in
            switch position {
            case 0: identifier
            case 1: 1
            case 26...: answer[position &- 26]
            default: 0
            }
        }
    }
}

extension MSCHAP.V2 {
    /// MS-CHAP2-Response (RFC 2548 §2.3.2); `challenge` has 16 octets.
    static func response(
        identifier: UInt8, challenge: Span<UInt8>, peerChallenge: Digest16, ntHash: Digest16, userName: Span<UInt8>
    ) -> InlineArray<50, UInt8> {
        var response = InlineArray<50, UInt8>(repeating: 0)
        response[0] = identifier
        for position in 0..<16 { response[position &+ 2] = peerChallenge[position] }
        let hashed = challengeHash(response: response.span, challenge: challenge, userName: userName)
        let answer = MSCHAP.challengeResponse(challenge: hashed, hash: ntHash)
        for position in 0..<24 { response[position &+ 26] = answer[position] }
        return response
    }
}
