/// Which octets are a home server's reply to a request of ours.
enum HomeServerReply {
    /// Why a reply is dropped.
    enum Refusal: Error {
        case malformed, badAuthenticator, messageAuthenticatorMissing
    }

    /// The packet without padding, once it is shown to be the reply: Response Authenticator, attribute lengths, and the
    /// Message-Authenticator that answers to Access-Requests must have (CVE-2024-3596, RFC 3579 §3.2).
    ///
    /// - Parameters:
    ///   - packet: as it arrived.
    ///   - request: what it would answer.
    ///   - code: of the request.
    ///   - server: whose reply it would be.
    /// - Returns: the whole packet and nothing behind it.
    /// - Throws: `Refusal`.
    static func verified(
        _ packet: [UInt8], answering request: ForwardedRequest, code: PacketCode, from server: HomeServer
    ) throws(Refusal) -> [UInt8] {
        let verdict: ReplyVerdict
        do {
            verdict = try ReplyVerification.verify(
                packet.span, code: code, identifier: request.octets[1], authenticator: request.authenticator, secret: server.secret)
        } catch .packet(.responseAuthenticatorInvalid), .packet(.messageAuthenticatorInvalid) {
            throw .badAuthenticator
        } catch {
            throw .malformed
        }
        let octets = Array(packet[..<verdict.length])
        if code == .accessRequest, verdict.messageAuthenticator == .absent, server.requiresMessageAuthenticator || holdsEAP(octets) {
            throw .messageAuthenticatorMissing
        }
        return octets
    }

    private static func holdsEAP(_ packet: [UInt8]) -> Bool {
        var cursor = AttributeCursor(PacketHeader.count..<packet.count)
        while let attribute = cursor.next(in: packet.span) {
            if attribute.type == UInt32(AttributeNumber.eapMessage) { return true }
        }
        return false
    }
}
