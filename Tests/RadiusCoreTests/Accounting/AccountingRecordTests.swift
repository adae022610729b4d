import Testing

@testable import RadiusCore

@Suite struct AccountingRecordTests {
    /// 2023-11-14T22:13:20Z.
    private let received: Int64 = 1_700_000_000_000_000

    @Test func readsEveryAttributeOfAnInterimUpdate() throws {
        let record = try decode([
            (40, [0, 0, 0, 3]), (44, Array("81a00001".utf8)), (1, Array("alice".utf8)), (32, Array("bras1".utf8)),
            (4, [192, 0, 2, 1]), (5, [0, 0, 1, 2]), (87, Array("ge-0/0/1.7".utf8)), (61, [0, 0, 0, 15]), (31, Array("00-11".utf8)),
            (30, Array("svc".utf8)), (8, [203, 0, 113, 9]), (97, [0, 64] + [0x20, 1, 0xd, 0xb8, 0, 1, 0, 2]),
            (123, [0, 56] + [0x20, 1, 0xd, 0xb8, 0, 0xff, 0xff, 0xff]), (96, [1, 2, 3, 4, 5, 6, 7, 8]),
            (168, [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]), (46, [0, 0, 2, 88]), (42, [0, 0, 0, 7]),
            (52, [0, 0, 0, 1]), (43, [0, 0, 0, 9]), (47, [0, 0, 0, 70]), (48, [0, 0, 0, 90]), (41, [0, 0, 0, 4]),
            (50, Array("multi".utf8)), (25, [1, 0, 2]), (25, [3]),
        ])
        #expect(record.progress.status == .interimUpdate)
        #expect(record.sessionID == Array("81a00001".utf8))
        #expect(record.userName == Array("alice".utf8))
        #expect(record.nasIdentifier == Array("bras1".utf8))
        #expect(record.nasAddress == [192, 0, 2, 1])
        #expect(record.nasPort == 258)
        #expect(record.nasPortID == Array("ge-0/0/1.7".utf8))
        #expect(record.nasPortType == 15)
        #expect(record.framedIPv4 == [203, 0, 113, 9])
        #expect(record.framedIPv6.last == 1)
        #expect(record.framedIPv6Prefix?.length == 64)
        #expect(record.delegatedIPv6Prefix?.octets == [0x20, 1, 0xd, 0xb8, 0, 0xff, 0xff] + [UInt8](repeating: 0, count: 9))
        #expect(record.framedInterfaceID == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(record.progress.sessionSeconds == 600)
        // Input is what the NAS received from the subscriber: upload.
        #expect(record.progress.upload == AccountingProgress.Counter(low: 7, gigawords: 1))
        #expect(record.progress.download == AccountingProgress.Counter(low: 9))
        #expect(record.progress.uploadPackets == 70)
        #expect(record.progress.downloadPackets == 90)
        #expect(record.classes == [[1, 0, 2], [3]])
        #expect(record.progress.time.microseconds == received - 4_000_000)
        #expect(record.ignoredAttributes == 0)
    }

    @Test func leavesOutValuesOfWrongLength() throws {
        let record = try decode([
            (40, [0, 0, 0, 2]), (44, [0x41]), (4, [1, 2, 3]), (8, [1]), (46, [1, 2]), (97, [0, 129]), (123, [0, 64, 1]), (42, [1]),
        ])
        #expect(record.ignoredAttributes == 6)
        #expect(record.nasAddress.isEmpty)
        #expect(record.framedIPv6Prefix == nil)
        #expect(record.delegatedIPv6Prefix == nil)
        #expect(record.progress.upload == nil)
    }

    @Test func readsWhatAProxyCallsTheNAS() throws {
        let record = try decode([
            (40, [0, 0, 0, 1]), (44, [0x41]), (241, []), (241, [1, 9]), (241, [8]), (241, [8, 0, 255]), (241, [8, 1]),
        ])
        #expect(record.operatorNAS == [0, 255])
        #expect(record.ignoredAttributes == 0)
        #expect(try decode([(40, [0, 0, 0, 1]), (44, [0x41]), (242, [8, 1])]).operatorNAS.isEmpty)
    }

    @Test func refusesRecordsWithoutStatusOrSession() {
        #expect(throws: DecodeError.accountingIncomplete) { _ = try decode([(44, [0x41])]) }
        #expect(throws: DecodeError.accountingIncomplete) { _ = try decode([(40, [0, 0, 1]), (44, [0x41])]) }
        #expect(throws: DecodeError.accountingIncomplete) { _ = try decode([(40, [0, 0, 0, 1])]) }
        #expect(throws: Never.self) { _ = try decode([(40, [0, 0, 0, 7])]) }
    }

    @Test func believesAnEventTimestampOnlyNearItsArrival() {
        let second: Int64 = 1_700_000_000
        let stamped = EventTime(receivedMicroseconds: received, delaySeconds: 5, eventTimestamp: UInt32(second - 30))
        #expect(stamped.microseconds == received - 30_000_000)
        #expect(stamped.isStamped)
        let ahead = EventTime(receivedMicroseconds: received, delaySeconds: 5, eventTimestamp: UInt32(second + 301))
        #expect(ahead.isSkewed)
        #expect(ahead.microseconds == received - 5_000_000)
        let slightlyAhead = EventTime(receivedMicroseconds: received, eventTimestamp: UInt32(second + 200))
        #expect(slightlyAhead.microseconds == received)
        let years = EventTime(receivedMicroseconds: received, eventTimestamp: 12)
        #expect(years.isSkewed)
        #expect(years.microseconds == received)
        let nonsense = EventTime(receivedMicroseconds: received, delaySeconds: .max)
        #expect(nonsense.microseconds == received)
        #expect(!nonsense.isSkewed)
    }

    @Test func keysTellUsersPortsAndNASesApart() throws {
        let peer = InlineArray<16, UInt8>(repeating: 1)
        let base: [(UInt8, [UInt8])] = [(40, [0, 0, 0, 1]), (44, [0x41])]
        let variants: [[(UInt8, [UInt8])]] = [
            base, base + [(1, [0x61])], base + [(5, [0, 0, 0, 1])], base + [(87, [0, 0, 0, 1])], base + [(32, [0x61])],
            base + [(4, [1, 1, 1, 1])],
        ]
        var keys: Set<SessionKey> = []
        for attributes in variants { keys.insert(try key(attributes, nas: 1, peer)) }
        keys.insert(try key(base, nas: 2, peer))
        keys.insert(try key(base, nas: 1, InlineArray<16, UInt8>(repeating: 2)))
        #expect(keys.count == 8)
    }

    /// What is stored under a key must be found by every later version.
    @Test func keysAreTheSameOctetsForEver() throws {
        let peer = InlineArray<16, UInt8>(repeating: 7)
        let named = try key(
            [(40, [0, 0, 0, 1]), (1, Array("ann".utf8)), (44, [0x41]), (4, [192, 0, 2, 1]), (5, [0, 0, 1, 2]), (87, [9])], nas: 3, peer)
        #expect(named.octets == [0, 4, 192, 0, 2, 1, 1, 0x41, 3] + Array("ann".utf8) + [4, 0, 0, 1, 2])
        // A NAS-Port of a wrong length is none; without a name of the NAS its address stands in.
        let bare = try key([(40, [0, 0, 0, 1]), (44, [0x41]), (5, [1, 2]), (87, [9])], nas: 3, peer)
        #expect(bare.octets == [0, 16] + [UInt8](repeating: 7, count: 16) + [1, 0x41, 0, 0, 1, 9])
    }

    @Test func countsCountersThatNoLineCanFill() throws {
        let sane = try decode([(40, [0, 0, 0, 3]), (44, [1]), (42, [0, 0, 0, 9]), (52, [0, 0xff, 0xff, 0xff])])
        #expect(sane.progress.absurdCounters == 0)
        let absurd = try decode([
            (40, [0, 0, 0, 3]), (44, [1]), (42, [0, 0, 0, 9]), (52, [0xff, 0xff, 0xff, 0xff]), (43, [0, 0, 0, 9]), (53, [1, 0, 0, 0]),
        ])
        #expect(absurd.progress.absurdCounters == 2)
    }

    @Test func progressAloneSaysTheSameAsTheWholeRecord() throws {
        let packet = octets([
            (40, [0, 0, 0, 2]), (44, [1, 2]), (1, [0x61]), (46, [0, 0, 1, 0]), (42, [0, 0, 0, 9]), (52, [0, 0, 0, 1]), (43, [1, 0, 0, 0]),
            (47, [0, 0, 0, 5]), (49, [0, 0, 0, 4]), (41, [0, 0, 0, 3]), (48, [1]), (4, [192, 0, 2, 1]),
        ])
        var index = AttributeIndex()
        try index.fill(from: packet.span)
        let whole = try AccountingRecord(packet: packet.span, index: index, receivedMicroseconds: received)
        let progress = try AccountingProgress(packet: packet.span, index: index, receivedMicroseconds: received)
        #expect(progress.status == .stop)
        #expect(progress.sessionSeconds == 256)
        #expect(progress.upload == AccountingProgress.Counter(low: 9, gigawords: 1))
        #expect(progress.terminateCause?.rawValue == 4)
        #expect(progress.ignoredAttributes == 1)
        #expect(progress == whole.progress)
        #expect(whole.userName == [0x61])
        #expect(whole.ignoredAttributes == 1)
    }

    private func key(_ attributes: [(UInt8, [UInt8])], nas: Int64, _ peer: InlineArray<16, UInt8>) throws(DecodeError) -> SessionKey {
        let packet = octets(attributes)
        var index = AttributeIndex()
        try index.fill(from: packet.span)
        return SessionKey(packet: packet.span, index: index, nas: nas, peer: peer)
    }

    private func decode(_ attributes: [(UInt8, [UInt8])]) throws(DecodeError) -> AccountingRecord {
        let packet = octets(attributes)
        var index = AttributeIndex()
        try index.fill(from: packet.span)
        return try AccountingRecord(packet: packet.span, index: index, receivedMicroseconds: received)
    }

    private func octets(_ attributes: [(UInt8, [UInt8])]) -> [UInt8] {
        var packet: [UInt8] = [4, 1, 0, 0] + [UInt8](repeating: 0, count: 16)
        for (type, value) in attributes { packet += [type, UInt8(value.count + 2)] + value }
        packet[2] = UInt8(packet.count >> 8)
        packet[3] = UInt8(packet.count & 0xff)
        return packet
    }
}
