/// One request, read whole, with who asks.
public struct Exchange: Sendable {
    /// Octets of a body, where a route does not say otherwise.
    public static let bodyLimit = 1 << 20

    let method: String
    /// The path's segments after `/api/v1`, percent-decoded.
    let path: [String]
    let target: String
    let query: [Parameter]
    let headers: [Header]
    var body: [UInt8] = []
    let requestID: String
    let principal: Principal
    let services: AdminServices

    /// One query parameter, percent-decoded; a name may stand more than once.
    struct Parameter: Equatable, Sendable {
        let name: String
        let value: String
    }

    /// The first header called `name`, whatever its case.
    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    func parameter(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }

    /// Whether the flag `name` is given as true.
    ///
    /// - Throws: `Problem` when its value is neither true nor false.
    func flag(_ name: String) throws(Problem) -> Bool {
        switch parameter(name) {
        case nil, "false": return false
        case "true": return true
        default: throw .badParameters([.init(.parameter(name), "type", "true or false is expected")])
        }
    }

    /// Refuses parameters that nobody reads.
    func allow(_ names: [String]) throws(Problem) {
        var seen: Set<String> = []
        var faults: [Problem.Fault] = []
        for parameter in query {
            if !names.contains(parameter.name) {
                faults.append(.init(.parameter(parameter.name), "unknown", Self.unknown(parameter.name, names)))
            } else if !seen.insert(parameter.name).inserted {
                faults.append(.init(.parameter(parameter.name), "repeated", "it can stand only once"))
            }
        }
        guard faults.isEmpty else { throw .badParameters(faults) }
    }

    static func unknown(_ name: String, _ known: [String]) -> String {
        known.isEmpty ? "no parameter is taken here" : "there is no such parameter; there are: \(known.joined(separator: ", "))"
    }

    func require(_ permission: String) throws(Problem) {
        guard principal.permits(permission) else { throw .forbidden(permission) }
    }
}

/// Who asks, and for whose data.
public struct Principal: Sendable {
    /// For audit: `operator`, or `token:` with the token's name.
    let name: String
    let tenant: Int64
    /// Such as `aaa:read`; `*` is everything of the tenant.
    let scopes: Set<String>
    /// The operator of the whole installation.
    let isPlatform: Bool

    func permits(_ permission: String) -> Bool {
        if isPlatform || scopes.contains("*") || scopes.contains(permission) { return true }
        guard permission.hasSuffix(":read") else { return false }
        return scopes.contains(permission.dropLast(5) + ":write")
    }
}

/// One answer before it becomes HTTP.
struct Answer: Sendable {
    var status = 200
    var headers: [Header] = []
    var mediaType = "application/json"
    var body: [UInt8] = []
    /// Writes a body that has no end yet, instead of `body`; a write waits until the reader has taken the one before.
    var stream: (@Sendable (_ write: (_ octets: [UInt8]) async throws -> Void) async throws -> Void)?

    static func json(_ text: String, status: Int = 200) -> Answer {
        Answer(status: status, body: Array(text.utf8))
    }

    static func json(_ value: JSON, status: Int = 200) -> Answer {
        Answer(status: status, body: value.bytes)
    }

    func with(header name: String, _ value: String) -> Answer {
        var copy = self
        copy.headers.append(Header(name, value))
        return copy
    }
}
