/// The OpenAPI 3.1 document of a registry.
struct OpenAPI {
    private let registry: Registry

    init(_ registry: Registry) {
        self.registry = registry
    }

    var document: JSON {
        var paths: [JSON.Member] = systemPaths
        for resource in registry.resources { paths += self.paths(resource) }
        return [
            "openapi": "3.1.0",
            "info": ["title": "Lastmile", "version": "1", "description": "Accounts, access and provisioning of an Internet provider"],
            "servers": [["url": "/"]],
            "security": [["bearer": []]],
            "tags": .array(registry.resources.map { ["name": .string($0.name), "description": .string($0.summary)] }),
            "paths": .object(paths),
            "components": components,
        ]
    }

    private var components: JSON {
        let schemas = registry.resources.flatMap { resource -> [JSON.Member] in
            let schema = ResourceSchema(resource)
            var members = [JSON.Member(resource.name, schema.answer), JSON.Member(resource.name + "_list", schema.list)]
            if resource.verbs.contains(.create) { members.append(.init(resource.name + "_create", schema.input(isCreation: true))) }
            if resource.verbs.contains(.update) { members.append(.init(resource.name + "_update", schema.input(isCreation: false))) }
            return members
        }
        return [
            "securitySchemes": ["bearer": ["type": "http", "scheme": "bearer"]],
            "schemas": .object(schemas + [.init("problem", Self.problem), .init("rehearsal", Self.rehearsal)]),
            "parameters": ["tenant": Self.tenantHeader],
            "responses": ["problem": Self.content("application/problem+json", "problem", "What went wrong")],
        ]
    }

    private static let problem: JSON = [
        "type": "object",
        "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
        "properties": [
            "type": ["type": "string"], "title": ["type": "string"], "status": ["type": "integer"], "detail": ["type": "string"],
            "instance": ["type": "string"], "code": ["type": "string"], "request_id": ["type": "string"],
            "errors": ["type": "array", "items": ["type": "object", "required": ["code", "detail"]]],
        ],
    ]

    private static let rehearsal: JSON = [
        "type": "object", "required": ["dry_run", "before", "after"],
        "properties": ["dry_run": ["const": true], "before": ["type": ["object", "null"]], "after": ["type": ["object", "null"]]],
    ]

    private static let tenantHeader: JSON = [
        "name": "X-Lastmile-Tenant", "in": "header", "description": "The tenant's name, for the operator of the installation",
        "schema": ["type": "string"],
    ]

    static func content(_ mediaType: String, _ schema: String, _ description: String) -> JSON {
        [
            "description": .string(description),
            "content": .object([.init(mediaType, ["schema": ["$ref": .string("#/components/schemas/" + schema)]])]),
        ]
    }

    private var systemPaths: [JSON.Member] {
        func path(_ path: String, _ name: String, _ mediaType: String, _ others: [JSON.Member] = []) -> JSON.Member {
            let content: JSON = .object([.init(mediaType, .object([]))])
            let success = JSON.Member("200", ["description": "It is as it says", "content": content])
            return .init(
                path,
                [
                    "get": [
                        "operationId": .string(name), "security": [], "responses": .object([success] + others + [Self.anyProblem]),
                    ]
                ])
        }
        let notReady = JSON.Member("503", ["description": "Not ready; the failing checks", "content": ["application/json": .object([])]])
        return [
            path("/livez", "live", "application/json"), path("/readyz", "ready", "application/json", [notReady]),
            path("/metrics", "metrics", "text/plain"), path("/openapi.json", "openapi", "application/json"),
        ]
    }

    static let anyProblem = JSON.Member("default", ["$ref": "#/components/responses/problem"])
}
