import Support
import Testing

@testable import RadiusCore

@Suite struct SubscriberTableTests {
    private func entry(_ name: String, tenant: Int64 = 1, id: Int64 = 0, removed: Bool = false) -> SubscriberEntry {
        var entry = SubscriberEntry()
        entry.id = id
        entry.tenant = tenant
        entry.name = Array(name.utf8)
        entry.isRemoved = removed
        return entry
    }

    private func find(_ table: SubscriberTable, _ name: String, tenant: Int64 = 1) -> Int64? {
        Array(name.utf8).withUnsafeBytes { table.find(tenant: tenant, name: $0)?.id }
    }

    private func table(_ entries: [SubscriberEntry]) -> SubscriberTable {
        var builder = SubscriberIndexBuilder()
        for entry in entries { builder.add(entry) }
        return SubscriberTable(builder.build())
    }

    @Test func findsEachOfManyAndNobodyElse() {
        let table = table((0..<10_000).map { entry("user\($0)", id: $0) })
        for number in 0..<Int64(10_000) { #expect(find(table, "user\(number)") == number) }
        #expect(find(table, "user10000") == nil)
        #expect(find(table, "USER1") == nil)
        #expect(find(table, "") == nil)
    }

    @Test func tenantsWithTheSameNameDoNotMeet() {
        let table = table([entry("alice", tenant: 1, id: 1), entry("alice", tenant: 2, id: 2)])
        #expect(find(table, "alice", tenant: 1) == 1)
        #expect(find(table, "alice", tenant: 2) == 2)
        #expect(find(table, "alice", tenant: 3) == nil)
    }

    @Test func keepsEveryPartOfARecord() {
        var full = entry("alice", id: 5)
        full.profile = 77
        full.status = .quarantined
        full.locks.insert(.fraud, at: .suspended)
        full.credentialKind = .clearText
        full.credential = [1, 2, 3]
        full.identity = [8, 6, 1, 2, 3, 4]
        full.service = [11, 3, 65]
        full.sessionTimeoutSeconds = 60
        full.idleTimeoutSeconds = 61
        full.interimSeconds = 62
        full.replacesFilters = true
        let table = table([full])
        let record = Array("alice".utf8).withUnsafeBytes { table.find(tenant: 1, name: $0) }
        #expect(record?.profile == 77)
        #expect(record?.status == .quarantined)
        #expect(record?.locks.level == .suspended)
        #expect(record?.credentialKind == .clearText)
        #expect(record.map { Array($0.credential) } == [1, 2, 3])
        #expect(record.map { Array($0.identity) } == [8, 6, 1, 2, 3, 4])
        #expect(record.map { Array($0.service) } == [11, 3, 65])
        #expect(record?.sessionTimeoutSeconds == 60)
        #expect(record?.idleTimeoutSeconds == 61)
        #expect(record?.interimSeconds == 62)
        #expect(record?.replacesFilters == true)
    }

    @Test func aChangeReplacesAndARemovalHides() {
        var changed = table([entry("alice", id: 1), entry("bob", id: 2)]).updated(with: [entry("alice", id: 10)])
        #expect(find(changed, "alice") == 10)
        changed = changed.updated(with: [entry("alice", removed: true), entry("carol", id: 3)])
        #expect(find(changed, "alice") == nil)
        #expect(find(changed, "bob") == 2)
        #expect(find(changed, "carol") == 3)
    }

    @Test func aRenameFreesTheOldNameForAnother() {
        let renamed = table([entry("old", id: 1)])
            .updated(with: [entry("old", removed: true), entry("new", id: 1), entry("old", id: 2)])
        #expect(find(renamed, "new") == 1)
        #expect(find(renamed, "old") == 2)
    }

    /// The same random changes to the table and to a plain dictionary, past several merges.
    @Test func agreesWithAPlainDictionaryThroughManyChanges() {
        var generator = SeededGenerator(state: 7)
        var table = table([])
        var model: [String: Int64] = [:]
        for round in 0..<60 {
            var changes: [SubscriberEntry] = []
            for step in 0..<250 {
                let name = "u\(UInt32.random(in: 0..<9000, using: &generator))"
                let id = Int64(round * 1000 + step)
                let removed = UInt32.random(in: 0..<4, using: &generator) == 0
                changes.append(entry(name, id: id, removed: removed))
                model[name] = removed ? nil : id
            }
            table = table.updated(with: changes)
        }
        for number in 0..<9000 { #expect(find(table, "u\(number)") == model["u\(number)"]) }
    }

    @Test func refusesNamesThatNoPacketCanCarry() {
        var builder = SubscriberIndexBuilder()
        let taken = [0, 254, 253].map { builder.add(entry(String(repeating: "x", count: $0))) }
        #expect(taken == [false, false, true])
    }

    /// A hundred thousand make shards split and tables grow several levels deep; then every second one goes.
    @Test func growsAndShrinksThroughManyLevels() {
        var table = table([])
        for batch in 0..<10 {
            table = table.updated(with: (0..<10_000).map { entry("n\(batch * 10_000 + $0)", id: Int64(batch * 10_000 + $0)) })
        }
        #expect(table.count == 100_000 && table.refused == 0)
        table = table.updated(with: (0..<50_000).map { entry("n\($0 * 2)", removed: true) })
        #expect(table.count == 50_000)
        for number in 0..<Int64(100_000) { #expect(find(table, "n\(number)") == (number % 2 == 0 ? nil : number)) }
    }

    @Test func aChangedTableLeavesTheFormerOneAsItWas() {
        let before = table((0..<2000).map { entry("n\($0)", id: $0) })
        let after = before.updated(with: [entry("n7", id: 70), entry("n8", removed: true), entry("new", id: 1)])
        #expect(before.count == 2000 && find(before, "n7") == 7 && find(before, "n8") == 8 && find(before, "new") == nil)
        #expect(after.count == 2000 && find(after, "n7") == 70 && find(after, "n8") == nil && find(after, "new") == 1)
    }

    @Test func aTypicalSubscriberTakesLessThanAHundredOctets() {
        var builder = SubscriberIndexBuilder()
        var one = entry("")
        one.credentialKind = .clearText
        one.credential = Array("correct-horse".utf8)
        one.identity = [8, 6, 192, 0, 2, 1]
        for number in 0..<200_000 {
            one.id = Int64(number)
            one.profile = 5
            one.name = Array("user\(1_000_000 + number)@isp.example".utf8)
            builder.add(one)
        }
        let table = SubscriberTable(builder.build())
        #expect(table.count == 200_000)
        #expect(table.memoryOctets < 200_000 * 100)
    }

    /// Numbers beyond 32 bits, every part at its largest, and both extensions of a record.
    @Test(arguments: [0, 255, 256, 4096]) func keepsWhatIsRare(count: Int) {
        var rare = entry(String(repeating: "x", count: 253), tenant: .max, id: -2)
        rare.profile = 1 << 40
        rare.credential = [UInt8](repeating: 1, count: min(count, 1024))
        rare.identity = [UInt8](repeating: 2, count: count)
        rare.service = [UInt8](repeating: 3, count: count)
        rare.interimSeconds = .max
        rare.hasKeyedAttributes = true
        rare.status = .terminated
        rare.credentialKind = .hash
        rare.locks.insert(.system, at: .captive)
        for table in [table([rare]), table([]).updated(with: [rare])] {
            let found = rare.name.withUnsafeBytes { table.find(tenant: .max, name: $0) }
            #expect(found?.id == -2 && found?.tenant == .max && found?.profile == 1 << 40)
            #expect(found.map { Array($0.name) } == rare.name)
            #expect(found.map { Array($0.credential) } == rare.credential)
            #expect(found.map { Array($0.identity) } == rare.identity)
            #expect(found.map { Array($0.service) } == rare.service)
            #expect(found?.interimSeconds == .max && found?.sessionTimeoutSeconds == 0 && found?.idleTimeoutSeconds == 0)
            #expect(found?.hasKeyedAttributes == true && found?.replacesFilters == false)
            #expect(found?.status == .terminated && found?.credentialKind == .hash && found?.locks.level == .captive)
            #expect(find(table, String(repeating: "x", count: 253), tenant: -1) == nil)
        }
    }

    @Test func anEntryTooLargeTakesTheFormerOneAway() {
        var large = entry("alice", id: 2)
        large.service = [UInt8](repeating: 0, count: 4097)
        let changed = table([entry("alice", id: 1), entry("bob", id: 3)]).updated(with: [large])
        #expect(find(changed, "alice") == nil && find(changed, "bob") == 3 && changed.count == 1)
    }

    @Test func theLastOfSeveralChangesOfANameWins() {
        let changed = table([entry("a", id: 1)])
            .updated(with: [entry("a", id: 2), entry("a", removed: true), entry("b", id: 3), entry("a", id: 4), entry("b", removed: true)])
        #expect(find(changed, "a") == 4 && find(changed, "b") == nil && changed.count == 1)
    }
}
