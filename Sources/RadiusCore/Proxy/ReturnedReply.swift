/// A home server's reply as the NAS is to have it.
enum ReturnedReply {
    /// The attributes of `reply` but Message-Authenticator and Proxy-State, hidden values hidden for the NAS. In an Access-Accept
    /// what the filter adds stands in place of what the home server said; in its CoA-Request only where it says something of it.
    ///
    /// - Parameters:
    ///   - reply: verified; or a home server's request.
    ///   - filter: what may cross.
    ///   - dictionary: knows which vendors' values are hidden.
    ///   - from: the home server's secret, and the authenticator of the request that it answered.
    ///   - to: the NAS's secret, and that of its request.
    ///   - salt: is counted on for each hidden value.
    /// - Returns: the attributes in order; whether a packet has room for them is for its writer to say.
    /// - Throws: `ProxyFault`.
    static func attributes(
        of reply: Span<UInt8>, _ filter: AttributeFilter, _ dictionary: RadiusDictionary, from: Hop, to: Hop, salt: inout UInt16
    ) throws(ProxyFault) -> [UInt8] {
        var (filter, added) = (filter, filter.added)
        switch PacketCode(rawValue: reply[0]) {
        case .accessAccept: break
        case .coaRequest: added = filter.replacements(in: reply, dictionary)
        // Where nothing is put in the place of an attribute, it stays.
        default: (filter, added) = (filter.withoutAdditions, [])
        }
        let passage = VendorPassage(filter: filter, dictionary: dictionary, hops: (from, to))
        // Far from the passage's salts.
        var translation: AttributeTranslation? = AttributeTranslation(
            .rehiding(for: to, leavingUsual: true), dictionary, secret: from.secret, authenticator: from.authenticator,
            salt: salt &+ 0x4000)
        var run = AttributeRun()
        var cursor = AttributeCursor(PacketHeader.count..<reply.count)
        while let attribute = cursor.next(in: reply) {
            let type = UInt8(truncatingIfNeeded: attribute.type)
            if type == AttributeNumber.messageAuthenticator || type == AttributeNumber.proxyState { continue }
            if type == VendorAttribute.type {
                if let passed = try passage.pass(attribute.range, of: reply, salt: &salt) {
                    run.append(type, passed, through: &translation)
                }
            } else if filter.passes(type) {
                if type == tunnelPassword {
                    run.append(type, try VendorPassage.rehide(attribute.range, isTagged: true, of: reply, from, to, &salt))
                } else {
                    run.append(type, VendorPassage.copy(attribute.range, of: reply), through: &translation)
                }
            }
        }
        run.append(encoded: added)
        return run.octets
    }

    /// Tunnel-Password (RFC 2868 §3.5).
    private static let tunnelPassword: UInt8 = 69

    /// The first State of a packet.
    static func state(of packet: Span<UInt8>) -> [UInt8]? { first(AttributeNumber.state, of: packet) }

    /// The first Error-Cause of a packet; nil where it is none.
    static func errorCause(of packet: Span<UInt8>) -> ErrorCause? {
        guard let value = first(AttributeNumber.errorCause, of: packet), value.count == 4 else { return nil }
        return ErrorCause(rawValue: value.reduce(0) { $0 << 8 | UInt32($1) })
    }

    private static func first(_ type: UInt8, of packet: Span<UInt8>) -> [UInt8]? {
        var cursor = AttributeCursor(PacketHeader.count..<packet.count)
        while let attribute = cursor.next(in: packet) {
            if attribute.type == UInt32(type) { return VendorPassage.copy(attribute.range, of: packet) }
        }
        return nil
    }
}
