import Testing

@testable import RadiusCore
@testable import lastmile

@Suite struct ClientPacketTests {
    private let secret = SharedSecret(Array("xyzzy5461".utf8))

    private func access(
        _ method: AuthenticationMethod, user: String, password: String, authenticator: String, challenge: String = "", peer: String = ""
    ) throws -> ClientPacket {
        let zeros = String(repeating: "00", count: 16)
        let random = [authenticator, challenge.isEmpty ? zeros : challenge, peer.isEmpty ? zeros : peer].flatMap(Shipped.octets)
        let credential = try #require(ClientCredential(method, password: Array(password.utf8)))
        return try ClientPacket.access(
            identifier: 7, userName: Array(user.utf8), credential: credential, secret: secret, random: random)
    }

    private func values(_ number: UInt8, _ packet: ClientPacket) -> [[UInt8]] {
        var cursor = AttributeCursor(20..<packet.octets.count)
        var found: [[UInt8]] = []
        while let member = cursor.next(in: packet.octets.span) {
            if member.type == UInt32(number) { found.append(Array(packet.octets[member.range])) }
        }
        return found
    }

    /// RFC 2865 §7.1.
    @Test func hidesThePasswordOfTheRFC() throws {
        let packet = try access(.pap, user: "nemo", password: "arctangent", authenticator: "0f403f9473978057bd83d5cb98f4227a")
        #expect(values(2, packet) == [Shipped.octets("0dbe708d93d413ce3196e43f782a0aee")])
        #expect(packet.octets[20] == 80)
        let isSigned = MessageAuthenticator.verify(
            packet.octets.span, attributeOffset: 20, authenticator: packet.authenticator, secret: secret)
        #expect(isSigned)
    }

    /// RFC 2865 §7.2: identifier 22 answers the Request Authenticator.
    @Test func answersTheChallengeOfTheRFC() throws {
        let packet = try access(
            .chap, user: "flopsy", password: "arctangent", authenticator: "2aee86f08d0d55969ca5978e0d3367a2",
            challenge: "16" + String(repeating: "00", count: 15))
        #expect(values(3, packet) == [Shipped.octets("16e97557c316185895f293ff6344077275")])
    }

    /// RFC 2759 §9.2.
    @Test func answersAndProvesMSCHAPv2AsInTheRFC() throws {
        let packet = try access(
            .msCHAPv2, user: "User", password: "clientPass", authenticator: String(repeating: "11", count: 16),
            challenge: "5B5D7C7D7B3F2F3E3C2C602132262628", peer: "21402324255E262A28295F2B3A337C7E")
        let response = try #require(values(26, packet).last)
        #expect(Array(response.prefix(6)) == [0, 0, 1, 55, 25, 52])
        #expect(Array(response[6 + 26..<6 + 50]) == Shipped.octets("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"))
        let proof = Array("S=407A5589115FD0D6209F510FE9C04566932CDA56".utf8)
        let success = [UInt8(26), 51, 0, 0, 1, 55, 26, 45, 0x5b] + proof
        #expect(try packet.verify(reply(2, to: packet, success).span, secret: secret).code == .accessAccept)
        let wrong = success.dropLast() + [0x37]
        #expect(throws: ReplyFault.serverProofInvalid) { try packet.verify(reply(2, to: packet, Array(wrong)).span, secret: secret) }
        #expect(throws: ReplyFault.serverProofMissing) { try packet.verify(reply(2, to: packet, []).span, secret: secret) }
        #expect(try packet.verify(reply(3, to: packet, []).span, secret: secret).code == .accessReject)
    }

    private func reply(_ code: UInt8, to packet: ClientPacket, _ attributes: [UInt8], identifier: UInt8? = nil) -> [UInt8] {
        var reply =
            [code, identifier ?? packet.identifier, 0, UInt8(20 + attributes.count)] + [UInt8](repeating: 0, count: 16) + attributes
        var span = reply.mutableSpan
        ResponseAuthenticator.sign(&span, requestAuthenticator: packet.authenticator, secret: secret)
        return reply
    }

    /// RFC 2865 §7.1.
    @Test func matchesTheReplyOfTheRFC() throws {
        let authenticator = try #require(PacketText.authenticator(hexadecimal: "0f403f9473978057bd83d5cb98f4227a"))
        let reply = Shipped.octets("0200002686fe220e7624ba2a1005f6bf9b55e0b20606000000010f06000000000e06c0a80103")
        let verdict = try ReplyVerification.verify(
            reply.span, code: .accessRequest, identifier: 0, authenticator: authenticator, secret: secret)
        #expect(verdict.code == .accessAccept)
        #expect(verdict.messageAuthenticator == .absent)
        var altered = reply
        altered[37] ^= 1
        #expect(throws: ReplyFault.packet(.responseAuthenticatorInvalid)) {
            try ReplyVerification.verify(altered.span, code: .accessRequest, identifier: 0, authenticator: authenticator, secret: secret)
        }
        #expect(throws: ReplyFault.otherIdentifier(0)) {
            try ReplyVerification.verify(reply.span, code: .accessRequest, identifier: 1, authenticator: authenticator, secret: secret)
        }
        #expect(throws: ReplyFault.unexpectedCode(.accessAccept)) {
            try ReplyVerification.verify(reply.span, code: .accountingRequest, identifier: 0, authenticator: authenticator, secret: secret)
        }
    }

    @Test func refusesAMessageAuthenticatorThatLies() throws {
        let packet = try access(.pap, user: "u", password: "p", authenticator: String(repeating: "22", count: 16))
        let forged = reply(2, to: packet, [80, 18] + [UInt8](repeating: 9, count: 16))
        #expect(throws: ReplyFault.packet(.messageAuthenticatorInvalid)) { try packet.verify(forged.span, secret: secret) }
    }

    @Test func refusesWhatCannotBeSent() throws {
        let credential = try #require(ClientCredential(.pap, password: []))
        #expect(throws: ClientPacket.Fault.userNameLength(0)) {
            try ClientPacket.access(identifier: 0, userName: [], credential: credential, secret: secret)
        }
        #expect(throws: ClientPacket.Fault.tooLong) {
            try ClientPacket.accounting(identifier: 0, attributes: [UInt8](repeating: 0, count: 4090), secret: secret)
        }
        #expect(ClientCredential(.pap, password: [UInt8](repeating: 1, count: 129)) == nil)
        #expect(ClientCredential(.msCHAPv2, password: [0xff]) == nil)
        #expect(ClientCredential(.eap, password: []) == nil)
    }

    @Test func silenceMayBeThatOfAHomeServer() throws {
        let peer = try Peer(text: "127.0.0.1", defaultPort: 1812)
        let login = try access(.pap, user: "nemo", password: "arctangent", authenticator: "0f403f9473978057bd83d5cb98f4227a")
        #expect(RadiusExchange.silence(peer, login, 2).details.last?.contains("lastmile home-server status") == true)
        let status = try ClientPacket.status(identifier: 1, secret: secret)
        #expect(!RadiusExchange.silence(peer, status, 2).details.contains { $0.contains("home-server") })
    }

    @Test func namesTheOptionThatIsMissing() {
        var options = TransportOptions()
        (options.transport, options.ca, options.cert) = (.tls, "ca.pem", nil)
        let given = options
        let failure = #expect(throws: CommandFailure.self) { try given.context() }
        #expect(failure?.message == "--cert is missing")
    }
}
