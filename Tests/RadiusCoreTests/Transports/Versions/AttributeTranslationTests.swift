import Support
import Testing

@testable import RadiusCore

/// Attributes between RADIUS/1.0 and RADIUS/1.1.
@Suite struct AttributeTranslationTests {
    private static func translate(
        _ direction: AttributeTranslation.Direction, _ attributes: [UInt8], secret: [UInt8] = Array("radsec".utf8),
        authenticator: Digest16 = TestPacket.authenticator
    ) throws -> [UInt8] {
        var translation = AttributeTranslation(
            direction, try ShippedDictionaries.loaded.get(), secret: SharedSecret(secret), authenticator: authenticator)
        let packet = [UInt8](repeating: 0, count: PacketHeader.count) + attributes
        try translation.translate(packet.span)
        return translation.octets
    }

    @Test func holdsWhatOthersComputed() throws {
        let vectors = try VectorFile.read("radius-1.1.txt")
        #expect(vectors.count == 15)
        for vector in vectors {
            let (secret, hidden, clear) = (try vector.octets("secret"), try vector.octets("hidden"), try vector.octets("clear"))
            let authenticator = digest16(try vector.octets("authenticator")[...])
            let revealed = try Self.translate(.revealing, hidden, secret: secret, authenticator: authenticator)
            #expect(revealed == clear, "\(vector.testDescription)")
            let again = try Self.translate(.hiding, clear, secret: secret, authenticator: authenticator)
            #expect(again.count == hidden.count, "\(vector.testDescription)")
            #expect((again == hidden) == (vector.kind == "same"), "\(vector.testDescription)")
            let back = try Self.translate(.revealing, again, secret: secret, authenticator: authenticator)
            #expect(back == clear, "\(vector.testDescription)")
        }
    }

    /// Of whatever format, in a TLV or not, between two neighbours with RADIUS/1.0; towards those with 1.1 it is the same inside.
    @Test func hiddenValuesAreHiddenAnewThroughAProxy() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        let secret = Array("the next hop's".utf8)
        let next = Hop(SharedSecret(secret), TestPacket.authenticator)
        let state = ProxyState(mark: 7, number: 8)
        let passage = ForwardedRequest.Passage(userName: nil, filter: AttributeFilter(), dictionary: dictionary, proxyState: state)
        for vector in try VectorFile.read("radius-1.1.txt") {
            let (hidden, clear) = (try vector.octets("hidden"), try vector.octets("clear"))
            let from = Hop(SharedSecret(try vector.octets("secret")), digest16(try vector.octets("authenticator")[...]))
            let start: [UInt8] = [1, 9, 0, UInt8(PacketHeader.count + hidden.count)]
            var packet = start + octets(from.authenticator) + hidden
            let request = try ForwardedRequest.access(packet.span, secret: from.secret, passage, to: next, identifier: 1)
            let forwarded = try Self.translate(.revealing, Array(request.octets[PacketHeader.count...]), secret: secret)
            #expect(forwarded == clear + ScriptedHomeServer.attribute(33, state.octets), "\(vector.testDescription)")
            packet[0] = PacketCode.accessAccept.rawValue
            var salt: UInt16 = 0
            let reply = try ReturnedReply.attributes(
                of: packet.span, AttributeFilter(), dictionary, from: from, to: next, salt: &salt)
            #expect(try Self.translate(.revealing, reply, secret: secret) == clear, "\(vector.testDescription)")
        }
    }

    @Test func whatCannotBeRevealedCrossesAProxyAsItIs() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        let hop = Hop(SharedSecret(Array("radsec".utf8)), TestPacket.authenticator)
        var translation = AttributeTranslation(
            .rehiding(for: Hop(TestServer.secret, TestPacket.authenticator), leavingUsual: false), dictionary, secret: hop.secret,
            authenticator: hop.authenticator)
        // A key of WiMAX of an impossible length, one that goes on and its end, Original-Packet-Code, and what is nothing at all.
        let parts: [(UInt8, [UInt8])] = [
            (26, [0, 0, 96, 181, 5, 6, 0, 1, 2, 3]), (26, [0, 0, 96, 181, 5, 21, 0x80] + [UInt8](repeating: 1, count: 18)),
            (26, [0, 0, 96, 181, 5, 21, 0] + [UInt8](repeating: 2, count: 18)), (241, [4, 0, 0, 0, 1]), (26, [1, 2]), (1, []),
        ]
        for (type, value) in parts {
            let crossing = translation.crossing(type, value)
            #expect(crossing == ScriptedHomeServer.attribute(type, value))
        }
    }

    @Test func whatHasNoPlaceInRADIUS11IsLeftOutBothWays() throws {
        let kept = ScriptedHomeServer.attribute(1, Array("nemo".utf8)) + ScriptedHomeServer.attribute(241, [3, 0, 0, 16, 0])
        // Message-Authenticator, and Original-Packet-Code (241.4).
        let dropped =
            ScriptedHomeServer.attribute(80, [UInt8](repeating: 7, count: 16)) + ScriptedHomeServer.attribute(241, [4, 0, 0, 0, 1])
            + ScriptedHomeServer.attribute(80, [1])
        for direction in [AttributeTranslation.Direction.hiding, .revealing] {
            #expect(try Self.translate(direction, dropped + kept + dropped) == kept)
        }
    }

    @Test func othersCrossAsTheyAre() throws {
        let parts: [(UInt8, [UInt8])] = [
            (3, [UInt8](repeating: 5, count: 17)), (60, [1, 2, 3]), (79, [2, 1, 0, 4]), (24, []),
            // Of no known vendor, not a vendor's at all, and one whose length lies inside.
            (26, [0, 0xff, 0xff, 0xff, 1, 3, 9]), (26, [1, 2]), (26, [0, 0, 1, 55, 16, 90, 1]),
            // A number that nobody knows, a long one that goes on, and an extended one too short to be one.
            (255, [1]), (245, [1, 0x80, 5]), (241, []),
        ]
        let attributes = parts.flatMap { ScriptedHomeServer.attribute($0, $1) }
        for direction in [AttributeTranslation.Direction.hiding, .revealing] {
            #expect(try Self.translate(direction, attributes) == attributes)
        }
    }

    @Test func anImpossiblePasswordStaysOne() throws {
        for count in [0, 129, 253] {
            let password = ScriptedHomeServer.attribute(2, [UInt8](repeating: 65, count: count))
            #expect(try Self.translate(.hiding, password) == [2, 2])
        }
        // An empty one of RADIUS/1.0 has one octet (RFC 9765 §5.1.1), and that is the same password.
        let hidden = try Self.translate(.hiding, ScriptedHomeServer.attribute(2, [0]))
        #expect(hidden.count == 18)
        #expect(try Self.translate(.revealing, hidden) == [2, 3, 0])
        // What cannot be hidden says nothing; neither does it here.
        #expect(try Self.translate(.revealing, [2, 5, 1, 2, 3]) == [2, 5, 1, 2, 3])
    }

    @Test func aTagIsToldFromAPasswordsFirstOctet() throws {
        let hidden = try Self.translate(.hiding, ScriptedHomeServer.attribute(69, Array("no tag".utf8)))
        #expect(hidden[2] == 0)
        #expect(try Self.translate(.revealing, hidden) == ScriptedHomeServer.attribute(69, [0] + Array("no tag".utf8)))
    }

    @Test func valuesTooLongToBeHiddenAreRefused() throws {
        #expect(throws: DecodeError.translatedTooLong) {
            try Self.translate(.hiding, ScriptedHomeServer.attribute(69, [1] + [UInt8](repeating: 65, count: 240)))
        }
        #expect(throws: DecodeError.translatedTooLong) {
            try Self.translate(.hiding, ScriptedHomeServer.attribute(26, [0, 0, 2, 17, 214, 19] + [UInt8](repeating: 65, count: 17)))
        }
        let longest = try Self.translate(.hiding, ScriptedHomeServer.attribute(69, [1] + [UInt8](repeating: 65, count: 239)))
        #expect(longest.count == 2 + 1 + 242)
    }

    @Test func aVendorsAttributeThatGrowsTooLongIsDivided() throws {
        let keys = (0..<7).flatMap { (octet: UInt8) -> [UInt8] in [16, 34] + [UInt8](repeating: octet, count: 32) }
        let whole = ScriptedHomeServer.attribute(26, [0, 0, 1, 55] + keys)
        let hidden = try Self.translate(.hiding, whole)
        #expect(ScriptedHomeServer.values(26, in: [UInt8](repeating: 0, count: 20) + hidden).map(\.count) == [4 + 4 * 52, 4 + 3 * 52])
        let clear = try Self.translate(.revealing, hidden)
        #expect(ScriptedHomeServer.values(26, in: [UInt8](repeating: 0, count: 20) + clear).flatMap { $0.dropFirst(4) } == keys)
    }

    @Test func saltsAreNotRepeated() throws {
        let keys = (0..<20).flatMap { (octet: UInt8) -> [UInt8] in ScriptedHomeServer.attribute(26, [0, 0, 1, 55, 16, 3, octet]) }
        let hidden = try Self.translate(.hiding, keys)
        let salts = ScriptedHomeServer.values(26, in: [UInt8](repeating: 0, count: 20) + hidden).map { Array($0[6..<8]) }
        #expect(salts.count == 20 && Set(salts).count == 20)
        #expect(salts.allSatisfy { $0[0] & 0x80 != 0 })
    }

    @Test func whateverComesParsesAfterwards() throws {
        var random = SeededGenerator(state: 7)
        // Of those that are taken apart: by vendors with formats of all kinds, and extended ones.
        let fronts: [[UInt8]] = [
            [0, 0, 1, 55, 16], [0, 0, 1, 55, 12], [0, 0, 2, 17, 214], [0, 0, 96, 181, 5], [0, 0, 160, 152, 5], [0, 0, 1, 173],
            [0, 0, 18, 238],
        ]
        let types: [UInt8] = [2, 69, 26, 26, 26, 241, 245, 79, 33]
        for _ in 0..<2000 {
            var attributes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let type = types.randomElement(using: &random) ?? 26
                let front = type == 26 ? fronts.randomElement(using: &random) ?? [] : []
                let rest = random.octets(Int.random(in: 0...253 - front.count, using: &random))
                // Half of the time the first length inside is right.
                let isRight = !rest.isEmpty && Bool.random(using: &random)
                let inner = isRight ? [UInt8(min(255, rest.count + 1))] + Array(rest.dropFirst()) : rest
                attributes += ScriptedHomeServer.attribute(type, front + inner)
            }
            let hidden: [UInt8]
            do { hidden = try Self.translate(.hiding, attributes) } catch DecodeError.translatedTooLong { continue }
            let clear = try Self.translate(.revealing, hidden)
            for octets in [hidden, clear] {
                var cursor = AttributeCursor(0..<octets.count)
                while cursor.next(in: octets.span) != nil {}
                #expect(!cursor.isMalformed)
            }
        }
    }

    @Test func lengthsThatLieAreRefused() {
        #expect(throws: DecodeError.attributeTooShort) { try Self.translate(.hiding, [1, 1]) }
        #expect(throws: DecodeError.attributeOverrun) { try Self.translate(.hiding, [1, 3, 65, 1, 4, 65]) }
        #expect(throws: DecodeError.attributeOverrun) { try Self.translate(.hiding, [1]) }
    }
}
