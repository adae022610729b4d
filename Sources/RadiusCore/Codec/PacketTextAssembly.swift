extension PacketText {
    /// Makes a packet from names and values, and signs it when the secret is known: the reverse of `describe`.
    ///
    /// - Parameters:
    ///   - code: decides how the packet is signed.
    ///   - identifier: the packet's own; for a reply, the request's.
    ///   - pairs: the attributes in order. A Message-Authenticator among them is left out: the packet gets its own.
    ///   - dictionary: explains names.
    ///   - secret: hides values and signs. Without it, the authenticator stands as it was given, or as zeros.
    ///   - authenticator: of an Access-Request or Status-Server, its own; of a reply, the request's; otherwise not used.
    ///   - hasMessageAuthenticator: puts a Message-Authenticator first, if there is a secret (RFC 3579 §3.2).
    /// - Returns: the whole packet.
    /// - Throws: which attribute is wrong and why; `tooLong` for `Packet` when all of them need more than 4096 octets.
    public static func assemble(
        _ code: PacketCode, identifier: UInt8, _ pairs: [AttributeText], dictionary: RadiusDictionary, secret: SharedSecret? = nil,
        authenticator: Digest16 = Digest16(repeating: 0), hasMessageAuthenticator: Bool = true
    ) throws(AttributeTextError) -> [UInt8] {
        let base = code.saltAuthenticator(own: authenticator, request: authenticator) ?? authenticator
        let keys = secret.map { HideKeys(secret: $0, authenticator: base) }
        let kept = pairs.filter { dictionary.attribute(named: $0.name)?.path.numbers != [UInt32(AttributeNumber.messageAuthenticator)] }
        let attributes = try AttributeEncoder.encode(secret == nil ? pairs : kept, dictionary: dictionary, keys: keys)
        let sealed = seal(
            attributes, code, identifier: identifier, secret: secret, authenticator: authenticator,
            hasMessageAuthenticator: hasMessageAuthenticator)
        guard let sealed else {
            let total = PacketHeader.count + attributes.count + (secret != nil && hasMessageAuthenticator ? 18 : 0)
            throw AttributeTextError(attribute: "Packet", reason: .tooLong(octets: total, limit: PacketHeader.maximumLength))
        }
        return sealed
    }

    /// The same of attributes that are encoded, and hidden, already; nil when they need more than 4096 octets.
    static func seal(
        _ attributes: [UInt8], _ code: PacketCode, identifier: UInt8, secret: SharedSecret?, authenticator: Digest16,
        hasMessageAuthenticator: Bool
    ) -> [UInt8]? {
        let isMarked = secret != nil && hasMessageAuthenticator
        let total = PacketHeader.count + attributes.count + (isMarked ? 18 : 0)
        guard total <= PacketHeader.maximumLength else { return nil }
        var packet = [UInt8](repeating: 0, count: total)
        write(attributes, code, identifier, isMarked, into: &packet)
        if code.hasRandomAuthenticator || secret == nil { for position in 0..<16 { packet[4 + position] = authenticator[position] } }
        let base = code.saltAuthenticator(own: authenticator, request: authenticator) ?? authenticator
        if let secret { sign(&packet, code, secret, base, isMarked) }
        return packet
    }

    private static func write(
        _ attributes: [UInt8], _ code: PacketCode, _ identifier: UInt8, _ isMarked: Bool, into packet: inout [UInt8]
    ) {
        var writer = PacketWriter(packet.mutableSpan, code: code, identifier: identifier)
        if isMarked { writer.reserveMessageAuthenticator() }
        writer.append(encoded: attributes.span)
        _ = writer.finish()
    }

    private static func sign(_ packet: inout [UInt8], _ code: PacketCode, _ secret: SharedSecret, _ base: Digest16, _ isMarked: Bool) {
        var span = packet.mutableSpan
        if isMarked {
            MessageAuthenticator.sign(&span, attributeOffset: PacketHeader.count, authenticator: base, secret: secret)
        }
        if code.isSignedRequest {
            RequestAuthenticator.sign(&span, secret: secret)
        } else if !code.hasRandomAuthenticator {
            ResponseAuthenticator.sign(&span, requestAuthenticator: base, secret: secret)
        }
    }
}
