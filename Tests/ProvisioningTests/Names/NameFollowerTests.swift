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
