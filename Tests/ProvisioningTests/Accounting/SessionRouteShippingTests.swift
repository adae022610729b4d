import Database
import RadiusCore
import Support
import Testing

@testable import Provisioning

/// What a session's row keeps of the way by which it came in.
@Suite struct SessionRouteShippingTests {
    private static let routes = """
        SELECT acct_session_id || '|' || coalesce(forwarded_realm_id, 0) || coalesce('|' || encode(operator_nas_identifier, 'hex'), '')
        FROM aaa.session ORDER BY id
        """

    /// A snapshot in which rules of `tenant` forward as told to the realms 2 and 3.
    private static func store(_ tenant: Int64, _ rules: (condition: String, realm: Int64)...) throws -> SnapshotStore {
        SnapshotStore(try snapshot(tenant, rules))
    }

    private static func snapshot(_ tenant: Int64, _ rules: [(condition: String, realm: Int64)]) throws -> Snapshot {
        let dictionary = try SnapshotDesk.dictionary.get()
        let rows = rules.enumerated().map { place, rule in
            var row = PolicyRule(id: Int64(place + 1), name: "r\(place)", priority: place)
            (row.condition, row.forwardsTo) = (rule.condition, rule.realm)
            return row
        }
        let (program, faults) = PolicyCompiler.compile(rows, at: .arrival, dictionary: dictionary)
        try #require(faults.isEmpty, "\(faults)")
        let numbers: [Int64] = [2, 3]
        let realms = numbers.compactMap { Realm(id: $0, tenant: tenant, name: "r\($0)", kind: .rule, text: "", accessPool: nil) }
        return Snapshot(
            clients: ClientTable([]), subscribers: SubscriberTable(SubscriberIndexBuilder().build()), profiles: [:], policies: [:],
            forwarding: program.map { [tenant: $0] } ?? [:], proxy: ProxyPlan(servers: [], realms: realms), dictionary: dictionary)
    }

    @Test func aSessionKeepsTheRealmThatARuleChoseForItsFirstRecord() async throws {
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("ours")
            let store = try Self.store(bench.tenant, (#"NAS-Identifier == "bras1" and not User-Name == "named""#, 2))
            try await bench.shipping(store: store) { feed in
                _ = try await feed([
                    AccountingPacket(1, session: "ruled", user: "alice", event: 0),
                    AccountingPacket(1, session: "named", user: "named", event: 1),
                    // What a subscriber of ours does is nobody else's business.
                    AccountingPacket(1, session: "ours", user: "ours", event: 2),
                ])
                store.publish(try Self.snapshot(bench.tenant, [("", 3)]))
                _ = try await feed([
                    AccountingPacket(3, session: "ruled", user: "alice", event: 60, seconds: 60),
                    AccountingPacket(3, session: "named", user: "named", event: 61, seconds: 60),
                    // Its Start was lost.
                    AccountingPacket(3, session: "late", user: "alice", event: 62, seconds: 60),
                ])
            }
            #expect(try await bench.texts(Self.routes) == ["ruled|2", "named|0", "ours|0", "late|3"])
        }
    }

    @Test func aSessionKeepsWhatAProxyCallsTheNAS() async throws {
        try await AccountingBench.run { bench in
            var plain = AccountingPacket(1, session: "plain", event: 0)
            // Other extended attributes, and one without a value, are no name.
            plain.attributes += [(241, [1, 8, 8]), (241, [8])]
            var named = AccountingPacket(1, session: "named", event: 1)
            named.attributes += [(241, [1, 8]), (241, [8] + [UInt8](repeating: 0xff, count: 252)), (241, [8, 1])]
            try await bench.shipping { feed in
                _ = try await feed([plain, named])
                let long = String(repeating: "ff", count: 252)
                #expect(try await bench.texts(Self.routes) == ["plain|0", "named|0|" + long])
                _ = try await feed([AccountingPacket(3, session: "named", event: 60, seconds: 59)])
                #expect(try await bench.texts(Self.routes) == ["plain|0", "named|0|" + long])
                var renamed = AccountingPacket(3, session: "named", event: 120, seconds: 119)
                renamed.attributes.append((241, [8, 0, 1]))
                _ = try await feed([renamed])
            }
            #expect(try await bench.texts(Self.routes) == ["plain|0", "named|0|0001"])
        }
    }

    @Test func theRouteGoesToTheHistoryAndComesBack() async throws {
        try await AccountingBench.run { bench in
            let store = try Self.store(bench.tenant, ("", 2))
            try await bench.shipping(store: store) { feed in
                var start = AccountingPacket(1, event: 0)
                start.attributes.append((241, [8, 0xca, 0xfe]))
                _ = try await feed([start, AccountingPacket(2, event: 60, seconds: 60, upload: 100)])
                store.publish(try Self.snapshot(bench.tenant, [("", 3)]))
                try await bench.pool.run { connection in
                    _ = try AccountingMaintenance(settings: AccountingBench.settings)
                        .retire(connection, AccountingBench.noon + 86_400_000_000)
                }
                #expect(try await bench.texts(Self.routes.replacing("aaa.session", with: "aaa.session_history")) == ["s1|2|cafe"])
                var late = AccountingPacket(3, event: 50, seconds: 50, upload: 130)
                late.receivedMicroseconds += 3_600_000_000
                _ = try await feed([late])
            }
            #expect(try await bench.texts(Self.routes) == ["s1|2|cafe"])
        }
    }
}
