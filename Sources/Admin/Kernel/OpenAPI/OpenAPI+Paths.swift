extension OpenAPI {
    /// The addresses of a resource with their operations.
    func paths(_ resource: Resource) -> [JSON.Member] {
        let root = "/api/v1/" + resource.path
        var paths: [JSON.Member] = []
        let item = item(resource)
        if resource.isSingleton { return [.init(root, .object(item + [parameters([])]))] }
        let collection = collection(resource)
        if !collection.isEmpty { paths.append(.init(root, .object(collection + [parameters([])]))) }
        if !item.isEmpty { paths.append(.init(root + "/{id}", .object(item + [parameters([Self.key(resource)])]))) }
        for action in resource.actions {
            let isItem = action.place == .item
            let path = isItem ? "\(root)/{id}/\(action.name)" : "\(root)/\(action.name)"
            paths.append(.init(path, .object([self.action(action, resource), parameters(isItem ? [Self.key(resource)] : [])])))
        }
        return paths
    }

    private func parameters(_ others: [JSON]) -> JSON.Member {
        .init("parameters", .array(others + [["$ref": "#/components/parameters/tenant"]]))
    }

    private static func key(_ resource: Resource) -> JSON {
        let names = resource.nameField.map { ", or the \($0), which goes first; id: or name: before it says which" } ?? ""
        return [
            "name": "id", "in": "path", "required": true, "description": .string("The id" + names),
            "schema": ["type": "string", "minLength": 1],
        ]
    }

    private func collection(_ resource: Resource) -> [JSON.Member] {
        var operations: [JSON.Member] = []
        if resource.verbs.contains(.list) {
            operations.append(
                operation("get", "list", resource, ["200": Self.json(resource.name + "_list", "A page")], ListParameters(resource).all))
        }
        if resource.verbs.contains(.create) {
            operations.append(
                operation(
                    "post", "create", resource,
                    ["201": Self.json(resource.name, "It was made"), "200": Self.json("rehearsal", "What would be made")],
                    resource.rules.onCreate == nil ? [Self.dryRun, Self.idempotencyKey] : [Self.dryRun],
                    body: Self.body("application/json", resource.name + "_create")))
        }
        return operations
    }

    private func item(_ resource: Resource) -> [JSON.Member] {
        var operations: [JSON.Member] = []
        let match: JSON = [
            "name": "If-Match", "in": "header", "required": true, "description": "The ETag that was read, or *; without it: 428",
            "schema": ["type": "string", "minLength": 1],
        ]
        if resource.verbs.contains(.get) {
            let unchanged: JSON = ["description": "Not changed since If-None-Match"]
            operations.append(
                operation("get", "get", resource, ["200": Self.json(resource.name, "The \(resource.name)"), "304": unchanged], []))
        }
        if resource.verbs.contains(.update) {
            let schema: JSON = ["anyOf": [Self.reference(resource.name), Self.reference("rehearsal")]]
            let success: JSON = ["description": "As it is now, or would be", "content": ["application/json": ["schema": schema]]]
            let apply = Self.flag("apply", "Then give live sessions what changed")
            operations.append(
                operation(
                    "patch", "update", resource, ["200": success], [Self.dryRun, match] + (resource.rules.apply == nil ? [] : [apply]),
                    body: Self.body("application/merge-patch+json", resource.name + "_update")))
        }
        if resource.verbs.contains(.delete) {
            let gone: JSON = ["description": "It is gone"]
            operations.append(
                operation(
                    "delete", "delete", resource, ["204": gone, "200": Self.json("rehearsal", "What would go")], [Self.dryRun, match]))
        }
        return operations
    }

    private func action(_ action: Action, _ resource: Resource) -> JSON.Member {
        let success: JSON = ["description": "The outcome", "content": ["application/json": ["schema": ["type": "object"]]]]
        let parameters = action.parameters.map { parameter -> JSON in
            ["partial", "dry_run"].contains(parameter.name)
                ? Self.flag(parameter.name, parameter.summary) : Self.query(parameter.name, parameter.summary)
        }
        let body = action.mediaType.map { mediaType -> JSON in
            [
                "required": true,
                "content": .object([
                    .init(mediaType, ["schema": mediaType == "application/json" ? ["type": "object"] : ["type": "string", "minLength": 1]])
                ]),
            ]
        }
        return operation("post", action.name, resource, ["200": success], parameters, body: body, summary: action.summary)
    }

    private func operation(
        _ method: String, _ verb: String, _ resource: Resource, _ responses: JSON, _ parameters: [JSON], body: JSON? = nil,
        summary: String = ""
    ) -> JSON.Member {
        var members: [JSON.Member] = [
            .init("operationId", .string("\(resource.name)_\(verb.replacing("-", with: "_"))")), .init("tags", [.string(resource.name)]),
        ]
        if !summary.isEmpty { members.append(.init("summary", .string(summary))) }
        if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
        if let body { members.append(.init("requestBody", body)) }
        members.append(.init("responses", .object((responses.members ?? []) + [Self.anyProblem])))
        return .init(method, .object(members))
    }

    // MARK: Pieces

    private static func reference(_ schema: String) -> JSON { ["$ref": .string("#/components/schemas/" + schema)] }
    private static func json(_ schema: String, _ description: String) -> JSON { content("application/json", schema, description) }
    private static let dryRun = flag("dry_run", "Check everything, change nothing, answer before and after")

    private static func body(_ mediaType: String, _ schema: String) -> JSON {
        ["required": true, "content": .object([.init(mediaType, ["schema": reference(schema)])])]
    }

    private static func flag(_ name: String, _ description: String) -> JSON {
        ["name": .string(name), "in": "query", "description": .string(description), "schema": ["type": "boolean", "default": false]]
    }

    private static func query(_ name: String, _ description: String) -> JSON {
        ["name": .string(name), "in": "query", "description": .string(description), "schema": ["type": "string"]]
    }

    private static let idempotencyKey: JSON = [
        "name": "Idempotency-Key", "in": "header", "description": "A repeated request with this key is answered as the first",
        "schema": ["type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"],
    ]
}

/// The query parameters of a list.
struct ListParameters {
    private let resource: Resource

    init(_ resource: Resource) {
        self.resource = resource
    }

    var all: [JSON] { controls + filters + shortcuts }

    private var controls: [JSON] {
        let range: JSON = ["type": "integer", "minimum": 1, "maximum": .number(String(ListQuery.limitMaximum)), "default": 100]
        var controls = [
            parameter("limit", "Rows of a page", range),
            parameter("cursor", "Where the page begins: page.next of the one before", ["type": "string", "minLength": 24]),
            parameter("sort", "Fields in order, - before one that descends"), parameter("count", "exact: page.total", ["const": "exact"]),
        ]
        if resource.fields.contains(where: \.isSearchable) { controls.append(parameter("q", "Text to find")) }
        return controls
    }

    private var filters: [JSON] {
        var filters: [JSON] = []
        for field in (resource.hasID ? [resource.idField] : []) + resource.fields {
            for operation in field.filterOperators {
                let name = operation == .equal ? field.name : "\(field.name)[\(operation.rawValue)]"
                filters.append(parameter(name, field.summary, Self.schema(field, operation)))
            }
        }
        return filters
    }

    private static func schema(_ field: Field, _ operation: FilterOperator) -> JSON {
        switch (operation, field.kind) {
        case (.isNull, _), (_, .boolean): ["type": "boolean"]
        case (.oneOf, _), (.contains, _), (.startsWith, _), (_, .text), (_, .reference): ["type": "string"]
        case (_, .integer): ["type": "integer"]
        case (_, .rate): ["type": ["integer", "string"], "minLength": 1]
        case (_, .choice(let words)): ["type": "string", "enum": .array(words.map(JSON.string))]
        default: ["type": "string", "minLength": 1]
        }
    }

    private var shortcuts: [JSON] {
        resource.shortcuts.map { parameter($0.name, $0.summary) }
    }

    private func parameter(_ name: String, _ description: String, _ schema: JSON = ["type": "string"]) -> JSON {
        var members: [JSON.Member] = [.init("name", .string(name)), .init("in", "query"), .init("schema", schema)]
        if !description.isEmpty { members.append(.init("description", .string(description))) }
        return .object(members)
    }
}
