import Testing

@testable import RadiusCore

/// Logins of somebody who is bound, answered by a server.
@Suite struct BindingServerTests {
    private static let station = "00:53:00:12:34:56"

    static func bound(
        mac: BindingMode = .ignore, line: BindingMode = .ignore, learns: Bool = false, _ values: [(BindingKind, String)] = []
    ) -> SubscriberEntry {
        var bindings = SubscriberBindings(mac: mac, line: line, bindsOnFirstUse: learns)
        for (kind, text) in values { bindings.allow(kind, text) }
        var entry = TestServer.subscriber("nemo")
        entry.bindings = bindings.encoded
        return entry
    }

    static func attribute(_ number: UInt8, _ text: String) -> [UInt8] { attribute(number, Array(text.utf8)) }
    static func attribute(_ number: UInt8, _ octets: [UInt8]) -> [UInt8] { [number, UInt8(octets.count + 2)] + octets }

    /// A member of a Vendor-Specific attribute.
    static func member(_ vendor: UInt32, _ number: UInt8, _ octets: [UInt8]) -> [UInt8] {
        attribute(26, [0, UInt8(vendor >> 16 & 255), UInt8(vendor >> 8 & 255), UInt8(vendor & 255)] + attribute(number, octets))
    }

    /// The reasons of logins of `entry` with `requests`' attributes, in order, and what the log says of bindings.
    private static func log(_ entry: SubscriberEntry, _ requests: [[UInt8]]) throws -> [(reason: AccessReason?, entry: AuthEventRing.Entry)]
    {
        let host = try TestServer(subscribers: [entry])
        let nas = try TestNAS(to: host.server.authenticationPort)
        for (position, extra) in requests.enumerated() {
            #expect([2, 3].contains(nas.exchange(TestPacket.access(UInt8(position + 1), extra: extra)).first))
        }
        var entries: [AuthEventRing.Entry] = []
        for ring in host.server.authEvents { _ = ring.drain(limit: 100) { entries.append($0) } }
        return entries.map { (AccessReason(rawValue: $0.event.reason), $0) }
    }

    @Test func anotherStationIsRefusedAndTheLogSaysSo() throws {
        let found = try Self.log(
            Self.bound(mac: .enforce, [(.mac, "0053.0012.3456"), (.mac, "00-53-00-12-34-57")]),
            [
                Self.attribute(31, "00-53-00-12-34-56"), Self.attribute(31, "005300123457"), Self.attribute(31, "00:53:00:12:34:58"),
                Self.attribute(31, "a telephone"), [],
            ])
        #expect(found.map(\.reason) == [.accepted, .accepted, .macNotBound, .macMissing, .macMissing])
        #expect(found.map { $0.entry.event.binding.word } == [nil, nil, "mac", "mac", "mac"])
    }

    @Test func logLetsInAndCounts() throws {
        let host = try TestServer(subscribers: [Self.bound(mac: .log, line: .log, [(.mac, Self.station), (.port, "eth 0/1")])])
        let nas = try TestNAS(to: host.server.authenticationPort)
        #expect(nas.exchange(TestPacket.access(1, extra: Self.attribute(31, Self.station))).first == 2)
        #expect(host.count(ServerCounter.macMismatches) == 0 && host.count(ServerCounter.lineMismatches) == 1)
        #expect(nas.exchange(TestPacket.access(2, extra: Self.attribute(87, "eth 0/1 "))).first == 2)
        #expect(host.count(ServerCounter.macMismatches) == 1 && host.count(ServerCounter.lineMismatches) == 1)
        // A refusal for another reason is no mismatch that was let in.
        #expect(nas.exchange(TestPacket.access(3, password: "wrong")).first == 3)
        #expect(host.count(ServerCounter.macMismatches) == 1)
    }

    @Test func aLineIsToldInManyWays() throws {
        let tag = Array("circuit-id-tag=slot 1/7".utf8)
        let found = try Self.log(
            Self.bound(line: .enforce, [(.circuit, "slot 1/7"), (.circuit, "0x000400640102")]),
            [
                Self.member(3561, 1, Array("slot 1/7".utf8)), Self.member(3561, 1, [1, 6, 0, 4, 0, 0x64, 1, 2]),
                Self.member(2352, 97, Array("slot 1/7\0".utf8)), Self.member(9, 1, Array("x=y".utf8)) + Self.member(9, 1, tag),
                Self.member(3561, 2, Array("slot 1/7".utf8)), Self.member(3561, 1, Array("slot 1/70".utf8)),
                Self.member(3561, 1, Array("Slot 1/7".utf8)), Self.member(14988, 1, Array("slot 1/7".utf8)), Self.attribute(87, "slot 1/7"),
                // A member whose length lies.
                Self.attribute(26, [0, 0, 0x0d, 0xe9, 1, 200] + Array("slot 1/7".utf8)),
            ])
        #expect(
            found.map(\.reason) == [
                .accepted, .accepted, .accepted, .accepted, .lineMissing, .lineNotBound, .lineNotBound, .lineMissing, .lineMissing,
                .lineMissing,
            ])
        #expect(found[0].entry.circuitID == Array("slot 1/7".utf8) && found[0].entry.remoteID.isEmpty)
        #expect(found[1].entry.circuitID == [0, 4, 0, 0x64, 1, 2])
        #expect(found[4].entry.remoteID == Array("slot 1/7".utf8) && found[4].entry.event.binding.word == "line")
    }

    /// A circuit of the right name behind another access node is another line.
    @Test func everyKindThatIsBoundMustMatch() throws {
        let circuit = Self.member(3561, 1, Array("7".utf8))
        let found = try Self.log(
            Self.bound(line: .enforce, [(.circuit, "7"), (.remote, "node-a"), (.remote, "node-b")]),
            [circuit + Self.member(3561, 2, Array("node-b".utf8)), circuit + Self.member(3561, 2, Array("node-c".utf8)), circuit])
        #expect(found.map(\.reason) == [.accepted, .lineNotBound, .lineMissing])
    }

    @Test func whatIsAwaitedIsLetInAndMarked() throws {
        let found = try Self.log(
            Self.bound(mac: .enforce, line: .enforce, learns: true, [(.mac, Self.station)]),
            [Self.attribute(31, Self.station), Self.attribute(31, "00:53:00:12:34:58")])
        #expect(found.map(\.reason) == [.accepted, .macNotBound])
        #expect(found.map { $0.entry.event.binding } == [.lineAwaited, [.lineAwaited, .macDiffers]])
    }

    @Test func theWalledGardenIsForTheRightStationOnly() throws {
        var captive = Self.bound(mac: .enforce, [(.mac, Self.station)])
        captive.locks.insert(.overdue, at: .captive)
        let host = try TestServer(
            subscribers: [captive], profiles: [TestServer.plan(), TestServer.plan(id: 9)], policy: AccessPolicy(walledGardenProfile: 9))
        let nas = try TestNAS(to: host.server.authenticationPort)
        #expect(nas.exchange(TestPacket.access(1, extra: Self.attribute(31, Self.station))).first == 2)
        #expect(nas.exchange(TestPacket.access(2)).first == 3)
        #expect(host.count(.macMissing as AccessReason) == 1 && host.count(.acceptedCaptive as AccessReason) == 1)
    }

    /// A value that cannot be read binds to nothing that anybody has.
    @Test func whatCannotBeReadLetsNobodyIn() throws {
        let entry = Self.bound(mac: .enforce, learns: true, [(.mac, "not an address")])
        let found = try Self.log(entry, [Self.attribute(31, Self.station), []])
        #expect(found.map(\.reason) == [.macNotBound, .macMissing])
    }

    @Test func aRecordHoldsWhatItWasGiven() throws {
        var random = SystemRandomNumberGenerator()
        var builder = SubscriberIndexBuilder()
        var expected: [[UInt8]] = []
        for number in 0..<300 {
            var bindings = SubscriberBindings(mac: .enforce, line: .log, bindsOnFirstUse: false)
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let octets = (0..<Int.random(in: 1...150, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
                bindings.allow(.circuit, BoundOctets.text(octets))
            }
            var entry = PolicyDesk.subscriber("u\(number)", id: Int64(number) << (number % 3 == 0 ? 33 : 0))
            entry.service = number % 2 == 0 ? [22, 3, 0x72] : []
            entry.bindings = number % 5 == 0 ? [] : bindings.encoded
            #expect(entry.bindings.count <= SubscriberBindings.largest)
            expected.append(entry.bindings)
            builder.add(entry)
        }
        // A change copies the records of its shard.
        let index = builder.build().updated(with: [PolicyDesk.subscriber("new", id: 999)])
        for (number, octets) in expected.enumerated() {
            let record = try #require(Array("u\(number)".utf8).withUnsafeBytes { index.find(tenant: 1, $0) })
            let held = record.boundTo.map { bound in
                Array(UnsafeRawBufferPointer(start: record.base + record.octets - bound.count, count: bound.count))
            }
            #expect(held ?? [] == octets)
        }
    }
}
