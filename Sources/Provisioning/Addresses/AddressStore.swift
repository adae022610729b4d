import Database
import RadiusCore

/// Which node hands out which items: the rows behind `AddressPool`. IPAM will stand here one day. One thread; in transactions of scope
/// `system`.
struct AddressStore {
    let node: String
    let incarnation: Int64
    let leaseSeconds: Int64

    /// Beyond a pool's offer time, for what is on its way and clocks that differ.
    static let slackSeconds: Int64 = 2
    /// What a node said it needs counts for so long; it says it anew every second.
    private static let needSeconds: Int64 = 10
    private static let turnKey = "hashtextextended('lastmile.address-ranges', 0)"

    // MARK: The node

    /// Enters this process as the one that hands out under the node's name. The blocks of the process before stay the node's.
    /// With `isFirst` it is the process's first time; later on it does not take the name from another.
    func register(isFirst: Bool, _ connection: Connection) throws {
        try connection.execute(
            """
            -- address.register
            INSERT INTO aaa.address_node (node_id, incarnation, lease_until, accounted_through)
            VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second', to_timestamp(0))
            ON CONFLICT (node_id) DO \(isFirst ? "UPDATE SET incarnation = $2" : "NOTHING")
            """, [.text(node), .int(incarnation), .int(leaseSeconds)])
    }

    /// Keeps the node's blocks its own, and says what of its accounting is in the database, and which pools others shall give it some of.
    ///
    /// - Returns: the database's clock in microseconds; nil when another process has taken the node's name.
    func renew(accountedThrough: Int64, needs: Set<Int64>, _ connection: Connection) throws -> Int64? {
        let row = try connection.queryOne(
            """
            -- address.renew
            UPDATE aaa.address_node SET lease_until = clock_timestamp() + $3 * interval '1 second',
                accounted_through = greatest(accounted_through, aaa.instant($4)), needs = $5
            WHERE node_id = $1 AND incarnation = $2 RETURNING (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
            """, [.text(node), .int(incarnation), .int(leaseSeconds), .int(accountedThrough), .intArray(needs.sorted())])
        return try row?.int64(0)
    }

    /// The node has nothing left to say.
    func leave(_ connection: Connection) throws {
        try connection.execute(
            "DELETE FROM aaa.address_node WHERE node_id = $1 AND incarnation = $2", [.text(node), .int(incarnation)])
    }

    /// Frees the blocks of nodes whose lease has run out. They are locked meanwhile: one that comes back sees that it lost them.
    func freeBlocksOfTheDead(_ connection: Connection) throws -> Int {
        let dead = try connection.queryAll(
            """
            -- address.dead
            SELECT node_id FROM aaa.address_node WHERE lease_until < clock_timestamp() AND node_id <> $1 FOR UPDATE SKIP LOCKED
            """, [.text(node)]
        ) { try $0.string(0) }
        guard !dead.isEmpty else { return 0 }
        // In the order in which everybody locks blocks.
        try connection.query(
            "SELECT FROM aaa.address_block WHERE node_id = ANY ($1) ORDER BY id FOR UPDATE", [.textArray(dead)]
        ) { _ in }
        return try connection.execute(
            """
            -- address.bury
            UPDATE aaa.address_block b SET node_id = NULL,
                settles_at = greatest(b.settles_at, n.lease_until + (p.offer_time + \(Self.slackSeconds)) * interval '1 second')
            FROM aaa.address_node n, aaa.address_pool p
            WHERE b.node_id = n.node_id AND n.node_id = ANY ($1) AND p.id = b.pool_id
            """, [.textArray(dead)])
    }

    /// Sessions that began until then are in the database, whichever node heard of them; 0 when nothing is known. Nodes whose lease has run
    /// out are not waited for.
    func horizon(_ connection: Connection) throws -> (horizon: Int64, nodes: Int) {
        let row = try connection.queryOne(
            """
            -- address.horizon
            SELECT coalesce((extract(epoch FROM min(accounted_through)) * 1000000)::bigint, 0), count(*)
            FROM aaa.address_node WHERE lease_until >= clock_timestamp() OR node_id = $1
            """, [.text(node)])
        return (try row?.int64(0) ?? 0, Int(try row?.int64(1) ?? 0))
    }

    /// Pools that other nodes have nothing left of, and said so a moment ago.
    func needs(_ connection: Connection) throws -> Set<Int64> {
        Set(
            try connection.queryAll(
                """
                -- address.needs
                SELECT DISTINCT unnest(needs) FROM aaa.address_node
                WHERE node_id <> $1 AND lease_until > clock_timestamp() + ($2 - \(Self.needSeconds)) * interval '1 second'
                """, [.text(node), .int(leaseSeconds)]
            ) { try $0.int64(0) })
    }

    // MARK: Blocks

    /// The node's blocks by pool.
    func held(_ connection: Connection) throws -> [Int64: [AddressBlock]] {
        var held: [Int64: [AddressBlock]] = [:]
        try connection.query(
            """
            -- address.held
            SELECT pool_id, id, host(first), items, coalesce((extract(epoch FROM settles_at) * 1000000)::bigint, 0)
            FROM aaa.address_block WHERE node_id = $1 ORDER BY id
            """, [.text(node)]
        ) { row in
            guard let first = IPAddress(text: try row.string(2)) else { return }
            held[try row.int64(0), default: []].append(
                AddressBlock(id: try row.int64(1), first: first, count: try row.int(3), settlesAt: try row.int64(4)))
        }
        return held
    }

    /// Takes blocks of at least `items` items, or as many as there are: first those that others gave back, of which what is more than
    /// `size` items is cut off, then new ones of so many.
    ///
    /// - Returns: the numbers of the blocks.
    func take(_ items: Int, of pool: Int64, inBlocksOf size: Int, _ connection: Connection) throws -> [Int64] {
        var ids: [Int64] = []
        var taken = 0
        for _ in 0..<(items + size - 1) / size where taken < items {
            guard let (id, count) = try pick(pool, size, connection) else { break }
            ids.append(id)
            taken += count
        }
        while taken < items, let (id, count) = try carve(pool, size, connection) {
            ids.append(id)
            taken += count
        }
        return ids
    }

    /// Takes a block that nobody has; nil when there is none. Its items count as 0 while it waits for a former holder's offers.
    private func pick(_ pool: Int64, _ size: Int, _ connection: Connection) throws -> (id: Int64, items: Int)? {
        let row = try connection.queryOne(
            """
            -- address.pick
            SELECT b.id, host(b.first), b.items, r.item_length, family(b.first), coalesce(b.settles_at > clock_timestamp(), false)
            FROM aaa.address_block b JOIN aaa.address_range r ON r.id = b.range_id
            WHERE b.pool_id = $1 AND b.node_id IS NULL
            ORDER BY coalesce(b.settles_at, '-infinity'), b.id LIMIT 1 FOR UPDATE OF b SKIP LOCKED
            """, [.int(pool)])
        guard let row, let first = IPAddress(text: try row.string(1)) else { return nil }
        let (id, items) = (try row.int64(0), try row.int(2))
        let count = min(size, items)
        if items > count {
            let length = try row.int(3) + (try row.int(4) == 4 ? 96 : 0)
            try connection.execute(
                """
                -- address.cut
                INSERT INTO aaa.address_block (tenant_id, pool_id, range_id, first, items, settles_at)
                SELECT tenant_id, pool_id, range_id, $2::inet, $3::integer, settles_at FROM aaa.address_block WHERE id = $1
                """, [.int(id), .text(first.advanced(by: UInt64(count), of: length).text), .int(Int64(items - count))])
        }
        try connection.execute(
            """
            -- address.take
            UPDATE aaa.address_block SET node_id = $2, items = $3 WHERE id = $1
            """, [.int(id), .text(node), .int(Int64(count))])
        return (id, try row.bool(5) ? 0 : count)
    }

    /// Makes the next block of a pool and takes it; nil when the ranges are carved up, as far as their sessions were taken up.
    private func carve(_ pool: Int64, _ size: Int, _ connection: Connection) throws -> (id: Int64, items: Int)? {
        let row = try connection.queryOne(
            """
            -- address.range
            SELECT id, tenant_id, host(first), item_length, least(items, taken_up), carved, family(first) FROM aaa.address_range
            WHERE pool_id = $1 AND carved < least(items, taken_up) ORDER BY id LIMIT 1 FOR NO KEY UPDATE
            """, [.int(pool)])
        guard let row, let first = IPAddress(text: try row.string(2)) else { return nil }
        let length = try row.int(3) + (try row.int(6) == 4 ? 96 : 0)
        let carved = try row.int64(5)
        let count = min(Int64(size), try row.int64(4) - carved)
        let start = first.advanced(by: UInt64(carved), of: length)
        let made = try connection.queryOne(
            """
            -- address.carve
            INSERT INTO aaa.address_block (tenant_id, pool_id, range_id, first, items, node_id) VALUES ($1, $2, $3, $4::inet, $5, $6)
            RETURNING id
            """, [.int(try row.int64(1)), .int(pool), .int(try row.int64(0)), .text(start.text), .int(count), .text(node)])
        try connection.execute(
            "UPDATE aaa.address_range SET carved = carved + $2 WHERE id = $1", [.int(try row.int64(0)), .int(count)])
        return try made.map { (try $0.int64(0), Int(count)) }
    }

    /// Gives blocks back, each with the time at which its offers are over; 0 for none.
    func giveBack(_ blocks: [(id: Int64, settlesAt: Int64)], _ connection: Connection) throws {
        guard !blocks.isEmpty else { return }
        try connection.query(
            "SELECT FROM aaa.address_block WHERE id = ANY ($1) ORDER BY id FOR UPDATE", [.intArray(blocks.map(\.id))]
        ) { _ in }
        try connection.execute(
            """
            -- address.give_back
            UPDATE aaa.address_block b SET node_id = NULL, settles_at = CASE WHEN g.settles > 0 THEN aaa.instant(g.settles) END
            FROM unnest($1::bigint[], $2::bigint[]) AS g(id, settles) WHERE b.id = g.id AND b.node_id = $3
            """, [.intArray(blocks.map(\.id)), .intArray(blocks.map(\.settlesAt)), .text(node)])
    }

    /// Writes until when items rest that are given back, for whoever has them next.
    func rest(_ items: [(address: IPAddress, until: Int64)], of pool: AddressPool, _ connection: Connection) throws {
        guard !items.isEmpty, let length = pool.rules?.prefixLength else { return }
        try connection.execute(
            """
            -- address.rest
            INSERT INTO aaa.address_lease AS l (tenant_id, pool_id, address, rests_until)
            SELECT p.tenant_id, p.id, i.address::cidr, aaa.instant(i.until)
            FROM aaa.address_pool p, unnest($2::text[], $3::bigint[]) AS i(address, until)
            WHERE p.id = $1 AND aaa.instant(i.until) > clock_timestamp() ORDER BY i.address::cidr
            ON CONFLICT (tenant_id, address) DO UPDATE SET rests_until = greatest(l.rests_until, excluded.rests_until),
                transaction_id = pg_current_xact_id()
            WHERE l.sessions = '{}'
            """, [.int(pool.id), .textArray(items.map { "\($0.address.text)/\(length)" }), .intArray(items.map(\.until))])
    }

    // MARK: Leases

    /// What the database says of a block's items.
    func leases(of block: AddressBlock, pool: Int64, _ connection: Connection) throws -> [AddressLease] {
        var found: [AddressLease] = []
        try connection.query(
            """
            -- address.block_leases
            SELECT \(AddressLeaseRow.columns) FROM aaa.address_block b JOIN aaa.address_range r ON r.id = b.range_id
            JOIN aaa.address_lease l ON l.tenant_id = b.tenant_id AND l.address >= network(set_masklen(b.first, r.item_length))
            WHERE b.id = $1 ORDER BY l.address LIMIT $2
            """, [.int(block.id), .int(Int64(block.count))]
        ) { row in if let row = try AddressLeaseRow(row) { found.append(row.lease) } }
        return found
    }

    /// Leases that changed since a look that saw `seen`, and what is seen now.
    func changes(since seen: String, _ connection: Connection) throws -> [AddressLeaseRow] {
        try connection.queryAll(
            """
            -- address.changes
            SELECT \(AddressLeaseRow.columns) FROM aaa.address_lease l
            WHERE l.transaction_id >= pg_snapshot_xmax($1::text::pg_snapshot)
                AND l.transaction_id < pg_snapshot_xmax(pg_current_snapshot())
            UNION ALL
            SELECT \(AddressLeaseRow.columns) FROM aaa.address_lease l
            WHERE l.transaction_id = ANY (ARRAY(SELECT pg_snapshot_xip($1::text::pg_snapshot)))
            """, [.text(seen)]
        ) { try AddressLeaseRow($0) }.compactMap(\.self)
    }

    /// Of offers that lapsed, those whose subscriber is on line with a session that does not say what it has: it has what it was offered.
    func adopt(
        _ lapsed: [(address: IPAddress, claimant: AddressClaimant)], _ pool: AddressPoolRow, _ connection: Connection
    ) throws -> [AddressLease] {
        let column =
            switch pool.rules.kind {
            case .ipv4: "framed_ipv4"
            case .ipv6Prefix: "framed_ipv6_prefix"
            case .delegatedPrefix: "delegated_ipv6_prefix"
            }
        var open: [Int64: [(session: Int64, claimant: AddressClaimant)]] = [:]
        try connection.query(
            """
            -- address.silent
            SELECT s.subscriber_id, s.id, coalesce(s.calling_station_id, '') FROM aaa.session s
            WHERE s.subscriber_id = ANY ($1) AND s.stopped_at IS NULL AND s.\(column) IS NULL
            """, [.intArray(lapsed.map(\.claimant.subscriber))]
        ) { row in
            let station = Array(try row.string(2).utf8)
            let subscriber = try row.int64(0)
            open[subscriber, default: []].append((try row.int64(1), AddressClaimant(subscriber: subscriber, calling: station.span)))
        }
        var adopted: [AddressLease] = []
        // In the order of addresses, as everybody locks leases.
        for offer in lapsed.sorted(by: { ($0.address.high, $0.address.low) < ($1.address.high, $1.address.low) }) {
            guard let session = open[offer.claimant.subscriber]?.first(where: { $0.claimant.station == offer.claimant.station }) else {
                continue
            }
            try connection.execute(
                """
                -- address.adopt
                INSERT INTO aaa.address_lease (tenant_id, pool_id, address, subscriber_id, username, nas_id, calling_station_id,
                    sessions, started_at)
                SELECT s.tenant_id, $2, $3::text::cidr, s.subscriber_id, s.username, s.nas_id, s.calling_station_id,
                    ARRAY[s.id], s.started_at
                FROM aaa.session s WHERE s.id = $1
                ON CONFLICT (tenant_id, address) DO UPDATE SET pool_id = excluded.pool_id, subscriber_id = excluded.subscriber_id,
                    username = excluded.username, nas_id = excluded.nas_id, calling_station_id = excluded.calling_station_id,
                    sessions = excluded.sessions, started_at = excluded.started_at, confirmed_at = clock_timestamp(), released_at = NULL,
                    rests_until = NULL, transaction_id = pg_current_xact_id()
                WHERE aaa.address_lease.sessions = '{}'
                """, [.int(session.session), .int(pool.id), .text("\(offer.address.text)/\(pool.rules.prefixLength)")])
            adopted.append(AddressLease(address: offer.address, claimant: session.claimant, isInUse: true))
        }
        return adopted
    }

    // MARK: Sessions that are older than a range

    /// Notes when ranges were first seen as long as they are: who records a session from now on sees them, and notes what it has.
    func see(_ connection: Connection) throws {
        try connection.execute(
            """
            -- address.see
            UPDATE aaa.address_range SET seen_at = clock_timestamp() WHERE id = ANY (ARRAY(
                SELECT id FROM aaa.address_range WHERE taken_up < items AND seen_at IS NULL FOR NO KEY UPDATE SKIP LOCKED))
            """)
    }

    /// Ranges with items whose sessions were not taken up yet, and that were seen before `horizon`: whatever was recorded without seeing
    /// them is in the database.
    func fresh(before horizon: Int64, _ connection: Connection) throws -> [FreshRange] {
        try connection.queryAll(
            """
            -- address.fresh
            SELECT id, (extract(epoch FROM seen_at) * 1000000)::bigint FROM aaa.address_range
            WHERE taken_up < items AND seen_at < aaa.instant($1) ORDER BY id
            """, [.int(horizon)]
        ) { FreshRange(id: try $0.int64(0), seenAt: try $0.int64(1)) }
    }

    /// One node at a time takes sessions up, as long as it keeps its connection.
    func takeTurn(_ connection: Connection) throws -> Bool {
        try connection.queryOne("SELECT pg_try_advisory_lock(\(Self.turnKey))")?.bool(0) ?? false
    }

    func leaveTurn(_ connection: Connection) throws {
        // However often it was taken.
        try connection.execute("SELECT pg_advisory_unlock_all()")
    }

    /// Notes what sessions have of `ranges`, of some of them behind the one numbered `behind`; the last one's number, nil behind the last.
    func takeUp(_ ranges: [FreshRange], behind: Int64, most: Int = 2000, _ connection: Connection) throws -> Int64? {
        try connection.queryOne(
            "SELECT aaa.take_up_sessions($1, $2, $3)", [.intArray(ranges.map(\.id)), .int(behind), .int(Int64(most))])?.optionalInt64(0)
    }

    /// All sessions were looked at: `ranges` can be carved, but for those that somebody has changed meanwhile.
    func tookUp(_ ranges: [FreshRange], _ connection: Connection) throws {
        let ids = SQLValue.intArray(ranges.map(\.id))
        try connection.query("SELECT FROM aaa.address_range WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE", [ids]) { _ in }
        try connection.execute(
            """
            -- address.taken_up
            UPDATE aaa.address_range r SET taken_up = r.items FROM unnest($1::bigint[], $2::bigint[]) AS f(id, seen)
            WHERE r.id = f.id AND (extract(epoch FROM r.seen_at) * 1000000)::bigint = f.seen
            """, [ids, .intArray(ranges.map(\.seenAt))])
    }

    // MARK: All of them

    /// Lets go what no open session has; the safety net below what the shipper notes.
    func sweep(_ connection: Connection) throws -> Int {
        Int(try connection.queryOne("SELECT aaa.sweep_leases(NULL)")?.int32(0) ?? 0)
    }

    /// How full the pools are.
    func fill(_ pools: [AddressPoolRow], _ connection: Connection) throws -> [AddressPoolFill] {
        var counts: [Int64: (inUse: Int, resting: Int)] = [:]
        try connection.query(
            """
            -- address.fill
            SELECT pool_id, count(*) FILTER (WHERE cardinality(sessions) > 0),
                count(*) FILTER (WHERE cardinality(sessions) = 0 AND rests_until > now()) FROM aaa.address_lease GROUP BY pool_id
            """
        ) { counts[try $0.int64(0)] = (Int(try $0.int64(1)), Int(try $0.int64(2))) }
        return pools.map { pool in
            AddressPoolFill(
                name: pool.rules.name, tenant: pool.rules.tenant, kind: pool.rules.kind, items: pool.items,
                inUse: counts[pool.id]?.inUse ?? 0, resting: counts[pool.id]?.resting ?? 0)
        }
    }
}

/// A range with items whose sessions were not taken up yet.
struct FreshRange {
    let id: Int64
    /// When it was first seen, by the database's clock in microseconds since 1970.
    let seenAt: Int64
}
