import Database
import Support
import Testing

@testable import Provisioning
@testable import RadiusCore

/// Sweeping and releasing while a shipper is at the same lease.
@Suite struct LeaseRaceTests {
    /// A line's session has ended without a note; the sweep, or a person, waits for the shipper that notes the line's next one.
    @Test(arguments: [false, true]) func theNextSessionThatIsBeingWrittenKeepsItsAddress(isReleasedByHand: Bool) async throws {
        try await AddressDesk.run { desk in
            _ = try await desk.makePool("home", ["10.1.0.0/30"])
            let address = try #require(IPAddress(text: "10.1.0.1"))
            let old = try await desk.open(1, address)
            let lease = try await desk.pool.transaction(.system) { connection in
                try connection.query("SELECT aaa.end_sessions(ARRAY[$1::bigint], clock_timestamp(), 'stop', 'x')", [.int(old)]) { _ in }
                return try connection.queryOne("SELECT id FROM aaa.address_lease")?.int64(0) ?? 0
            }
            let sweeping = try await desk.apart(.system) { connection in
                let new = try desk.write(1, address, connection)
                try LeaseNotes(connection: connection).note([old, new])
                let sweeping = Task {
                    try await desk.pool.transaction(.system) { connection in
                        if isReleasedByHand { return try AddressLeases.release(lease, connection) }
                        return try connection.queryOne("SELECT aaa.sweep_leases(NULL)")?.int32(0) != 0
                    }
                }
                try AddressDesk.awaitLockWait(connection)
                return sweeping
            }
            #expect(try await !sweeping.value)
            #expect(try await desk.leases() == [address.text: "in_use"])
        }
    }

    @Test func theSweepLocksNothingWhileAllIsWell() async throws {
        try await AddressDesk.run { desk in
            _ = try await desk.makePool("home", ["10.1.0.0/30"])
            _ = try await desk.open(1, IPAddress(text: "10.1.0.1"))
            let shipper = try Connection.open(desk.configuration)
            defer { shipper.close() }
            let sweeper = try Connection.open(desk.configuration)
            defer { sweeper.close() }
            let swept = try shipper.transaction(.system) { shipper in
                try shipper.query("SELECT FROM aaa.address_lease FOR UPDATE") { _ in }
                return try sweeper.transaction(.system) { sweeper in
                    try sweeper.execute("SET LOCAL lock_timeout = '200ms'")
                    return try sweeper.queryOne("SELECT aaa.sweep_leases(NULL)")?.int32(0)
                }
            }
            #expect(swept == 0)
        }
    }

    /// Offers lapse in the order of their time, and leases are locked in the order of their addresses: nobody waits in a circle.
    @Test func adoptionLocksInTheOrderOfAddresses() async throws {
        try await AddressDesk.run { desk in
            _ = try await desk.makePool("home", ["10.1.0.0/30"])
            let addresses = try ["10.1.0.2", "10.1.0.1"].map { try #require(IPAddress(text: $0)) }
            for (subscriber, address) in zip(Int64(1)..., addresses) {
                try await desk.close(try await desk.open(subscriber, address))
                _ = try await desk.open(subscriber, nil)
            }
            let lapsed = zip(Int64(1)..., addresses).map {
                (address: $1, claimant: AddressClaimant(subscriber: $0, calling: Array("line".utf8).span))
            }
            let adopting = try await desk.apart(.system) { connection in
                let lock = "SELECT FROM aaa.address_lease WHERE address = $1::text::cidr FOR UPDATE"
                try connection.query(lock, [.text("10.1.0.1/32")]) { _ in }
                let adopting = Task {
                    try await desk.pool.transaction(.system) { connection in
                        let pool = try connection.queryAll(AddressPoolRow.sql) { try AddressPoolRow($0) }.compactMap(\.self).first
                        let store = AddressStore(node: "a", incarnation: 1, leaseSeconds: 60)
                        return try pool.map { try store.adopt(lapsed, $0, connection).count } ?? 0
                    }
                }
                try AddressDesk.awaitLockWait(connection)
                try connection.query(lock + " NOWAIT", [.text("10.1.0.2/32")]) { _ in }
                return adopting
            }
            #expect(try await adopting.value == 2)
            #expect(Set(try await desk.leases().values) == ["in_use"])
        }
    }

    @Test func routersThatRestartedAreSweptTogether() async throws {
        try await AddressDesk.run { desk in
            _ = try await desk.makePool("home", ["10.1.0.0/30"])
            var sessions: [Int64] = []
            for router in Int64(1)...3 { sessions.append(try await desk.open(router, IPAddress(text: "10.1.0.\(router)"), nas: router)) }
            let ended = sessions
            try await desk.pool.transaction(.system) { connection in
                try connection.query("SELECT aaa.end_sessions($1, clock_timestamp(), 'accounting_on', 'x')", [.intArray(ended)]) { _ in }
                try LeaseNotes(connection: connection).note([], hasResumed: false, restarted: [3, 1])
            }
            #expect(try await desk.leases() == ["10.1.0.1": "free", "10.1.0.2": "in_use", "10.1.0.3": "free"])
        }
    }
}
