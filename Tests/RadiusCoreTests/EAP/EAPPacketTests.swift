import Testing

@testable import RadiusCore

@Suite struct EAPPacketTests {
    private static func refusal(_ octets: [UInt8]) -> EAPDecodeError? {
        do throws(EAPDecodeError) {
            _ = try EAPPacket(octets.span)
            return nil
        } catch {
            return error
        }
    }

    @Test func readsTypeAndDataOfAResponse() throws {
        let octets: [UInt8] = [2, 0x50, 0, 10, 1] + Array("alice".utf8)
        let packet = try EAPPacket(octets.span)
        #expect(packet.code == .response && packet.identifier == 0x50 && packet.type == .identity)
        #expect(packet.data == Array("alice".utf8))
        #expect(EAPPacket.octets(.response, 0x50, .identity, packet.data) == octets)
    }

    @Test func octetsBehindTheLengthArePadding() throws {
        let octets: [UInt8] = [2, 1, 0, 6, 3, 4, 0xff, 0xff]
        #expect(try EAPPacket(octets.span).data == [4])
    }

    @Test(arguments: [
        ([], EAPDecodeError.tooShort), ([2, 1, 0], .tooShort), ([2, 1, 0, 3, 1], .tooShort), ([2, 1, 0, 6, 3], .lengthBeyondMessage),
        ([2, 1, 0xff, 0xff, 3], .lengthBeyondMessage), ([0, 1, 0, 5, 1], .unknownCode), ([5, 1, 0, 5, 1], .unknownCode),
        ([2, 1, 0, 4], .typeMissing), ([1, 1, 0, 4], .typeMissing), ([2, 1, 0, 11, 254, 0, 0, 0, 0, 0, 0], .typeMissing),
        ([3, 1, 0, 5, 1], .trailingOctets), ([4, 1, 0, 5, 1], .trailingOctets),
    ])
    func refusesWhatIsNoPacket(octets: [UInt8], reason: EAPDecodeError) {
        #expect(Self.refusal(octets) == reason)
    }

    @Test func anExpandedTypeOfTheIETFIsTheTypeItself() throws {
        let octets: [UInt8] = [2, 1, 0, 14, 254, 0, 0, 0, 0, 0, 0, 6, 0x68, 0x69]
        let packet = try EAPPacket(octets.span)
        #expect(packet.type == .gtc && packet.isExpanded && packet.data == [0x68, 0x69])
        let vendors: [UInt8] = [2, 1, 0, 12, 254, 0, 1, 0x37, 0, 0, 0, 26]
        #expect(try EAPPacket(vendors.span).type == EAPType(vendor: 311, 26))
    }

    /// The peer of RFC 3748 §5.3.2 wants MD5-Challenge, One-Time Password and a vendor's type.
    @Test func readsBothKindsOfNak() throws {
        let legacy: [UInt8] = [2, 1, 0, 9, 3, 0, 254, 6, 4]
        #expect(EAPNak.desired(try EAPPacket(legacy.span)) == [.gtc, .md5Challenge])
        let entries: [[UInt8]] = [[254, 0, 0, 0, 0, 0, 0, 4], [254, 0, 0, 0, 0, 0, 0, 5], [254, 0, 0, 20, 0, 0, 0, 6], [254, 0, 0]]
        let octets: [UInt8] = [2, 1, 0, 39, 254, 0, 0, 0, 0, 0, 0, 3] + entries.joined()
        #expect(EAPNak.desired(try EAPPacket(octets.span)) == [.md5Challenge, EAPType(5), EAPType(vendor: 20, 6)])
    }

    @Test func isSplitInto253OctetsWhereItIsLonger() throws {
        for count in [1, 252, 253, 254, 506, 507, 1300] {
            let packet = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            var octets = [UInt8](repeating: 0, count: 4096)
            var writer = PacketWriter(octets.mutableSpan, code: .accessChallenge, identifier: 1)
            writer.append(eap: packet)
            let end = writer.finish().count
            var index = AttributeIndex()
            try index.fill(from: octets.span.extracting(0..<end))
            let parts = (0..<index.count).map { index[$0] }
            #expect(parts.allSatisfy { $0.type == 79 && $0.count > 0 })
            #expect(parts.dropLast().allSatisfy { $0.count == 253 })
            #expect(parts.flatMap { Array(octets[$0.range]) } == packet)
        }
    }
}
