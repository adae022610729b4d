import Database
import Logging
import Provisioning
import RadiusCore
import Support
import Synchronization
import Testing

/// A tenant with a NAS on loopback, a profile, and sessions.
private struct Desk: Sendable {
    let pool: Pool
    let client: CoAClient
    let tenant: Int64
    let profile: Int64
    let nas: Int64

    init(port: UInt16, vendor: String = "mikrotik") async throws {
        let configuration = try await PostgresFixture.freshDatabase()
        let pool = try Pool(configuration: configuration, logger: Logger(label: "tests"))
        self.pool = pool
        client = try CoAClient()
        tenant = try await pool.transaction(.system) {
            try $0.queryOne("INSERT INTO tenancy.tenant (name) VALUES ('isp') RETURNING id")?.int64(0) ?? 0
        }
        let owner = tenant
        (profile, nas) = try await pool.transaction(.tenant(owner)) { connection in
            let profile = try connection.queryOne(
                "INSERT INTO aaa.profile (tenant_id, name, download, upload) VALUES ($1, 'home50', 50000000, 10000000) RETURNING id",
                [.int(owner)])
            let nas = try connection.queryOne(
                """
                INSERT INTO aaa.nas (tenant_id, name, address, secret, vendor, coa_port)
                VALUES ($1, 'core1', '127.0.0.1/32', $2, $3, $4) RETURNING id
                """, [.int(owner), .bytes(LoopbackNAS.secret), .text(vendor), .int(Int64(port))])
            return (try profile?.int64(0) ?? 0, try nas?.int64(0) ?? 0)
        }
    }

    func session(_ name: String) async throws -> Int64 {
        let (tenant, nas, profile) = (tenant, nas, profile)
        return try await pool.transaction(.tenant(tenant)) {
            try $0.queryOne(
                """
                INSERT INTO aaa.session_header (tenant_id, nas_id, session_key, profile_id, username, acct_session_id, framed_ipv4,
                    started_at, updated_at)
                VALUES ($1, $2, $3::text::bytea, $4, $3, 'S-' || $3, '100.64.0.7', now(), now()) RETURNING id
                """, [.int(tenant), .int(nas), .text(name), .int(profile)])?.int64(0) ?? 0
        }
    }

    func control(
        open: @escaping @Sendable ([UInt8]) throws -> [UInt8] = { $0 },
        attributes: @escaping SessionControl.AttributeProvider = { _, _ in [27, 6, 0, 0, 14, 16] }, client other: CoAClient? = nil,
        connections: ReverseCoA? = nil
    ) -> SessionControl {
        SessionControl(
            pool: pool, client: other ?? client, connections: connections, open: open, attributes: attributes,
            concurrency: 4)
    }

    /// `kind outcome cause attempts by` of each request, in order.
    func records() async throws -> [String] {
        try await pool.transaction(.tenant(tenant), readOnly: true) {
            try $0.queryAll(
                """
                SELECT concat_ws(' ', kind, outcome, error_cause, attempts, requested_by, (finished_at >= requested_at)::text)
                FROM aaa.dynamic_authorization ORDER BY id
                """
            ) { try $0.string(0) }
        }
    }

    func change(_ statement: String) async throws {
        try await pool.transaction(.system) { _ = try $0.execute(statement) }
    }

    func isOpen(_ session: Int64) async throws -> Bool {
        try await pool.transaction(.tenant(tenant), readOnly: true) {
            try $0.queryOne("SELECT stopped_at IS NULL FROM aaa.session WHERE id = $1", [.int(session)])?.bool(0) ?? false
        }
    }
}

@Suite struct SessionControlTests {
    private static let hasty = CoARetransmission.Timing(
        initial: 20_000_000, longest: 40_000_000, attempts: 2, duration: 10_000_000_000)

    @Test func disconnectNamesTheSessionAndRecordsTheAck() async throws {
        let nas = try LoopbackNAS { $0.acknowledge($1) }
        let desk = try await Desk(port: nas.port)
        let session = try await desk.session("alice")
        let result = try await desk.control().disconnect(tenant: desk.tenant, session: session, by: "noc")
        #expect(result.kind == .disconnect)
        #expect(result.outcome.name == "ack")
        #expect(try await desk.records() == ["disconnect ack noc true"])
        let request = try #require(nas.received.first)
        #expect(request.value(AttributeNumber.userName) == Array("alice".utf8))
        #expect(request.value(AttributeNumber.acctSessionID) == Array("S-alice".utf8))
        #expect(request.value(AttributeNumber.framedIPAddress) == [100, 64, 0, 7])
        // Only the NAS's Accounting-Stop ends the row.
        #expect(try await desk.isOpen(session))
    }

    @Test func reauthorizeSendsWhatThePolicySays() async throws {
        let nas = try LoopbackNAS { $0.acknowledge($1) }
        let desk = try await Desk(port: nas.port)
        let session = try await desk.session("alice")
        let result = try await desk.control().reauthorize(tenant: desk.tenant, session: session, by: "api")
        #expect(result.kind == .coa)
        #expect(nas.received.first?.value(AttributeNumber.sessionTimeout) == [0, 0, 14, 16])
        #expect(try await desk.records() == ["coa ack api true"])
    }

    @Test(arguments: ["omada", "mikrotik"]) func disconnectsWhereNoCoACanHelp(vendor: String) async throws {
        let nas = try LoopbackNAS { $0.acknowledge($1) }
        let desk = try await Desk(port: nas.port, vendor: vendor)
        let session = try await desk.session("alice")
        let isAble = vendor == "mikrotik"
        let control = desk.control(attributes: { _, _ in isAble ? nil : [27, 6, 0, 0, 14, 16] })
        #expect(try await control.reauthorize(tenant: desk.tenant, session: session, by: "api").kind == .disconnect)
    }

    @Test func aNAKOfUnknownSessionClosesTheGhost() async throws {
        let nas = try LoopbackNAS { $0.refuse($1, cause: .sessionContextNotFound) }
        let desk = try await Desk(port: nas.port)
        let session = try await desk.session("alice")
        let result = try await desk.control().disconnect(tenant: desk.tenant, session: session, by: "noc")
        #expect(result.outcome == .nak(errorCause: 503))
        #expect(result.message.hasSuffix("The session was closed here.") && result.isClosed)
        #expect(try await desk.isOpen(session) == false)
        #expect(try await desk.records() == ["disconnect nak 503 noc true"])
    }

    /// Nobody accounts for them any more, and their addresses would stay in use for ever.
    @Test func sessionsOfADeletedNASEndWhenTheirEndIsWished() async throws {
        let nas = try LoopbackNAS { $0.acknowledge($1) }
        let desk = try await Desk(port: nas.port)
        let session = try await desk.session("alice")
        try await desk.change("DELETE FROM aaa.nas")
        let told = try await desk.control().reauthorize(tenant: desk.tenant, session: session, by: "rates")
        #expect(told.outcome == .refused(.unprepared) && !told.isClosed)
        #expect(try await desk.isOpen(session))
        let ended = try await desk.control().disconnect(tenant: desk.tenant, session: session, by: "noc")
        #expect(ended.outcome == .refused(.unprepared) && ended.isClosed)
        #expect(ended.message == "The NAS of this session was deleted: nobody can be told. The session was closed here.")
        #expect(try await desk.isOpen(session) == false)
        #expect(nas.received.isEmpty)
    }

    @Test func anotherNAKAndSilenceLeaveTheSessionAlone() async throws {
        let nas = try LoopbackNAS { $1.kind == .coa ? $0.refuse($1, cause: .unsupportedAttribute) : nil }
        let desk = try await Desk(port: nas.port)
        let session = try await desk.session("alice")
        let refused = try await desk.control().reauthorize(tenant: desk.tenant, session: session, by: "a")
        #expect(refused.outcome == .nak(errorCause: 401))
        // Haste is for silence alone: an answer may take longer than that on a machine that stands still.
        let client = try CoAClient(timing: Self.hasty)
        defer { client.shutdown() }
        let unanswered = try await desk.control(client: client).disconnect(tenant: desk.tenant, session: session, by: "b")
        #expect(unanswered.outcome == .timeout(attempts: 2))
        #expect(try await desk.isOpen(session))
        #expect(try await desk.records() == ["coa nak 401 a true", "disconnect timeout 2 b true"])
    }

    @Test func aSecretThatDoesNotOpenIsARecordedRefusal() async throws {
        struct Sealed: Error, CustomStringConvertible { let description = "key 7 is missing" }
        let nas = try LoopbackNAS { $0.acknowledge($1) }
        let desk = try await Desk(port: nas.port)
        let session = try await desk.session("alice")
        let result = try await desk.control(open: { _ in throw Sealed() })
            .disconnect(tenant: desk.tenant, session: session, by: "noc")
        #expect(result.outcome == .refused(.unprepared))
        #expect(result.message.contains("key 7 is missing"))
        #expect(nas.received.isEmpty)
        #expect(try await desk.records() == ["disconnect refused noc true"])
    }

    @Test func aNASThatTakesCoAOverItsConnectionIsAskedNowhereElse() async throws {
        let nas = try LoopbackNAS { $0.acknowledge($1) }
        let desk = try await Desk(port: nas.port)
        let session = try await desk.session("alice")
        try await desk.change("UPDATE aaa.nas SET coa_over = 'connection'")
        let control = desk.control(connections: LooseConnections().reverse)
        let result = try await control.disconnect(tenant: desk.tenant, session: session, by: "noc")
        #expect(result.outcome == .refused(.notConnected) && result.outcome.isPassing && result.outcome.isUnsent)
        #expect(result.message.contains("has none to this node"))
        // A process that serves no NAS can have none.
        let elsewhere = try await desk.control().disconnect(tenant: desk.tenant, session: session, by: "noc")
        #expect(elsewhere.outcome == .refused(.notConnected) && elsewhere.message.contains("both roles, aaa and admin"))
        #expect(nas.received.isEmpty)
        #expect(try await desk.records() == ["disconnect refused noc true", "disconnect refused noc true"])
        #expect(try await desk.isOpen(session))
    }

    /// In a network another gateway may have the session's address by now, and knows nothing of it.
    @Test func theConnectionOfOneHostAloneProvesAGhost() async throws {
        let nas = try LoopbackNAS { $0.acknowledge($1) }
        let desk = try await Desk(port: nas.port)
        let session = try await desk.session("alice")
        let connections = LooseConnections()
        connections.connect(desk.nas)
        let control = desk.control(connections: connections.reverse)
        try await desk.change("UPDATE aaa.nas SET coa_over = 'connection', address = '127.0.0.0/8'")
        let unknown = try await control.disconnect(tenant: desk.tenant, session: session, by: "noc")
        #expect(unknown.outcome == .refused(.notConnected) && unknown.message.contains("configured as a network"))
        try await desk.change("UPDATE aaa.session_header SET source_address = '127.0.0.1'")
        async let ofNetwork = control.disconnect(tenant: desk.tenant, session: session, by: "noc")
        #expect(try await connections.answer(.nak(errorCause: 503)) == [.disconnect])
        let neighbour = try await ofNetwork
        #expect(neighbour.outcome == .nak(errorCause: 503))
        #expect(try await desk.isOpen(session))
        try await desk.change("UPDATE aaa.nas SET address = '127.0.0.1/32'")
        async let ofHost = control.disconnect(tenant: desk.tenant, session: session, by: "noc")
        try await connections.answer(.nak(errorCause: 503))
        let ghost = try await ofHost
        #expect(ghost.message.hasSuffix("The session was closed here."))
        #expect(try await desk.isOpen(session) == false)
        #expect(nas.received.isEmpty)
    }

    @Test func aForbiddenAttributeIsARecordedRefusal() async throws {
        let nas = try LoopbackNAS { $0.acknowledge($1) }
        let desk = try await Desk(port: nas.port)
        let session = try await desk.session("alice")
        let control = desk.control(attributes: { _, _ in [49, 6, 0, 0, 0, 6] })
        let result = try await control.reauthorize(tenant: desk.tenant, session: session, by: "noc")
        #expect(result.outcome == .refused(.invalid(.forbiddenAttribute(49))))
    }

    @Test func anotherTenantsSessionIsNotFound() async throws {
        let nas = try LoopbackNAS { $0.acknowledge($1) }
        let desk = try await Desk(port: nas.port)
        let session = try await desk.session("alice")
        await #expect(throws: SessionControlError.sessionNotFound(session)) {
            try await desk.control().disconnect(tenant: desk.tenant + 1, session: session, by: "noc")
        }
        #expect(nas.received.isEmpty)
    }

    @Test func aProfileChangeReachesEverySessionOnce() async throws {
        let nas = try LoopbackNAS { server, request in
            request.value(AttributeNumber.userName) == Array("user-7".utf8)
                ? server.refuse(request, cause: .sessionContextNotFound) : server.acknowledge(request)
        }
        let desk = try await Desk(port: nas.port)
        var sessions: [Int64] = []
        for number in 0..<25 { sessions.append(try await desk.session("user-\(number)")) }
        let heard = Mutex<[Int64]>([])
        let summary = try await desk.control().applyProfileChange(tenant: desk.tenant, profile: desk.profile, by: "profile") { result in
            heard.withLock { $0.append(result.sessionID) }
        }
        #expect(summary.acks == 24 && summary.naks == 1 && summary.total == 25)
        #expect(heard.withLock { $0.sorted() } == sessions.sorted())
        #expect(Set(nas.received.compactMap { $0.value(AttributeNumber.userName) }).count == 25)
        #expect(try await desk.isOpen(sessions[7]) == false)
        let again = try await desk.control().applyProfileChange(tenant: desk.tenant, profile: desk.profile, by: "profile")
        #expect(again.acks == 24 && again.total == 24)
    }

    @Test func aNASKnownAsANetworkNeedsAnAddress() async throws {
        let nas = try LoopbackNAS { $0.acknowledge($1) }
        let desk = try await Desk(port: nas.port)
        let session = try await desk.session("alice")
        let tenant = desk.tenant
        try await desk.pool.transaction(.tenant(tenant)) {
            _ = try $0.execute("UPDATE aaa.nas SET address = '127.0.0.0/8' WHERE tenant_id = $1", [.int(tenant)])
        }
        let refused = try await desk.control().disconnect(tenant: tenant, session: session, by: "noc")
        #expect(refused.message.contains("coa_address"))
        try await desk.pool.transaction(.tenant(tenant)) {
            _ = try $0.execute("UPDATE aaa.session_header SET nas_address = '127.0.0.1' WHERE tenant_id = $1", [.int(tenant)])
        }
        #expect(try await desk.control().disconnect(tenant: tenant, session: session, by: "noc").outcome.name == "ack")
    }
}
