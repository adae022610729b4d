internal import Crypto
import Database
internal import Logging

/// Leads a request to its endpoint and its outcome to an answer; knows nothing of sockets.
struct Dispatcher: Sendable {
    let services: AdminServices
    let registry: Registry
    private let authentication: Authentication
    private let cursorKey: SymmetricKey
    private let openAPI: [UInt8]

    /// A request before its body is read.
    struct Head: Sendable {
        let method: String
        let target: String
        let headers: [Header]
        let requestID: String

        func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    init(_ services: AdminServices) {
        self.services = services
        registry = Registry.all(vendors: services.vendorNames)
        authentication = Authentication(services)
        cursorKey = SymmetricKey(data: SHA256.hash(data: Array(("lastmile list cursor " + services.operatorToken).utf8)))
        openAPI = OpenAPI(registry).document.bytes
    }

    /// Answers; `body` is called only once the request is known to be wanted, with the most octets it may bring.
    func answer(_ head: Head, body: (_ limit: Int) async throws -> [UInt8]) async -> Answer {
        do {
            return try await dispatch(head, body)
        } catch let problem as Problem {
            return render(problem, head)
        } catch let failure as ServiceFailure {
            return render(Problem(failure), head)
        } catch is CancellationError {
            return render(.unavailable("the server is stopping"), head)
        } catch let error as DatabaseError {
            guard let problem = Problem(error, nil, in: registry) else { return render(broken(error, head), head) }
            // It comes from an action of several steps, of which some may have been done.
            return render(["GET", "HEAD"].contains(head.method) ? problem : .outcomeUnknown(), head)
        } catch {
            return render(broken(error, head), head)
        }
    }

    private func broken(_ error: any Error, _ head: Head) -> Problem {
        services.logger.error(
            "request failed",
            metadata: ["request_id": "\(head.requestID)", "method": "\(head.method)", "target": "\(head.target)", "error": "\(error)"])
        return .internalError()
    }

    private func render(_ problem: Problem, _ head: Head) -> Answer {
        let path = String(head.target.prefix { $0 != "?" })
        return Answer(
            status: problem.status, headers: problem.headers, mediaType: "application/problem+json",
            body: problem.document(instance: path, requestID: head.requestID).bytes)
    }

    private func dispatch(_ head: Head, _ body: (_ limit: Int) async throws -> [UInt8]) async throws -> Answer {
        let (segments, query) = try Self.parse(head.target)
        let endpoints = Endpoint.at(segments, registry)
        guard !endpoints.isEmpty else { throw Problem.noRoute(String(head.target.prefix { $0 != "?" })) }
        let allowed = Self.allowed(endpoints.map(\.method))
        if head.method == "OPTIONS" { return Answer(status: 204).with(header: "Allow", allowed) }
        let method = head.method == "HEAD" ? "GET" : head.method
        guard let endpoint = endpoints.first(where: { $0.method == method })?.endpoint else {
            throw Problem.methodNotAllowed(head.method, allowed)
        }
        guard let resource = endpoint.resource else { return try await answerPublic(endpoint) }
        let principal = try await authentication.principal(
            authorization: head.header("Authorization"), tenant: head.header("X-Lastmile-Tenant"))
        var exchange = Exchange(
            method: method, path: segments, target: head.target, query: query, headers: head.headers, requestID: head.requestID,
            principal: principal, services: services)
        try Self.admit(exchange, endpoint, resource)
        if let mediaTypes = endpoint.mediaTypes {
            try Self.check(mediaType: head.header("Content-Type"), mediaTypes)
            exchange.body = try await body(endpoint.bodyLimit)
        }
        return try await run(endpoint, exchange)
    }

    private static func admit(_ exchange: Exchange, _ endpoint: Endpoint, _ resource: Resource) throws {
        if let permission = endpoint.permission { try exchange.require(permission) }
        switch resource.scope {
        case .platform: if !exchange.principal.isPlatform { throw Problem.forbidden("platform") }
        case .tenant:
            if exchange.principal.tenant == 0 {
                throw Problem.conflict("there is no tenant yet; create one with POST /api/v1/tenants")
            }
        }
    }

    private func answerPublic(_ endpoint: Endpoint) async throws -> Answer {
        switch endpoint {
        case .live: return .json("{\"status\":\"ok\"}")
        case .metrics: return Answer(mediaType: "text/plain; version=0.0.4; charset=utf-8", body: Array(services.metrics().utf8))
        case .openAPI: return Answer(body: openAPI)
        default: return await readiness()
        }
    }

    private func readiness() async -> Answer {
        let readiness = await services.readiness()
        let checks = readiness.checks.map { check -> JSON in
            ["name": .string(check.name), "ready": .boolean(check.isReady), "detail": .string(check.detail)]
        }
        let body: JSON = ["ready": .boolean(readiness.isReady), "checks": .array(checks)]
        return .json(body, status: readiness.isReady ? 200 : 503)
    }

    private func run(_ endpoint: Endpoint, _ exchange: Exchange) async throws -> Answer {
        func operation(_ resource: Resource) -> ResourceOperation {
            ResourceOperation(resource: resource, registry: registry, exchange: exchange)
        }
        switch endpoint {
        case .list(let resource): return try await operation(resource).list(signedBy: cursorKey)
        case .create(let resource): return try await operation(resource).create()
        case .read(let resource, let key): return try await operation(resource).read(key)
        case .update(let resource, let key): return try await operation(resource).update(key)
        case .delete(let resource, let key): return try await operation(resource).delete(key)
        case .act(let resource, let action, let key):
            try exchange.allow(action.parameters.map(\.name))
            guard let key else { return try await action.run(exchange, Action.Subject()) }
            return try await action.run(exchange, try await operation(resource).subject(key))
        default: throw Problem.internalError()
        }
    }

    // MARK: Pieces of a request

    /// The decoded path segments and query parameters of a request target.
    static func parse(_ target: String) throws(Problem) -> (segments: [String], query: [Exchange.Parameter]) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first, path.hasPrefix("/"), target.utf8.count <= 8000 else {
            throw .badRequest("the address must begin with / and have at most 8000 octets")
        }
        var segments: [String] = []
        for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let decoded = Percent.decode(segment) else { throw .badRequest("the path is not percent-encoded UTF-8 without NUL") }
            segments.append(decoded)
        }
        var query: [Exchange.Parameter] = []
        guard parts.count == 2 else { return (segments, query) }
        for pair in parts[1].split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Percent.decode(halves[0], plusIsSpace: true),
                let value = Percent.decode(halves.count == 2 ? halves[1] : "", plusIsSpace: true)
            else { throw .badRequest("the query is not percent-encoded UTF-8 without NUL") }
            query.append(.init(name: name, value: value))
        }
        return (segments, query)
    }

    private static func allowed(_ methods: [String]) -> String {
        ((methods.contains("GET") ? ["GET", "HEAD"] : []) + methods.filter { $0 != "GET" } + ["OPTIONS"]).joined(separator: ", ")
    }

    private static func check(mediaType: String?, _ expected: [String]) throws(Problem) {
        guard let mediaType else { return }
        let bare = Field.trimmed(mediaType.prefix { $0 != ";" }).lowercased()
        guard expected.contains(bare) else { throw .mediaType(expected.joined(separator: " or ")) }
    }
}
