/// A request as the home server is to have it, made of what the NAS sent.
struct ForwardedRequest {
    /// Signed and complete.
    let octets: [UInt8]
    let authenticator: Digest16

    /// An Access-Request: Message-Authenticator first, the password hidden for the home server, CHAP's challenge carried where it was the
    /// NAS's Request Authenticator (RFC 2865 §5.3), our Proxy-State last.
    ///
    /// - Parameters:
    ///   - received: the NAS's packet, verified.
    ///   - secret: the NAS's.
    ///   - order: how it crosses.
    ///   - next: the home server's secret, and an authenticator that nobody can foresee.
    ///   - identifier: free towards the home server.
    /// - Returns: the packet.
    /// - Throws: `ProxyFault`.
    static func access(
        _ received: Span<UInt8>, secret: SharedSecret, _ order: Passage, to next: Hop, identifier: UInt8
    ) throws(ProxyFault) -> ForwardedRequest {
        let from = Hop(secret, Digest16 { received[4 + $0] })
        let attributes = try attributes(received, from, order, to: next, delaySeconds: nil)
        var octets = [UInt8](repeating: 0, count: PacketHeader.maximumLength)
        var writer = PacketWriter(octets.mutableSpan, code: .accessRequest, identifier: identifier)
        writer.setAuthenticator(next.authenticator)
        writer.reserveMessageAuthenticator()
        writer.append(encoded: attributes.span)
        let isWhole = !writer.overflowed
        let finished = writer.finish()
        guard isWhole else { throw .tooLarge }
        octets.removeLast(octets.count - finished.count)
        if let offset = finished.messageAuthenticatorOffset {
            var span = octets.mutableSpan
            MessageAuthenticator.sign(&span, attributeOffset: offset, authenticator: next.authenticator, secret: next.secret)
        }
        return ForwardedRequest(octets: octets, authenticator: next.authenticator)
    }

    /// An Accounting-Request: Acct-Delay-Time grown by the time that it waited here (RFC 2866 §5.2), our Proxy-State last, signed.
    static func accounting(
        _ received: Span<UInt8>, _ order: Passage, secret: SharedSecret, delaySeconds: UInt32, identifier: UInt8
    ) throws(ProxyFault) -> ForwardedRequest {
        let zeros = Digest16(repeating: 0)
        let hop = Hop(secret, zeros)
        let attributes = try attributes(received, hop, order, to: hop, delaySeconds: delaySeconds)
        var octets = [UInt8](repeating: 0, count: PacketHeader.maximumLength)
        var writer = PacketWriter(octets.mutableSpan, code: .accountingRequest, identifier: identifier)
        writer.append(encoded: attributes.span)
        let isWhole = !writer.overflowed
        let finished = writer.finish()
        guard isWhole else { throw .tooLarge }
        octets.removeLast(octets.count - finished.count)
        var span = octets.mutableSpan
        RequestAuthenticator.sign(&span, secret: secret)
        return ForwardedRequest(octets: octets, authenticator: Digest16 { octets[4 + $0] })
    }

    /// A Status-Server (RFC 5997 §3): a Message-Authenticator and nothing else.
    static func statusServer(to next: Hop, identifier: UInt8) -> ForwardedRequest {
        var octets = [UInt8](repeating: 0, count: PacketHeader.count + 18)
        var writer = PacketWriter(octets.mutableSpan, code: .statusServer, identifier: identifier)
        writer.setAuthenticator(next.authenticator)
        writer.reserveMessageAuthenticator()
        let finished = writer.finish()
        if let offset = finished.messageAuthenticatorOffset {
            var span = octets.mutableSpan
            MessageAuthenticator.sign(&span, attributeOffset: offset, authenticator: next.authenticator, secret: next.secret)
        }
        return ForwardedRequest(octets: octets, authenticator: next.authenticator)
    }

    /// What holds for one request on its way, whichever home server it goes to.
    struct Passage {
        /// What the home server is told as User-Name; nil: what the NAS said.
        var userName: [UInt8]?
        var filter: AttributeFilter
        var dictionary: RadiusDictionary
        var proxyState: ProxyState
        /// The NAS's Operator-NAS-Identifier, encoded, unless somebody nearer to it has added one (RFC 8559 §3.4); nil: none.
        var operatorNAS: [UInt8]?
    }

    /// What the home server is to have of the NAS's attributes, and ours.
    private static func attributes(
        _ received: Span<UInt8>, _ from: Hop, _ order: Passage, to next: Hop, delaySeconds: UInt32?
    ) throws(ProxyFault) -> [UInt8] {
        let passage = VendorPassage(filter: order.filter, dictionary: order.dictionary, hops: nil)
        var run = AttributeRun()
        var salt = UInt16.random(in: 0...UInt16.max)
        // Of a record, which the journal has, the NAS's secret is not known here.
        var translation: AttributeTranslation?
        if delaySeconds == nil {
            translation = AttributeTranslation(
                .rehiding(for: next, leavingUsual: false), order.dictionary, secret: from.secret, authenticator: from.authenticator)
        }
        var hasPassword = false
        var hasChallenge = false
        var hasDelay = false
        var hasOperatorNAS = false
        var cursor = AttributeCursor(PacketHeader.count..<received.count)
        while let attribute = cursor.next(in: received) {
            let type = UInt8(truncatingIfNeeded: attribute.type)
            let value = VendorPassage.copy(attribute.range, of: received)
            if type == AttributeNumber.chapPassword { hasPassword = true }
            if type == AttributeNumber.chapChallenge { hasChallenge = true }
            if OperatorNASIdentifiers.isMeant(attribute, in: received) { hasOperatorNAS = true }
            if type == AttributeNumber.messageAuthenticator {
                // It is for each hop anew.
            } else if type == AttributeNumber.userName {
                run.append(type, order.userName ?? value)
            } else if type == AttributeNumber.userPassword, delaySeconds == nil {
                run.append(type, try from.rehide(password: value.span, for: next))
            } else if type == AttributeNumber.acctDelayTime, let delaySeconds, value.count == 4 {
                hasDelay = true
                run.append(type, grown(value, by: delaySeconds))
            } else if type == VendorAttribute.type {
                if let passed = try passage.pass(attribute.range, of: received, salt: &salt) {
                    run.append(type, passed, through: &translation)
                }
            } else if order.filter.passes(type) {
                run.append(type, value, through: &translation)
            }
        }
        if hasPassword && !hasChallenge { run.append(AttributeNumber.chapChallenge, (0..<16).map { from.authenticator[$0] }) }
        if let delaySeconds, delaySeconds > 0, !hasDelay {
            run.append(AttributeNumber.acctDelayTime, grown([0, 0, 0, 0], by: delaySeconds))
        }
        if let operatorNAS = order.operatorNAS, !hasOperatorNAS, order.filter.passes(AttributeNumber.extendedAttribute1) {
            run.append(encoded: operatorNAS)
        }
        run.append(encoded: order.filter.added)
        run.append(AttributeNumber.proxyState, order.proxyState.octets)
        return run.octets
    }

    /// A number of 32 bits, and `seconds` more; the largest where that is too much.
    private static func grown(_ value: [UInt8], by seconds: UInt32) -> [UInt8] {
        let sum = value.reduce(0) { $0 << 8 | UInt64($1) } + UInt64(seconds)
        let number = UInt32(clamping: sum)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}

/// Attributes one behind the other, as they stand in a packet.
struct AttributeRun {
    private(set) var octets: [UInt8] = []

    /// Appends an attribute of at most 253 octets.
    mutating func append(_ type: UInt8, _ value: [UInt8]) {
        precondition(value.count <= 253)
        octets += [type, UInt8(value.count + 2)] + value
    }

    /// Appends an attribute as `translation`, where there is one, has it on the next hop.
    mutating func append(_ type: UInt8, _ value: [UInt8], through translation: inout AttributeTranslation?) {
        if let crossing = translation?.crossing(type, value) { octets += crossing } else { append(type, value) }
    }

    /// Appends what is encoded already.
    mutating func append(encoded attributes: [UInt8]) { octets += attributes }
}
