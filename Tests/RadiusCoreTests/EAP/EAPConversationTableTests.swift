import Support
import Testing

@testable import RadiusCore

@Suite struct EAPConversationTableTests {
    private static func table(_ conversations: Int, octets: Int = 1 << 30) -> EAPConversationTable {
        EAPConversationTable(.init(conversations: conversations, octets: octets, lifetimeNanoseconds: 1000, endedNanoseconds: 10))
    }

    /// -1 when it was not taken.
    private static func add(_ table: inout EAPConversationTable, _ number: UInt64, client: Int64, now: UInt64) -> Int {
        table.add(EAPSession(), number: number, client: client, now: now) ?? -1
    }

    private static func has(_ table: inout EAPConversationTable, _ slot: Int, _ number: UInt64, now: UInt64 = 0) -> Bool {
        guard case .session(let session) = table.take(slot, number: number, now: now) else { return false }
        table.put(session, in: slot, .begun, now: now)
        return true
    }

    @Test func givesAConversationToOneAtATime() {
        var table = Self.table(4)
        let slot = Self.add(&table, 5, client: 1, now: 0)
        guard case .session(let session) = table.take(slot, number: 5, now: 1) else {
            Issue.record("not found")
            return
        }
        guard case .busy = table.take(slot, number: 5, now: 1) else {
            Issue.record("given twice")
            return
        }
        table.put(session, in: slot, .answered, now: 1)
        guard case .gone = table.take(slot, number: 6, now: 1) else {
            Issue.record("another's number")
            return
        }
        guard case .gone = table.take(99, number: 5, now: 1) else {
            Issue.record("no such slot")
            return
        }
        #expect(table.count == 1)
    }

    @Test func aConversationEndsWithItsTime() {
        var table = Self.table(16)
        let first = Self.add(&table, 1, client: 1, now: 0)
        let second = Self.add(&table, 2, client: 1, now: 500)
        let (hasFirst, hasSecond) = (Self.has(&table, first, 1, now: 1000), Self.has(&table, second, 2, now: 1000))
        #expect(!hasFirst && hasSecond && table.count == 1 && table.statistics.expired == 1)
        guard case .session(let session) = table.take(second, number: 2, now: 1001) else {
            Issue.record("not found")
            return
        }
        // What ended is kept a little for a packet that comes again.
        table.put(session, in: second, .ended, now: 1001)
        #expect(table.count == 1)
        let hasEnded = Self.has(&table, second, 2, now: 1011)
        #expect(!hasEnded && table.count == 0 && table.octets == 0 && table.statistics.expired == 1)
    }

    @Test func aFloodOfBeginningsDisplacesItsOwn() {
        var table = Self.table(16)
        let other = Self.add(&table, 1, client: 1, now: 0)
        let established = Self.add(&table, 2, client: 2, now: 0)
        guard case .session(let session) = table.take(established, number: 2, now: 0) else {
            Issue.record("not found")
            return
        }
        table.put(session, in: established, .answered, now: 0)
        for number in UInt64(100)..<1100 { _ = Self.add(&table, number, client: 2, now: 0) }
        let (hasOther, hasEstablished) = (Self.has(&table, other, 1), Self.has(&table, established, 2))
        #expect(hasOther && hasEstablished)
        // A quarter of the places is the flood's.
        #expect(table.count == 6 && table.statistics.displacedBegun == 996 && table.statistics.displacedAnswered == 0)
    }

    @Test func beginningsOfManyTakeHalfAndTheOldestGoesFirst() {
        var table = Self.table(16)
        let slots = (0..<9).compactMap { table.add(EAPSession(), number: UInt64($0), client: Int64($0), now: 0) }
        #expect(slots.count == 9 && table.count == 8)
        let found = [(slots[8], UInt64(0)), (slots[8], 8), (slots[1], 1)].map { Self.has(&table, $0.0, $0.1) }
        #expect(found == [false, true, true])
    }

    @Test func whereAllHaveAnsweredTheOldestAnswerGoesAndWhatEndedBeforeIt() {
        var table = Self.table(4)
        var slots: [Int] = []
        for number in 0..<4 {
            let slot = Self.add(&table, UInt64(number), client: Int64(number), now: 0)
            guard case .session(let session) = table.take(slot, number: UInt64(number), now: 0) else { continue }
            table.put(session, in: slot, number == 2 ? .ended : .answered, now: 0)
            slots.append(slot)
        }
        let fifth = Self.add(&table, 4, client: 9, now: 0)
        #expect(fifth == slots[2] && table.statistics.displacedAnswered == 0)
        guard case .session(let session) = table.take(fifth, number: 4, now: 0) else {
            Issue.record("not found")
            return
        }
        table.put(session, in: fifth, .answered, now: 0)
        let sixth = Self.add(&table, 5, client: 9, now: 0)
        #expect(sixth == slots[0] && table.statistics.displacedAnswered == 1 && table.count == 4)
    }

    @Test func whereAllAreBeingWorkedOnNoneIsTaken() {
        var table = Self.table(2)
        for number in UInt64(0)..<2 {
            let slot = Self.add(&table, number, client: Int64(number), now: 0)
            guard case .session = table.take(slot, number: number, now: 0) else {
                Issue.record("not found")
                return
            }
        }
        let refused = Self.add(&table, 9, client: 9, now: 0)
        #expect(refused == -1)
    }

    @Test func memoryIsBoundedToo() {
        let one = EAPSession().memoryOctets
        var table = Self.table(1000, octets: 10 * one)
        for number in UInt64(0)..<500 { _ = table.add(EAPSession(), number: number, client: Int64(number), now: 0) }
        #expect(table.count == 10 && table.octets == 10 * one)
    }

    /// Devices that stop in the middle of a handshake fill the memory; whoever begins meanwhile is younger than they.
    @Test func aFloodThatStopsAfterItsFirstAnswerLeavesBeginningsAlone() {
        var table = Self.table(1000, octets: 10 * EAPSession().memoryOctets)
        func flood(_ numbers: Range<UInt64>) {
            for number in numbers {
                let slot = Self.add(&table, number, client: 1, now: 0)
                guard case .session(let session) = table.take(slot, number: number, now: 0) else { continue }
                table.put(session, in: slot, .answered, now: 0)
            }
        }
        flood(100..<200)
        let honest = Self.add(&table, 1, client: 2, now: 0)
        flood(200..<208)
        let isThere = Self.has(&table, honest, 1)
        #expect(isThere && table.count == 10 && table.statistics.displacedBegun == 0)
    }

    /// Whatever stage a flood through one NAS stops at, another NAS's devices stay, however long they take.
    @Test func whereMemoryIsShortTheNASThatHoldsTheMostGives() {
        var table = Self.table(1000, octets: 10 * EAPSession().memoryOctets)
        var honest: [Int] = []
        for number in UInt64(1)...4 {
            let slot = Self.add(&table, number, client: 2, now: 0)
            honest.append(slot)
            guard number > 2, case .session(let session) = table.take(slot, number: number, now: 0) else { continue }
            table.put(session, in: slot, .answered, now: 0)
        }
        for number in UInt64(100)..<1100 {
            let slot = Self.add(&table, number, client: 1, now: 0)
            guard number % 2 == 0, case .session(let session) = table.take(slot, number: number, now: 0) else { continue }
            table.put(session, in: slot, .answered, now: 0)
        }
        let there = zip(honest, UInt64(1)...4).map { slot, number in Self.has(&table, slot, number) }
        #expect(there == [true, true, true, true])
        #expect(table.count == 10 && table.statistics.displacedBegun + table.statistics.displacedAnswered == 994)
    }

    /// Lists, counts and memory agree after anything.
    @Test func staysConsistentUnderWhateverOrder() {
        var generator = SeededGenerator(state: 3579)
        var table = Self.table(32, octets: 32 * 600)
        var known: [(slot: Int, number: UInt64)] = []
        var out: [(slot: Int, session: EAPSession)] = []
        for round in UInt64(0)..<20_000 {
            let now = round
            switch Int.random(in: 0..<4, using: &generator) {
            case 0, 1:
                if let slot = table.add(EAPSession(), number: round, client: Int64(round % 5), now: now) { known.append((slot, round)) }
            case 2:
                guard let (slot, number) = known.randomElement(using: &generator) else { continue }
                if case .session(let session) = table.take(slot, number: number, now: now) { out.append((slot, session)) }
            default:
                guard let (slot, session) = out.popLast() else { continue }
                let stage = [EAPConversationTable.Stage.begun, .answered, .ended].randomElement(using: &generator) ?? .begun
                table.put(session, in: slot, stage, now: now)
            }
            if known.count > 64 { known.removeFirst(32) }
            #expect(table.count <= 32 && table.octets >= 0 && table.octets <= 32 * 600 + out.count * 600)
        }
        for (slot, session) in out { table.put(session, in: slot, .ended, now: 30_000) }
        _ = table.add(EAPSession(), number: 0, client: 0, now: 40_000)
        #expect(table.count == 1 && table.octets == EAPSession().memoryOctets)
    }
}

@Suite struct EAPStateTests {
    private let state = EAPState(node: Array("node-a".utf8), secret: [UInt8](repeating: 7, count: 32))

    @Test func namesTheConversationToItsOwnNodeOnly() {
        let octets = state.make(slot: 70_000, number: 0x0102_0304_0506_0708, client: 3, tenant: 4)
        #expect(octets.count == 32)
        #expect(state.read(octets, client: 3, tenant: 4) == .conversation(slot: 70_000, number: 0x0102_0304_0506_0708))
        let other = EAPState(node: Array("node-b".utf8), secret: [UInt8](repeating: 7, count: 32))
        #expect(other.read(octets, client: 3, tenant: 4) == .otherNode)
        let restarted = EAPState(node: Array("node-a".utf8), secret: [UInt8](repeating: 8, count: 32))
        #expect(restarted.read(octets, client: 3, tenant: 4) == .forged)
    }

    @Test func noOctetMayBeChangedAndNoOtherNASMayUseIt() {
        let octets = state.make(slot: 1, number: 2, client: 3, tenant: 4)
        #expect(state.read(octets, client: 5, tenant: 4) == .forged)
        #expect(state.read(octets, client: 3, tenant: 5) == .forged)
        for place in octets.indices {
            var changed = octets
            changed[place] ^= 1
            #expect(state.read(changed, client: 3, tenant: 4) == (place < 4 ? .otherNode : .forged), "octet \(place)")
        }
        for count in 0..<32 { #expect(state.read(Array(octets[..<count]), client: 3, tenant: 4) == .forged) }
        #expect(state.read(octets + [0], client: 3, tenant: 4) == .forged)
    }
}
