import Support
import Testing

@testable import RadiusCore

/// EAP-SIM, EAP-AKA and EAP-AKA' packet by packet, with a peer that answers wrongly where a test wants it.
@Suite struct EAPCardTests {
    private static let types = [EAPType.sim, .aka, .akaPrime]
    private static let name = Array("001010000000001".utf8)

    private static func credential() throws -> SIMCredential {
        try SIMCredential(text: "465b5ce8b199b49faa5f0a2ee238a6bc:cd63cb71954a9f4e48a5994e37a02baf")
    }

    private static func desk(_ type: EAPType, refusal: AccessReason? = nil) throws -> EAPDesk {
        let card = EAPAccount.Card(try credential(), subscriber: 7)
        let desk = EAPDesk([String(decoding: name, as: UTF8.self): EAPAccount(.none, card: card, refusal: refusal)])
        desk.methods = [type]
        desk.card = EAPCardSurroundings(
            sequences: SIMSequences(node: [1]), network: Array("WLAN".utf8), now: 17_000_000_000)
        return desk
    }

    /// A device with the right card.
    private struct Peer {
        let type: EAPType
        let identity: [UInt8]
        let nonce = [UInt8](repeating: 5, count: 16)
        var keys: SIMKeys?

        init(_ type: EAPType) {
            self.type = type
            let digit: UInt8 = type == .sim ? 0x31 : type == .aka ? 0x30 : 0x36
            identity = [digit] + name + Array("@wlan.mnc001.mcc001.3gppnetwork.org".utf8)
        }

        func response(_ request: [UInt8], _ data: [UInt8]) -> [UInt8] { EAPPacket.octets(.response, request[1], type, data) }

        /// A Response with a code over it and what is behind it in `more`.
        func coded(_ request: [UInt8], _ subtype: UInt8, _ attributes: [UInt8] = [], more: [UInt8] = []) -> [UInt8] {
            let data = [subtype, 0, 0] + attributes + [11, 5, 0, 0] + [UInt8](repeating: 0, count: 16)
            let packet = response(request, data)
            return Array(packet.dropLast(16)) + (keys?.code(packet + more) ?? [])
        }

        /// What an honest device says to the first two Requests.
        mutating func answer(_ request: [UInt8], _ milenage: Milenage) throws -> [UInt8] {
            let attributes = try SIMAttributes(Array(request.dropFirst(5)))
            switch attributes.subtype {
            case 10: return response(request, [10, 0, 0, 7, 5, 0, 0] + nonce + [16, 1, 0, 1])
            case 11: return try answerTriplets(request, attributes, milenage)
            case 1: return try answerVector(request, attributes, milenage)
            default: return coded(request, attributes.subtype)
            }
        }

        private mutating func answerTriplets(_ request: [UInt8], _ attributes: SIMAttributes, _ milenage: Milenage) throws -> [UInt8] {
            let randoms = try #require(attributes.fixed(.random, count: 48))
            let triplets = stride(from: 0, to: 48, by: 16).map { milenage.triplet(random: Array(randoms[$0..<$0 + 16])) }
            keys = SIMKeys(
                identity: identity, cipherKeys: triplets.map(\.cipherKey), nonce: nonce, versions: [0, 1], selected: [0, 1])
            return coded(request, 11, more: triplets.flatMap(\.response))
        }

        private mutating func answerVector(_ request: [UInt8], _ attributes: SIMAttributes, _ milenage: Milenage) throws -> [UInt8] {
            let random = try #require(attributes.fixed(.random, count: 16))
            let token = try #require(attributes.fixed(.networkToken, count: 16))
            let vector = milenage.vector(random: random)
            let bound = SIMKeys.bind(
                cipherKey: vector.cipherKey, integrityKey: vector.integrityKey, network: Array("WLAN".utf8),
                hiddenSequence: Array(token.prefix(6)))
            keys =
                type == .aka
                ? SIMKeys(identity: identity, integrityKey: vector.integrityKey, cipherKey: vector.cipherKey)
                : SIMKeys(identity: identity, boundIntegrityKey: bound.integrityKey, boundCipherKey: bound.cipherKey)
            return coded(request, 1, [3, 3, 0, 64] + vector.response)
        }
    }

    private static func begin(_ type: EAPType, _ desk: EAPDesk) -> (session: EAPSession, request: [UInt8]) {
        var session = EAPSession()
        let first = EAPPeerScript.response(7, .identity, Peer(type).identity)
        let request = session.receive(first, desk.surroundings).packet
        return (session, request)
    }

    /// Up to the Request with the challenge.
    private static func challenged(_ type: EAPType, _ desk: EAPDesk, _ peer: inout Peer) throws -> (session: EAPSession, request: [UInt8]) {
        var (session, request) = begin(type, desk)
        if type == .sim { request = session.receive(try peer.answer(request, credential().milenage), desk.surroundings).packet }
        return (session, request)
    }

    private static func reason(_ action: EAPSession.Action) -> AccessReason? {
        if case .failure(_, let reason) = action { reason } else { nil }
    }

    @Test(arguments: types) func theCardProvesItself(type: EAPType) throws {
        let desk = try Self.desk(type)
        var peer = Peer(type)
        var (session, request) = try Self.challenged(type, desk, &peer)
        let action = session.receive(try peer.answer(request, Self.credential().milenage), desk.surroundings)
        guard case .success(_, let keys) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(keys == peer.keys?.keys && session.proven == Self.name)
    }

    @Test(arguments: types) func whoMayNotBeOnlineIsToldSoUnderTheKeys(type: EAPType) throws {
        let desk = try Self.desk(type, refusal: .locked)
        var peer = Peer(type)
        var (session, request) = try Self.challenged(type, desk, &peer)
        let notice = session.receive(try peer.answer(request, Self.credential().milenage), desk.surroundings).packet
        let attributes = try SIMAttributes(Array(notice.dropFirst(5)))
        #expect(attributes.subtype == 12 && attributes.number(.notification) == 1026 && attributes.codeOffset != nil)
        #expect(Self.reason(session.receive(peer.coded(notice, 12), desk.surroundings)) == .locked)
        #expect(session.proven == Self.name)
    }

    @Test(arguments: types) func aResultThatBothWantIsProtected(type: EAPType) throws {
        let desk = try Self.desk(type)
        for spoils in [false, true] {
            var peer = Peer(type)
            var (session, request) = try Self.challenged(type, desk, &peer)
            _ = try peer.answer(request, Self.credential().milenage)
            let response: [UInt8]
            if type == .sim {
                let attributes = try SIMAttributes(Array(request.dropFirst(5)))
                let randoms = try #require(attributes.fixed(.random, count: 48))
                let more = try stride(from: 0, to: 48, by: 16).flatMap {
                    try Self.credential().milenage.triplet(random: Array(randoms[$0..<$0 + 16])).response
                }
                response = peer.coded(request, 11, [135, 1, 0, 0], more: more)
            } else {
                let random = try #require(SIMAttributes(Array(request.dropFirst(5))).fixed(.random, count: 16))
                let proof = try Self.credential().milenage.vector(random: random).response
                response = peer.coded(request, 1, [3, 3, 0, 64] + proof + [135, 1, 0, 0])
            }
            let notice = session.receive(response, desk.surroundings).packet
            #expect(try SIMAttributes(Array(notice.dropFirst(5))).number(.notification) == 32768)
            var answer = peer.coded(notice, 12)
            if spoils { answer[answer.count - 1] ^= 1 }
            let action = session.receive(answer, desk.surroundings)
            if spoils { #expect(Self.reason(action) == .cardAnswerWrong) } else { #expect(action.packet[0] == 3) }
        }
    }

    @Test(arguments: types) func aWrongAnswerEndsWithANotice(type: EAPType) throws {
        let desk = try Self.desk(type)
        var peer = Peer(type)
        let (begun, request) = try Self.challenged(type, desk, &peer)
        let honest = try peer.answer(request, Self.credential().milenage)
        for place in [honest.count - 1, honest.count - 16] + (type == .sim ? [] : [14]) {
            var (session, spoilt) = (begun, honest)
            spoilt[place] ^= 1
            let notice = session.receive(spoilt, desk.surroundings).packet
            let attributes = try SIMAttributes(Array(notice.dropFirst(5)))
            #expect(attributes.number(.notification) == 16384 && attributes.codeOffset == nil)
            #expect(Self.reason(session.receive(peer.response(notice, [12, 0, 0]), desk.surroundings)) == .cardAnswerWrong)
        }
        for (data, reason) in [([UInt8]([14, 0, 0, 22, 1, 0, 0]), AccessReason.cardGaveUp), ([2, 0, 0], .cardRejectsNetwork)] {
            guard type != .sim || data[0] == 14 else { continue }
            var session = begun
            #expect(Self.reason(session.receive(peer.response(request, data), desk.surroundings)) == reason)
        }
    }

    @Test(arguments: [EAPType.aka, .akaPrime]) func aCardIsFollowedOnceAndMustProveItsNumber(type: EAPType) throws {
        let desk = try Self.desk(type)
        let peer = Peer(type)
        let (begun, request) = Self.begin(type, desk)
        let random = try #require(SIMAttributes(Array(request.dropFirst(5))).fixed(.random, count: 16))
        let milenage = try Self.credential().milenage
        let own: [UInt8] = [0x7f, 0, 0, 0, 0, 0x20]
        let token =
            Milenage.xor(own, milenage.resynchronizationKey(random: random))
            + milenage.codes(random: random, sequence: own, field: [0, 0]).card
        var forged = token
        forged[13] ^= 1
        var session = begun
        #expect(Self.reason(session.receive(peer.response(request, [4, 0, 0, 4, 4] + forged), desk.surroundings)) == .cardAnswerWrong)
        session = begun
        let second = session.receive(peer.response(request, [4, 0, 0, 4, 4] + token), desk.surroundings).packet
        let again = try SIMAttributes(Array(second.dropFirst(5)))
        let next = try #require(again.fixed(.random, count: 16))
        let said = Milenage.xor(
            Array(try #require(again.fixed(.networkToken, count: 16)).prefix(6)), milenage.vector(random: next).anonymityKey)
        let numbers = [own, said].map { $0.reduce(0) { $0 << 8 | UInt64($1) } >> 5 }
        #expect(numbers[1] == numbers[0] + 1)
        #expect(Self.reason(session.receive(peer.response(second, [4, 0, 0, 4, 4] + token), desk.surroundings)) == .cardSequenceLost)
    }

    @Test func attributesAreReadWithinTheirOctets() throws {
        #expect(try SIMAttributes([5, 0, 0, 14, 2, 0, 3, 0x61, 0x62, 0x63, 0]).counted(.identity) == Array("abc".utf8))
        #expect(try SIMAttributes([5, 0, 0, 14, 2, 0, 5, 0x61, 0x62, 0x63, 0]).counted(.identity) == nil)
        #expect(try SIMAttributes([1, 0, 0, 200, 1, 0, 0, 3, 2, 0, 32, 1, 2, 3, 4]).response == [1, 2, 3, 4])
        #expect(try SIMAttributes([1, 0, 0, 3, 2, 0, 31, 1, 2, 3, 4]).response == nil)
        let wrong: [([UInt8], SIMAttributes.Fault)] = [
            ([], .length), ([1, 0], .length), ([1, 0, 0, 3], .length), ([1, 0, 0, 3, 0], .length), ([1, 0, 0, 3, 2, 0, 0], .length),
            ([1, 0, 0, 99, 1, 0, 0], .unknown), ([1, 0, 0, 12, 1, 0, 0, 12, 1, 0, 0], .twice),
        ]
        for (octets, fault) in wrong { #expect(throws: fault, "\(octets)") { try SIMAttributes(octets) } }
    }

    /// Whatever is changed in what an honest device says, without the key nothing is proven.
    @Test(arguments: types) func changedPacketsNeverSucceed(type: EAPType) throws {
        var generator = SeededGenerator(state: 4187)
        let desk = try Self.desk(type)
        var peer = Peer(type)
        let (begun, request) = try Self.challenged(type, desk, &peer)
        let honest = try peer.answer(request, Self.credential().milenage)
        for _ in 0..<3_000 {
            var (session, message) = (begun, honest)
            for _ in 0..<Int.random(in: 1..<4, using: &generator) {
                message[Int.random(in: 5..<message.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            }
            guard message != honest else { continue }
            let action = session.receive(message, desk.surroundings)
            #expect(action.packet[0] != 3 && session.memoryOctets < 20_000, "\(message)")
        }
    }
}
