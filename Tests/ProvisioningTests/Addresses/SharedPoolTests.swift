import Database
import Support
import Testing

@testable import Provisioning
@testable import RadiusCore

/// Pools that are small, or older blocks of which are large, and nodes that all want some.
@Suite struct SharedPoolTests {
    @Test(arguments: ["10.1.0.0/24", "10.1.0.0/28"]) func aSmallPoolServesEveryNode(range: String) async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", [range], offer: 3600)
            var given: Set<IPAddress> = []
            var nodes: [AddressDesk.Node] = []
            defer { for node in nodes { node.service.stop() } }
            for (subscriber, name) in zip(Int64(1)..., ["a", "b", "c"]) {
                let node = try desk.node(name)
                nodes.append(node)
                let address = try await node.awaitOffer(id, subscriber)
                given.insert(address)
            }
            #expect(given.count == 3)
        }
    }

    /// All of the pool is one node's, as a version made it that knew one size of blocks, and a session has an item of it.
    @Test func aNodeThatHasNothingGetsBlocksThatAreInUseInPart() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/24"], offer: 5)
            try await desk.execute(
                """
                INSERT INTO aaa.address_block (tenant_id, pool_id, range_id, first, items, node_id)
                SELECT tenant_id, pool_id, id, first, 256, 'a' FROM aaa.address_range
                """)
            try await desk.execute("UPDATE aaa.address_range SET carved = 256")
            let holder = try desk.node("a")
            defer { holder.service.stop() }
            try await eventually { holder.pools.pool(id).counts.free == 256 }
            let used = try #require(IPAddress(text: "10.1.0.7"))
            _ = try await desk.open(7, used)
            try await eventually { holder.pools.pool(id).counts.inUse == 1 }
            try await desk.execute("UPDATE aaa.address_pool SET offer_time = 3600")
            let other = try desk.node("b")
            defer { other.service.stop() }
            let first = try await other.awaitOffer(id, 1)
            let given = try await desk.drain([holder, other], id, until: 254) + [first]
            #expect(given.count == 255)
            #expect(Set(given + [used]).count == 256)
            #expect(other.pools.pool(id).counts.offered > 16)
        }
    }

    @Test func halfOfWhatIsFreeIsGiven() {
        func block(_ id: Int64, _ free: Int, of count: Int = 16) -> SpareBlock { SpareBlock(id: id, count: count, free: free) }
        #expect(AddressFiller.spare([block(1, 16), block(2, 16), block(3, 4), block(4, 4)], 40, 16) == [1, 3])
        #expect(AddressFiller.spare([block(1, 16)], 16, 16) == [])
        #expect(AddressFiller.spare([block(1, 1, of: 1)], 1, 1) == [])
        #expect(AddressFiller.spare([block(1, 200, of: 256), block(2, 10)], 210, 16) == [1])
        #expect(AddressFiller.spare([], 0, 16) == [])
        // What is to go stays chosen while others are handed out.
        #expect(AddressFiller.spare([block(1, 8), block(2, 7)], 15, 16) == [2])
        let chosen = SpareBlock(id: 1, count: 16, free: 8, isAwaited: true, isWithheld: true)
        #expect(AddressFiller.spare([chosen, block(2, 7)], 15, 16) == [1])
        #expect(AddressFiller.spare([chosen], 8, 16) == [])
    }

    @Test func whatSessionsHadBeforeThereWasAPoolIsTheirs() async throws {
        try await AddressDesk.run { desk in
            let (early, late) = (try #require(IPAddress(text: "10.1.0.1")), try #require(IPAddress(text: "10.2.0.0")))
            let sessions = [try await desk.open(7, early), try await desk.open(8, late)]
            let id = try await desk.makePool("home", ["10.1.0.0/30"], offer: 3600)
            let node = try desk.node("a")
            defer { node.service.stop() }
            let nobody = AddressClaimant(subscriber: 9999, station: 1)
            var given = try await desk.drain([node], id, until: 3)
            try await eventually { node.pools.pool(id).preview(nobody).offer == .exhausted(.used, acceptsWithout: false) }
            #expect(given.count == 3 && !given.contains(early))
            #expect(try await desk.leases() == [early.text: "in_use"])
            // And before there was a range of it.
            #expect(try await desk.setRanges(id, ["10.1.0.0/30", "10.2.0.0/31"]) == [])
            try await eventually {
                if let address = node.offer(id, 5000) { given.append(address) }
                return given.count == 4
            }
            try await eventually { node.pools.pool(id).preview(nobody).offer == .exhausted(.used, acceptsWithout: false) }
            #expect(given.last?.text == "10.2.0.1")
            #expect(try await desk.leases() == [early.text: "in_use", late.text: "in_use"])
            for session in sessions { try await desk.close(session) }
            try await eventually { node.pools.pool(id).counts.free == 2 }
        }
    }

    @Test func afterAConflictTheAddressIsOfTheLineThatStays() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/30"])
            let node = try desk.node("a")
            defer { node.service.stop() }
            let address = try await node.awaitOffer(id, 1)
            let other = try await node.awaitOffer(id, 2, "other")
            _ = try await desk.open(1, address)
            // It uses what it was not given.
            let intruder = try await desk.open(2, address, station: "other", nas: 2)
            try await eventually { node.pools.pool(id).counts.conflicts > 0 }
            try await desk.close(intruder)
            let (owner, guest) = (
                AddressClaimant(subscriber: 1, calling: Array("line".utf8).span),
                AddressClaimant(subscriber: 2, calling: Array("other".utf8).span)
            )
            try await eventually { node.pools.pool(id).preview(owner).offer == .item(address, length: 32) }
            #expect(node.pools.pool(id).preview(guest).offer != .item(address, length: 32))
            #expect(address != other)
            let names = try await desk.pool.transaction(.system) {
                try $0.queryAll("SELECT username FROM aaa.address_lease_list WHERE state = 'in_use'") { try $0.string(0) }
            }
            #expect(names == ["u1"])
        }
    }

    /// A session that was not noted when it began, as before a version that takes up older ones.
    @Test func aSessionThatGoesOnIsNotedOnceMore() async throws {
        try await AccountingBench.run { bench in
            try await bench.shipping { feed in
                var packets = [AccountingPacket(1, event: 0), AccountingPacket(3, event: 300, seconds: 300, upload: 7)]
                packets.append(AccountingPacket(3, event: 600, seconds: 600, upload: 9))
                for place in packets.indices { packets[place].attributes.append((8, [10, 1, 0, 1])) }
                _ = try await feed(Array(packets.prefix(2)))
                let tenant = bench.tenant
                try await bench.pool.transaction(.tenant(tenant)) { connection in
                    let row = try connection.queryOne(
                        """
                        INSERT INTO aaa.address_pool (tenant_id, name, kind, ranges) VALUES ($1, 'home', 'ipv4', '{10.1.0.0/30}')
                        RETURNING id
                        """, [.int(tenant)])
                    #expect(try AddressRanges(connection).settle(row?.int64(0) ?? 0).isEmpty)
                }
                #expect(try await bench.number("SELECT count(*) FROM aaa.address_lease") == 0)
                _ = try await feed(Array(packets.suffix(1)))
                #expect(
                    try await bench.texts("SELECT concat_ws('|', host(address), state, username) FROM aaa.address_lease_list") == [
                        "10.1.0.1|in_use|alice"
                    ])
            }
        }
    }
}
