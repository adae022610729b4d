import Testing

@testable import RadiusCore

@Suite struct PacketHeaderTests {
    /// A datagram of `count` octets whose Length field says `length`.
    private func datagram(_ count: Int, length: Int) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: count)
        if count > 3 {
            octets[2] = UInt8(length >> 8)
            octets[3] = UInt8(length & 0xff)
        }
        return octets
    }

    @Test(arguments: 0..<20)
    func rejectsFewerOctetsThanAHeader(_ count: Int) {
        #expect(throws: DecodeError.shorterThanHeader) {
            _ = try PacketHeader.length(of: self.datagram(count, length: 20).span)
        }
    }

    @Test(arguments: [0, 1, 19, 4097, 65_535])
    func rejectsLengthOutsideOfTheLimits(_ length: Int) {
        #expect(throws: DecodeError.lengthOutOfRange) {
            _ = try PacketHeader.length(of: self.datagram(5000, length: length).span)
        }
    }

    @Test(arguments: [(20, 21), (20, 4096), (4095, 4096)])
    func rejectsLengthBeyondTheDatagram(_ count: Int, _ length: Int) {
        #expect(throws: DecodeError.lengthBeyondDatagram) {
            _ = try PacketHeader.length(of: self.datagram(count, length: length).span)
        }
    }

    @Test(arguments: [(20, 20), (24, 20), (4096, 4096), (9000, 4096), (9000, 20)])
    func takesOctetsBeyondLengthForPadding(_ count: Int, _ length: Int) throws {
        #expect(try PacketHeader.length(of: datagram(count, length: length).span) == length)
    }

    @Test func allowsLongPacketsWhereTheTransportDoes() throws {
        #expect(try PacketHeader.length(of: datagram(65_535, length: 65_535).span, limit: 65_535) == 65_535)
    }

    @Test func namesCodesAsTheStandardsDo() {
        #expect(PacketCode.accessRequest.name == "Access-Request")
        #expect(PacketCode(rawValue: 44).name == "CoA-ACK")
        #expect(PacketCode(rawValue: 52).name == "Protocol-Error")
        #expect(PacketCode(rawValue: 250).name == "Code-250")
    }
}
