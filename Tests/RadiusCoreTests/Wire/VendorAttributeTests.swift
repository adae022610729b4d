import Testing

@testable import RadiusCore

@Suite struct VendorAttributeTests {
    private func packet(_ attributes: String) throws -> [UInt8] {
        [UInt8](repeating: 0, count: 20) + (try #require(PacketText.octets(hexadecimal: attributes)))
    }

    /// The octets of the first sub-attribute `number` of `vendor`.
    private func first(_ number: UInt32, of vendor: UInt32, _ format: VendorFormat, in attributes: String) throws -> [UInt8]? {
        let packet = try packet(attributes)
        var index = AttributeIndex()
        try index.fill(from: packet.span)
        return VendorAttribute.first(number, of: vendor, format: format, in: packet.span, index).map { Array(packet[$0]) }
    }

    @Test func findsASubAttributeAmongOthers() throws {
        let attributes = "0103611a0900000009010341" + "1a0c00000137010361190342"
        #expect(try first(25, of: 311, VendorFormat(), in: attributes) == [0x42])
        #expect(try first(1, of: 311, VendorFormat(), in: attributes) == [0x61])
        #expect(try first(1, of: 9, VendorFormat(), in: attributes) == [0x41])
        #expect(try first(2, of: 9, VendorFormat(), in: attributes) == nil)
        #expect(try first(1, of: 10, VendorFormat(), in: attributes) == nil)
    }

    @Test func readsTheVendorsFormat() throws {
        let format = VendorFormat(typeOctets: 2, lengthOctets: 2)
        #expect(try first(258, of: 8164, format, in: "1a0b00001fe40102000541") == [0x41])
    }

    @Test func passesOverWhatFollowsALengthThatLies() throws {
        #expect(try first(2, of: 9, VendorFormat(), in: "1a0c00000009010341020941" + "1a0900000009020342") == [0x42])
    }

    @Test(arguments: ["1a02", "1a05000000", "1a0901000009010341"])
    func hasNoVendorInOpaqueOctets(_ attributes: String) throws {
        let packet = try packet(attributes)
        var index = AttributeIndex()
        try index.fill(from: packet.span)
        let opaque = VendorAttribute(index[0], in: packet.span)
        #expect(opaque?.vendor == nil)
        #expect(try first(1, of: 9, VendorFormat(), in: attributes) == nil)
    }

    @Test func readsExtendedAttributes() throws {
        let packet = try packet("f10401aaf5060280bbccf5040280f10301")
        var index = AttributeIndex()
        try index.fill(from: packet.span)
        let parsed = (
            ExtendedAttribute(index[0], .short, in: packet.span), ExtendedAttribute(index[1], .long, in: packet.span)
        )
        let short = try #require(parsed.0)
        #expect(short.number == 1 && !short.continues && packet[short.range] == [0xaa])
        let long = try #require(parsed.1)
        #expect(long.number == 2 && long.continues && packet[long.range] == [0xbb, 0xcc])
        for (position, shape) in [(2, ExtendedAttribute.Shape.long), (3, .short)] {
            let tooShort = ExtendedAttribute(index[position], shape, in: packet.span)
            #expect(tooShort?.range == nil)
        }
        #expect(ExtendedAttribute.shape(of: 240) == nil)
        #expect(ExtendedAttribute.shape(of: 244) == .short)
        #expect(ExtendedAttribute.shape(of: 246) == .long)
        #expect(ExtendedAttribute.shape(of: 247) == nil)
    }
}
