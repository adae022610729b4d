import CLinux
import Testing

@testable import RadiusCore

/// Packets of RADIUS/1.1 at both ends of a connection, against octets worked out from RFC 9765 §4.
@Suite struct TokenTests {
    private static let secret = StreamPeer.radsec

    /// A packet as a peer sends it. What is reserved must be ignored, so it is not zero here.
    static func packet(_ code: UInt8, _ attributes: [UInt8], token: [UInt8] = [0xa1, 0xb2, 0xc3, 0xd4]) -> [UInt8] {
        let length = 20 + attributes.count
        let start: [UInt8] = [code, 0xff, UInt8(length >> 8), UInt8(length & 0xff)]
        return start + token + [UInt8](repeating: 0xee, count: 12) + attributes
    }

    private static let name = ScriptedHomeServer.attribute(1, Array("nemo".utf8))

    @Test func aRequestBecomesOneOfRADIUS10() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        var server = ServerTokens()
        let password = ScriptedHomeServer.attribute(2, Array("arctangent".utf8))
        let (octets, mark) = try server.request(Self.packet(1, Self.name + password).span, dictionary)
        #expect(mark.token == 0xa1b2_c3d4)
        #expect(octets[0] == 1 && octets[1] == 0xd4 && Array(octets[2..<4]) == [0, 44] && octets.count == 44)
        #expect(Array(octets[4..<8]) == [0xa1, 0xb2, 0xc3, 0xd4])
        let hidden = try #require(ScriptedHomeServer.values(2, in: octets).first)
        let clear = try filling(128) {
            try UserPassword.reveal(hidden.span, requestAuthenticator: digest16(octets[4..<20]), secret: Self.secret, into: &$0)
        }
        #expect(clear == Array("arctangent".utf8))
        // Nobody else's authenticator is the same.
        var other = ServerTokens()
        let elsewhere = try other.request(Self.packet(1, Self.name + password).span, dictionary).octets
        #expect(elsewhere[4..<8] == octets[4..<8] && elsewhere[4..<20] != octets[4..<20])
    }

    @Test func whatMustBeSignedIs() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        var server = ServerTokens()
        let eap = try server.request(Self.packet(1, Self.name + ScriptedHomeServer.attribute(79, [2, 1, 0, 4])).span, dictionary).octets
        let status = try server.request(Self.packet(12, [], token: [0, 0, 0, 0]).span, dictionary).octets
        for packet in [eap, status] {
            #expect(packet[20] == 80)
            let isSigned = MessageAuthenticator.verify(
                packet.span, attributeOffset: 20, authenticator: digest16(packet[4..<20]), secret: Self.secret)
            #expect(isSigned)
        }
        for (position, code) in [UInt8(4), 40, 43].enumerated() {
            let record = Self.packet(code, ScriptedHomeServer.attribute(40, [0, 0, 0, 1]), token: [9, 9, 9, UInt8(position)])
            let packet = try server.request(record.span, dictionary).octets
            let isSigned = RequestAuthenticator.verify(packet.span, secret: Self.secret)
            #expect(isSigned, "\(code)")
        }
    }

    @Test func aReplyBecomesOneOfRADIUS11() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        var server = ServerTokens()
        let (request, mark) = try server.request(Self.packet(1, Self.name).span, dictionary)
        let key = (0..<32).map { UInt8($0) }
        let salted = filling(64) {
            SaltEncryption.hide(key.span, salt: 0x8001, authenticator: digest16(request[4..<20]), secret: Self.secret, into: &$0)
        }
        let extra =
            ScriptedHomeServer.attribute(26, [0, 0, 1, 55, 16, UInt8(salted.count + 2)] + salted)
            + ScriptedHomeServer.attribute(18, Array("hello".utf8))
        let accept = ScriptedHomeServer.reply(.accessAccept, to: request, secret: Self.secret, extra: extra)
        #expect(accept[20] == 80)
        let expected: [[UInt8]] = [
            [2, 0, 0, 67, 0xa1, 0xb2, 0xc3, 0xd4], [UInt8](repeating: 0, count: 12), [26, 40, 0, 0, 1, 55, 16, 34], key, [18, 7],
            Array("hello".utf8),
        ]
        #expect(server.reply(accept.span, to: mark, dictionary) == Array(expected.joined()))
    }

    @Test func aTokenIsOfOnePacket() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        var server = ServerTokens()
        let first = Self.packet(1, Self.name)
        let (octets, mark) = try server.request(first.span, dictionary)
        // The same again is a repetition; what is reserved may differ.
        var same = first
        (same[1], same[12]) = (0, 0)
        let again = try server.request(same.span, dictionary)
        #expect(again.octets == octets && again.mark == mark)
        #expect(throws: DecodeError.tokenReused) {
            try server.request(Self.packet(1, ScriptedHomeServer.attribute(1, Array("otto".utf8))).span, dictionary)
        }
        #expect(throws: DecodeError.tokenReused) { try server.request(Self.packet(4, Self.name).span, dictionary) }
        // Only so many are remembered: by then the peer has counted on far enough.
        for number in UInt8.min...UInt8.max {
            _ = try server.request(Self.packet(1, Self.name, token: [0, 0, 0, number]).span, dictionary)
        }
        _ = try server.request(Self.packet(4, Self.name).span, dictionary)
    }

    @Test func chapNeedsItsChallenge() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        var server = ServerTokens()
        let chap = ScriptedHomeServer.attribute(3, [UInt8](repeating: 5, count: 17))
        #expect(throws: DecodeError.chapChallengeMissing) { try server.request(Self.packet(1, Self.name + chap).span, dictionary) }
        let whole = Self.packet(1, Self.name + chap + ScriptedHomeServer.attribute(60, [1, 2, 3, 4]), token: [0, 0, 0, 1])
        #expect(ScriptedHomeServer.values(60, in: try server.request(whole.span, dictionary).octets) == [[1, 2, 3, 4]])
    }

    @Test func aRequestThatGrowsTooLongIsRefused() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        var server = ServerTokens()
        // 16 attributes of 253 octets and one of 28 make 4096 octets with the header.
        let filler = (0..<16).flatMap { _ in ScriptedHomeServer.attribute(18, [UInt8](repeating: 65, count: 251)) }
        let longest = Self.packet(1, filler + ScriptedHomeServer.attribute(18, [UInt8](repeating: 65, count: 26)))
        #expect(longest.count == 4096)
        #expect(try server.request(longest.span, dictionary).octets.count == 4096)
        let growing = Self.packet(
            1, filler + ScriptedHomeServer.attribute(2, [65]) + ScriptedHomeServer.attribute(18, [UInt8](repeating: 65, count: 23)),
            token: [0, 0, 0, 1])
        #expect(growing.count == 4096)
        #expect(throws: DecodeError.translatedTooLong) { try server.request(growing.span, dictionary) }
    }

    private static func request(_ packet: [UInt8], of client: inout ClientTokens) throws -> [UInt8] {
        let octets = client.request(packet.span, try ShippedDictionaries.loaded.get())
        return try #require(octets)
    }

    private static func reply(_ packet: [UInt8], to client: inout ClientTokens) throws -> [UInt8] {
        try client.reply(packet.span, try ShippedDictionaries.loaded.get())
    }

    @Test func aClientsRequestLosesWhatRADIUS10Needs() throws {
        var client = ClientTokens(secret: Self.secret)
        let chap = ScriptedHomeServer.attribute(3, [UInt8](repeating: 5, count: 17))
        let request = try Self.request(TestPacket.access(7, extra: chap, secret: Self.secret), of: &client)
        #expect(request[1] == 0 && request[8..<20].allSatisfy { $0 == 0 })
        // CHAP's challenge was the authenticator (RFC 9765 §5.1.2).
        let attributes: [[UInt8]] = [
            Self.name, ScriptedHomeServer.attribute(2, Array("arctangent".utf8)), chap,
            ScriptedHomeServer.attribute(60, octets(TestPacket.authenticator)),
        ]
        #expect(Array(request[20...]) == Array(attributes.joined()))
        #expect(Int(request[2]) << 8 | Int(request[3]) == request.count)
        let next = try Self.request(TestPacket.status(secret: Self.secret), of: &client)
        #expect(next.count == 20 && next[0] == 12)
        #expect(TokenPacket.token(of: next.span) == TokenPacket.token(of: request.span) &+ 1)
    }

    @Test func aReplyIsFoundByItsTokenAlone() throws {
        var client = ClientTokens(secret: Self.secret)
        let packet = TestPacket.access(7, secret: Self.secret)
        let request = try Self.request(packet, of: &client)
        let key = (0..<32).map { UInt8($0) }
        let vendor = ScriptedHomeServer.attribute(26, [0, 0, 1, 55, 17, 34] + key)
        let reply = Self.packet(2, vendor + ScriptedHomeServer.attribute(80, [1]), token: Array(request[4..<8]))
        #expect(throws: ClientTokens.Refusal.unmatched) { try Self.reply(Self.packet(2, vendor, token: [0, 0, 0, 0]), to: &client) }
        #expect(throws: ClientTokens.Refusal.malformed) {
            try Self.reply(Self.packet(2, [1, 9], token: Array(request[4..<8])), to: &client)
        }
        let octets = try Self.reply(reply, to: &client)
        let verdict = try ReplyVerification.verify(
            octets.span, code: .accessRequest, identifier: 7, authenticator: TestPacket.authenticator, secret: Self.secret)
        #expect(verdict.code == .accessAccept && verdict.messageAuthenticator == .first)
        let hidden = Array(try #require(ScriptedHomeServer.values(26, in: octets).first)[6...])
        let clear = try filling(64) {
            try SaltEncryption.reveal(hidden.span, authenticator: TestPacket.authenticator, secret: Self.secret, into: &$0)
        }
        #expect(clear == key)
        // It was waited for once.
        #expect(throws: ClientTokens.Refusal.unmatched) { try Self.reply(reply, to: &client) }
    }

    @Test func anIdentifierThatIsTakenAgainForgetsTheRequestBefore() throws {
        var client = ClientTokens(secret: Self.secret)
        let first = try Self.request(TestPacket.access(7, secret: Self.secret), of: &client)
        let second = try Self.request(TestPacket.access(7, user: "otto", secret: Self.secret), of: &client)
        #expect(throws: ClientTokens.Refusal.unmatched) { try Self.reply(Self.packet(3, [], token: Array(first[4..<8])), to: &client) }
        let reply = try Self.reply(Self.packet(3, [], token: Array(second[4..<8])), to: &client)
        #expect(reply[1] == 7)
    }

    @Test func aReplyThatGrowsTooLongEndsItsRequest() throws {
        var client = ClientTokens(secret: Self.secret)
        let request = try Self.request(TestPacket.access(7, secret: Self.secret), of: &client)
        // 16 attributes of 253 octets and one of 28 make 4096 octets with the header.
        let filler = (0..<16).flatMap { _ in ScriptedHomeServer.attribute(18, [UInt8](repeating: 65, count: 251)) }
        let attributes = filler + ScriptedHomeServer.attribute(18, [UInt8](repeating: 65, count: 26))
        let longest = Self.packet(2, attributes, token: Array(request[4..<8]))
        #expect(throws: ClientTokens.Refusal.tooLong(7)) { try Self.reply(longest, to: &client) }
        #expect(throws: ClientTokens.Refusal.unmatched) { try Self.reply(longest, to: &client) }
        // A value that cannot be hidden is no better.
        let next = try Self.request(TestPacket.access(8, secret: Self.secret), of: &client)
        let tunnel = ScriptedHomeServer.attribute(69, [1] + [UInt8](repeating: 65, count: 240))
        #expect(throws: ClientTokens.Refusal.tooLong(8)) {
            try Self.reply(Self.packet(2, tunnel, token: Array(next[4..<8])), to: &client)
        }
        // An Accounting-Response needs no Message-Authenticator, and does not grow.
        let record = TestPacket.accounting(9, status: 1, session: "s", secret: Self.secret)
        let token = Array(try Self.request(record, of: &client)[4..<8])
        let response = try Self.reply(Self.packet(5, attributes, token: token), to: &client)
        #expect(response.count == 4096)
        let verdict = try ReplyVerification.verify(
            response.span, code: .accountingRequest, identifier: 9, authenticator: digest16(record[4..<20]), secret: Self.secret)
        #expect(verdict.messageAuthenticator == .absent)
    }

    @Test func aProtocolErrorSaysWhy() {
        let states = ScriptedHomeServer.attribute(33, [1, 2])
        let expected: [[UInt8]] = [[52, 0, 0, 30, 0, 0, 1, 2], [UInt8](repeating: 0, count: 12), [101, 6, 0, 0, 1, 250], states]
        #expect(TokenPacket.protocolError(token: 0x102, .resourcesUnavailable, proxyStates: states) == Array(expected.joined()))
        // Without a request there is no Token (RFC 9765 §3.3.1).
        let demand = TokenPacket.versionDemanded
        #expect(demand[0] == 52 && demand[4..<20].allSatisfy { $0 == 0 } && Array(demand.suffix(6)) == [101, 6, 0, 0, 1, 150])
        #expect(ScriptedHomeServer.values(18, in: demand).count == 1)
    }

    @Test func theWayThroughAThreadsSlotKeepsTheMark() {
        for mark in [RequestMark(token: .max, fold: .max), RequestMark(token: 0, fold: 0), nil] {
            var slot = lm_datagram()
            StreamOrigin(connection: ConnectionHandle(slot: 7, generation: .max), transport: .tls, mark: mark).write(to: &slot)
            let origin = StreamOrigin(&slot)
            #expect(origin.mark == mark && origin.transport == .tls)
            #expect(origin.connection == ConnectionHandle(slot: 7, generation: .max))
        }
    }
}
