/// What changed since the last look, by kind.
struct ChangeSet {
    var profiles: Set<Int64> = []
    var policies: Set<Int64> = []
    var clients = false
    /// Tenants whose policy rules, or whose zone, changed.
    var ruledTenants: Set<Int64> = []
    /// Realms, pools or home servers.
    var proxy = false
    var subscribers: Set<Int64> = []
    /// Names that a rename or a deletion gave up.
    var freed: [(tenant: Int64, name: String)] = []
    var count = 0
    /// Age of the oldest change, in microseconds, when it was read.
    var lagMicroseconds: Int64 = 0
    var readAt = ContinuousClock.now
    /// Nothing is known about what changed: everything has to be read.
    var isUnknown = false

    var isEmpty: Bool { count == 0 && !isUnknown }

    mutating func add(kind: String, tenant: Int64, key: Int64, former: String?) {
        count += 1
        switch kind {
        case "profile": profiles.insert(key)
        case "access_policy": policies.insert(key)
        case "nas": clients = true
        case "policy_rule": ruledTenants.insert(tenant)
        case "proxy": proxy = true
        default:
            subscribers.insert(key)
            if let former { freed.append((tenant, former)) }
        }
    }
}
