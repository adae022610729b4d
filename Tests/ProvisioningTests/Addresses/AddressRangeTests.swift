import Database
import Support
import Testing

@testable import Provisioning
@testable import RadiusCore

@Suite struct AddressRangeTests {
    @Test(arguments: [
        ("192.0.2.0/24", "192.0.2.0", "192.0.2.255", Int64(256)), ("192.0.2.7", "192.0.2.7", "192.0.2.7", 1),
        ("192.0.2.10-192.0.2.99", "192.0.2.10", "192.0.2.99", 90), (" 10.0.0.250 - 10.0.1.5 ", "10.0.0.250", "10.0.1.5", 12),
    ]) func readsIPv4(text: String, first: String, last: String, items: Int64) throws {
        let range = try AddressRange(text, kind: .ipv4, prefixLength: nil)
        #expect((range.first.text, range.last.text, range.items) == (first, last, items))
    }

    @Test(arguments: [
        ("2001:db8::/40", 56, "2001:db8:ff:ffff:ffff:ffff:ffff:ffff", Int64(65536)),
        ("2001:db8:0:100::/56", 64, "2001:db8:0:1ff:ffff:ffff:ffff:ffff", 256),
        ("2001:db8::/56", 56, "2001:db8:0:ff:ffff:ffff:ffff:ffff", 1),
    ]) func readsIPv6(text: String, length: Int, last: String, items: Int64) throws {
        let range = try AddressRange(text, kind: .delegatedPrefix, prefixLength: length)
        #expect(range.last.text == last && range.items == items)
    }

    @Test(arguments: [
        ("192.0.2.1/24", "the network is 192.0.2.0/24"), ("192.0.2.9-192.0.2.1", "before the first"), ("2001:db8::/40", "IPv4 network"),
        ("192.0.2.0/33", "1 to 32"), ("a-b", "two IPv4 addresses"), ("", "IPv4 network"), ("192.0.2.0/", "1 to 32"),
        ("1.2.3.4-", "two IPv4"), ("224.0.0.0/28", "multicast"), ("0.0.0.0/24", "this network"), ("127.0.0.1", "each machine"),
        ("239.255.255.250-240.0.0.5", "multicast"), ("223.255.255.0-255.255.255.255", "multicast"), ("255.255.255.255", "reserved"),
        ("126.0.0.0/7", "each machine"),
    ]) func refusesWhatIsNoIPv4Range(text: String, why: String) {
        #expect { try AddressRange(text, kind: .ipv4, prefixLength: nil) } throws: { "\($0)".contains(why) }
    }

    @Test(arguments: [
        ("2001:db8::/60", "smaller than one item"), ("::/8", "more than 2^40"), ("10.0.0.0/8", "IPv6 network"),
        ("::1-::2", "out of a network"), ("ff02::/56", "multicast"), ("fe80::/48", "each link"), ("febf:ffff::/32", "each link"),
    ])
    func refusesWhatIsNoIPv6Range(text: String, why: String) {
        #expect { try AddressRange(text, kind: .ipv6Prefix, prefixLength: 56) } throws: { "\($0)".contains(why) }
    }

    @Test func rangesOfATenantDoNotOverlap() async throws {
        try await AddressDesk.run { desk in
            _ = try await desk.makePool("one", ["10.1.0.0/24", "10.3.0.0/24"])
            let faulty = try await desk.makeFaultyPool("two", ["10.2.0.0/24", "10.1.0.200-10.1.1.20"])
            #expect(faulty.faults == ["it overlaps 10.1.0.0-10.1.0.255 of the pool “one”"])
            let twice = try await desk.makeFaultyPool("three", ["10.5.0.0/24", "10.5.0.0/25"])
            #expect(twice.faults == ["it overlaps 10.5.0.0-10.5.0.255 of the same pool"])
            let inside = try await desk.makeFaultyPool("four", ["10.6.0.0/24", "10.6.0.128/25"])
            #expect(inside.faults == ["it overlaps 10.6.0.0-10.6.0.255 of the same pool"])
            let other = try await desk.makeFaultyPool("five", ["2001:db8::/48"], kind: "delegated-prefix", prefix: 56)
            #expect(other.faults.isEmpty)
        }
    }

    @Test func aFixedAddressDoesNotBelongIntoAPool() async throws {
        try await AddressDesk.run { desk in
            let tenant = desk.tenant
            try await desk.pool.transaction(.tenant(tenant)) {
                _ = try $0.execute(
                    "INSERT INTO aaa.subscriber (tenant_id, username, static_ipv4) VALUES ($1, 'alice', '10.1.0.9')", [.int(tenant)])
            }
            let faulty = try await desk.makeFaultyPool("one", ["10.1.0.0/24"])
            #expect(faulty.faults == ["the subscriber “alice” has 10.1.0.9 as its own; leave fixed addresses out of pools"])
        }
    }

    @Test func aPrefixAroundAPoolIsNobodysOwn() async throws {
        try await AddressDesk.run { desk in
            let tenant = desk.tenant
            try await desk.pool.transaction(.tenant(tenant)) {
                _ = try $0.execute(
                    "INSERT INTO aaa.subscriber (tenant_id, username, delegated_ipv6_prefix) VALUES ($1, 'bob', '2001:db8::/40')",
                    [.int(tenant)])
            }
            let faulty = try await desk.makeFaultyPool("two", ["2001:db8:1::/48"], kind: "ipv6-prefix", prefix: 64)
            #expect(faulty.faults == ["the subscriber “bob” has 2001:db8::/40 as its own; leave fixed addresses out of pools"])
        }
    }

    @Test func anAddressOfAPoolIsNobodysOwn() async throws {
        try await AddressDesk.run { desk in
            let tenant = desk.tenant
            _ = try await desk.makePool("one", ["10.1.0.0/24"])
            _ = try await desk.makePool("two", ["2001:db8:1::/48"], kind: "delegated-prefix", prefix: 56)
            try await desk.pool.transaction(.tenant(tenant)) { connection in
                let row = try connection.queryOne(
                    """
                    INSERT INTO aaa.subscriber (tenant_id, username, static_ipv4, ipv6_prefix, delegated_ipv6_prefix)
                    VALUES ($1, 'alice', '10.1.0.9', '2001:db8:2::/64', '2001:db8:1:100::/56') RETURNING id
                    """, [.int(tenant)])
                let fixed = FixedAddresses(connection, tenant: tenant)
                let clashes = try fixed.clashes(ofSubscriber: row?.int64(0) ?? 0)
                #expect(clashes.map(\.column) == ["static_ipv4", "delegated_ipv6_prefix"])
                #expect(
                    clashes.first?.detail
                        == "10.1.0.9 is of 10.1.0.0-10.1.0.255, which the pool “one” hands out; give another, or leave it out of the pool")
                // Around the pool, before it, behind it, its last one.
                let places = try fixed.clashes(of: ["2001:db8::/40", "10.0.255.255", "10.1.1.0", "10.1.0.255"]).map(\.place)
                #expect(places == [0, 3])
            }
        }
    }

    /// Whoever comes second, the subscriber or the range, sees the other.
    @Test func anAddressThatIsBeingGivenIsWaitedFor() async throws {
        try await AddressDesk.run { desk in
            let tenant = desk.tenant
            let (clashes, making) = try await desk.apart(.tenant(tenant)) { connection in
                let row = try connection.queryOne(
                    "INSERT INTO aaa.subscriber (tenant_id, username, static_ipv4) VALUES ($1, 'alice', '10.1.0.9') RETURNING id",
                    [.int(tenant)])
                let clashes = try FixedAddresses(connection, tenant: tenant).clashes(ofSubscriber: row?.int64(0) ?? 0).map(\.column)
                let making = Task { try await desk.makeFaultyPool("one", ["10.1.0.0/24"]).faults.count }
                try AddressDesk.awaitLockWait(connection)
                return (clashes, making)
            }
            #expect(clashes.isEmpty)
            #expect(try await making.value == 1)
        }
    }

    @Test func whatIsInUseCannotBeTakenOutOfAPool() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("one", ["10.1.0.0/24"])
            let address = try #require(IPAddress(text: "10.1.0.77"))
            let session = try await desk.open(1, address)
            #expect(
                try await desk.setRanges(id, ["10.2.0.0/24"]) == [
                    "10.1.0.0-10.1.0.255 cannot go: 1 of it are in use; end those sessions first"
                ])
            let why = try await desk.pool.transaction(.tenant(desk.tenant)) { try AddressRanges($0).refusal(toRemove: id) }
            #expect(why == "10.1.0.0-10.1.0.255: 1 of it are in use; end those sessions first")
            try await desk.close(session)
            #expect(try await desk.setRanges(id, ["10.1.0.0/23"]) == [])
            #expect(try await desk.setRanges(id, ["10.2.0.0/24"]) == [])
        }
    }

    /// A node takes a block, or carves a new one, just when somebody takes the range out of the pool.
    @Test(arguments: [false, true]) func whatIsBeingTakenCannotBeTakenOutOfAPool(isCarved: Bool) async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("one", ["10.1.0.0/24"])
            let store = AddressStore(node: "a", incarnation: 1, leaseSeconds: 60)
            try await desk.takeUp()
            if !isCarved {
                try await desk.pool.transaction(.system) {
                    try store.giveBack(store.take(256, of: id, inBlocksOf: 256, $0).map { (id: $0, settlesAt: 0) }, $0)
                }
            }
            let (taken, changing) = try await desk.apart(.system) { connection in
                let taken = try store.take(256, of: id, inBlocksOf: 256, connection).count
                let changing = Task { try await desk.setRanges(id, ["10.2.0.0/24"]) }
                try AddressDesk.awaitLockWait(connection)
                return (taken, changing)
            }
            #expect(taken == 1)
            #expect(try await changing.value.contains { $0.contains("nodes hand out 256 of it") })
            let blocks = try await desk.pool.transaction(.system) { try store.held($0)[id]?.count }
            #expect(blocks == 1)
        }
    }

    /// As a version made it that knew one size of blocks.
    @Test func aBlockIsCutWhereItIsTooLargeForItsPool() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("one", ["2001:db8::/48"], kind: "delegated-prefix", prefix: 56)
            let (first, second) = (
                AddressStore(node: "a", incarnation: 1, leaseSeconds: 60), AddressStore(node: "b", incarnation: 1, leaseSeconds: 60)
            )
            try await desk.takeUp()
            let blocks = try await desk.pool.transaction(.system) { connection in
                try first.giveBack(first.take(256, of: id, inBlocksOf: 256, connection).map { (id: $0, settlesAt: 0) }, connection)
                _ = try first.take(16, of: id, inBlocksOf: 16, connection)
                _ = try second.take(32, of: id, inBlocksOf: 16, connection)
                return [try first.held(connection)[id] ?? [], try second.held(connection)[id] ?? []]
            }
            #expect(blocks.map { $0.map(\.count) } == [[16], [16, 16]])
            #expect(blocks.map { $0.map(\.first.text) } == [["2001:db8::"], ["2001:db8:0:1000::", "2001:db8:0:2000::"]])
            let left = try await desk.pool.transaction(.system) {
                try $0.queryOne("SELECT sum(items)::bigint FROM aaa.address_block WHERE node_id IS NULL")?.int64(0)
            }
            #expect(left == 208)
        }
    }

    /// What a node cut off while somebody waited for the block stays where it is, too.
    @Test func whatIsBeingCutOffCannotBeTakenEither() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("one", ["10.1.0.0/24"])
            let store = AddressStore(node: "a", incarnation: 1, leaseSeconds: 60)
            try await desk.takeUp()
            try await desk.pool.transaction(.system) {
                try store.giveBack(store.take(256, of: id, inBlocksOf: 256, $0).map { (id: $0, settlesAt: 0) }, $0)
            }
            let (tenant, configuration) = (desk.tenant, desk.configuration)
            let (picked, checking) = try await desk.apart(.system) { connection in
                let picked = try store.take(16, of: id, inBlocksOf: 16, connection).count
                let checking = Task {
                    try await desk.pool.transaction(.tenant(tenant)) { connection in
                        _ = try AddressRanges(connection).refusal(toRemove: id)
                        let other = try Connection.open(configuration)
                        defer { other.close() }
                        return try other.transaction(.system) { try store.take(16, of: id, inBlocksOf: 16, $0).count }
                    }
                }
                try AddressDesk.awaitLockWait(connection)
                return (picked, checking)
            }
            #expect(picked == 1)
            #expect(try await checking.value == 0)
        }
    }
}
