import Testing

@testable import RadiusCore

@Suite struct AttributeIndexTests {
    /// A packet of a header of zeros and these attributes.
    private func packet(_ attributes: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: 20) + attributes
    }

    private func failure(_ attributes: [UInt8]) -> DecodeError? {
        var index = AttributeIndex()
        do { try index.fill(from: packet(attributes).span) } catch { return error }
        return nil
    }

    /// All positions of `type`.
    private func expectPositions(_ index: borrowing AttributeIndex, of type: UInt8, _ expected: [Int]) {
        var positions: [Int] = []
        while let next = index.position(of: type, from: positions.last.map { $0 + 1 } ?? 0) { positions.append(next) }
        #expect(positions == expected)
    }

    /// The numbers that stand in the packet.
    private func expectContents(_ index: borrowing AttributeIndex, _ expected: [UInt8]) {
        var types: [UInt8] = []
        for type in 0...UInt8.max where index.contains(type) { types.append(type) }
        #expect(types == expected)
    }

    @Test(arguments: [UInt8(0), 1])
    func rejectsAttributeShorterThanTwoOctets(_ length: UInt8) {
        #expect(failure([1, length]) == .attributeTooShort)
        #expect(failure([1, 3, 0x61, 1, length]) == .attributeTooShort)
    }

    @Test func rejectsAttributeThatRunsOverTheEnd() {
        #expect(failure([1]) == .attributeOverrun)
        #expect(failure([1, 3]) == .attributeOverrun)
        #expect(failure([1, 255, 0]) == .attributeOverrun)
        #expect(failure([1, 3, 0x61, 1]) == .attributeOverrun)
    }

    @Test func findsEachAttributeWhereItLies() throws {
        let octets = packet([1, 5, 0x62, 0x6f, 0x62, 4, 2, 1, 3, 0x61])
        var index = AttributeIndex()
        try index.fill(from: octets.span)
        #expect(index.count == 3)
        #expect(index[0].range == 22..<25)
        #expect(index[0].start == 20)
        #expect(index[1].type == 4)
        #expect(index[1].count == 0)
        let first = index.first(1)
        #expect(first?.offset == 22)
        expectPositions(index, of: 1, [0, 2])
        expectPositions(index, of: 2, [])
        expectContents(index, [1, 4])
    }

    @Test func forgetsThePacketBefore() throws {
        var index = AttributeIndex()
        try index.fill(from: packet([1, 3, 0x61, 79, 2]).span)
        try index.fill(from: packet([2, 2]).span)
        #expect(index.count == 1)
        expectContents(index, [2])
        try index.fill(from: packet([]).span)
        #expect(index.count == 0)
        expectContents(index, [])
    }

    @Test func forgetsThePacketThatItRefused() throws {
        var index = AttributeIndex()
        do {
            try index.fill(from: packet([7, 2, 8, 1]).span)
            Issue.record("took a length of 1")
        } catch {
            #expect(error == .attributeTooShort)
        }
        try index.fill(from: packet([9, 2]).span)
        expectContents(index, [9])
        #expect(index.count == 1)
    }

    @Test func holdsAsManyAttributesAsALargestPacketCanHave() throws {
        let attributes = [UInt8]((0..<2038).flatMap { _ in [UInt8(33), 2] })
        var index = AttributeIndex()
        try index.fill(from: packet(attributes).span)
        #expect(index.count == 2038)
        #expect(index[2037].offset == 4096)
        #expect(failure(attributes + [33, 2]) == .tooManyAttributes)
    }

    @Test func reachesValuesAtTheEndOfALongPacket() throws {
        let filler = [UInt8]((0..<256).flatMap { _ in [UInt8(33), 255] + [UInt8](repeating: 0xaa, count: 253) })
        var index = AttributeIndex()
        try index.fill(from: packet(filler + [1, 3, 0x61]).span)
        let last = index.first(1)
        #expect(last?.range == 65_302..<65_303)
    }
}
