import Glibc

extension Snapshot {
    /// What a CoA-Request must say so that a running session has what a new log-in would get.
    ///
    /// - Parameters:
    ///   - tenant: owner of session and subscriber.
    ///   - userName: as the session has it.
    ///   - id: of the subscriber that the session belongs to, when that is known: after a rename somebody else may have the name,
    ///     whose plan is not the session's.
    ///   - vendor: make of the NAS.
    ///   - used: octets that the session has moved so far, as the subscriber sees them: limits of octets count from its begin.
    /// - Returns: encoded attributes; nil when no CoA-Request can do it: the subscriber may not be online any more, or the vendor
    ///   takes no such change. The session is then to be disconnected.
    public func change(
        tenant: Int64, userName: String, subscriber id: Int64? = nil, vendor: NASVendor, used: (upload: UInt64, download: UInt64) = (0, 0)
    ) -> [UInt8]? {
        guard let (subscriber, decision) = standing(tenant: tenant, userName: userName, subscriber: id) else { return nil }
        let service = decision.level == .active ? Array(subscriber.service) : []
        let filters = decision.level == .active && subscriber.replacesFilters ? Self.filters(service) : nil
        guard decision.isAccepted, let change = decision.profile?.change(for: vendor, filters: filters), !change.isEmpty else { return nil }
        guard let volume = Self.volume(decision, of: subscriber, to: vendor, used: used) else { return change }
        return Self.bounded(change + Self.limits(service, volume.attribute), volume)
    }

    /// What a CoA-Request must say so that a running session keeps to what is left of the subscriber's quota now, and is otherwise as it
    /// was: whatever else it has may come from a policy rule, from the router, or from a profile as it was before.
    ///
    /// - Parameters:
    ///   - tenant: owner of session and subscriber.
    ///   - userName: as the session has it.
    ///   - id: of the subscriber that the session belongs to, when that is known.
    ///   - vendor: make of the NAS.
    ///   - used: octets that the session has moved so far, as the subscriber sees them.
    /// - Returns: encoded attributes; nil when there is nothing to say, or the vendor takes no such change.
    public func limitChange(
        tenant: Int64, userName: String, subscriber id: Int64? = nil, vendor: NASVendor, used: (upload: UInt64, download: UInt64) = (0, 0)
    ) -> [UInt8]? {
        guard let (subscriber, decision) = standing(tenant: tenant, userName: userName, subscriber: id), decision.verdict.isOpenToRules,
            let volume = Self.volume(decision, of: subscriber, to: vendor, used: used)
        else { return nil }
        let given = (decision.profile?.template(for: vendor) ?? []) + Array(subscriber.service)
        return Self.bounded(Self.limits(given, volume.attribute), volume)
    }

    /// What holds now for the subscriber of a session; nil where that one is not known, or has another name.
    private func standing(
        tenant: Int64, userName: String, subscriber id: Int64?
    ) -> (subscriber: SubscriberRecord, decision: AccessDecision)? {
        var name = userName
        guard let subscriber = name.withUTF8({ subscribers.find(tenant: tenant, name: UnsafeRawBufferPointer($0)) }),
            id == nil || subscriber.id == id
        else { return nil }
        return (subscriber, AccessDecision(subscriber, in: self, at: UInt32(clamping: time(nil))))
    }

    /// The limit of octets that a running session is told of the quota; nil for none.
    private static func volume(
        _ decision: AccessDecision, of subscriber: SubscriberRecord, to vendor: NASVendor, used: (upload: UInt64, download: UInt64)
    ) -> (attribute: VolumeAttribute, octets: UInt64)? {
        guard VolumeAttribute.isTakenByCoA(vendor) else { return nil }
        return decision.verdict.quotaShare(of: subscriber, to: vendor, used: used)?.volume
    }

    /// `change` with one limit of octets, the least of those in it and `volume`; nil where it leaves no room.
    private static func bounded(_ change: [UInt8], _ volume: (attribute: VolumeAttribute, octets: UInt64)) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: PacketHeader.maximumLength)
        var writer = PacketWriter(octets.mutableSpan, code: .coaRequest, identifier: 0)
        let start = writer.count
        writer.append(encoded: change.span)
        AcceptAttributes.boundVolume(volume.octets, volume.attribute, from: start, writer: &writer)
        let fits = !writer.overflowed
        let finished = writer.finish()
        return fits ? Array(octets[start..<finished.count]) : nil
    }

    /// The Filter-Id attributes among `encoded`.
    private static func filters(_ encoded: [UInt8]) -> [UInt8] {
        attributes(encoded) { place, _ in place[0] == AttributeNumber.filterID }
    }

    /// The limits of octets among `encoded`.
    private static func limits(_ encoded: [UInt8], _ attribute: VolumeAttribute) -> [UInt8] {
        attributes(encoded) { place, count in attribute.part(place, count) != nil }
    }

    /// The attributes among `encoded` for which `isMeant` says so, which is told each one's first octet and its length.
    private static func attributes(_ encoded: [UInt8], where isMeant: (UnsafePointer<UInt8>, Int) -> Bool) -> [UInt8] {
        var cursor = AttributeCursor(0..<encoded.count)
        var found: [UInt8] = []
        while let member = cursor.next(in: encoded.span) {
            let whole = encoded[member.range.lowerBound - 2..<member.range.upperBound]
            let isFound = whole.withUnsafeBufferPointer { octets in octets.baseAddress.map { isMeant($0, octets.count) } ?? false }
            if isFound { found += whole }
        }
        return found
    }
}
