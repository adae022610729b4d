import Database
import Support
import Synchronization
import Testing

@testable import Provisioning
@testable import RadiusCore

/// Sessions that are older than the range of their address.
@Suite struct TakingUpTests {
    private let nobody = AddressClaimant(subscriber: 9999, station: 1)

    /// A Start that a node acknowledged before there was the pool, and could not store yet.
    @Test func aNewPoolWaitsForAccountingThatIsNotStoredYet() async throws {
        try await AddressDesk.run { desk in
            let node = try desk.node("a")
            defer { node.service.stop() }
            try await eventually { node.service.state.rounds > 0 }
            node.accounting.withLock { $0 = (5, 4) }
            let id = try await desk.makePool("home", ["10.1.0.0/30"], offer: 3600)
            // Log-ins wait for it at first.
            try await eventually { node.pools.pool(id).preview(nobody).offer == .refilling }
            try await eventually { node.pools.pool(id).preview(nobody).offer == .exhausted(.settling, acceptsWithout: false) }
            let early = try #require(IPAddress(text: "10.1.0.0"))
            _ = try await desk.open(7, early)
            node.accounting.withLock { $0 = (5, 5) }
            let given = try await desk.drain([node], id, until: 3)
            try await eventually { node.pools.pool(id).preview(nobody).offer == .exhausted(.used, acceptsWithout: false) }
            #expect(given.count == 3 && !given.contains(early))
        }
    }

    /// A range that changed meanwhile is looked through once more.
    @Test func sessionsAreTakenUpInPieces() async throws {
        try await AddressDesk.run { desk in
            var sessions: [Int64] = []
            for subscriber in Int64(1)...3 { sessions.append(try await desk.open(subscriber, IPAddress(text: "10.1.0.\(subscriber)"))) }
            let id = try await desk.makePool("home", ["10.1.0.0/30"])
            let store = AddressStore(node: "a", incarnation: 1, leaseSeconds: 60)
            let ranges = try await desk.pool.transaction(.system) { connection in
                try store.see(connection)
                #expect(try store.fresh(before: 0, connection).isEmpty)
                return try store.fresh(before: 4_000_000_000_000_000, connection)
            }
            #expect(ranges.count == 1)
            var lasts: [Int64?] = []
            for behind in [0, sessions[1], sessions[2]] {
                lasts.append(
                    try await desk.pool.transaction(.system) { try store.takeUp(ranges, behind: behind, most: 2, $0) })
                #expect(try await desk.leases().count == min(lasts.count + 1, 3))
            }
            #expect(lasts == [sessions[1], sessions[2], nil])
            #expect(try await desk.setRanges(id, ["10.1.0.0/29"]) == [])
            let taken = try await desk.pool.transaction(.system) { connection in
                try store.tookUp(ranges, connection)
                return try connection.queryOne("SELECT taken_up FROM aaa.address_range")?.int64(0)
            }
            #expect(taken == 0)
            try await desk.takeUp()
            let blocks = try await desk.pool.transaction(.system) { try store.take(8, of: id, inBlocksOf: 8, $0).count }
            #expect(blocks == 1)
        }
    }

    /// Nothing that accounting or a node has locked is waited for, but for leases that are about to change.
    @Test func takingUpLocksNothingThatIsRight() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/30"])
            _ = try await desk.open(1, IPAddress(text: "10.1.0.1"))
            let shipper = try Connection.open(desk.configuration)
            defer { shipper.close() }
            let node = try Connection.open(desk.configuration)
            defer { node.close() }
            let store = AddressStore(node: "a", incarnation: 1, leaseSeconds: 60)
            let taken = try shipper.transaction(.system) { shipper in
                try shipper.query("SELECT FROM aaa.address_lease FOR UPDATE") { _ in }
                // As the foreign key of a block that is being cut does.
                try shipper.query("SELECT FROM aaa.address_range FOR KEY SHARE") { _ in }
                return try node.transaction(.system) { node in
                    try node.execute("SET LOCAL lock_timeout = '200ms'")
                    try store.see(node)
                    let ranges = try store.fresh(before: 4_000_000_000_000_000, node)
                    _ = try store.takeUp(ranges, behind: 0, node)
                    try store.tookUp(ranges, node)
                    return try store.take(4, of: id, inBlocksOf: 4, node).count
                }
            }
            #expect(taken == 1)
        }
    }

    @Test func poolsGoOnWhileSessionsCannotBeTakenUp() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/30"])
            let node = try desk.node("a")
            defer { node.service.stop() }
            _ = try await node.awaitOffer(id, 1)
            try await desk.pool.run {
                try $0.script(
                    """
                    CREATE FUNCTION aaa.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
                    CREATE TRIGGER refuse BEFORE UPDATE OF taken_up ON aaa.address_range FOR EACH ROW EXECUTE FUNCTION aaa.refuse()
                    """)
            }
            let late = try await desk.makePool("late", ["10.2.0.0/30"])
            try await eventually { node.pools.pool(late).preview(nobody).offer == .refilling }
            // The offer lapses once all accounting of the time of the new pool is known.
            #expect(node.offer(id, 1) != nil)
            try await eventually { node.pools.pool(id).counts.offered == 0 }
            #expect(node.offer(late, 2) == nil)
            #expect(node.service.state.lastError == nil)
            try await desk.pool.run { try $0.script("DROP TRIGGER refuse ON aaa.address_range") }
            _ = try await node.awaitOffer(late, 2)
        }
    }

    /// Found by taking up, or by an interim record.
    @Test func aSessionThatIsNotedLateDoesNotTakeTheLease() async throws {
        try await AddressDesk.run { desk in
            _ = try await desk.makePool("home", ["10.1.0.0/30"])
            let address = try #require(IPAddress(text: "10.1.0.1"))
            let old = try await desk.pool.transaction(.system) { try desk.write(1, address, $0) }
            _ = try await desk.open(2, address, station: "other", nas: 2)
            try await desk.pool.transaction(.system) { try LeaseNotes(connection: $0).note([old]) }
            let leases = try await desk.pool.transaction(.system) {
                try $0.queryAll("SELECT username, state FROM aaa.address_lease_list") { [try $0.string(0), try $0.string(1)] }
            }
            #expect(leases == [["u2", "conflict"]])
        }
    }
}
