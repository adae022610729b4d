/// What tells a request of RADIUS/1.1 from the others of its connection, on its way through the packet path and back.
struct RequestMark: BitwiseCopyable, Hashable {
    let token: UInt32
    /// 24 bits of a digest over code and attributes, of this process alone. A Token that comes again is a repetition only when this is
    /// equal.
    let fold: UInt32

    init(token: UInt32, fold: UInt32) {
        self.token = token
        self.fold = fold & 0xff_ffff
    }

    /// Of a packet of at least 20 octets; what is reserved in it does not count (RFC 9765 §4.1).
    init(_ packet: Span<UInt8>) {
        var hasher = Hasher()
        hasher.combine(packet[0])
        packet.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[PacketHeader.count...])) }
        self.init(token: TokenPacket.token(of: packet), fold: UInt32(truncatingIfNeeded: hasher.finalize()))
    }
}

/// The server's end of one connection that speaks RADIUS/1.1 (RFC 9765): its requests as the packet path takes them from RADIUS/TLS, signed
/// and hidden with the secret that all such connections have, and the replies as the peer is to have them.
///
/// A request's authenticator is made of its mark and of octets that only this connection has, so it is the same again when the reply is
/// there; the peer never sees it. The identifier is the Token's last octet.
struct ServerTokens {
    private static let recentLimit = 256
    private let nonce = (0..<9).map { _ in UInt8.random(in: 0...255) }
    /// The last marks, by their Tokens, and the Tokens in the order of their arrival from `oldest` on.
    private var folds: [UInt32: UInt32] = [:]
    private var recent: [UInt32] = []
    private var oldest = 0

    /// Takes a request.
    ///
    /// - Parameters:
    ///   - packet: of 20...4096 octets, as many as its Length says.
    ///   - dictionary: knows what RADIUS/1.0 hides.
    /// - Returns: the same of RADIUS/1.0, whatever its code, of at most 4096 octets, and what its reply is found by.
    /// - Throws: `attributeTooShort`, `attributeOverrun`; `tokenReused`; `chapChallengeMissing`; `translatedTooLong`.
    mutating func request(
        _ packet: Span<UInt8>, _ dictionary: RadiusDictionary
    ) throws(DecodeError) -> (octets: [UInt8], mark: RequestMark) {
        let (code, mark) = (PacketCode(rawValue: packet[0]), RequestMark(packet))
        try remember(mark)
        let own = authenticator(of: mark)
        let base = code.saltAuthenticator(own: own, request: own) ?? own
        var translation = AttributeTranslation(.hiding, dictionary, secret: .ofTLS, authenticator: base)
        try translation.translate(packet)
        if code == .accessRequest, translation.hasCHAPPassword, !translation.hasCHAPChallenge { throw .chapChallengeMissing }
        let octets = PacketText.seal(
            translation.octets, code, identifier: UInt8(truncatingIfNeeded: mark.token), secret: .ofTLS, authenticator: own,
            hasMessageAuthenticator: code == .statusServer || translation.hasEAP)
        guard let octets else { throw .translatedTooLong }
        return (octets, mark)
    }

    /// Makes of a reply of ours what the peer is to have; nil when it is malformed.
    func reply(_ packet: Span<UInt8>, to mark: RequestMark, _ dictionary: RadiusDictionary) -> [UInt8]? {
        var translation = AttributeTranslation(
            .revealing, dictionary, secret: .ofTLS, authenticator: authenticator(of: mark))
        do throws(DecodeError) { try translation.translate(packet) } catch { return nil }
        return TokenPacket.octets(PacketCode(rawValue: packet[0]), token: mark.token, attributes: translation.octets)
    }

    private func authenticator(of mark: RequestMark) -> Digest16 {
        Digest16 { position in
            switch position {
            case 0..<4: UInt8(truncatingIfNeeded: mark.token >> UInt32(24 - 8 * position))
            case 4..<7: UInt8(truncatingIfNeeded: mark.fold >> UInt32(48 - 8 * position))
            default: nonce[position - 7]
            }
        }
    }

    /// A Token that stands for another packet already says that the peer does not count: there is no way to agree then (RFC 9765 §4.2.2).
    private mutating func remember(_ mark: RequestMark) throws(DecodeError) {
        if let fold = folds[mark.token] {
            guard fold == mark.fold else { throw .tokenReused }
            return
        }
        if recent.count < Self.recentLimit {
            recent.append(mark.token)
        } else {
            folds[recent[oldest]] = nil
            recent[oldest] = mark.token
            oldest = (oldest + 1) % Self.recentLimit
        }
        folds[mark.token] = mark.fold
    }
}
