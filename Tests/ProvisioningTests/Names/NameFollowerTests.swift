import Database
import Support
import Synchronization
import Testing

@testable import Provisioning

/// Addresses of NAS and home servers as DNS has them.
@Suite struct NameFollowerTests {
    /// A name server whose answers a test changes.
    private final class Zone: Sendable {
        private struct State {
            var answers: [String: NameAnswer] = [:]
            var asked = 0
        }

        private let state = Mutex(State())

        var asked: Int { state.withLock { $0.asked } }

        func say(_ name: String, _ answer: NameAnswer) { state.withLock { $0.answers[name] = answer } }

        func answer(_ name: String) -> NameAnswer {
            state.withLock { state in
                state.asked += 1
                return state.answers[name] ?? .nothing("DNS has no address for it")
            }
        }

        func follower(_ bench: AccountingBench) -> NameFollower {
            NameFollower(configuration: bench.configuration, seconds: 0, logger: AccountingBench.quiet) { self.answer($0) }
        }
    }

    private static func create(_ bench: AccountingBench, _ name: String, _ dnsName: String, address: String? = nil) async throws {
        let address = address.map { "'\($0)'" } ?? "NULL"
        try await bench.execute(
            """
            INSERT INTO aaa.nas (tenant_id, name, address, dns_name, secret)
            VALUES (\(bench.tenant), '\(name)', \(address), '\(dnsName)', 'sealed')
            """)
    }

    private static func state(_ bench: AccountingBench, _ table: String, _ name: String) async throws -> String {
        try await bench.pool.transaction(.system) { connection in
            try connection.queryOne(
                "SELECT concat_ws(' ', coalesce(host(address), '-'), dns_error) FROM aaa.\(table) WHERE name = $1", [.text(name)])?
                .string(0) ?? "gone"
        }
    }

    private static func becomes(_ bench: AccountingBench, _ table: String, _ name: String, _ wanted: String) async throws {
        try await eventually { try await state(bench, table, name) == wanted }
    }

    @Test(arguments: ["nas", "home_server"])
    func theAddressIsThatOfTheName(table: String) async throws {
        try await AccountingBench.run { bench in
            let zone = Zone()
            zone.say("gw1.example.net", .addresses(["192.0.2.1", "2001:db8::1"]))
            let follower = zone.follower(bench)
            try follower.start()
            defer { follower.stop() }
            try await bench.execute(
                "INSERT INTO aaa.\(table) (tenant_id, name, dns_name, secret) VALUES (\(bench.tenant), 'one', 'gw1.example.net', 'sealed')")
            try await Self.becomes(bench, table, "one", "192.0.2.1")
            // Of several, the one in force stays.
            zone.say("gw1.example.net", .addresses(["2001:db8::1", "192.0.2.1"]))
            let asked = zone.asked
            try await eventually { zone.asked > asked + 1 }
            #expect(try await Self.state(bench, table, "one") == "192.0.2.1")
            zone.say("gw1.example.net", .addresses(["2001:db8::1"]))
            try await Self.becomes(bench, table, "one", "2001:db8::1")
            for silence in [NameAnswer.nothing("no such name"), .unavailable("no name server")] {
                zone.say("gw1.example.net", silence)
                let reason = silence == .nothing("no such name") ? "no such name" : "no name server"
                try await Self.becomes(bench, table, "one", "2001:db8::1 \(reason)")
                try await eventually { follower.state.failing == 1 && follower.state.names == 1 }
                zone.say("gw1.example.net", .addresses(["2001:db8::1"]))
                try await Self.becomes(bench, table, "one", "2001:db8::1")
                try await eventually { follower.state.failing == 0 }
            }
            // Another name is looked up at once, and without one the address stays.
            zone.say("gw2.example.net", .addresses(["192.0.2.2"]))
            try await bench.execute("UPDATE aaa.\(table) SET dns_name = 'gw2.example.net'")
            try await Self.becomes(bench, table, "one", "192.0.2.2")
            try await bench.execute("UPDATE aaa.\(table) SET dns_name = NULL")
            try await eventually { follower.state.names == 0 }
            #expect(try await Self.state(bench, table, "one") == "192.0.2.2")
        }
    }

    @Test func whatHasNotChangedIsNotWritten() async throws {
        try await AccountingBench.run { bench in
            let zone = Zone()
            zone.say("gw1.example.net", .addresses(["192.0.2.1"]))
            try await Self.create(bench, "one", "gw1.example.net", address: "192.0.2.1/32")
            try await Self.create(bench, "lost", "nowhere.example.net", address: "192.0.2.9/32")
            let follower = zone.follower(bench)
            try follower.start()
            defer { follower.stop() }
            try await Self.becomes(bench, "nas", "lost", "192.0.2.9 DNS has no address for it")
            let asked = zone.asked
            try await eventually { zone.asked > asked + 4 }
            #expect(try await bench.number("SELECT version FROM aaa.nas WHERE name = 'one'") == 1)
            #expect(try await bench.number("SELECT version FROM aaa.nas WHERE name = 'lost'") == 2)
        }
    }

    @Test func anAddressThatAnotherNASHasIsRefused() async throws {
        try await AccountingBench.run { bench in
            let zone = Zone()
            zone.say("gw1.example.net", .addresses(["192.0.2.1"]))
            try await bench.execute(
                "INSERT INTO aaa.nas (tenant_id, name, address, secret) VALUES (\(bench.tenant), 'here', '192.0.2.1', 'sealed')")
            try await Self.create(bench, "late", "gw1.example.net")
            let follower = zone.follower(bench)
            try follower.start()
            defer { follower.stop() }
            try await Self.becomes(bench, "nas", "late", "- DNS has 192.0.2.1 for it, which is the address of another NAS")
            try await bench.execute("DELETE FROM aaa.nas WHERE name = 'here'")
            try await Self.becomes(bench, "nas", "late", "192.0.2.1")
        }
    }

    /// Each has what the other is to have, of three in a ring the last.
    @Test(arguments: [2, 3])
    func thoseWhoExchangeAddressesFollow(count: Int) async throws {
        try await AccountingBench.run { bench in
            let zone = Zone()
            for number in 1...count {
                zone.say("gw\(number).example.net", .addresses(["192.0.2.\(number)"]))
                try await Self.create(bench, "nas\(number)", "gw\(number).example.net")
            }
            let follower = zone.follower(bench)
            try follower.start()
            defer { follower.stop() }
            for number in 1...count { try await Self.becomes(bench, "nas", "nas\(number)", "192.0.2.\(number)") }
            for number in 1...count { zone.say("gw\(number).example.net", .addresses(["192.0.2.\(number % count + 1)"])) }
            for number in 1...count { try await Self.becomes(bench, "nas", "nas\(number)", "192.0.2.\(number % count + 1)") }
            try await eventually { follower.state.failing == 0 }
        }
    }

    @Test func anAddressIsTakenOnlyFromANameThatIsElsewhere() async throws {
        try await AccountingBench.run { bench in
            let zone = Zone()
            try await Self.create(bench, "here", "gw1.example.net", address: "192.0.2.1/32")
            try await Self.create(bench, "late", "gw2.example.net")
            zone.say("gw2.example.net", .addresses(["192.0.2.1"]))
            zone.say("gw1.example.net", .unavailable("no name server"))
            let follower = zone.follower(bench)
            try follower.start()
            defer { follower.stop() }
            let refused = "- DNS has 192.0.2.1 for it, which is the address of another NAS"
            let answers = [NameAnswer.unavailable("late"), .nothing("no such name"), .addresses(["192.0.2.8", "192.0.2.1"])]
            for answer in answers {
                zone.say("gw1.example.net", answer)
                let asked = zone.asked
                // Both were looked up since, and the one's holder for the other.
                try await eventually { zone.asked > asked + 6 }
                try await Self.becomes(bench, "nas", "late", refused)
                #expect(try await Self.state(bench, "nas", "here").hasPrefix("192.0.2.1"))
            }
            zone.say("gw1.example.net", .addresses(["192.0.2.8"]))
            try await Self.becomes(bench, "nas", "late", "192.0.2.1")
            try await Self.becomes(bench, "nas", "here", "192.0.2.8")
        }
    }

    /// Its name moved to where another is.
    @Test func aHolderWaitsForAnAddressThatIsNotFree() async throws {
        try await AccountingBench.run { bench in
            let zone = Zone()
            try await bench.execute(
                "INSERT INTO aaa.nas (tenant_id, name, address, secret) VALUES (\(bench.tenant), 'fixed', '192.0.2.3', 'sealed')")
            try await Self.create(bench, "first", "gw1.example.net", address: "192.0.2.1/32")
            try await Self.create(bench, "second", "gw2.example.net", address: "192.0.2.2/32")
            zone.say("gw1.example.net", .addresses(["192.0.2.2"]))
            zone.say("gw2.example.net", .addresses(["192.0.2.3"]))
            let follower = zone.follower(bench)
            try follower.start()
            defer { follower.stop() }
            try await Self.becomes(bench, "nas", "first", "192.0.2.2")
            try await Self.becomes(bench, "nas", "second", "- DNS has 192.0.2.3 for it, which is the address of another NAS")
        }
    }

    @Test func whatCannotBeStoredForOneHoldsUpNoOther() async throws {
        try await AccountingBench.run { bench in
            let zone = Zone()
            for name in ["bad", "good"] {
                zone.say("\(name).example.net", .addresses([name == "bad" ? "192.0.2.1" : "192.0.2.2"]))
                try await Self.create(bench, name, "\(name).example.net")
            }
            let constraint = "CONSTRAINT refused CHECK (name <> 'bad' OR address IS NULL)"
            try await bench.pool.run { try $0.script("ALTER TABLE aaa.nas ADD \(constraint)") }
            let follower = zone.follower(bench)
            try follower.start()
            defer { follower.stop() }
            try await Self.becomes(bench, "nas", "good", "192.0.2.2")
            zone.say("good.example.net", .addresses(["192.0.2.3"]))
            try await Self.becomes(bench, "nas", "good", "192.0.2.3")
            try await eventually { follower.state.names == 2 && follower.state.failing == 1 }
            #expect(follower.state.hasTurn && follower.state.lastError == nil)
            try await bench.pool.run { try $0.script("ALTER TABLE aaa.nas DROP CONSTRAINT refused") }
            try await Self.becomes(bench, "nas", "bad", "192.0.2.1")
            try await eventually { follower.state.failing == 0 }
        }
    }

    @Test func withoutItsTurnANodeKnowsOfNoNames() async throws {
        try await AccountingBench.run { bench in
            let zone = Zone()
            try await Self.create(bench, "lost", "nowhere.example.net")
            let follower = zone.follower(bench)
            try follower.start()
            defer { follower.stop() }
            try await eventually { follower.state.names == 1 && follower.state.failing == 1 }
            var configuration = bench.configuration
            configuration.statementTimeoutSeconds = 0
            let mayEnd = Mutex(false)
            async let rival: Void = onOwnThread { [configuration] in
                let connection = try Connection.open(configuration)
                defer { connection.close() }
                try connection.execute("SELECT pg_advisory_lock(hashtextextended('lastmile.names', 0))")
                try eventuallyBlocking { mayEnd.withLock { $0 } }
            }
            let locks = "pg_locks l JOIN pg_database d ON d.oid = l.database WHERE datname = current_database() AND locktype = 'advisory'"
            try await eventually { try await bench.number("SELECT count(*) FROM \(locks) AND NOT granted") == 1 }
            // The rival is next in line.
            _ = try await bench.pool.run { try $0.execute("SELECT pg_terminate_backend(pid) FROM \(locks) AND granted") }
            try await eventually { follower.state == NameFollower.State() }
            mayEnd.withLock { $0 = true }
            try await rival
            try await eventually { follower.state.hasTurn && follower.state.names == 1 && follower.state.failing == 1 }
        }
    }

    @Test func oneNodeLooksUpAndAnotherTakesOver() async throws {
        try await AccountingBench.run { bench in
            let zone = Zone()
            zone.say("gw1.example.net", .addresses(["192.0.2.1"]))
            try await Self.create(bench, "one", "gw1.example.net")
            let (first, second) = (zone.follower(bench), zone.follower(bench))
            try first.start()
            try await eventually { first.state.hasTurn }
            try second.start()
            defer { second.stop() }
            try await Self.becomes(bench, "nas", "one", "192.0.2.1")
            #expect(!second.state.hasTurn)
            first.stop()
            zone.say("gw1.example.net", .addresses(["192.0.2.7"]))
            try await Self.becomes(bench, "nas", "one", "192.0.2.7")
            #expect(second.state.hasTurn)
        }
    }

    @Test func aSilentNameServerHoldsUpNoStop() async throws {
        try await AccountingBench.run { bench in
            try await Self.create(bench, "one", "gw1.example.net")
            let gate = Mutex(false)
            let asked = Mutex(false)
            let follower = NameFollower(configuration: bench.configuration, seconds: 60, logger: AccountingBench.quiet) { _ in
                asked.withLock { $0 = true }
                try? eventuallyBlocking { gate.withLock { $0 } }
                return .unavailable("late")
            }
            try follower.start()
            try await eventually { asked.withLock { $0 } }
            // While the look-up goes on.
            try await onOwnThread { follower.stop() }
            #expect(try await Self.state(bench, "nas", "one") == "-")
            gate.withLock { $0 = true }
        }
    }

    @Test func theSystemKnowsItself() {
        guard case .addresses(let addresses) = NameAnswer.lookUp("localhost") else {
            Issue.record("localhost has no address")
            return
        }
        #expect(addresses.allSatisfy { ["127.0.0.1", "::1"].contains($0) } && Set(addresses).count == addresses.count)
        // Reserved for that (RFC 6761 §6.4); without a network nobody answers.
        if case .addresses = NameAnswer.lookUp("nothing.invalid") { Issue.record("nothing.invalid has an address") }
    }
}
