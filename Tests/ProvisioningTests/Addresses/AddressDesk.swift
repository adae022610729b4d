import Database
import Logging
import Support
import Synchronization

@testable import Provisioning
@testable import RadiusCore

/// A database with a tenant and a router, and nodes that hand out its pools' addresses.
struct AddressDesk: Sendable {
    /// One node: its pools, and what it says of its accounting.
    final class Node: Sendable {
        let pools = AddressPools()
        let service: AddressPoolService
        /// Records on disk and in the database.
        let accounting = Mutex<(durable: UInt64, shipped: UInt64?)>((0, 0))

        init(_ name: String, _ configuration: DatabaseConfiguration, leaseSeconds: Int64) throws {
            var settings = AddressPoolService.Settings()
            settings.leaseSeconds = leaseSeconds
            let reading = Reading()
            service = AddressPoolService(
                pools: pools, configuration: configuration, node: name, settings: settings, progress: { reading.now() },
                logger: AccountingBench.quiet)
            reading.node.withLock { $0 = self }
            try service.start()
        }

        /// Lets the service ask a node that is still being made.
        private final class Reading: Sendable {
            struct Box: Sendable { weak var node: Node? }
            let node = Mutex<Node?>(nil)
            func now() -> (durable: UInt64, shipped: UInt64?) { node.withLock { $0 }?.accounting.withLock { $0 } ?? (0, 0) }
        }

        func offer(_ pool: Int64, _ subscriber: Int64, _ station: String = "line") -> IPAddress? {
            if case .item(let address, _) = pools.pool(pool).offer(
                AddressClaimant(subscriber: subscriber, calling: Array(station.utf8).span))
            {
                return address
            }
            return nil
        }

        /// Waits for an offer: the first ones come once a block is there.
        func awaitOffer(_ pool: Int64, _ subscriber: Int64, _ station: String = "line") async throws -> IPAddress {
            let found = Mutex<IPAddress?>(nil)
            try await eventually {
                let offer = self.offer(pool, subscriber, station)
                found.withLock { $0 = offer }
                return offer != nil
            }
            return found.withLock { $0 } ?? IPAddress(ipv4: 0)
        }
    }

    let configuration: DatabaseConfiguration
    let pool: Pool
    let tenant: Int64

    static func run(_ body: (AddressDesk) async throws -> Void) async throws {
        let configuration = try await PostgresFixture.freshDatabase()
        let pool = try Pool(configuration: configuration, logger: AccountingBench.quiet)
        defer { pool.shutdown() }
        let tenant = try await pool.run {
            try $0.queryOne("INSERT INTO tenancy.tenant (name) VALUES ('north') RETURNING id")?.int64(0) ?? 0
        }
        try await body(AddressDesk(configuration: configuration, pool: pool, tenant: tenant))
    }

    func node(_ name: String, leaseSeconds: Int64 = 3600) throws -> Node { try Node(name, configuration, leaseSeconds: leaseSeconds) }

    /// Makes a pool of offers that last `offer` seconds, longer than a machine stands still, and addresses that rest for `quarantine`.
    func makePool(_ name: String, _ ranges: [String], kind: String = "ipv4", prefix: Int64? = nil, offer: Int64 = 10, quarantine: Int64 = 0)
        async throws -> Int64
    {
        let (id, faults) = try await makeFaultyPool(name, ranges, kind: kind, prefix: prefix, offer: offer, quarantine: quarantine)
        guard faults.isEmpty else { throw DatabaseError(.invalidParameterValue, faults.joined(separator: "; ")) }
        return id
    }

    func makeFaultyPool(
        _ name: String, _ ranges: [String], kind: String = "ipv4", prefix: Int64? = nil, offer: Int64 = 10, quarantine: Int64 = 0
    ) async throws -> (id: Int64, faults: [String]) {
        let tenant = tenant
        do {
            return try await pool.transaction(.tenant(tenant)) { connection in
                let row = try connection.queryOne(
                    """
                    INSERT INTO aaa.address_pool (tenant_id, name, kind, ranges, prefix_length, offer_time, quarantine)
                    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
                    """,
                    [
                        .int(tenant), .text(name), .text(kind), .textArray(ranges), prefix.map { .int($0) } ?? .null, .int(offer),
                        .int(quarantine),
                    ])
                let id = try row?.int64(0) ?? 0
                let faults = try AddressRanges(connection).settle(id).map(\.detail)
                if !faults.isEmpty { throw Refused(id: id, faults: faults) }
                return (id, [])
            }
        } catch let refused as Refused {
            return (refused.id, refused.faults)
        }
    }

    private struct Refused: Error {
        let id: Int64
        let faults: [String]
    }

    func setRanges(_ id: Int64, _ ranges: [String]) async throws -> [String] {
        do {
            return try await pool.transaction(.tenant(tenant)) { connection in
                try connection.execute("UPDATE aaa.address_pool SET ranges = $2 WHERE id = $1", [.int(id), .textArray(ranges)])
                let faults = try AddressRanges(connection).settle(id).map(\.detail)
                if !faults.isEmpty { throw Refused(id: id, faults: faults) }
                return []
            }
        } catch let refused as Refused {
            return refused.faults
        }
    }

    /// Writes an open session with an address, and notes it as the shipper does.
    func open(_ subscriber: Int64, _ address: IPAddress?, station: String = "line", nas: Int64 = 1) async throws -> Int64 {
        let desk = self
        return try await pool.transaction(.system) { connection in
            let id = try desk.write(subscriber, address, station: station, nas: nas, connection)
            try LeaseNotes(connection: connection).note([id])
            return id
        }
    }

    /// Writes an open session with an address, of which the leases learn nothing yet.
    func write(_ subscriber: Int64, _ address: IPAddress?, station: String = "line", nas: Int64 = 1, _ connection: Connection) throws
        -> Int64
    {
        try connection.queryOne(
            """
            INSERT INTO aaa.session_header (tenant_id, nas_id, session_key, subscriber_id, username, acct_session_id,
                calling_station_id, framed_ipv4, started_at, updated_at)
            VALUES ($1, $2, '\\x00', $3, $4, 's', $5, $6::text::inet, clock_timestamp(), clock_timestamp()) RETURNING id
            """,
            [
                .int(tenant), .int(nas), .int(subscriber), .text("u\(subscriber)"), .text(station),
                address.map { .text($0.text) } ?? .null,
            ])?.int64(0) ?? 0
    }

    /// Tries with one subscriber after the other, at each of `nodes`, until `count` addresses were given.
    func drain(_ nodes: [Node], _ pool: Int64, until count: Int) async throws -> [IPAddress] {
        let given = Mutex<[IPAddress]>([])
        try await eventually {
            for node in nodes {
                while let address = node.offer(pool, Int64(1000 + given.withLock { $0.count })) { given.withLock { $0.append(address) } }
            }
            return given.withLock { $0.count } >= count
        }
        return given.withLock { $0 }
    }

    /// Looks for what sessions had before their ranges were there, as a node does, without waiting for anybody's accounting.
    func takeUp() async throws {
        let store = AddressStore(node: "a", incarnation: 1, leaseSeconds: 60)
        try await pool.transaction(.system) { connection in
            try store.see(connection)
            let ranges = try store.fresh(before: 4_000_000_000_000_000, connection)
            var behind: Int64? = 0
            while let last = behind { behind = try store.takeUp(ranges, behind: last, connection) }
            try store.tookUp(ranges, connection)
        }
    }

    func execute(_ sql: String) async throws {
        try await pool.transaction(.system) { _ = try $0.execute(sql) }
    }

    func close(_ session: Int64) async throws {
        try await pool.run { _ = try SessionCloser.close(session, reason: .operatorRequest, on: $0) }
    }

    /// The states of leases, by address.
    func leases() async throws -> [String: String] {
        try await pool.transaction(.system) { connection in
            Dictionary(
                uniqueKeysWithValues: try connection.queryAll("SELECT host(address), state FROM aaa.address_lease_list") {
                    (try $0.string(0), try $0.string(1))
                })
        }
    }

    /// Runs `body` in a transaction on a connection and a thread of its own: it may block, and tasks that it starts go on meanwhile.
    func apart<T: Sendable>(_ scope: TenantScope, _ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
        let configuration = configuration
        return try await onOwnThread {
            let connection = try Connection.open(configuration)
            defer { connection.close() }
            return try connection.transaction(scope, body)
        }
    }

    /// Until another connection to the database waits for a lock; blocks its thread.
    static func awaitLockWait(_ connection: Connection) throws {
        try eventuallyBlocking {
            try connection.queryOne(
                """
                SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE NOT l.granted AND a.datname = current_database()
                """)?.int64(0) != 0
        }
    }
}
