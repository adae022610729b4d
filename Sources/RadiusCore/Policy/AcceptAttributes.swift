/// Writes the authorization part of an Access-Accept: the same octets on the wire and in `explain`.
public enum AcceptAttributes {
    /// Appends, in order: addresses and VLAN, the profile's template for the vendor, timeouts, filters, the subscriber's own
    /// attributes.
    ///
    /// - Parameters:
    ///   - decision: an accepting one, made of `subscriber` and `snapshot`.
    ///   - subscriber: who logs in.
    ///   - vendor: of the NAS; picks the template.
    ///   - snapshot: the one in force.
    ///   - secret: the client's, for attributes that are encrypted for each packet.
    ///   - authenticator: of the request, for the same.
    ///   - writer: holds the reply so far.
    /// - Returns: false when an attribute did not fit; the packet must then not be sent.
    @_lifetime(writer: copy writer)
    public static func append(
        _ decision: AccessDecision, of subscriber: SubscriberRecord, to vendor: NASVendor, in snapshot: Snapshot,
        secret: SharedSecret, authenticator: Digest16, writer: inout PacketWriter
    ) -> Bool {
        guard let profile = decision.profile else { return false }
        appendEncoded(subscriber.identity, &writer)
        profile.template(for: vendor).withUnsafeBytes { appendEncoded($0, &writer) }
        let keyed = profile.keyedAttributes(for: vendor)
        appendTimeouts(decision, of: subscriber, in: snapshot, &writer)
        if decision.level != .active || !subscriber.replacesFilters {
            profile.filters.withUnsafeBytes { appendEncoded($0, &writer) }
        }
        if decision.level == .active { appendEncoded(subscriber.service, &writer) }
        let own = decision.level == .active && subscriber.hasKeyedAttributes ? snapshot.keyedAttributes[subscriber.id] ?? [] : []
        if !keyed.isEmpty || !own.isEmpty {
            let keys = HideKeys(secret: secret, authenticator: authenticator)
            guard appendKeyed(keyed + own, keys: keys, snapshot.dictionary, &writer) else { return false }
        }
        return !writer.overflowed
    }

    @_lifetime(writer: copy writer)
    private static func appendTimeouts(
        _ decision: AccessDecision, of subscriber: SubscriberRecord, in snapshot: Snapshot, _ writer: inout PacketWriter
    ) {
        let session = decision.sessionTimeoutSeconds(subscriber)
        if session != 0 { writer.append(AttributeNumber.sessionTimeout, session) }
        let idle = decision.idleTimeoutSeconds(subscriber)
        if idle != 0 { writer.append(AttributeNumber.idleTimeout, idle) }
        writer.append(AttributeNumber.acctInterimInterval, decision.interimSeconds(subscriber, in: snapshot))
    }

    @_lifetime(writer: copy writer)
    private static func appendEncoded(_ octets: UnsafeRawBufferPointer, _ writer: inout PacketWriter) {
        guard octets.count > 0 else { return }
        writer.append(encoded: Span(_unsafeElements: octets.assumingMemoryBound(to: UInt8.self)))
    }

    @_lifetime(writer: copy writer)
    private static func appendKeyed(
        _ attributes: [ReplyAttribute], keys: HideKeys, _ dictionary: RadiusDictionary, _ writer: inout PacketWriter
    ) -> Bool {
        for attribute in attributes {
            guard
                let encoded = try? AttributeEncoder.encode(
                    name: attribute.name, value: attribute.value, dictionary: dictionary, keys: keys)
            else { return false }
            writer.append(encoded: encoded.span)
        }
        return true
    }
}
