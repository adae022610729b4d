import Database
import Support
import Synchronization
import Testing

@testable import Provisioning
@testable import RadiusCore

@Suite struct AddressPoolServiceTests {
    @Test func twoNodesHandOutAllOfAPoolAndNothingTwice() async throws {
        try await AddressDesk.run { desk in
            // No offer lapses while all are handed out.
            let id = try await desk.makePool("home", ["10.1.0.0/22", "10.9.0.10-10.9.0.19"], offer: 3600)
            let nodes = [try desk.node("a"), try desk.node("b")]
            defer { for node in nodes { node.service.stop() } }
            var given: [IPAddress] = []
            var subscriber: Int64 = 0
            // What one node keeps idle the other gets in the end.
            try await eventually {
                for node in nodes {
                    while let address = node.offer(id, subscriber + 1) {
                        subscriber += 1
                        given.append(address)
                    }
                }
                return given.count >= 1034
            }
            #expect(given.count == 1034)
            #expect(Set(given).count == 1034)
            #expect(given.allSatisfy { $0.text.hasPrefix("10.1.") || $0.text.hasPrefix("10.9.0.1") })
            try await eventually {
                nodes.allSatisfy {
                    $0.pools.pool(id).offer(AddressClaimant(subscriber: 9999, station: 1)) == .exhausted(.elsewhere, acceptsWithout: false)
                }
            }
        }
    }

    @Test func aSessionOfTheOtherNodesAccountingConfirmsAndReleases() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/30"])
            let node = try desk.node("a")
            defer { node.service.stop() }
            let address = try await node.awaitOffer(id, 7)
            let session = try await desk.open(7, address)
            try await eventually { node.pools.pool(id).counts.inUse == 1 }
            #expect(try await desk.leases() == [address.text: "in_use"])
            // The same line comes back before its old session ends, and has what it had; another line does not.
            #expect(node.offer(id, 7) == address)
            #expect(try await node.awaitOffer(id, 7, "other") != address)
            try await desk.close(session)
            #expect(try await desk.leases() == [address.text: "free"])
            try await eventually { node.pools.pool(id).counts.inUse == 0 }
            #expect(node.pools.pool(id).counts.offered == 2)
            // None of the offers came to anything: all is free again.
            try await eventually {
                let counts = node.pools.pool(id).counts
                return counts.free >= 2 && counts.free == counts.blocks
            }
            #expect(node.offer(id, 7) == address)
        }
    }

    @Test func offersWaitForTheAccountingOfEveryNode() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/32"])
            let (node, other) = (try desk.node("a"), try desk.node("b"))
            defer {
                node.service.stop()
                other.service.stop()
            }
            try await eventually { other.service.state.rounds > 0 }
            try await eventually { node.pools.pool(id).counts.free + other.pools.pool(id).counts.free == 1 }
            // The other one has acknowledged a record that it cannot ship.
            other.accounting.withLock { $0 = (5, 4) }
            #expect(node.offer(id, 1) != nil || other.offer(id, 1) != nil)
            let holder = node.pools.pool(id).counts.offered == 1 ? node : other
            let rounds = holder.service.state.rounds
            try await eventually { holder.service.state.horizonLagSeconds > 14 }
            #expect(holder.service.state.rounds > rounds)
            #expect(holder.pools.pool(id).counts.offered == 1)
            other.accounting.withLock { $0 = (5, 5) }
            try await eventually { holder.pools.pool(id).counts.free == 1 }
        }
    }

    @Test func aNodeThatWasKilledLearnsWhatItHadAndWaitsForWhatItOffered() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0-10.1.0.2"])
            let killed = try desk.node("a")
            let used = try await killed.awaitOffer(id, 1)
            _ = try await desk.open(1, used)
            let offered = try await killed.awaitOffer(id, 2)
            try await eventually { killed.pools.pool(id).counts.free == 1 }
            killed.service.abandon()
            let node = try desk.node("a")
            defer { node.service.stop() }
            try await eventually { node.pools.pool(id).counts.blocks == 3 }
            let counts = node.pools.pool(id).counts
            #expect(counts.inUse == 1 && counts.unsettled == 2 && counts.free == 0)
            let stranger = AddressClaimant(subscriber: 3, station: 3)
            #expect(node.pools.pool(id).preview(stranger).offer == .exhausted(.settling, acceptsWithout: false))
            // The Start of the forgotten offer comes through whichever node.
            _ = try await desk.open(2, offered)
            try await eventually { node.pools.pool(id).counts.free == 1 }
            #expect(node.pools.pool(id).counts.inUse == 2)
            let rest = [node.offer(id, 3), node.offer(id, 4)].compactMap(\.self)
            #expect(Set(rest + [used, offered]).count == 3)
            #expect(node.offer(id, 5) == nil)
        }
    }

    @Test func theBlocksOfADeadNodeComeBackAfterItsLease() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/31"])
            let dead = try desk.node("a", leaseSeconds: 4)
            let used = try await dead.awaitOffer(id, 1)
            _ = try await desk.open(1, used)
            try await eventually { dead.pools.pool(id).counts.free == 1 }
            let node = try desk.node("b")
            defer { node.service.stop() }
            dead.service.abandon()
            // The dead one has stopped before anybody else may begin.
            #expect(dead.offer(id, 9) == nil)
            #expect(node.offer(id, 2) == nil)
            try await eventually { node.pools.pool(id).counts.free == 1 }
            #expect(node.pools.pool(id).counts.inUse == 1)
            let given = (2...4).compactMap { node.offer(id, $0) }
            #expect(Set(given + [used]).count == 2)
        }
    }

    @Test func anOrderlyEndLeavesNothingToWaitFor() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/30"], offer: 3600)
            let first = try desk.node("a")
            try await eventually { first.pools.pool(id).counts.free > 0 }
            first.service.stop()
            let second = try desk.node("b")
            defer { second.service.stop() }
            var given: Set<IPAddress> = []
            for subscriber in Int64(1)...4 { given.insert(try await second.awaitOffer(id, subscriber)) }
            #expect(given.count == 4)
            #expect(second.pools.pool(id).counts.unsettled == 0)
        }
    }

    @Test func aSessionThatDoesNotSayWhatItHasKeepsWhatItWasOffered() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/31"])
            let node = try desk.node("a")
            defer { node.service.stop() }
            let address = try await node.awaitOffer(id, 1)
            let session = try await desk.open(1, nil)
            try await eventually { node.pools.pool(id).counts.inUse == 1 }
            #expect(try await desk.leases() == [address.text: "in_use"])
            try await desk.close(session)
            _ = try await desk.pool.transaction(.system) { try $0.queryOne("SELECT aaa.sweep_leases(NULL)")?.int32(0) }
            try await eventually { node.pools.pool(id).counts.free == 2 }
        }
    }

    @Test func anAddressOfTwoLinesIsAConflictUntilOneOfThemGoes() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/31"])
            let node = try desk.node("a")
            defer { node.service.stop() }
            let address = try await node.awaitOffer(id, 1)
            let first = try await desk.open(1, address)
            let second = try await desk.open(2, address, station: "other", nas: 2)
            #expect(try await desk.leases() == [address.text: "conflict"])
            try await eventually { node.pools.pool(id).counts.conflicts == 1 }
            let users = try await desk.pool.transaction(.system) { connection in
                try connection.queryAll("SELECT concat_ws(' ', username, also_used_by) FROM aaa.address_lease_list") { try $0.string(0) }
                    + connection.queryAll("SELECT \(AddressLeaseRow.columns) FROM aaa.address_lease l") {
                        try AddressLeaseRow($0)?.userNames ?? ""
                    }
            }
            #expect(users == ["u2 u1", "u2, u1"])
            #expect(node.offer(id, 1) != address)
            try await desk.close(first)
            #expect(try await desk.leases() == [address.text: "in_use"])
            try await desk.close(second)
            #expect(try await desk.leases() == [address.text: "free"])
        }
    }

    @Test func aPoolThatIsSwitchedOffIsGivenBack() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/24"])
            let node = try desk.node("a")
            defer { node.service.stop() }
            try await eventually { node.pools.pool(id).counts.free == 64 }
            #expect(try await desk.setRanges(id, ["10.2.0.0/24"]).contains { $0.contains("nodes hand out 64 of it") })
            try await desk.pool.transaction(.system) {
                _ = try $0.execute("UPDATE aaa.address_pool SET enabled = false WHERE id = $1", [.int(id)])
            }
            try await eventually { try await desk.setRanges(id, ["10.2.0.0/24"]).isEmpty }
            let claimant = AddressClaimant(subscriber: 1, station: 1)
            #expect(node.pools.pool(id).offer(claimant) == .exhausted(.switchedOff, acceptsWithout: false))
        }
    }

    /// The node's connection fails at that, and the block stays the node's.
    @Test func whatRestsAfterAnOfferRestsEvenIfItsBlockCannotBeGiven() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/31"], quarantine: 3600)
            let node = try desk.node("a")
            defer { node.service.stop() }
            let offered = try await node.awaitOffer(id, 1)
            try await eventually { node.pools.pool(id).counts.quarantined == 1 }
            try await desk.pool.run {
                try $0.script(
                    """
                    CREATE FUNCTION aaa.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
                    CREATE TRIGGER refuse BEFORE UPDATE ON aaa.address_block FOR EACH ROW EXECUTE FUNCTION aaa.refuse()
                    """)
            }
            try await desk.execute("UPDATE aaa.address_pool SET enabled = false")
            try await eventually { node.service.state.lastError != nil }
            #expect(try await desk.leases() == [offered.text: "quarantine"])
        }
    }

    @Test func whatRestsAfterAnOfferRestsWithTheNextNodeToo() async throws {
        try await AddressDesk.run { desk in
            let id = try await desk.makePool("home", ["10.1.0.0/31"], quarantine: 3600)
            let first = try desk.node("a")
            let offered = try await first.awaitOffer(id, 1)
            try await eventually { first.pools.pool(id).counts.quarantined == 1 }
            first.service.stop()
            #expect(try await desk.leases() == [offered.text: "quarantine"])
            let second = try desk.node("b")
            defer { second.service.stop() }
            #expect(try await second.awaitOffer(id, 2) != offered)
            #expect(second.offer(id, 3) == nil)
        }
    }
}
