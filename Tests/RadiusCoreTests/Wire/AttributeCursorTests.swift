import Testing

@testable import RadiusCore

@Suite struct AttributeCursorTests {
    private struct Walk: Equatable {
        var members: [String] = []
        var isMalformed = false
    }

    /// Members of a run as `type:octets`, with `+` behind one that goes on.
    private func walk(_ octets: [UInt8], _ format: VendorFormat) -> Walk {
        var cursor = AttributeCursor(0..<octets.count, format: format)
        var walk = Walk()
        while let member = cursor.next(in: octets.span) {
            let value = octets[member.range].map { String($0) }.joined(separator: ",")
            walk.members.append("\(member.type):\(value)\(member.continues ? "+" : "")")
        }
        walk.isMalformed = cursor.isMalformed
        return walk
    }

    @Test func walksTheStandardFormat() {
        #expect(walk([1, 3, 9, 2, 2, 255, 4, 7, 8], VendorFormat()) == Walk(members: ["1:9", "2:", "255:7,8"]))
    }

    @Test func walksUSR() {
        let format = VendorFormat(typeOctets: 4, lengthOctets: 0)
        #expect(walk([0, 1, 0, 2, 7, 8, 9], format) == Walk(members: ["65538:7,8,9"]))
        #expect(walk([255, 255, 255, 255], format) == Walk(members: ["4294967295:"]))
        #expect(walk([0, 1, 0], format) == Walk(isMalformed: true))
    }

    @Test func walksLucent() {
        let format = VendorFormat(typeOctets: 2, lengthOctets: 1)
        #expect(walk([1, 0, 4, 9, 0, 2, 3], format) == Walk(members: ["256:9", "2:"]))
        #expect(walk([1, 0, 2], format) == Walk(isMalformed: true))
    }

    @Test func walksStarent() {
        let format = VendorFormat(typeOctets: 2, lengthOctets: 2)
        #expect(walk([0, 1, 0, 5, 9, 0, 2, 0, 4], format) == Walk(members: ["1:9", "2:"]))
        #expect(walk([0, 1, 1, 5, 9], format) == Walk(isMalformed: true))
        #expect(walk([0, 1, 0, 3, 9], format) == Walk(isMalformed: true))
    }

    @Test func walksWiMAX() {
        let format = VendorFormat(hasContinuation: true)
        #expect(walk([1, 4, 0x80, 9, 1, 4, 0, 8], format) == Walk(members: ["1:9+", "1:8"]))
        #expect(walk([1, 4, 0x7f, 9], format) == Walk(members: ["1:9"]))
        #expect(walk([1, 2], format) == Walk(isMalformed: true))
        #expect(walk([1, 2, 0], format) == Walk(isMalformed: true))
    }

    @Test(arguments: [[1], [1, 0], [1, 1], [1, 4, 0], [1, 255]] as [[UInt8]])
    func stopsAtALengthThatLies(_ octets: [UInt8]) {
        #expect(walk(octets, VendorFormat()) == Walk(isMalformed: true))
        #expect(walk([7, 3, 1] + octets, VendorFormat()) == Walk(members: ["7:1"], isMalformed: true))
    }

    @Test func findsNothingInAnEmptyRun() {
        #expect(walk([], VendorFormat()) == Walk())
    }

    @Test func refusesARunOutsideOfThePacket() {
        let octets: [UInt8] = [1, 3, 9]
        var cursor = AttributeCursor(0..<9)
        let member = cursor.next(in: octets.span)
        #expect(member?.range == nil)
    }
}
