public import Database
import RadiusCore

/// Brings the ranges of a pool in line with its row. In the transaction that changed the row, of its tenant's scope.
public struct AddressRanges {
    /// What cannot be done: the place among the row's ranges, or nil for one that the row no longer has, and why.
    public struct Fault: Sendable, Equatable {
        public let place: Int?
        public let detail: String
    }

    private struct Stored {
        let id: Int64
        let range: (first: String, last: String)
        let carved: Int64
    }

    private let connection: Connection

    public init(_ connection: Connection) {
        self.connection = connection
    }

    /// Writes the ranges of the pool `id`; the transaction must be undone when there are faults.
    public func settle(_ id: Int64) throws -> [Fault] {
        let pool = try connection.queryOne("SELECT kind, prefix_length, ranges, tenant_id FROM aaa.address_pool WHERE id = $1", [.int(id)])
        guard let pool, let kind = AddressPoolKind(rawValue: try pool.string(0)) else { return [] }
        let tenant = try pool.int64(3)
        try Self.lock(tenant, isShared: false, connection)
        let length = try pool.optionalInt32(1).map { Int($0) }
        var faults: [Fault] = []
        var wanted: [(place: Int, range: AddressRange)] = []
        for (place, text) in try pool.strings(2).enumerated() {
            do throws(AddressRange.Fault) {
                wanted.append((place, try AddressRange(text, kind: kind, prefixLength: length)))
            } catch {
                faults.append(Fault(place: place, detail: error.description))
            }
        }
        for (position, entry) in wanted.enumerated() {
            guard let other = wanted[..<position].first(where: { $0.range.overlaps(entry.range) }) else { continue }
            faults.append(
                Fault(place: entry.place, detail: "it overlaps \(other.range.first.text)-\(other.range.last.text) of the same pool"))
        }
        guard faults.isEmpty else { return faults }
        try holdStill(id)
        for stored in try stored(id) where !wanted.contains(where: { $0.range.first.text == stored.range.first }) {
            faults += try hindrances(stored).map {
                Fault(place: nil, detail: "\(stored.range.first)-\(stored.range.last) cannot go: \($0)")
            }
            if faults.isEmpty { try remove(stored) }
        }
        for (place, range) in wanted where faults.isEmpty {
            faults += try write(range, of: id, tenant, kind, length ?? 32).map { Fault(place: place, detail: $0) }
        }
        return faults
    }

    /// Why the pool `id` cannot be removed; nil when it can.
    public func refusal(toRemove id: Int64) throws -> String? {
        try holdStill(id)
        for stored in try stored(id) {
            if let why = try hindrances(stored).first { return "\(stored.range.first)-\(stored.range.last): \(why)" }
        }
        return nil
    }

    /// Until the transaction ends: who writes ranges is alone, who gives subscribers addresses of their own is so with others.
    static func lock(_ tenant: Int64, isShared: Bool, _ connection: Connection) throws {
        let name = isShared ? "pg_advisory_xact_lock_shared" : "pg_advisory_xact_lock"
        try connection.query("SELECT \(name)($1, $2)", [.int(0x6164_6472), .int(tenant & 0x7fff_ffff)]) { _ in }
    }

    /// Keeps nodes from taking and carving blocks of a pool until the transaction ends: what is read after this stays so.
    private func holdStill(_ pool: Int64) throws {
        // Blocks first, as nodes do; and those that were carved meanwhile.
        try lockBlocks(pool)
        try connection.query("SELECT FROM aaa.address_range WHERE pool_id = $1 ORDER BY id FOR UPDATE", [.int(pool)]) { _ in }
        try lockBlocks(pool)
    }

    /// Locks all blocks, and again as long as somebody who was waited for had cut one in two.
    private func lockBlocks(_ pool: Int64) throws {
        var locked: [Int64]?
        while true {
            let found = try connection.queryAll(
                "SELECT id FROM aaa.address_block WHERE pool_id = $1 ORDER BY id FOR UPDATE", [.int(pool)]
            ) { try $0.int64(0) }
            if found == locked { return }
            locked = found
        }
    }

    private func stored(_ pool: Int64) throws -> [Stored] {
        try connection.queryAll(
            "SELECT id, host(first), host(last), carved FROM aaa.address_range WHERE pool_id = $1 ORDER BY id", [.int(pool)]
        ) { Stored(id: try $0.int64(0), range: (try $0.string(1), try $0.string(2)), carved: try $0.int64(3)) }
    }

    private func remove(_ stored: Stored) throws {
        try connection.execute(
            """
            DELETE FROM aaa.address_lease l USING aaa.address_range r
            WHERE r.id = $1 AND l.tenant_id = r.tenant_id AND l.pool_id = r.pool_id AND host(l.address)::inet BETWEEN r.first AND r.last
            """, [.int(stored.id)])
        try connection.execute("DELETE FROM aaa.address_range WHERE id = $1", [.int(stored.id)])
    }

    /// What stands against giving a range up: somebody has, or may have, an item of it.
    private func hindrances(_ stored: Stored) throws -> [String] {
        let row = try connection.queryOne(
            """
            -- address.hindrances
            SELECT (SELECT count(*) FROM aaa.address_lease l WHERE l.tenant_id = r.tenant_id AND l.pool_id = r.pool_id
                    AND host(l.address)::inet BETWEEN r.first AND r.last AND cardinality(l.sessions) > 0),
                (SELECT count(*) FROM aaa.address_lease l WHERE l.tenant_id = r.tenant_id AND l.pool_id = r.pool_id
                    AND host(l.address)::inet BETWEEN r.first AND r.last AND cardinality(l.sessions) = 0 AND l.rests_until > now()),
                (SELECT coalesce(sum(b.items), 0) FROM aaa.address_block b WHERE b.range_id = r.id AND b.node_id IS NOT NULL),
                (SELECT coalesce(ceil(extract(epoch FROM max(b.settles_at) - now())), 0)::bigint
                    FROM aaa.address_block b WHERE b.range_id = r.id)
            FROM aaa.address_range r WHERE r.id = $1
            """, [.int(stored.id)])
        guard let row else { return [] }
        var found: [String] = []
        let (used, resting, held, settles) = (try row.int64(0), try row.int64(1), try row.int64(2), try row.int64(3))
        if used > 0 { found.append("\(used) of it are in use; end those sessions first") }
        if resting > 0 { found.append("\(resting) of it rest after their sessions; wait, or release them") }
        if held > 0 { found.append("nodes hand out \(held) of it; set enabled to false, and try again in some seconds") }
        if settles > 0 { found.append("log-ins of a moment ago may still use it; try again in \(settles) seconds") }
        return found
    }

    private func write(_ range: AddressRange, of pool: Int64, _ tenant: Int64, _ kind: AddressPoolKind, _ length: Int) throws -> [String] {
        let ends: [SQLValue] = [.int(pool), .text(range.first.text), .text(range.last.text)]
        if let other = try overlapping(range, pool) { return [other] }
        if let holder = try FixedAddresses(connection, tenant: tenant).holder(first: range.first.text, last: range.last.text) {
            return [holder]
        }
        let known = try connection.queryOne(
            "SELECT id, host(last), carved FROM aaa.address_range WHERE pool_id = $1 AND first = $2::inet", Array(ends.prefix(2)))
        guard let known else {
            try connection.execute(
                """
                INSERT INTO aaa.address_range (pool_id, first, last, tenant_id, kind, item_length, items)
                VALUES ($1, $2::inet, $3::inet, $4, $5, $6, $7)
                """, ends + [.int(tenant), .text(kind.rawValue), .int(Int64(length)), .int(range.items)])
            return []
        }
        let stored = Stored(id: try known.int64(0), range: (range.first.text, try known.string(1)), carved: try known.int64(2))
        guard stored.range.last != range.last.text else { return [] }
        if range.items < stored.carved {
            let hindrances = try hindrances(stored)
            guard hindrances.isEmpty else { return ["it cannot become smaller: " + hindrances.joined(separator: "; ")] }
            try connection.execute("DELETE FROM aaa.address_block WHERE range_id = $1", [.int(stored.id)])
            try connection.execute("UPDATE aaa.address_range SET carved = 0 WHERE id = $1", [.int(stored.id)])
        }
        try connection.execute(
            "UPDATE aaa.address_range SET last = $2::inet, items = $3, taken_up = least(taken_up, $3), seen_at = NULL WHERE id = $1",
            [.int(stored.id), .text(range.last.text), .int(range.items)])
        return []
    }

    private func overlapping(_ range: AddressRange, _ pool: Int64) throws -> String? {
        let row = try connection.queryOne(
            """
            -- address.overlap
            SELECT p.name, host(r.first), host(r.last) FROM aaa.address_range r JOIN aaa.address_pool p ON p.id = r.pool_id
            WHERE r.first <= $3::inet AND r.last >= $2::inet AND NOT (r.pool_id = $1 AND r.first = $2::inet) LIMIT 1
            """, [.int(pool), .text(range.first.text), .text(range.last.text)])
        return try row.map { "it overlaps \(try $0.string(1))-\(try $0.string(2)) of the pool “\(try $0.string(0))”" }
    }
}
