import Support
import Testing

/// Whoever runs the daemon: changes it through its interface.
struct Operator {
    let client: HTTPClient

    init(_ daemon: DaemonProcess) { client = daemon.client }

    func get(_ path: String) async throws -> JSONValue {
        try await send("GET", path, nil)
    }

    /// The rows of a list.
    func list(_ path: String) async throws -> [JSONValue] {
        try await get(path)["data"]?.elements ?? []
    }

    @discardableResult
    func create(_ path: String, _ body: String) async throws -> JSONValue {
        try await send("POST", path, body)
    }

    /// An action such as `sessions/7/disconnect`.
    @discardableResult
    func act(_ path: String) async throws -> JSONValue {
        try await send("POST", path, nil)
    }

    @discardableResult
    func change(_ path: String, _ body: String) async throws -> JSONValue {
        try await send("PATCH", path, body)
    }

    func delete(_ path: String) async throws {
        _ = try await send("DELETE", path, nil)
    }

    private func send(_ method: String, _ path: String, _ body: String?) async throws -> JSONValue {
        var headers: [(name: String, value: String)] = [("If-Match", "*")]
        if body != nil { headers.append(("Content-Type", "application/json")) }
        let response = try await client.send(method, "/api/v1/" + path, headers: headers, body: body.map { Array($0.utf8) })
        guard (200..<300).contains(response.status) else {
            throw ProcessFailure("\(method) \(path): \(response.status) \(response.text)")
        }
        return response.body.isEmpty ? .null : try JSONValue(parsing: response.text)
    }
}

/// A NAS that only one test knows, with an address of its own on the loopback network.
struct TestNAS: Sendable {
    static let secret = "the-secret-of-one-test"
    let name: String
    let address: String
    let vendor: String

    /// Registers it.
    static func create(_ operator: Operator, vendor: String = "mikrotik", fields: String = "") async throws -> TestNAS {
        let number = await Serial.next()
        let nas = TestNAS(name: "nas-\(number)", address: "127.77.\(number / 250).\(number % 250 + 1)", vendor: vendor)
        try await `operator`.create(
            "nas", #"{"name":"\#(nas.name)","address":"\#(nas.address)/32","secret":"\#(secret)","vendor":"\#(vendor)"\#(fields)}"#)
        return nas
    }
}

/// A subscriber that only one test knows.
struct TestSubscriber: Sendable {
    static let password = "wonderland"
    let name: String

    static func create(_ operator: Operator, profile: String = "home100", fields: String = "") async throws -> TestSubscriber {
        let name = "guest-\(await Serial.next())"
        try await `operator`.create(
            "subscribers", #"{"username":"\#(name)","password":"\#(password)","profile":"\#(profile)"\#(fields)}"#)
        return TestSubscriber(name: name)
    }

    /// Itself, once the operator's node knows it; no login was tried.
    func awaited(_ operator: Operator) async throws -> TestSubscriber {
        try await eventually { (try? await `operator`.act("subscribers/\(name)/explain")) != nil }
        return self
    }
}
