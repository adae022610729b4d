import Testing

@testable import RadiusCore

@Suite struct SecretMaskTests {
    private let dictionary: RadiusDictionary

    init() throws {
        dictionary = try ShippedDictionaries.loaded.get()
    }

    /// A mark that is not in any other value, as octets and as they are printed.
    private static let mark = Array("Zq9#vX-pw".utf8)

    private func shown(_ attributes: [UInt8], code: PacketCode = .accessRequest) -> [TransactionReport.Attribute] {
        let packet = TestPacket.build(code, 1, sign: true) { $0.append(encoded: attributes.span) }
        return TransactionReport.Packet(packet, dictionary).attributes
    }

    private func isLeaked(_ attributes: [TransactionReport.Attribute]) -> Bool {
        let printed = Self.mark.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return attributes.contains { $0.value.contains("Zq9#vX-pw") || $0.value.lowercased().contains(printed) }
    }

    private static func attribute(_ type: UInt8, _ value: [UInt8]) -> [UInt8] { [type, UInt8(2 + value.count)] + value }

    private static func vendor(_ number: UInt32, _ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        let octets = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
        return attribute(26, octets + attribute(type, value))
    }

    /// Everything of the standard space that carries or proves a password, in any length.
    @Test(arguments: [2, 3, 60, 69, 70, 74, 84, 103, 105, 121] as [UInt8], [0, 1, 7, 8] as [Int])
    func standardAttributesWithPasswordsAreHidden(_ type: UInt8, _ padding: Int) {
        let value = Self.mark + [UInt8](repeating: 1, count: padding)
        #expect(!isLeaked(shown(Self.attribute(type, value))))
        #expect(!isLeaked(shown(Self.attribute(type, value), code: .accessAccept)))
    }

    /// MS-CHAP in all its attributes (RFC 2548), those that no dictionary has included.
    @Test func microsoftsAttributesAreHidden() {
        for type in UInt8.min...UInt8.max where ![7, 8, 10, 28, 29, 30, 31].contains(type) {
            #expect(!isLeaked(shown(Self.vendor(311, type, Self.mark))), "311.\(type)")
        }
    }

    /// Whatever our dictionaries call secret, or say is encrypted: each such attribute with a value in clear.
    @Test func everySecretOfTheDictionariesIsHidden() {
        var seen = 0
        for vendor in [0, 9, 311, 429, 529, 2352, 2636, 3076, 4874, 5535, 14122, 14179, 14823, 14988, 24757, 25053] as [UInt32] {
            for number in UInt32(1)...255 {
                guard let definition = dictionary.attribute(number: number, vendor: vendor) else { continue }
                guard definition.isSecret || definition.encryption != .none else { continue }
                seen += 1
                let octets =
                    vendor == 0 ? Self.attribute(UInt8(number), Self.mark) : Self.vendor(vendor, UInt8(number), Self.mark)
                #expect(!isLeaked(shown(octets)), "\(definition.name)")
            }
        }
        #expect(seen >= 10)
    }

    @Test func whatIsInsideEAPIsLeftOut() throws {
        let inner: [UInt8] = [2, 9, 0, UInt8(5 + Self.mark.count), 6] + Self.mark
        let attributes = shown(Self.attribute(79, inner))
        #expect(!isLeaked(attributes))
        #expect(attributes.first { $0.name == "EAP-Message" }?.value == "EAP-Response GTC id 9, 14 octets")
        #expect(!isLeaked(shown(Self.attribute(79, Self.mark))))
    }

    @Test func vendorAttributesThatDoNotParseAreHidden() {
        #expect(!isLeaked(shown(Self.attribute(26, [0, 0, 1, 0x37, 200, 200] + Self.mark))))
        #expect(!isLeaked(shown(Self.vendor(424_242, 5, Self.mark))))
    }

    @Test(arguments: ["psk=", "leap:session-key=", "ip:tunnel-Password = ", "a=b, secret="])
    func keysInsideTextsAreHidden(_ prefix: String) {
        let attributes = shown(Self.vendor(9, 1, Array(prefix.utf8) + Self.mark))
        #expect(!isLeaked(attributes))
        #expect(attributes.contains { $0.name == "Cisco-AVPair" && $0.value.hasSuffix(SecretMask.hidden) })
    }

    @Test func theRestIsShown() {
        let attributes = shown(
            Self.attribute(1, Array("alice".utf8)) + Self.attribute(31, Array("00:53:00:12:34:56".utf8))
                + Self.vendor(9, 1, Array("ip:addr-pool=red".utf8)))
        #expect(attributes.contains(.init(name: "User-Name", value: "alice")))
        #expect(attributes.contains(.init(name: "Calling-Station-Id", value: "00:53:00:12:34:56")))
        #expect(attributes.contains(.init(name: "Cisco-AVPair", value: "ip:addr-pool=red")))
        #expect(attributes.contains { $0.name == "Message-Authenticator" && $0.value.hasPrefix("0x") })
    }
}
