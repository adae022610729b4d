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
    /// - Returns: encoded attributes; nil when no CoA-Request can do it: the subscriber may not be online any more, or the vendor
    ///   takes no such change. The session is then to be disconnected.
    public func change(tenant: Int64, userName: String, subscriber id: Int64? = nil, vendor: NASVendor) -> [UInt8]? {
        var name = userName
        guard let subscriber = name.withUTF8({ subscribers.find(tenant: tenant, name: UnsafeRawBufferPointer($0)) }),
            id == nil || subscriber.id == id
        else { return nil }
        let decision = AccessDecision(subscriber, in: self, at: UInt32(clamping: time(nil)))
        let filters = decision.level == .active && subscriber.replacesFilters ? Self.filters(subscriber.service) : nil
        guard decision.isAccepted, let change = decision.profile?.change(for: vendor, filters: filters), !change.isEmpty else { return nil }
        return change
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
