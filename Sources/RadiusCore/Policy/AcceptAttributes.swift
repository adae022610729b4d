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
        appendPlain(decision.verdict, of: subscriber, to: vendor, in: snapshot, writer: &writer)
            && appendKeyed(
                decision.verdict, of: subscriber, to: vendor, in: snapshot,
                keys: HideKeys(secret: secret, authenticator: authenticator), writer: &writer)
            && !writer.overflowed
    }

    /// Appends what is encoded already. Allocates nothing and counts no references.
    ///
    /// - Returns: false without a profile.
    @_lifetime(writer: copy writer)
    static func appendPlain(
        _ verdict: AccessVerdict, of subscriber: SubscriberRecord, to vendor: NASVendor, in snapshot: Snapshot, writer: inout PacketWriter
    ) -> Bool {
        guard let profile = verdict.profile else { return false }
        appendEncoded(subscriber.identity, &writer)
        appendEncoded(profile._withUnsafeGuaranteedRef { $0.wire.template(for: vendor) }, &writer)
        appendTimeouts(verdict, of: subscriber, in: snapshot, &writer)
        if verdict.level != .active || !subscriber.replacesFilters {
            appendEncoded(profile._withUnsafeGuaranteedRef { $0.wire.filters }, &writer)
        }
        if verdict.level == .active { appendEncoded(subscriber.service, &writer) }
        return true
    }

    /// Whether `appendKeyed` would append anything.
    static func needsKeys(_ verdict: AccessVerdict, of subscriber: SubscriberRecord, to vendor: NASVendor) -> Bool {
        if verdict.level == .active, subscriber.hasKeyedAttributes { return true }
        return verdict.profile?._withUnsafeGuaranteedRef { $0.wire.isKeyed(for: vendor) } ?? false
    }

    /// Appends what is encrypted for this packet.
    ///
    /// - Returns: false when an attribute cannot be encoded; the packet must then not be sent.
    @_lifetime(writer: copy writer)
    static func appendKeyed(
        _ verdict: AccessVerdict, of subscriber: SubscriberRecord, to vendor: NASVendor, in snapshot: Snapshot,
        keys: @autoclosure () -> HideKeys, writer: inout PacketWriter
    ) -> Bool {
        guard needsKeys(verdict, of: subscriber, to: vendor), let profile = verdict.profile?.takeUnretainedValue() else { return true }
        let own = verdict.level == .active && subscriber.hasKeyedAttributes ? snapshot.keyedAttributes[subscriber.id] ?? [] : []
        return encode(profile.keyedAttributes(for: vendor) + own, keys: keys(), snapshot.dictionary, &writer)
    }

    @_lifetime(writer: copy writer)
    private static func appendTimeouts(
        _ decision: AccessVerdict, of subscriber: SubscriberRecord, in snapshot: Snapshot, _ writer: inout PacketWriter
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
    private static func encode(
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
