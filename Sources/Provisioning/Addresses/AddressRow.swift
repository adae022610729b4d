import Database
public import RadiusCore

/// A pool as its row and the blocks of all nodes have it.
struct AddressPoolRow {
    let id: Int64
    let rules: AddressPoolRules
    /// Items of all ranges.
    let items: Int
    /// Items that no node holds, as far as sessions that have them were looked for.
    let available: Int
    /// Sessions may have items of it that are not noted, since they are older than a range.
    let isFresh: Bool

    /// Items of a block: a sixteenth of the pool, so that several nodes have some of a small one.
    var blockItems: Int { max(1, min(AddressBlock.capacity, items / 16)) }

    static let sql = """
        -- address.pools
        SELECT p.id, p.tenant_id, p.name, p.kind, coalesce(p.prefix_length, 32), p.quarantine, p.offer_time,
            p.on_exhausted = 'accept', p.enabled,
            least(coalesce(r.items, 0), 1000000000000)::bigint,
            least(coalesce(r.left, 0) + coalesce(b.items, 0), 1000000000000)::bigint, coalesce(r.fresh, false)
        FROM aaa.address_pool p
        LEFT JOIN LATERAL (
            SELECT sum(r.items::numeric) AS items, sum(greatest(least(r.items, r.taken_up) - r.carved, 0)::numeric) AS left,
                bool_or(r.taken_up < r.items) AS fresh
            FROM aaa.address_range r WHERE r.pool_id = p.id
        ) r ON true
        LEFT JOIN LATERAL (
            SELECT sum(b.items) AS items FROM aaa.address_block b WHERE b.pool_id = p.id AND b.node_id IS NULL
        ) b ON true
        ORDER BY p.id
        """

    init?(_ row: Row) throws {
        guard let kind = AddressPoolKind(rawValue: try row.string(3)) else { return nil }
        id = try row.int64(0)
        rules = AddressPoolRules(
            name: try row.string(2), tenant: try row.int64(1), kind: kind, prefixLength: try row.int(4),
            offerSeconds: Int64(try row.int(6)), quarantineSeconds: Int64(try row.int(5)), acceptsWithout: try row.bool(7),
            isEnabled: try row.bool(8))
        items = Int(try row.int64(9))
        available = Int(try row.int64(10))
        isFresh = try row.bool(11)
    }
}

/// A lease with what tells whose it is.
struct AddressLeaseRow {
    let pool: Int64
    let lease: AddressLease
    /// Of a contested one those of all its sessions, the newest first.
    let userNames: String

    static let columns = """
        l.pool_id, host(l.address), coalesce(l.subscriber_id, 0), coalesce(l.calling_station_id, ''), cardinality(l.sessions) > 0,
        l.contested,
        CASE WHEN l.rests_until > clock_timestamp() THEN (extract(epoch FROM l.rests_until) * 1000000)::bigint ELSE 0 END,
        coalesce(CASE WHEN l.contested THEN (
            SELECT string_agg(s.username, ', ' ORDER BY s.started_at DESC, s.id DESC) FROM aaa.session s WHERE s.id = ANY (l.sessions)
        ) END, l.username)
        """

    init?(_ row: Row) throws {
        guard let address = IPAddress(text: try row.string(1)) else { return nil }
        pool = try row.int64(0)
        let station = Array(try row.string(3).utf8)
        lease = AddressLease(
            address: address, claimant: AddressClaimant(subscriber: try row.int64(2), calling: station.span), isInUse: try row.bool(4),
            isContested: try row.bool(5), quarantinedUntil: try row.int64(6))
        userNames = try row.string(7)
    }
}

/// How full a pool is, over all nodes.
public struct AddressPoolFill: Sendable, Equatable {
    public let name: String
    public let tenant: Int64
    public let kind: AddressPoolKind
    public let items: Int
    public let inUse: Int
    public let resting: Int

    /// 0...1.
    public var fraction: Double { items == 0 ? 0 : Double(inUse + resting) / Double(items) }
}
