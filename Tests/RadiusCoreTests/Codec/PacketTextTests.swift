import Testing

@testable import RadiusCore

@Suite struct PacketTextTests {
    private let dictionary: RadiusDictionary
    private let secret = SharedSecret(Array("xyzzy5461".utf8))

    init() throws {
        dictionary = try ShippedDictionaries.loaded.get()
    }

    private func lines(_ texts: [String]) throws -> [AttributeText] {
        try texts.map { line throws(AttributeTextError) in try AttributeText(line: line) }
    }

    /// RFC 2865 §7.1: the RFC prints both the parts and the packet.
    @Test func assemblesTheExampleOfTheStandard() throws {
        let authenticator = try #require(PacketText.authenticator(hexadecimal: "0f403f9473978057bd83d5cb98f4227a"))
        let pairs = ["User-Name = nemo", "User-Password = arctangent", "NAS-IP-Address = 192.168.1.16", "NAS-Port = 3"]
        let packet = try PacketText.assemble(
            .accessRequest, identifier: 0, lines(pairs), dictionary: dictionary, secret: secret, authenticator: authenticator,
            hasMessageAuthenticator: false)
        #expect(
            OctetText.hexadecimal(packet) == "0x010000380f403f9473978057bd83d5cb98f4227a01066e656d6f02120dbe708d93d413ce3196e43f782a0aee"
                + "0406c0a801100506" + "00000003")
    }

    @Test(arguments: [PacketCode.accessRequest, .accountingRequest, .disconnectRequest, .coaRequest, .accessAccept, .coaNAK, .statusServer])
    func signsWhatItAssembles(_ code: PacketCode) throws {
        let authenticator = Digest16(repeating: 0x5a)
        let pairs = ["Tunnel-Password:3 = \"geheim\"", "Message-Authenticator = 0x00", "Class = 0x01"]
        let packet = try PacketText.assemble(
            code, identifier: 7, lines(pairs), dictionary: dictionary, secret: secret, authenticator: authenticator)
        let decoded = try PacketText.describe(packet.span, dictionary: dictionary, secret: secret, requestAuthenticator: authenticator)
        #expect(decoded.code == code)
        #expect(decoded.identifier == 7)
        #expect(decoded.messageAuthenticator == .valid)
        #expect(decoded.packetAuthenticator == (code.hasRandomAuthenticator ? .absent : .valid))
        #expect(decoded.pairs.map { $0.taggedName } == ["Message-Authenticator", "Tunnel-Password:3", "Class"])
        #expect(decoded.pairs[1].value == "geheim")
        #expect(decoded.pairs[1].isSecret)
        let stranger = SharedSecret(Array("xyzzy5462".utf8))
        let other = try PacketText.describe(packet.span, dictionary: dictionary, secret: stranger, requestAuthenticator: authenticator)
        #expect(other.messageAuthenticator == .invalid)
        #expect(try PacketText.describe(packet.span, dictionary: dictionary).messageAuthenticator == .unchecked)
    }

    @Test func describesInLines() throws {
        let packet = try #require(PacketText.octets(hexadecimal: "01 07 00:19 000102030405060708090a0b0c0d0e0f 0105626f62 00"))
        let text = try PacketText.describe(packet.span, dictionary: dictionary).description
        let expected = """
            Access-Request id 7 length 25 authenticator 0x000102030405060708090a0b0c0d0e0f
            # octets of padding behind the packet: 1
            User-Name = "bob"
            """
        #expect(text == expected)
    }

    @Test func refusesAPacketAboveTheLimit() throws {
        let pairs = [String](repeating: "Reply-Message = " + String(repeating: "x", count: 253), count: 16)
        #expect(throws: AttributeTextError(attribute: "Packet", reason: .tooLong(octets: 4100, limit: 4096))) {
            try PacketText.assemble(.accessAccept, identifier: 1, self.lines(pairs), dictionary: self.dictionary)
        }
    }

    @Test(arguments: ["0", "0x1", "xy", "01 0"])
    func refusesWhatIsNotHexadecimal(_ text: String) {
        #expect(PacketText.octets(hexadecimal: text) == nil)
    }

    @Test func explainsEachReason() {
        #expect(Set(DecodeError.allCases.map { $0.explanation }).count == DecodeError.allCases.count)
    }
}
