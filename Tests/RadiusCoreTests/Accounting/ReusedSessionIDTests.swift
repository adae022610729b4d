import Support
import Testing

@testable import RadiusCore

/// A NAS without Event-Timestamp that gives an Acct-Session-Id again within two minutes.
@Suite struct ReusedSessionIDTests {
    private static let first = SessionAddresses(ipv4: 0x0a00_0001)
    private static let second = SessionAddresses(ipv4: 0x0a00_0002)

    @Test(arguments: [3, 60, 119] as [UInt32]) func aStartBehindTheStopWithAnotherAddressIsANewSession(lasting: UInt32) throws {
        let ended = [Self.start(at: 0, Self.first), Self.record(.stop, at: Int64(lasting), age: lasting)]
        for other in [Self.second, SessionAddresses(ipv4: 0x0a00_0001, ipv6: 7)] {
            let known = other.ipv6 == 0 ? ended : [Self.start(at: 0, SessionAddresses(ipv6: 8))] + ended
            for gap in [0, 1, 65] as [Int64] {
                let session = FoldedSession(known + [Self.start(at: Int64(lasting) + gap, other)])
                #expect(session.kinds.last == .reopened, "\(gap) s behind the Stop")
                #expect(session.fold?.ending == .stop)
            }
        }
    }

    @Test func aStartWithTheSameAddressOrNoneIsARepetition() {
        let ended = [Self.start(at: 0, Self.first), Self.record(.stop, at: 3, age: 3)]
        for again in [Self.first, SessionAddresses(), SessionAddresses(ipv6: 9)] {
            #expect(FoldedSession(ended + [Self.start(at: 68, again)]).kinds.last == .duplicate)
        }
        #expect(FoldedSession([Self.start(at: 0, Self.first), Self.start(at: 68, Self.second)]).kinds.last == .duplicate)
    }

    @Test func wherePartsOfOneSessionDifferNothingContradictsIt() {
        let starts = [Self.start(at: 0, Self.first), Self.start(at: 1, Self.second)]
        for order in [[0, 1], [1, 0], [0, 1, 0], [1, 0, 1, 1]] {
            let session = FoldedSession(order.map { starts[$0] } + [Self.record(.stop, at: 3, age: 3)] + starts.map(Self.late))
            #expect(session.kinds.suffix(2) == [.duplicate, .duplicate], "order \(order)")
        }
    }

    @Test func aStartThatCountsItsDelayIsTakenAtItsWord() {
        let ended = [Self.start(at: 0), Self.record(.stop, at: 3, age: 3)]
        #expect(FoldedSession(ended + [Self.start(at: 68, delay: 2)]).kinds.last == .reopened)
        #expect(FoldedSession(ended + [Self.start(at: 68, delay: 68)]).kinds.last == .duplicate)
        #expect(FoldedSession(ended + [Self.start(at: 400, delay: 400)]).kinds.last == .duplicate)
    }

    @Test(arguments: [true, false]) func aStartBehindARestartIsANewSession(hasStart: Bool) throws {
        let opened = FoldedSession([hasStart ? Self.start(at: 0) : Self.record(.interimUpdate, at: 5, age: 5)])
        var fold = try #require(opened.fold)
        fold.close(atMicroseconds: SessionScript.start + 30_000_000, by: .accountingOn, cause: .nasReboot)
        var near = fold
        #expect(near.apply(Self.start(at: 40)).kind != .reopened)
        #expect(fold.apply(Self.start(at: 68)).kind == .reopened)
        #expect(fold.ending == .accountingOn)
        #expect(fold.stoppedMicroseconds == SessionScript.start + 30_000_000)
    }

    @Test func aSessionThatBecameOlderThanTheClosedOneIsAnother() {
        let ended = [Self.start(at: 0), Self.record(.stop, at: 3, age: 3), Self.start(at: 68)]
        let early = FoldedSession(ended + [Self.record(.interimUpdate, at: 73, age: 5)])
        #expect(early.kinds.suffix(2) == [.duplicate, .late])
        for status in [AcctStatus.interimUpdate, .stop] {
            for age in [19, 60, 300] as [UInt32] {
                let session = FoldedSession(ended + [Self.record(status, at: 68 + Int64(age), age: age)])
                #expect(session.kinds.last == .reopened, "\(status.name) at \(age)")
                #expect(session.upload == 3000)
            }
        }
    }

    /// Whatever is held back, lost on its way and sent again, with Acct-Delay-Time or without: one session stays one.
    @Test(arguments: [true, false]) func anyOrderAndRepetitionOfOneSessionIsOneSession(countsDelay: Bool) throws {
        for seed in 0..<2000 {
            var random = SeededGenerator(state: UInt64(seed))
            let longest: Int64 = countsDelay ? 4000 : 110
            let lasting = UInt32.random(in: 0...200, using: &random)
            var ages: [UInt32?] = [nil]
            for _ in 0..<Int.random(in: 0...3, using: &random) { ages.append(.random(in: 0...lasting, using: &random)) }
            ages.append(lasting)
            var sent: [(arrival: Int64, record: AccountingProgress)] = []
            for (place, age) in ages.enumerated() {
                let isStop = place == ages.count - 1
                for _ in 0...Int.random(in: 0...2, using: &random) {
                    let held = Int64.random(in: 0...longest, using: &random)
                    let arrival = Int64(age ?? 0) + held
                    let delay = countsDelay ? UInt32(held) : 0
                    let record =
                        age.map { Self.record(isStop ? .stop : .interimUpdate, at: arrival, age: $0, delay: delay) }
                        ?? Self.start(at: arrival, Self.first, delay: delay)
                    sent.append((arrival, record))
                }
            }
            sent.shuffle(using: &random)
            let session = FoldedSession(sent.sorted { $0.arrival < $1.arrival }.map(\.record))
            #expect(!session.kinds.contains(.reopened) && !session.kinds.contains(.older), "seed \(seed): \(session.kinds)")
            #expect(session.fold?.ending == .stop, "seed \(seed)")
            #expect(session.fold?.upload.total == UInt64(lasting) * 1000, "seed \(seed)")
            #expect(session.upload == UInt64(lasting) * 1000, "seed \(seed)")
            #expect(session.fold?.hasStart == true, "seed \(seed)")
        }
    }

    @Test func aRecordThatTheNextStartHasOvertakenIsOfTheSessionBefore() throws {
        let stop = Self.record(.stop, at: 40, age: 40)
        let before = try #require(FoldedSession([Self.start(at: 0, Self.first), stop]).fold)
        let after = try #require(FoldedSession([Self.start(at: 42, Self.second)]).fold)
        let alike = try #require(FoldedSession([Self.start(at: 42, Self.first)]).fold)
        var unseen = Self.record(.stop, at: 60, age: 12)
        unseen.addresses = Self.first
        for (next, record, isBefore) in [
            (after, Self.record(.stop, at: 45, age: 40), true), (alike, Self.record(.stop, at: 45, age: 40), true), (after, unseen, true),
            (alike, unseen, false), (after, Self.record(.interimUpdate, at: 60, age: 18), false),
            (after, Self.record(.interimUpdate, at: 60, age: 30), false), (after, Self.start(at: 43, Self.first), false),
        ] {
            let isTaken = next.isPerhapsOfTheOneBefore(record) && before.claims(record, before: next)
            #expect(isTaken == isBefore, "\(record.status.name) of \(record.seconds ?? 0) seconds")
        }
        // A subscriber who is given another address while online.
        var moved = Self.record(.interimUpdate, at: 342, age: 300)
        moved.addresses = Self.first
        #expect(!after.isPerhapsOfTheOneBefore(moved))
        var seen = after
        _ = seen.apply(unseen)
        #expect(!seen.isPerhapsOfTheOneBefore(unseen))
    }

    @Test func addressesAreReadOffAPacket() throws {
        let address: [UInt8] = [8, 6, 10, 0, 0, 1]
        let prefix: [UInt8] = [97, 10, 0, 48, 0x20, 1, 0x0d, 0xb8, 0, 1]
        let other: [UInt8] = [123, 10, 0, 48, 0x20, 1, 0x0d, 0xb8, 0, 1]
        #expect(try Self.read(1, address) == Self.first)
        #expect(try Self.read(3, address) == Self.first)
        #expect(try Self.read(1, [8, 5, 10, 0, 0]).isNone)
        let both = try Self.read(1, prefix + address)
        #expect(both.ipv4 == 0x0a00_0001)
        #expect(try Self.read(1, prefix).ipv6 == both.ipv6)
        #expect(try Self.read(1, other).contradict(both))
        #expect(try !Self.read(1, address).contradict(both))
    }

    @Test func aStateWithoutAddressesIsReadAndBehavesAsItDid() throws {
        let opened = FoldedSession([Self.start(at: 0, Self.first), Self.record(.stop, at: 3, age: 3)])
        let fold = try #require(opened.fold)
        #expect(fold.restored == fold)
        var former = fold.stateOctets
        #expect(former[1] & 16 == 16)
        former[1] &= 15
        former.removeLast(12)
        var restored = fold.restored(from: former)
        #expect(restored.stateOctets == former)
        #expect(restored.apply(Self.start(at: 68, Self.second)).kind == .duplicate)
        var cut = fold.stateOctets
        cut.removeLast()
        #expect(fold.restored(from: cut).addresses.isNone)
        #expect(fold.restored(from: cut).sighting == fold.sighting)
    }

    private static func read(_ status: UInt8, _ attributes: [UInt8]) throws -> SessionAddresses {
        var packet: [UInt8] = [4, 1, 0, 0] + [UInt8](repeating: 0, count: 16) + [40, 6, 0, 0, 0, status, 44, 3, 0x73] + attributes
        packet[3] = UInt8(packet.count)
        var index = AttributeIndex()
        try index.fill(from: packet.span)
        return try AccountingProgress(packet: packet.span, index: index, receivedMicroseconds: SessionScript.start).addresses
    }

    private static func start(at arrival: Int64, _ addresses: SessionAddresses = SessionAddresses(), delay: UInt32 = 0)
        -> AccountingProgress
    {
        var record = AccountingProgress(status: .start, time: time(arrival, delay))
        record.addresses = addresses
        return record
    }

    /// The same Start, sent again after a minute.
    private static func late(_ start: AccountingProgress) -> AccountingProgress {
        var again = AccountingProgress(status: .start, time: time(60, 0))
        again.addresses = start.addresses
        return again
    }

    private static func record(_ status: AcctStatus, at arrival: Int64, age: UInt32, delay: UInt32 = 0) -> AccountingProgress {
        var record = AccountingProgress(status: status, time: time(arrival, delay))
        record.sessionSeconds = age
        record.upload = AccountingProgress.Counter(low: age * 1000, gigawords: 0)
        return record
    }

    private static func time(_ arrival: Int64, _ delay: UInt32) -> EventTime {
        EventTime(receivedMicroseconds: SessionScript.start + arrival * 1_000_000, delaySeconds: delay)
    }
}
