public import Database

/// Addresses and prefixes that subscribers have as their own. None may lie in a pool, which would give it to others as well.
/// In a transaction of the tenant's scope.
public struct FixedAddresses {
    /// A subscriber's own address or prefix that a pool has, too.
    public struct Clash: Sendable, Equatable {
        /// Among those asked about.
        public let place: Int
        /// What is wrong, and what to do.
        public let detail: String
    }

    private let connection: Connection
    private let tenant: Int64

    public init(_ connection: Connection, tenant: Int64) {
        self.connection = connection
        self.tenant = tenant
    }

    /// The stored ones of the subscriber `id`, by their columns.
    public func clashes(ofSubscriber id: Int64) throws -> [(column: String, detail: String)] {
        var fixed: [(column: String, address: String)] = []
        try connection.query(
            """
            -- address.fixed_of
            SELECT f.name, f.value::text FROM aaa.subscriber s
            CROSS JOIN LATERAL (VALUES ('static_ipv4', s.static_ipv4), ('ipv6_prefix', s.ipv6_prefix::inet),
                ('delegated_ipv6_prefix', s.delegated_ipv6_prefix::inet)) f(name, value)
            WHERE s.id = $1 AND f.value IS NOT NULL
            """, [.int(id)]
        ) { fixed.append((try $0.string(0), try $0.string(1))) }
        return try clashes(of: fixed.map(\.address)).map { (fixed[$0.place].column, $0.detail) }
    }

    /// Those of `addresses`, addresses or networks as text, that pools have; no pool gets more until the transaction ends.
    public func clashes(of addresses: [String]) throws -> [Clash] {
        guard !addresses.isEmpty else { return [] }
        try AddressRanges.lock(tenant, isShared: true, connection)
        return try connection.queryAll(
            """
            -- address.clashes
            SELECT DISTINCT ON (f.place) f.place, abbrev(f.value::inet), host(r.first), host(r.last), p.name
            FROM unnest($1::text[]) WITH ORDINALITY AS f(value, place)
            JOIN aaa.address_range r ON r.tenant_id = $2 AND r.first <= host(broadcast(f.value::inet))::inet
                AND host(network(f.value::inet))::inet <= r.last
            JOIN aaa.address_pool p ON p.id = r.pool_id
            ORDER BY f.place, r.first
            """, [.textArray(addresses), .int(tenant)]
        ) { row in
            let (address, first, last, pool) = (try row.string(1), try row.string(2), try row.string(3), try row.string(4))
            return Clash(
                place: try row.int(0) - 1,
                detail: "\(address) is of \(first)-\(last), which the pool “\(pool)” hands out; give another, or leave it out of the pool")
        }
    }

    /// A subscriber who has something of `first` to `last` as its own.
    func holder(first: String, last: String) throws -> String? {
        let row = try connection.queryOne(
            """
            -- address.fixed
            SELECT s.username, abbrev(f.value) FROM aaa.subscriber s
            CROSS JOIN LATERAL (VALUES (s.static_ipv4), (s.ipv6_prefix::inet), (s.delegated_ipv6_prefix::inet)) f(value)
            WHERE s.tenant_id = $3 AND f.value IS NOT NULL
                AND host(network(f.value))::inet <= $2::inet AND $1::inet <= host(broadcast(f.value))::inet LIMIT 1
            """, [.text(first), .text(last), .int(tenant)])
        return try row.map { "the subscriber “\(try $0.string(0))” has \(try $0.string(1)) as its own; leave fixed addresses out of pools" }
    }
}
