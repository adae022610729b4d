import Admin
import Database
import Logging
import Support
import Synchronization
import Testing

/// A server on a free port over a fresh database with the tenants `north` (the default) and `south`.
struct AdminFixture: Sendable {
    static let operatorToken = "operator-token-for-tests"

    let pool: Pool
    let client: HTTPClient
    let services: FakeServices

    /// So that many tests at once do not use up the database's connections.
    private static let places = Places(4)

    /// Runs `body` against a new server, which ends with it.
    static func run(_ body: @Sendable (AdminFixture) async throws -> Void) async throws {
        await places.take()
        do {
            try await serve(body)
            await places.free()
        } catch {
            await places.free()
            throw error
        }
    }

    private static func serve(_ body: @Sendable (AdminFixture) async throws -> Void) async throws {
        var configuration = try await PostgresFixture.freshDatabase()
        configuration.poolSize = 4
        // Many requests at once wait for each other, and for a machine that stands still.
        configuration.waitTimeoutSeconds = 60
        var logger = Logger(label: "admin-tests")
        logger.logLevel = .critical
        let pool = try Pool(configuration: configuration, logger: logger)
        try await pool.run { connection in
            try connection.script("INSERT INTO tenancy.tenant (name) VALUES ('north'), ('south')")
        }
        let services = FakeServices()
        let server = AdminServer(services: services.admin(pool, logger), address: "127.0.0.1", port: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await eventually { server.boundPort != nil }
            let port = try #require(server.boundPort)
            let headers = [(name: "Authorization", value: "Bearer " + operatorToken)]
            let client = HTTPClient(url: "http://127.0.0.1:\(port)", headers: headers)
            try await body(AdminFixture(pool: pool, client: client, services: services))
            group.cancelAll()
        }
        try await onOwnThread { pool.shutdown() }
    }

    // MARK: Requests

    func get(_ path: String, tenant: String? = nil) async throws -> Reply {
        try await send("GET", path, tenant: tenant)
    }

    func post(_ path: String, _ body: JSON? = nil, tenant: String? = nil, headers: [(name: String, value: String)] = []) async throws
        -> Reply
    {
        try await send("POST", path, body?.bytes, tenant: tenant, headers: headers)
    }

    func patch(_ path: String, _ body: JSON, match: String? = "*", tenant: String? = nil) async throws -> Reply {
        try await send("PATCH", path, body.bytes, tenant: tenant, headers: match.map { [("If-Match", $0)] } ?? [])
    }

    func delete(_ path: String, match: String? = "*", tenant: String? = nil) async throws -> Reply {
        try await send("DELETE", path, tenant: tenant, headers: match.map { [("If-Match", $0)] } ?? [])
    }

    func send(
        _ method: String, _ path: String, _ body: [UInt8]? = nil, tenant: String? = nil, headers: [(name: String, value: String)] = []
    ) async throws -> Reply {
        var headers = headers
        if body != nil, !headers.contains(where: { $0.name == "Content-Type" }) { headers.append(("Content-Type", "application/json")) }
        if let tenant { headers.append(("X-Lastmile-Tenant", tenant)) }
        return Reply(try await client.send(method, path, headers: headers, body: body))
    }

    /// Runs statements with all tenants' rights.
    func script(_ text: String) async throws {
        try await pool.transaction(.system) { try $0.script(text) }
    }

    /// A value that SQL written by hand gives, seen with all tenants' rights.
    func sql(_ text: String) async throws -> String? {
        try await pool.transaction(.system) { try $0.queryOne(text)?.optionalString(0) }
    }
}

/// A response with its body read as JSON.
struct Reply: Sendable {
    let response: HTTPResponse
    let json: JSON

    init(_ response: HTTPResponse) {
        self.response = response
        json = (try? JSONParser.parse(response.body)) ?? .null
    }

    var status: Int { response.status }
    var text: String { response.text }
    var body: [UInt8] { response.body }
    var etag: String { header("etag") ?? "" }
    var code: String { json["code"]?.text ?? "" }
    var id: Int64 { json["id"]?.integer ?? -1 }
    var rows: [JSON] { json["data"]?.elements ?? [] }

    subscript(_ name: String) -> JSON? { json[name] }

    /// The first header called `name`, in lower case.
    func header(_ name: String) -> String? { response[name] }

    /// `pointer code` of each error of a problem, sorted.
    var faults: [String] {
        (json["errors"]?.elements ?? []).map { fault in
            let place =
                fault["pointer"]?.text ?? fault["parameter"]?.text ?? "\(fault["line"]?.integer ?? -1) \(fault["column"]?.text ?? "")"
            return place + " " + (fault["code"]?.text ?? "")
        }.sorted()
    }

    /// The texts of one member of all rows.
    func column(_ name: String) -> [String] {
        rows.map { row in
            switch row[name] {
            case .string(let text), .number(let text): text
            case .boolean(let value): String(value)
            default: "null"
            }
        }
    }
}

/// A number of places that callers take turns in.
private actor Places {
    private var left: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) {
        left = count
    }

    func take() async {
        if left > 0 {
            left -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func free() {
        if waiting.isEmpty { left += 1 } else { waiting.removeFirst().resume() }
    }
}

/// The rest of the daemon, as the tests want it: remembers what it was asked.
final class FakeServices: Sendable {
    private let log = Mutex<[String]>([])
    private let failure = Mutex<ServiceFailure?>(nil)
    private let ready = Mutex(true)

    var calls: [String] { log.withLock { $0 } }

    func fail(with failure: ServiceFailure?) {
        self.failure.withLock { $0 = failure }
    }

    func setReady(_ isReady: Bool) {
        ready.withLock { $0 = isReady }
    }

    private func note(_ call: String) throws -> String {
        log.withLock { $0.append(call) }
        if let failure = failure.withLock({ $0 }) { throw failure }
        return "{\"outcome\":\"ack\"}"
    }

    func admin(_ pool: Pool, _ logger: Logger) -> AdminServices {
        var services = AdminServices(
            pool: pool, logger: logger, operatorToken: AdminFixture.operatorToken,
            seal: { clear in clear.map { $0 ^ 0x5A } },
            open: { sealed in sealed.map { $0 ^ 0x5A } },
            validateAttribute: { name, value in
                guard name == "Filter-Id" || name == "Class" else { return "the dictionary has no attribute \(name)" }
                return value.isEmpty ? "a value is expected" : nil
            },
            vendorNames: ["generic", "mikrotik", "cisco"],
            explain: { try self.note("explain \($0) \($1) \($2 ?? "-")") },
            checkPolicy: { connection in
                // The word is enough for the tests: the daemon asks the compiler.
                let isReserved = "remove_attributes @> '{Connect-Info}'"
                return try connection.queryAll(
                    "SELECT id, name, \(isReserved) FROM aaa.policy_rule WHERE condition LIKE '%wrong%' OR \(isReserved) ORDER BY id"
                ) {
                    let isReserved = try $0.bool(2)
                    return PolicyMistake(
                        rule: try $0.int64(0), ruleName: try $0.string(1), member: isReserved ? "remove_attributes" : "condition",
                        code: isReserved ? "reserved" : "condition",
                        detail: isReserved ? "no reply has this attribute" : "line 1, column 1: no dictionary has this attribute",
                        wasTaken: isReserved)
                }
            },
            testPolicy: { tenant, trial in
                try self.note("test \(tenant) \(trial.userName) \(trial.attributes.map { $0.name + "=" + $0.value }) \(trial.seconds ?? 0)")
            },
            disconnect: { try self.note("disconnect \($0) \($1) \($2)") },
            coa: { try self.note("coa \($0) \($1) \($2)") },
            applyProfile: { try self.note("apply \($0) \($1) \($2)") },
            openTrace: { tenant, wish in
                _ = try self.note(
                    "trace \(tenant) \(wish.user ?? "-") \(wish.nas.map(String.init) ?? "-") \(wish.station ?? "-") \(wish.last)")
                let countdown = Countdown()
                return TraceReader { countdown.next() }
            },
            examineNAS: { try self.note("doctor \($0) \($1 ?? "-")") },
            metrics: { "lastmile_up 1\n" },
            readiness: {
                let isReady = self.ready.withLock { $0 }
                return Readiness(checks: [.init(name: "database", isReady: isReady, detail: isReady ? "answers" : "does not answer")])
            })
        services.checkHook = { $0.contains("wrong") ? "line 1, column 1: no dictionary has this attribute" : nil }
        return services
    }
}

/// A trace that ends after two portions.
private final class Countdown: Sendable {
    private let left = Mutex(2)

    func next() -> TraceReader.Portion? {
        let call = left.withLock { left in
            defer { left -= 1 }
            return left
        }
        return call > 0 ? .init(transactions: ["{\"call\":\(call)}"], missed: call == 1 ? 3 : 0) : nil
    }
}
