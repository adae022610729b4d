import Testing

@testable import RadiusCore

/// The value's layout is RFC 3162 §2.3: reserved octet, length, as many octets of prefix as the length needs.
@Suite struct AddressPrefixTests {
    @Test(
        arguments: [
            ("2001:db8::", 32, [123, 8, 0, 32, 0x20, 0x01, 0x0d, 0xb8]),
            ("2001:db8:0:ff00::", 56, [123, 11, 0, 56, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0xff]),
            ("2001:db8:0:fff0::", 60, [123, 12, 0, 60, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0xff, 0xf0]),
            ("2001:db8::ffff", 64, [123, 12, 0, 64, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0]),
            ("::1", 128, [123, 20, 0, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ] as [(String, Int, [UInt8])]) func writesPrefixes(text: String, length: Int, expected: [UInt8]) throws
    {
        var octets = [UInt8](repeating: 0xee, count: 64)
        let address = try #require(IPAddress(text: text))
        var writer = PacketWriter(octets.mutableSpan, code: .accessAccept, identifier: 1)
        writer.append(123, prefix: address, length: length)
        let has = (writer.contains(123, from: 20), writer.contains(97, from: 20))
        let count = writer.finish().count
        #expect(Array(octets[20..<count]) == expected)
        #expect(has == (true, false))
    }
}
