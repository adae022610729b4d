import Database

/// A login that policy rules are tried on: typed, or recorded.
public struct PolicyTrial: Equatable, Sendable {
    public struct Attribute: Equatable, Sendable {
        public let name: String
        public let value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The subscriber; empty: as the packet says.
    public var userName = ""
    /// The NAS that asks; nil: any of the tenant's.
    public var nas: String?
    public var attributes: [Attribute] = []
    /// The name of the authentication method; nil: PAP, or as attributes or packet have it. Beside a packet only where that carries EAP.
    public var method: String?
    /// An Access-Request as hexadecimal digits, instead of attributes.
    public var packet: String?
    /// When the login counts as tried, since 1970; nil: now.
    public var seconds: Int64?

    /// `POST policy-rules/test`: what each rule makes of a login, and what is answered. Changes nothing.
    static let action = Action(
        "test", on: .collection, summary: "Tries the rules in force on a typed or recorded login: each rule's outcome, and the answer",
        isWrite: false, mediaType: "application/json", bodyLimit: 1 << 16
    ) { exchange, _ in
        var (trial, instant) = try PolicyTrial.read(exchange.body)
        if let instant {
            trial.seconds = try await exchange.services.pool.transaction(.tenant(exchange.principal.tenant), readOnly: true) { connection in
                try connection.queryOne("SELECT extract(epoch FROM $1::text::timestamptz)::bigint", [.text(instant)])?.int64(0)
            }
        }
        trial.nas = try await exchange.nasName(trial.nas)
        let tenant = exchange.principal.tenant
        return .json(try await exchange.services.testPolicy(tenant, trial))
    }

    /// The trial in a body, and the time that it names.
    static func read(_ body: [UInt8]) throws(Problem) -> (trial: PolicyTrial, instant: String?) {
        let json: JSON
        do { json = try JSONParser.parse(body) } catch { throw Problem.badJSON(error) }
        guard let members = json.members else {
            throw .invalid([.init(.body(""), "type", "a JSON object is expected, not \(json.kindName)")])
        }
        var trial = PolicyTrial()
        var instant: String?
        var faults: [Problem.Fault] = []
        for member in members {
            do throws(FieldFault) {
                switch member.name {
                case "username": trial.userName = try text(member.value)
                case "nas": trial.nas = try text(member.value)
                case "method": trial.method = try text(member.value)
                case "packet": trial.packet = try text(member.value)
                case "at": instant = try Instant.normalized(try text(member.value))
                case "attributes": trial.attributes = try attributes(member.value)
                default: throw FieldFault("unknown", "there are username, nas, attributes, method, packet, at")
                }
            } catch {
                faults.append(.init(.body(Problem.Fault.pointer(member.name) + error.below), error.code, error.detail))
            }
        }
        if trial.packet != nil, !trial.attributes.isEmpty {
            faults.append(.member("packet", "rival", "give a packet, or attributes, not both"))
        }
        if trial.packet == nil, trial.userName.isEmpty { faults.append(.member("username", "required", "it must be given, or a packet")) }
        guard faults.isEmpty else { throw .invalid(faults) }
        return (trial, instant)
    }

    private static func text(_ json: JSON) throws(FieldFault) -> String {
        guard let text = json.text, text.utf8.count <= 8192 else { throw FieldFault("type", "a text is expected") }
        return text
    }

    private static func attributes(_ json: JSON) throws(FieldFault) -> [Attribute] {
        guard let elements = json.elements, elements.count <= 200 else {
            throw FieldFault("type", "an array of at most 200 {name, value} is expected")
        }
        var attributes: [Attribute] = []
        for (index, element) in elements.enumerated() {
            guard let name = element["name"]?.text, let value = element["value"]?.attributeText else {
                throw FieldFault("type", "{name, value} is expected", below: "/\(index)")
            }
            attributes.append(Attribute(name: name, value: value))
        }
        return attributes
    }
}
