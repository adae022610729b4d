import RadiusCore
import Testing

@testable import lastmile

@Suite struct PacketReaderTests {
    /// RFC 2865 §7.1.
    private let request = "010000380f403f9473978057bd83d5cb98f4227a01066e656d6f02120dbe708d93d413ce3196e43f782a0aee0406c0a80110050600000003"
    private let reply = "0200002686fe220e7624ba2a1005f6bf9b55e0b20606000000010f06000000000e06c0a80103"
    private let secret = SharedSecret(Array("xyzzy5461".utf8))

    private func read(_ text: String, secret: SharedSecret? = nil, requestAuthenticator: String? = nil) throws -> Result<
        DecodedPacket, PacketReader.Refusal
    > {
        PacketReader(
            dictionary: try Shipped.dictionary.get(), secret: secret,
            requestAuthenticator: try DecodeCommand.authenticator(requestAuthenticator, option: "--request-authenticator")
        ).read(text, line: 7)
    }

    @Test func revealsThePasswordOfTheRFC() throws {
        let packet = try read(request, secret: secret).get()
        #expect(
            packet.pairs.map(\.description) == [
                "User-Name = \"nemo\"", "User-Password = \"arctangent\"", "NAS-IP-Address = 192.168.1.16", "NAS-Port = 3",
            ])
        #expect(try read(request).get().pairs[1].isHidden)
    }

    @Test func checksAReplyAgainstItsRequest() throws {
        let authenticator = "0f403f9473978057bd83d5cb98f4227a"
        let json = PacketReader.json(try read(reply, secret: secret, requestAuthenticator: authenticator))
        #expect(json["code"]?.text == "Access-Accept")
        #expect(json["authenticator_check"]?.text == "valid")
        #expect(
            json["attributes"]?.elements.first == .object([.init("name", .string("Service-Type")), .init("value", .string("Login-User"))]))
        let other = try read(reply, secret: SharedSecret([1]), requestAuthenticator: authenticator).get()
        #expect(other.packetAuthenticator == .invalid)
    }

    @Test(arguments: [
        ("0200", "fewer than 20 octets (RFC 2865 §3)"), ("01 00:00", "fewer than 20 octets (RFC 2865 §3)"),
        ("zz", "“z” is no hexadecimal digit"),
        ("012", "an odd number of hexadecimal digits"),
    ])
    func saysWhyALineIsNoPacket(_ text: String, _ reason: String) throws {
        #expect(try read(text) == .failure(PacketReader.Refusal(line: 7, reason: reason)))
    }

    @Test func passesOverCommentsAndEmptyLines() {
        #expect(PacketReader.content(Array("  \r".utf8)) == nil)
        #expect(PacketReader.content(Array("# x".utf8)) == nil)
        #expect(PacketReader.content(Array("\t01 \r".utf8)) == "01")
    }

    @Test func encodesWhatItDecoded() throws {
        let text = try read(request, secret: secret).get().description
        let draft = try PacketDraft(text: text)
        let octets = try draft.assemble(dictionary: try Shipped.dictionary.get(), secret: secret, isMarked: false)
        #expect(Hexadecimal.text(octets) == request)
    }

    @Test func refusesTextThatIsNoPacket() throws {
        #expect(throws: CommandFailure.self) { try PacketDraft(text: "Access-Reques id 3\n") }
        #expect(throws: CommandFailure.self) { try PacketDraft(text: "User-Name = \"a\"\nnonsense\n") }
        let unknown = try PacketDraft(text: "User-Nam = \"a\"\n")
        let failure = #expect(throws: CommandFailure.self) {
            try unknown.assemble(dictionary: Shipped.dictionary.get(), secret: nil, isMarked: true)
        }
        #expect(failure?.message.contains("did you mean User-Name?") == true)
        let reply = try PacketDraft(text: "Access-Accept\n")
        #expect(throws: CommandFailure.self) { try reply.assemble(dictionary: Shipped.dictionary.get(), secret: secret, isMarked: true) }
    }

    @Test func readsCodesByNameAndNumber() throws {
        #expect(try PacketDraft.code("coa-request") == .coaRequest)
        #expect(try PacketDraft.code("4") == .accountingRequest)
        #expect(throws: CommandFailure.self) { try PacketDraft.code("256") }
    }

    @Test func readsServersInEveryForm() throws {
        #expect(try Peer(text: "192.0.2.1", defaultPort: 1812).text == "192.0.2.1:1812")
        #expect(try Peer(text: "192.0.2.1:99", defaultPort: 1812).text == "192.0.2.1:99")
        #expect(try Peer(text: "[2001:db8::1]:99", defaultPort: 1812).text == "[2001:db8::1]:99")
        #expect(try Peer(text: "2001:db8::1", defaultPort: 1812).text == "[2001:db8::1]:1812")
        for text in ["", ":1812", "192.0.2.1:0", "192.0.2.1:70000", "192.0.2.1:x", "[2001:db8::1"] {
            #expect(throws: CommandFailure.self) { try Peer(text: text, defaultPort: 1812) }
        }
    }
}
