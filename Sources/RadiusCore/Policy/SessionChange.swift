extension Snapshot {
    /// What a CoA-Request must say so that a running session has what a new log-in would get.
    ///
    /// - Returns: encoded attributes; nil when no CoA-Request can do it: the subscriber may not be online any more, or the vendor
    ///   takes no such change. The session is then to be disconnected.
    public func change(tenant: Int64, userName: String, vendor: NASVendor) -> [UInt8]? {
        var name = userName
        guard let subscriber = name.withUTF8({ subscribers.find(tenant: tenant, name: UnsafeRawBufferPointer($0)) }) else { return nil }
        let decision = AccessDecision(subscriber, in: self)
        guard decision.isAccepted, let change = decision.profile?.change(for: vendor), !change.isEmpty else { return nil }
        return change
    }
}
