/// A request as a NAS sends it, with what its reply is matched by.
public struct ClientPacket: Sendable {
    /// The whole packet, signed.
    public let octets: [UInt8]
    public let code: PacketCode
    public let identifier: UInt8
    /// Octets 4..<20.
    public let authenticator: Digest16
    /// What MS-CHAPv2's proof of the server is checked against; nil for any other method.
    let mutual: MutualProof?

    /// What the server must prove to an MS-CHAPv2 client (RFC 2759 §8.7).
    struct MutualProof: Sendable {
        let success: [UInt8]
    }

    /// Why a request cannot be made.
    public enum Fault: Error, Hashable, Sendable {
        /// User-Name is empty or longer than 253 octets (RFC 2865 §5.1).
        case userNameLength(Int)
        /// All attributes together need more than 4096 octets.
        case tooLong
    }

    /// An Access-Request, Message-Authenticator first (RFC 2865 §4.1, RFC 3579 §3.2).
    ///
    /// - Parameters:
    ///   - identifier: one that waits for no other reply on the socket.
    ///   - userName: 1...253 octets.
    ///   - credential: how the password is proven.
    ///   - attributes: further attributes, encoded.
    ///   - secret: shared with the server.
    ///   - random: 48 octets: authenticator, challenge, peer challenge; random unless a test wants to know them.
    /// - Returns: the packet, signed.
    /// - Throws: `Fault.userNameLength`, `Fault.tooLong`.
    public static func access(
        identifier: UInt8, userName: [UInt8], credential: ClientCredential, attributes: [UInt8] = [], secret: SharedSecret,
        random: [UInt8] = ClientPacket.randomOctets(48)
    ) throws(Fault) -> ClientPacket {
        precondition(random.count == 48)
        guard (1...253).contains(userName.count) else { throw .userNameLength(userName.count) }
        let authenticator = Digest16 { random[$0] }
        let challenge = Digest16 { random[16 + $0] }
        let peerChallenge = Digest16 { random[32 + $0] }
        var octets = [UInt8](repeating: 0, count: PacketHeader.maximumLength)
        var writer = PacketWriter(octets.mutableSpan, code: .accessRequest, identifier: identifier)
        writer.setAuthenticator(authenticator)
        writer.reserveMessageAuthenticator()
        writer.append(AttributeNumber.userName, userName.span)
        credential.append(
            userName: userName, authenticator: authenticator, challenge: challenge, peerChallenge: peerChallenge, secret: secret,
            to: &writer)
        writer.append(encoded: attributes.span)
        guard !writer.overflowed else { throw .tooLong }
        let finished = writer.finish()
        octets.removeLast(octets.count - finished.count)
        sign(&octets, finished, authenticator, secret)
        let mutual = credential.mutualProof(userName: userName, challenge: challenge, peerChallenge: peerChallenge)
        return ClientPacket(octets: octets, code: .accessRequest, identifier: identifier, authenticator: authenticator, mutual: mutual)
    }

    /// A Status-Server (RFC 5997 §3).
    public static func status(
        identifier: UInt8, attributes: [UInt8] = [], secret: SharedSecret, random: [UInt8] = ClientPacket.randomOctets(16)
    ) throws(Fault) -> ClientPacket {
        let authenticator = Digest16 { random[$0] }
        var octets = [UInt8](repeating: 0, count: PacketHeader.maximumLength)
        var writer = PacketWriter(octets.mutableSpan, code: .statusServer, identifier: identifier)
        writer.setAuthenticator(authenticator)
        writer.reserveMessageAuthenticator()
        writer.append(encoded: attributes.span)
        guard !writer.overflowed else { throw .tooLong }
        let finished = writer.finish()
        octets.removeLast(octets.count - finished.count)
        sign(&octets, finished, authenticator, secret)
        return ClientPacket(octets: octets, code: .statusServer, identifier: identifier, authenticator: authenticator, mutual: nil)
    }

    /// An Accounting-Request (RFC 2866 §3).
    ///
    /// - Parameters:
    ///   - identifier: one that waits for no other reply on the socket.
    ///   - attributes: encoded; Acct-Status-Type among them.
    ///   - secret: shared with the server.
    /// - Returns: the packet, signed by Message-Authenticator and Request Authenticator.
    /// - Throws: `Fault.tooLong`.
    public static func accounting(identifier: UInt8, attributes: [UInt8], secret: SharedSecret) throws(Fault) -> ClientPacket {
        var octets = [UInt8](repeating: 0, count: PacketHeader.maximumLength)
        var writer = PacketWriter(octets.mutableSpan, code: .accountingRequest, identifier: identifier)
        writer.reserveMessageAuthenticator()
        writer.append(encoded: attributes.span)
        guard !writer.overflowed else { throw .tooLong }
        let finished = writer.finish()
        octets.removeLast(octets.count - finished.count)
        sign(&octets, finished, Digest16(repeating: 0), secret)
        var packet = octets.mutableSpan
        RequestAuthenticator.sign(&packet, secret: secret)
        let authenticator = Digest16 { octets[4 + $0] }
        return ClientPacket(octets: octets, code: .accountingRequest, identifier: identifier, authenticator: authenticator, mutual: nil)
    }

    /// Octets from the system's random number generator.
    public static func randomOctets(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    private static func sign(
        _ octets: inout [UInt8], _ finished: PacketWriter.Finished, _ authenticator: Digest16, _ secret: SharedSecret
    ) {
        guard let offset = finished.messageAuthenticatorOffset else { return }
        var packet = octets.mutableSpan
        MessageAuthenticator.sign(&packet, attributeOffset: offset, authenticator: authenticator, secret: secret)
    }
}

extension ClientCredential {
    /// What a server that knows the password answers to the MS-CHAPv2 response made of these challenges.
    fileprivate func mutualProof(userName: [UInt8], challenge: Digest16, peerChallenge: Digest16) -> ClientPacket.MutualProof? {
        guard method == .msCHAPv2, let hash = MSCHAP.ntHash(ofUTF8: password.span) else { return nil }
        let response = MSCHAP.V2.response(
            identifier: challenge[0], challenge: challenge.span, peerChallenge: peerChallenge, ntHash: hash, userName: userName.span)
        guard
            let text = try? MSCHAP.V2.authenticatorResponse(
                response: response.span, challenge: challenge.span, ntHash: hash, userName: userName.span)
        else { return nil }
        return ClientPacket.MutualProof(success: [challenge[0]] + (0..<42).map { text[$0] })
    }
}
