import Database
import Logging
import Provisioning
import Support

@testable import RadiusCore

/// A NAS on loopback with sessions, partners whose CoA comes in over a port of ours, and the relay between them, put together as the
/// daemon does.
struct SessionRelayDesk: Sendable {
    let desk: SnapshotDesk
    let nas: LoopbackNAS
    /// `aaa.nas.id` of it.
    let nasID: Int64
    let proxy: ProxyService
    private let port: DynamicAuthorizationPort

    private static let secret = "between-the-servers"

    /// Runs `body` with the partners `a` and `b` of the tenant and `c` of another, who answer for realms `a.example`, `b.example` and
    /// `a.example`; `nas` answers as `answer` says.
    static func with(
        answer: @escaping LoopbackNAS.Answer = { $0.acknowledge($1) }, timing: CoARetransmission.Timing = .init(),
        _ body: (SessionRelayDesk) async throws -> Void
    ) async throws {
        try await SnapshotDesk.with { desk in
            let nas = try LoopbackNAS(answer)
            let nasID = try await addNAS("core1", port: nas.port, desk)
            let stranger = try await desk.sql("INSERT INTO tenancy.tenant (name) VALUES ('another') RETURNING id")
            try await partner("a", tenant: desk.tenant, realm: "a.example", desk)
            try await partner("b", tenant: desk.tenant, realm: "b.example", desk)
            try await partner("c", tenant: stranger, realm: "a.example", desk)
            try await desk.follow()
            var settings = ProxyService.Settings()
            settings.operatorNAS = desk.secrets.operatorNASIdentifiers
            let proxy = try ProxyService(settings, store: desk.feed.store)
            defer { proxy.shutdown() }
            let port = try DynamicAuthorizationPort(address: address(of: "here"), port: 0, proxy: proxy)
            let own = SessionRelayDesk(desk: desk, nas: nas, nasID: nasID, proxy: proxy, port: port)
            try await own.working(try CoAClient(timing: timing)) { try await body(own) }
        }
    }

    private func working(_ client: CoAClient, _ body: () async throws -> Void) async throws {
        let control = SessionControl(
            pool: desk.pool, client: client, open: { [desk] in try desk.secrets.open($0) }, attributes: { _, _ in nil })
        let relay = SessionRelay(
            pool: desk.pool, control: control, store: desk.feed.store, port: port, logger: Logger(label: "tests"))
        let work = Task { await relay.run() }
        let end = {
            port.stop()
            client.shutdown()
            work.cancel()
            await work.value
        }
        do {
            try await body()
        } catch {
            await end()
            throw error
        }
        await end()
    }

    private static func address(of partner: String) -> IPAddress {
        IPAddress(ipv4: 0x7f00_0001 + UInt32(["here", "a", "b", "c"].firstIndex(of: partner) ?? 0))
    }

    /// One more NAS on loopback.
    @discardableResult
    static func addNAS(_ name: String, address: String = "127.0.0.1/32", port: UInt16, _ desk: SnapshotDesk) async throws -> Int64 {
        try await desk.sql(
            """
            INSERT INTO aaa.nas (tenant_id, name, address, secret, vendor, coa_port)
            VALUES ($1, $2, $3::text::cidr, $4, 'mikrotik', $5) RETURNING id
            """,
            [
                .int(desk.tenant), .text(name), .text(address),
                .bytes(try desk.seal(String(decoding: LoopbackNAS.secret, as: UTF8.self))), .int(Int64(port)),
            ])
    }

    private static func partner(_ name: String, tenant: Int64, realm: String, _ desk: SnapshotDesk) async throws {
        try await desk.sql(
            "INSERT INTO aaa.home_server (tenant_id, name, address, secret) VALUES ($1, $2, $3::text::inet, $4)",
            [.int(tenant), .text(name), .text(address(of: name).text), .bytes(try desk.seal(secret))])
        let pool = try await desk.sql(
            "INSERT INTO aaa.home_server_pool (tenant_id, name, servers) VALUES ($1, $2, ARRAY[$2]) RETURNING id",
            [.int(tenant), .text(name)])
        try await desk.sql(
            """
            INSERT INTO aaa.realm (tenant_id, name, realm, pool_id, strip, reply_remove)
            VALUES ($1, $2, $3, $4, true, ARRAY['Filter-Id'])
            """, [.int(tenant), .text(name), .text(realm), .int(pool)])
    }

    /// A session of a user at the NAS; of a subscriber of ours if one is named, and of the realm that a rule chose if one did. Its id at
    /// the NAS is `S-` and the name.
    @discardableResult
    func session(
        _ user: String, id: String? = nil, nas: Int64? = nil, subscriber: Int64? = nil, forwardedTo realm: Int64? = nil
    ) async throws -> Int64 {
        try await desk.sql(
            """
            INSERT INTO aaa.session_header (tenant_id, nas_id, session_key, subscriber_id, username, acct_session_id, framed_ipv4,
                forwarded_realm_id, started_at, updated_at)
            VALUES ($1, $2, $3::text::bytea, $4, $3, $5, '100.64.0.7', $6, now(), now()) RETURNING id
            """,
            [
                .int(desk.tenant), .int(nas ?? nasID), .text(user), SQLValue(subscriber), .text(id ?? "S-" + user), SQLValue(realm),
            ])
    }

    /// The number of a partner's realm.
    func realm(of partner: String) async throws -> Int64 {
        try await desk.sql("SELECT id FROM aaa.realm WHERE tenant_id = $1 AND name = $2", [.int(desk.tenant), .text(partner)])
    }

    /// What a partner hears when it asks for something.
    func ask(_ partner: String, _ kind: CoARequest.Kind = .disconnect, _ attributes: [UInt8]...) async throws -> CoAOutcome {
        // Nothing is lost on loopback, and an answer may take long.
        let patient = CoARetransmission.Timing(initial: 60_000_000_000, longest: 60_000_000_000, attempts: 2, duration: 120_000_000_000)
        let client = try CoAClient(bindAddress: Self.address(of: partner), timing: patient)
        defer { client.shutdown() }
        let request = try CoARequest(kind, attributes: attributes.flatMap { $0 })
        let peer = CoAPeer(address: Self.address(of: "here"), port: port.port, secret: SharedSecret(Array(Self.secret.utf8)))
        return await client.send(request, to: peer)
    }

    /// `kind outcome cause user by` of each request to the NAS, in order.
    func records() async throws -> [String] {
        try await desk.pool.transaction(.tenant(desk.tenant), readOnly: true) {
            try $0.queryAll(
                """
                SELECT concat_ws(' ', kind, outcome, error_cause, username, requested_by) FROM aaa.dynamic_authorization ORDER BY id
                """
            ) { try $0.string(0) }
        }
    }

    static func attribute(_ type: UInt8, _ value: String) -> [UInt8] { [type, UInt8(value.utf8.count + 2)] + Array(value.utf8) }
    static func user(_ name: String) -> [UInt8] { attribute(AttributeNumber.userName, name) }
    static func session(_ id: String) -> [UInt8] { attribute(AttributeNumber.acctSessionID, id) }
}
