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
        var name = userName
        guard let subscriber = name.withUTF8({ subscribers.find(tenant: tenant, name: UnsafeRawBufferPointer($0)) }),
            id == nil || subscriber.id == id
        else { return nil }
        let decision = AccessDecision(subscriber, in: self, at: UInt32(clamping: time(nil)))
        let filters = decision.level == .active && subscriber.replacesFilters ? Self.filters(subscriber.service) : nil
        guard decision.isAccepted, let change = decision.profile?.change(for: vendor, filters: filters), !change.isEmpty else { return nil }
        guard VolumeAttribute.isTakenByCoA(vendor), let share = decision.verdict.quotaShare(of: subscriber, to: vendor, used: used),
            let volume = share.volume
        else { return change }
        return Self.bounded(change, volume.octets, volume.attribute)
    }

    /// `change` with a limit of octets; nil where it leaves no room.
    private static func bounded(_ change: [UInt8], _ limit: UInt64, _ attribute: VolumeAttribute) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: PacketHeader.maximumLength)
        var writer = PacketWriter(octets.mutableSpan, code: .coaRequest, identifier: 0)
        let start = writer.count
        writer.append(encoded: change.span)
        AcceptAttributes.boundVolume(limit, attribute, from: start, writer: &writer)
        let fits = !writer.overflowed
        let finished = writer.finish()
        return fits ? Array(octets[start..<finished.count]) : nil
    }

    /// The Filter-Id attributes among `encoded`.
    private static func filters(_ encoded: UnsafeRawBufferPointer) -> [UInt8] {
        let octets = Array(encoded)
        var cursor = AttributeCursor(0..<octets.count)
        var filters: [UInt8] = []
        while let member = cursor.next(in: octets.span) {
            if member.type == UInt32(AttributeNumber.filterID) { filters += octets[member.range.lowerBound - 2..<member.range.upperBound] }
        }
        return filters
    }
}
