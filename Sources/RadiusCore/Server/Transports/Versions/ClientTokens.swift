/// The client's end of one connection that speaks RADIUS/1.1 (RFC 9765): requests of RADIUS/1.0 as the server is to have them, and its
/// replies as RADIUS/1.0 has them, signed and hidden, so that their owner checks and reads them like all others.
///
/// As many requests wait as there are identifiers; a request that takes the identifier of another has its place.
struct ClientTokens {
    /// Why a reply is dropped.
    enum Refusal: Error, Equatable {
        /// Nothing waits for its Token.
        case unmatched
        /// Its attributes lie about their lengths.
        case malformed
        /// It, or a hidden value in it, is longer than RADIUS/1.0 can have it: the request of that identifier waits no more.
        case tooLong(UInt8)
    }

    private struct Waiting {
        let token: UInt32
        let authenticator: Digest16
    }

    private let secret: SharedSecret
    private var waiting: [UInt8: Waiting] = [:]
    private var identifiers: [UInt32: UInt8] = [:]
    /// Counts from a random number on, for each new packet (RFC 9765 §4.2.1).
    private var next = UInt32.random(in: 0...UInt32.max)

    /// - Parameter secret: of the requests and replies as RADIUS/1.0 has them.
    init(secret: SharedSecret) { self.secret = secret }

    /// Makes of a whole request of RADIUS/1.0 what the server is to have. CHAP is given the challenge that its authenticator stood for
    /// (RFC 9765 §5.1.2).
    ///
    /// - Parameters:
    ///   - packet: the request.
    ///   - dictionary: knows what RADIUS/1.0 hides.
    /// - Returns: nil when it is malformed, or too long with that.
    mutating func request(_ packet: Span<UInt8>, _ dictionary: RadiusDictionary) -> [UInt8]? {
        let (code, identifier, own) = (PacketCode(rawValue: packet[0]), packet[1], Digest16 { packet[4 + $0] })
        let base = code.saltAuthenticator(own: own, request: own) ?? own
        var translation = AttributeTranslation(.revealing, dictionary, secret: secret, authenticator: base)
        do throws(DecodeError) { try translation.translate(packet) } catch { return nil }
        if translation.hasCHAPPassword, !translation.hasCHAPChallenge {
            translation.append(AttributeNumber.chapChallenge, (0..<16).map { own[$0] })
        }
        let octets = TokenPacket.octets(code, token: next, attributes: translation.octets)
        guard octets.count <= PacketHeader.maximumLength else { return nil }
        if let former = waiting[identifier] { identifiers[former.token] = nil }
        waiting[identifier] = Waiting(token: next, authenticator: own)
        identifiers[next] = identifier
        next &+= 1
        return octets
    }

    /// Makes of a whole reply of the server one of RADIUS/1.0, Message-Authenticator first. An Accounting-Response has none, as that would
    /// only make it longer.
    mutating func reply(_ packet: Span<UInt8>, _ dictionary: RadiusDictionary) throws(Refusal) -> [UInt8] {
        let (code, token) = (PacketCode(rawValue: packet[0]), TokenPacket.token(of: packet))
        guard let identifier = identifiers[token], let request = waiting[identifier] else { throw .unmatched }
        var translation = AttributeTranslation(.hiding, dictionary, secret: secret, authenticator: request.authenticator)
        var isTooLong = false
        do throws(DecodeError) { try translation.translate(packet) } catch {
            guard error == .translatedTooLong else { throw .malformed }
            isTooLong = true
        }
        identifiers[token] = nil
        waiting[identifier] = nil
        let octets = PacketText.seal(
            translation.octets, code, identifier: identifier, secret: secret, authenticator: request.authenticator,
            hasMessageAuthenticator: code != .accountingResponse)
        guard !isTooLong, let octets else { throw .tooLong(identifier) }
        return octets
    }
}
