/// Why a datagram is not the reply to a request.
public enum ReplyFault: Error, Hashable, Sendable {
    /// It is malformed, or a digest does not verify.
    case packet(DecodeError)
    /// It carries the identifier of another request.
    case otherIdentifier(UInt8)
    /// No server answers this request with that code.
    case unexpectedCode(PacketCode)
    /// The server does not prove that it knows the password (RFC 2759 §8.7): another server than the NAS was meant to ask.
    case serverProofInvalid
    /// An Access-Accept to MS-CHAPv2 has no MS-CHAP2-Success (RFC 2548 §2.3.3).
    case serverProofMissing
}

/// What can be said of a reply that verified.
public struct ReplyVerdict: Sendable {
    /// Where Message-Authenticator stands. A server that withstands BlastRADIUS (CVE-2024-3596) puts it first.
    public enum Placement: UInt8, BitwiseCopyable, Sendable {
        case absent, first, later
    }

    public let code: PacketCode
    /// Octets of the packet; what follows is padding.
    public let length: Int
    public let messageAuthenticator: Placement
}

/// Matches replies to requests (RFC 2865 §3, RFC 3579 §3.2). Allocates nothing.
public enum ReplyVerification {
    /// Checks length, identifier, code, Response Authenticator, attribute lengths and Message-Authenticator.
    ///
    /// - Parameters:
    ///   - datagram: as it arrived.
    ///   - code: of the request.
    ///   - identifier: of the request.
    ///   - authenticator: octets 4..<20 of the request.
    ///   - secret: shared with the server.
    /// - Returns: what the reply is.
    /// - Throws: why it is none to this request.
    public static func verify(
        _ datagram: Span<UInt8>, code: PacketCode, identifier: UInt8, authenticator: Digest16, secret: SharedSecret
    ) throws(ReplyFault) -> ReplyVerdict {
        let length: Int
        do { length = try PacketHeader.length(of: datagram) } catch { throw .packet(error) }
        let packet = datagram.extracting(0..<length)
        guard packet[1] == identifier else { throw .otherIdentifier(packet[1]) }
        let replyCode = PacketCode(rawValue: packet[0])
        guard code.isAnswered(by: replyCode) else { throw .unexpectedCode(replyCode) }
        guard ResponseAuthenticator.verify(packet, requestAuthenticator: authenticator, secret: secret) else {
            throw .packet(.responseAuthenticatorInvalid)
        }
        let placement: ReplyVerdict.Placement
        do { placement = try messageAuthenticator(packet, authenticator, secret) } catch { throw .packet(error) }
        return ReplyVerdict(code: replyCode, length: length, messageAuthenticator: placement)
    }

    private static func messageAuthenticator(
        _ packet: Span<UInt8>, _ authenticator: Digest16, _ secret: SharedSecret
    ) throws(DecodeError) -> ReplyVerdict.Placement {
        var cursor = AttributeCursor(PacketHeader.count..<packet.count)
        var placement = ReplyVerdict.Placement.absent
        while let member = cursor.next(in: packet) {
            guard member.type == UInt32(AttributeNumber.messageAuthenticator) else { continue }
            guard member.range.count == 16 else { throw .messageAuthenticatorLength }
            guard placement == .absent else { throw .messageAuthenticatorRepeated }
            let start = member.range.lowerBound - 2
            guard MessageAuthenticator.verify(packet, attributeOffset: start, authenticator: authenticator, secret: secret) else {
                throw .messageAuthenticatorInvalid
            }
            placement = start == PacketHeader.count ? .first : .later
        }
        guard !cursor.isMalformed else { throw .attributeOverrun }
        return placement
    }
}

extension ClientPacket {
    /// Checks the reply to this request; for MS-CHAPv2 also that the server proved itself.
    public func verify(_ datagram: Span<UInt8>, secret: SharedSecret) throws(ReplyFault) -> ReplyVerdict {
        let verdict = try ReplyVerification.verify(
            datagram, code: code, identifier: identifier, authenticator: authenticator, secret: secret)
        guard let mutual, verdict.code == .accessAccept else { return verdict }
        guard let proof = Self.microsoft(ClientCredential.Microsoft.chap2Success, in: datagram.extracting(0..<verdict.length)) else {
            throw .serverProofMissing
        }
        // What follows the 42 characters of the proof is a message to the user.
        guard proof.starts(with: mutual.success) else { throw .serverProofInvalid }
        return verdict
    }

    private static func microsoft(_ type: UInt8, in packet: Span<UInt8>) -> [UInt8]? {
        var cursor = AttributeCursor(PacketHeader.count..<packet.count)
        while let member = cursor.next(in: packet) {
            guard member.type == UInt32(AttributeNumber.vendorSpecific), let attribute = VendorAttribute(member.range, in: packet),
                attribute.vendor == ClientCredential.Microsoft.vendor
            else { continue }
            var members = attribute.members(VendorFormat())
            while let inner = members.next(in: packet) {
                if inner.type == UInt32(type) { return inner.range.map { packet[$0] } }
            }
        }
        return nil
    }
}

extension PacketCode {
    /// Whether a server may answer this request with `reply`.
    func isAnswered(by reply: PacketCode) -> Bool {
        switch self {
        case .accessRequest: reply == .accessAccept || reply == .accessReject || reply == .accessChallenge || reply == .protocolError
        case .accountingRequest: reply == .accountingResponse || reply == .protocolError
        case .statusServer: reply == .accessAccept || reply == .accountingResponse || reply == .protocolError
        default: false
        }
    }
}
