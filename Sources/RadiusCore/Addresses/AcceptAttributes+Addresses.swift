/// Addresses from pools in an Access-Accept.
extension AcceptAttributes {
    /// Appends an item of each pool that `profile` names, unless the reply has the attribute already: what the subscriber has of its own
    /// comes first.
    ///
    /// - Parameters:
    ///   - profile: the one that is answered.
    ///   - claimant: who logs in.
    ///   - start: where the reply's attributes begin.
    ///   - writer: holds the reply so far.
    /// - Returns: why the log-in must be refused; nil when it need not.
    @_lifetime(writer: copy writer)
    static func appendAddresses(
        _ profile: ReplyProfile, _ claimant: AddressClaimant, from start: Int, writer: inout PacketWriter
    ) -> AccessReason? {
        if let pool = profile.pools.ipv4, let fault = append(pool, .ipv4, claimant, start, &writer) { return fault }
        if let pool = profile.pools.ipv6Prefix, let fault = append(pool, .ipv6Prefix, claimant, start, &writer) { return fault }
        if let pool = profile.pools.delegatedPrefix, let fault = append(pool, .delegatedPrefix, claimant, start, &writer) { return fault }
        return nil
    }

    @_lifetime(writer: copy writer)
    private static func append(
        _ pool: AddressPool, _ kind: AddressPoolKind, _ claimant: AddressClaimant, _ start: Int, _ writer: inout PacketWriter
    ) -> AccessReason? {
        guard !writer.contains(kind.attribute, from: start) else { return nil }
        switch pool.offer(claimant) {
        case .item(let address, let length):
            append(address, length, kind, &writer)
            return nil
        case .exhausted(let why, let acceptsWithout): return acceptsWithout ? nil : why.reason
        case .refilling: return .addressPoolRefilling
        case .cutOff: return .addressPoolUnavailable
        }
    }

    /// The same without taking anything; for `explain`.
    @_lifetime(writer: copy writer)
    static func appendPreview(
        _ profile: ReplyProfile, _ claimant: AddressClaimant, from start: Int, writer: inout PacketWriter
    ) -> (fault: AccessReason?, previews: [AddressPreview]) {
        var previews: [AddressPreview] = []
        for (kind, pool) in profile.pools.all where !writer.contains(kind.attribute, from: start) {
            let preview = pool.preview(claimant)
            previews.append(preview)
            switch preview.offer {
            case .item(let address, let length): append(address, length, kind, &writer)
            case .exhausted(let why, let acceptsWithout): if !acceptsWithout { return (why.reason, previews) }
            case .refilling: return (.addressPoolRefilling, previews)
            case .cutOff: return (.addressPoolUnavailable, previews)
            }
        }
        return (nil, previews)
    }

    @_lifetime(writer: copy writer)
    private static func append(_ address: IPAddress, _ length: Int, _ kind: AddressPoolKind, _ writer: inout PacketWriter) {
        if kind == .ipv4 {
            writer.append(AttributeNumber.framedIPAddress, UInt32(truncatingIfNeeded: address.low))
        } else {
            writer.append(kind.attribute, prefix: address, length: length)
        }
    }
}

extension PacketWriter {
    /// Appends an IPv6 prefix: a reserved octet, the length, and as many octets as the length needs (RFC 3162 §2.3, RFC 4818 §3).
    @_lifetime(self: copy self)
    mutating func append(_ type: UInt8, prefix: IPAddress, length: Int) {
        precondition((0...128).contains(length))
        var value = InlineArray<18, UInt8>(repeating: 0)
        value[1] = UInt8(length)
        let octets = (length + 7) / 8
        let masked = prefix.masked(to: length).wide
        for position in 0..<octets { value[2 + position] = UInt8(truncatingIfNeeded: masked >> UInt128(120 - 8 * position)) }
        append(type, value.span.extracting(0..<2 + octets))
    }
}
