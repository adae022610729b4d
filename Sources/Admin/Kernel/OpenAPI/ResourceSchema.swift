/// The JSON Schemas of a resource: what it answers and what it takes.
struct ResourceSchema {
    private let resource: Resource

    init(_ resource: Resource) {
        self.resource = resource
    }

    /// One row.
    var answer: JSON {
        var properties: [JSON.Member] = resource.hasID ? [.init("id", ["type": "integer", "readOnly": true])] : []
        for field in resource.fields where field.isAnswered {
            properties.append(.init(field.name, field.answerSchema))
            if case .reference = field.kind {
                properties.append(
                    .init(field.column, ["type": .array(field.isNullable ? ["integer", "null"] : ["integer"]), "readOnly": true]))
            }
        }
        if resource.isVersioned { properties.append(.init("version", ["type": "integer", "readOnly": true])) }
        let names = properties.map { JSON.string($0.name) }
        return ["type": "object", "required": .array(names), "properties": .object(properties)]
    }

    /// A page of rows.
    var list: JSON {
        let page: JSON = [
            "type": "object", "required": ["next"], "properties": ["next": ["type": ["string", "null"]], "total": ["type": "integer"]],
        ]
        let data: JSON = ["type": "array", "items": ["$ref": .string("#/components/schemas/" + resource.name)]]
        return ["type": "object", "required": ["data", "page"], "properties": ["data": data, "page": page]]
    }

    /// The body of a creation, or of a merge patch.
    func input(isCreation: Bool) -> JSON {
        let fields = resource.fields.filter { !$0.isReadOnly && (isCreation || !$0.isFixed) }
        var members: [JSON.Member] = [.init("type", "object"), .init("additionalProperties", false)]
        let required = fields.filter(\.isRequired).map { JSON.string($0.name) }
        if isCreation, !required.isEmpty { members.append(.init("required", .array(required))) }
        members.append(.init("properties", .object(fields.map { .init($0.name, $0.inputSchema) })))
        return .object(members)
    }
}

extension Field {
    var answerSchema: JSON {
        var members = shape(isInput: false)
        if isNullable || isLoose || expression != nil, kind != .boolean { members = Self.nullable(members) }
        if isReadOnly { members.append(.init("readOnly", true)) }
        return .object(members + notes)
    }

    var inputSchema: JSON {
        var members = shape(isInput: true)
        if !isRequired { members = Self.nullable(members) }
        if kind == .secret { members.append(.init("writeOnly", true)) }
        return .object(members + notes)
    }

    private var notes: [JSON.Member] {
        var members: [JSON.Member] = []
        if !summary.isEmpty { members.append(.init("description", .string(summary))) }
        if let initial { members.append(.init("default", initial)) }
        if dataClass != .operational { members.append(.init("x-data-class", .string(dataClass.rawValue))) }
        return members
    }

    private static func nullable(_ members: [JSON.Member]) -> [JSON.Member] {
        members.map { member in
            switch (member.name, member.value) {
            case ("type", .string(let type)): .init("type", [.string(type), "null"])
            case ("type", .array(let types)): .init("type", .array(types + ["null"]))
            case ("enum", .array(let words)): .init("enum", .array(words + [.null]))
            default: member
            }
        }
    }

    private func shape(isInput: Bool) -> [JSON.Member] {
        switch kind {
        case .integer: return [.init("type", "integer")] + bounds
        case .boolean: return [.init("type", "boolean")]
        case .rate: return [.init("type", isInput ? ["integer", "string"] : "integer")] + bounds
        case .reference: return [.init("type", isInput ? ["string", "integer"] : "string")]
        case .choice(let words): return [.init("type", "string"), .init("enum", .array(words.map(JSON.string)))]
        case .textList: return [.init("type", "array"), .init("items", .object([.init("type", "string")] + lengths + format))]
        case .attributes: return [.init("type", "array"), .init("items", Self.attribute)]
        case .document: return [.init("type", "object")]
        case .date: return [.init("type", "string"), .init("format", "date")]
        case .timestamp: return [.init("type", "string"), .init("format", "date-time")]
        case .address(.ipv4): return [.init("type", "string"), .init("format", "ipv4")]
        case .address(.ipv6): return [.init("type", "string"), .init("format", "ipv6")]
        case .address, .hardwareAddress: return [.init("type", "string"), .init("minLength", 2)]
        case .prefix: return [.init("type", "string"), .init("minLength", 2), .init("format", "ip-network")]
        case .text, .secret: return [.init("type", "string")] + lengths + format
        }
    }

    private static let attribute: JSON = [
        "type": "object", "required": ["name", "value"], "additionalProperties": false,
        "properties": ["name": ["type": "string"], "value": ["type": ["string", "number"]]],
    ]

    private var bounds: [JSON.Member] {
        guard let range else { return [] }
        return [.init("minimum", .number(String(range.lowerBound))), .init("maximum", .number(String(range.upperBound)))]
    }

    /// Octets bound characters from above.
    private var lengths: [JSON.Member] {
        let octets = self.octets ?? 0...1000
        return [.init("minLength", .number(octets.lowerBound > 0 ? "1" : "0")), .init("maxLength", .number(String(octets.upperBound)))]
    }

    private var format: [JSON.Member] {
        form.map { [.init("format", .string($0.name))] } ?? []
    }
}
