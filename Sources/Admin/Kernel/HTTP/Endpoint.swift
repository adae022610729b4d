/// Something that an address and a method lead to.
enum Endpoint: Sendable {
    case live
    case ready
    case metrics
    case openAPI
    case list(Resource)
    case create(Resource)
    case read(Resource, RowKey)
    case update(Resource, RowKey)
    case delete(Resource, RowKey)
    case act(Resource, Action, RowKey?)

    /// Everything at the address with these path segments, by method; empty when there is nothing.
    static func at(_ segments: [String], _ registry: Registry) -> [(method: String, endpoint: Endpoint)] {
        switch segments {
        case ["livez"]: return [("GET", .live)]
        case ["readyz"]: return [("GET", .ready)]
        case ["metrics"]: return [("GET", .metrics)]
        case ["openapi.json"]: return [("GET", .openAPI)]
        default: break
        }
        guard segments.count >= 3, segments.count <= 5, segments[0] == "api", segments[1] == "v1",
            let resource = registry.resource(path: segments[2]), !segments.contains("")
        else { return [] }
        let rest = Array(segments[3...])
        switch rest.count {
        case 0: return resource.isSingleton ? item(resource, .only) : collection(resource)
        case 1 where !resource.isSingleton:
            let actions = resource.actions.filter { $0.place == .collection && $0.name == rest[0] }
            return item(resource, RowKey(rest[0])) + actions.map { ("POST", .act(resource, $0, nil)) }
        case 2 where !resource.isSingleton:
            let actions = resource.actions.filter { $0.place == .item && $0.name == rest[1] }
            return actions.map { ("POST", .act(resource, $0, RowKey(rest[0]))) }
        default: return []
        }
    }

    private static func collection(_ resource: Resource) -> [(method: String, endpoint: Endpoint)] {
        var endpoints: [(String, Endpoint)] = []
        if resource.verbs.contains(.list) { endpoints.append(("GET", .list(resource))) }
        if resource.verbs.contains(.create) { endpoints.append(("POST", .create(resource))) }
        return endpoints
    }

    private static func item(_ resource: Resource, _ key: RowKey) -> [(method: String, endpoint: Endpoint)] {
        var endpoints: [(String, Endpoint)] = []
        if resource.verbs.contains(.get) { endpoints.append(("GET", .read(resource, key))) }
        if resource.verbs.contains(.update) { endpoints.append(("PATCH", .update(resource, key))) }
        if resource.verbs.contains(.delete) { endpoints.append(("DELETE", .delete(resource, key))) }
        return endpoints
    }

    /// The resource that it is about; nil for what anyone may see.
    var resource: Resource? {
        switch self {
        case .live, .ready, .metrics, .openAPI: nil
        case .list(let resource), .create(let resource), .read(let resource, _), .update(let resource, _), .delete(let resource, _),
            .act(let resource, _, _):
            resource
        }
    }

    /// The scope that it needs.
    var permission: String? {
        switch self {
        case .list(let resource), .read(let resource, _): resource.permission(false)
        case .act(let resource, let action, _): action.permission ?? resource.permission(action.isWrite)
        default: resource?.permission(true)
        }
    }

    /// The media types of its body; nil when it takes none.
    var mediaTypes: [String]? {
        switch self {
        case .create: ["application/json"]
        case .update: ["application/merge-patch+json", "application/json"]
        case .act(_, let action, _): action.mediaType.map { [$0] }
        default: nil
        }
    }

    var bodyLimit: Int {
        if case .act(_, let action, _) = self { return action.bodyLimit }
        return Exchange.bodyLimit
    }
}
