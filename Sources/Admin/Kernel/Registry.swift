/// All resources in the order in which documents name them.
public struct Registry: Sendable {
    public let resources: [Resource]
    private let byName: [String: Resource]
    private let byPath: [String: Resource]

    init(_ resources: [Resource]) {
        self.resources = resources
        byName = Dictionary(uniqueKeysWithValues: resources.map { ($0.name, $0) })
        byPath = Dictionary(uniqueKeysWithValues: resources.map { ($0.path, $0) })
    }

    /// The resource called `name`, in the singular.
    public func resource(_ name: String) -> Resource? { byName[name] }

    /// The resource at `/api/v1/<path>`.
    func resource(path: String) -> Resource? { byPath[path] }

    /// Every resource of the product.
    ///
    /// - Parameter vendors: the words that `vendor` of a NAS takes.
    /// - Returns: them in the order in which documents name them.
    public static func all(vendors: [String]) -> Registry {
        Registry([
            .tenant, .token, .audit,
            .profile, .accessPolicy, .nas(vendors: vendors), .subscriber, .lock, .policyRule, .postAuthHook, .session, .authLog, .usage,
            .dynamicAuthorization, .addressPool, .addressLease, .homeServer, .homeServerPool, .realm,
            .quota, .quotaThreshold, .quotaTopUp, .quotaState, .quotaEvent,
        ])
    }
}
