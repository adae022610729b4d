import Testing

@testable import RadiusCore

/// Which realms rules choose for accounting records, as sessions are marked by them.
@Suite struct RecordRealmTests {
    /// Rules of tenant 1 that forward to the realms 2 and, where they hold, 3, which is answered here; realm 9 is not in force.
    private static func realms(_ rules: PolicyRule...) throws -> RecordRealms {
        let (program, faults) = PolicyCompiler.compile(rules, at: .arrival, dictionary: try ShippedDictionaries.loaded.get())
        try #require(faults.isEmpty)
        let server = RelayDesk.server(1)
        let pool = HomeServerPool(id: 1, tenant: 1, name: "pool", kind: .failover, servers: [server])
        let rows = [
            Realm(id: 2, tenant: 1, name: "ruled", kind: .rule, text: "", accessPool: pool),
            Realm(id: 3, tenant: 1, name: "here", kind: .rule, text: "", accessPool: nil),
        ]
        let plan = ProxyPlan(servers: [server], realms: rows.compactMap { $0 })
        return RecordRealms(
            SnapshotStore(try PolicyDesk().snapshot(forwarding: program.map { [1: $0] } ?? [:], proxy: plan)))
    }

    private static func rule(_ condition: String, to realm: Int64, id: Int64 = 1) -> PolicyRule {
        RuleDesk.rule(condition, id: id) { $0.forwardsTo = realm }
    }

    /// Of the NAS 7, `core1` of the huntgroup `city`, unless said otherwise.
    private static func entry(tenant: Int64 = 1, nas: Int64 = 7, peer: IPAddress = IPAddress(ipv4: 0xc000_0207)) -> JournalEntry {
        var octets = InlineArray<16, UInt8>(repeating: 0)
        for (place, octet) in peer.octets.enumerated() { octets[place] = octet }
        return JournalEntry(
            receivedMicroseconds: RuleDesk.noon * 1_000_000, tenant: tenant, nas: nas, subscriber: 0, peer: octets)
    }

    private static func packet(_ user: String, port: UInt8) -> [UInt8] {
        let attributes =
            RelayDesk.user(user) + ScriptedHomeServer.attribute(AttributeNumber.nasPort, [0, 0, 0, port]) + RelayDesk.session("S-1")
        return [4, 1, 0, UInt8(PacketHeader.count + attributes.count)] + [UInt8](repeating: 0, count: 16) + attributes
    }

    private static func ask(_ realms: RecordRealms, _ user: String, port: UInt8 = 9, _ entry: JournalEntry = Self.entry()) -> Int64? {
        realms.realm(of: packet(user, port: port), entry, name: Array(user.utf8))
    }

    @Test func aRuleDecidesByNASAndAttributes() throws {
        let realms = try Self.realms(
            Self.rule(#"User-Name == "kept""#, to: 3), Self.rule(#"nas.huntgroup == "city" and NAS-Port == 9"#, to: 2, id: 2))
        #expect(Self.ask(realms, "alice") == 2)
        #expect(Self.ask(realms, "bob@a.example") == 2)
        #expect(Self.ask(realms, "kept") == 3)
        #expect(Self.ask(realms, "alice", port: 8) == nil)
        #expect(Self.ask(realms, "alice", Self.entry(nas: 8)) == nil)
        #expect(Self.ask(realms, "alice", Self.entry(tenant: 2)) == nil)
        #expect(Self.ask(realms, "") == nil)
    }

    @Test func theTimeIsTheRecords() throws {
        // Its arrival is a Saturday's at 12:34:56.
        #expect(Self.ask(try Self.realms(Self.rule("time.weekday == sat and time.of_day in 12:00..13:00", to: 2)), "alice") == 2)
        #expect(Self.ask(try Self.realms(Self.rule("time.weekday == sun", to: 2)), "alice") == nil)
    }

    @Test func aRealmThatIsNotInForceIsPassedOver() throws {
        let realms = try Self.realms(Self.rule("has NAS-Port", to: 9), Self.rule("", to: 2, id: 2))
        #expect(Self.ask(realms, "alice") == 2)
        #expect(Self.ask(try Self.realms(), "alice") == nil)
    }

    @Test func octetsBehindTheRecordDoNotCount() throws {
        let realms = try Self.realms(Self.rule("NAS-Port == 9", to: 2))
        let padded = Self.packet("alice", port: 8) + ScriptedHomeServer.attribute(AttributeNumber.nasPort, [0, 0, 0, 9])
        #expect(realms.realm(of: padded, Self.entry(), name: Array("alice".utf8)) == nil)
        #expect(realms.realm(of: Array(Self.packet("alice", port: 9).dropLast()), Self.entry(), name: Array("alice".utf8)) == nil)
    }
}
