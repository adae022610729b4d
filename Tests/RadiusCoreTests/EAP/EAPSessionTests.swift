import Support
import Testing

@testable import RadiusCore

@Suite struct EAPSessionTests {
    private let peer = EAPPeerScript()

    private static func reason(_ action: EAPSession.Action) -> AccessReason? {
        if case .failure(_, let reason) = action { reason } else { nil }
    }

    private static func isSuccess(_ action: EAPSession.Action) -> Bool {
        if case .success = action { true } else { false }
    }

    @Test func asksWhoIsThereAfterAnEAPStart() {
        let desk = EAPDesk()
        var session = EAPSession(identifier: 200)
        #expect(session.start() == .request([1, 200, 0, 5, 1]))
        #expect(Self.isSuccess(session.run(peer, desk, first: peer.identity(200))))
        #expect(session.identity == Array("nemo".utf8) && session.proven == session.identity && session.hasEnded)
    }

    @Test func proposesTheFirstMethodThatTheStoredPasswordAllows() {
        let hash = MSCHAP.ntHash(ofUTF8: Array("arctangent".utf8).span).map { octets($0) } ?? []
        let stored: [(EAPAccount.Credential, EAPType)] = [
            (.clearText([1]), .md5Challenge), (.ntHash(digest16(hash[...])), .msCHAPv2), (.hash([36]), .gtc), (.none, .md5Challenge),
        ]
        for (credential, expected) in stored {
            let desk = EAPDesk(["nemo": EAPAccount(credential)])
            desk.methods = [.md5Challenge, .msCHAPv2, .gtc]
            var session = EAPSession()
            #expect(session.receive(peer.identity(), desk.surroundings).packet[4] == UInt8(expected.number))
        }
    }

    @Test(arguments: [EAPType.msCHAPv2, .gtc])
    func anNTHashIsEnough(type: EAPType) {
        guard let hash = MSCHAP.ntHash(ofUTF8: Array("arctangent".utf8).span) else {
            Issue.record("the password has no hash")
            return
        }
        let desk = EAPDesk(["nemo": EAPAccount(.ntHash(hash))])
        desk.methods = [type]
        var session = EAPSession()
        #expect(Self.isSuccess(session.run(peer, desk)))
        var other = EAPSession()
        #expect(Self.reason(other.run(EAPPeerScript(password: "wrong"), desk)) == .wrongPassword)
    }

    @Test(arguments: [EAPType.msCHAPv2, .md5Challenge, .gtc])
    func refusesAWrongPasswordAndAnUnknownNameAlike(type: EAPType) {
        let desk = EAPDesk()
        desk.methods = [type]
        var wrong = EAPSession()
        var unknown = EAPSession()
        #expect(Self.reason(wrong.run(EAPPeerScript(password: "wrong"), desk)) == .wrongPassword)
        #expect(Self.reason(unknown.run(EAPPeerScript(user: "nobody"), desk)) == .unknownSubscriber)
        desk.accounts["nemo"] = EAPAccount(.none)
        var empty = EAPSession()
        #expect(Self.reason(empty.run(peer, desk)) == .noPasswordSet)
    }

    @Test func followsANakAndAnExpandedNak() {
        let desk = EAPDesk()
        var session = EAPSession()
        let proposal = session.receive(peer.identity(), desk.surroundings).packet
        #expect(proposal[4] == 26)
        // Something unknown first, then GTC.
        let second = session.receive(EAPPeerScript.nak(proposal, 99, 6), desk.surroundings).packet
        #expect(second[4] == 6 && second[1] == proposal[1] &+ 1)
        let entries: [[UInt8]] = [[254, 0, 0, 0, 0, 0, 0, 3], [254, 0, 0, 9, 0, 0, 0, 4], [254, 0, 0, 0, 0, 0, 0, 4]]
        let third = session.receive([2, second[1], 0, 28] + entries.joined(), desk.surroundings)
        #expect(third.packet[4] == 4)
        #expect(Self.isSuccess(session.receive(peer.answer(third.packet), desk.surroundings)))
    }

    @Test func neverProposesAgainWhatWasRefused() {
        let desk = EAPDesk()
        var session = EAPSession()
        let proposal = session.receive(peer.identity(), desk.surroundings).packet
        let second = session.receive(EAPPeerScript.nak(proposal, 4), desk.surroundings).packet
        #expect(Self.reason(session.receive(EAPPeerScript.nak(second, 26), desk.surroundings)) == .eapNoCommonMethod)
    }

    @Test func saysWhyNoMethodIsLeft() {
        let desk = EAPDesk(["nemo": EAPAccount(.hash([36]))])
        for (wish, reason) in [(UInt8(13), AccessReason.eapNoCommonMethod), (0, .eapNoCommonMethod), (4, .eapMethodNeedsPassword)] {
            var session = EAPSession()
            let proposal = session.receive(peer.identity(), desk.surroundings).packet
            #expect(Self.reason(session.receive(EAPPeerScript.nak(proposal, wish), desk.surroundings)) == reason)
        }
        desk.methods = [.md5Challenge, .msCHAPv2]
        var session = EAPSession()
        #expect(Self.reason(session.receive(peer.identity(), desk.surroundings)) == .eapMethodNeedsPassword)
    }

    @Test func aNakAfterTheMethodWasAnsweredIsIgnored() {
        let desk = EAPDesk()
        var session = EAPSession()
        let proposal = session.receive(peer.identity(), desk.surroundings).packet
        let proof = session.receive(peer.answer(proposal), desk.surroundings).packet
        #expect(session.receive(EAPPeerScript.nak(proof, 4), desk.surroundings) == .again(proof))
    }

    @Test func aPacketThatComesAgainIsAnsweredTheSame() {
        let desk = EAPDesk()
        var session = EAPSession()
        let first = session.receive(peer.identity(), desk.surroundings)
        #expect(session.receive(peer.identity(), desk.surroundings) == first)
        let response = peer.answer(first.packet)
        let second = session.receive(response, desk.surroundings)
        #expect(session.receive(response, desk.surroundings) == second)
        let last = session.receive(peer.answer(second.packet), desk.surroundings)
        #expect(Self.isSuccess(last))
        #expect(session.receive(peer.answer(second.packet), desk.surroundings) == last)
        #expect(Self.reason(session.receive(response, desk.surroundings)) == .eapUnexpected)
    }

    @Test func whatFitsNowhereIsIgnoredAndTheRequestRepeated() {
        let desk = EAPDesk()
        var begun = EAPSession()
        let request = begun.receive(peer.identity(), desk.surroundings).packet
        let identifier = request[1]
        let strange: [[UInt8]] = [
            [], [2], [2, identifier &+ 1, 0, 6, 26, 3], [1, identifier, 0, 5, 26], [3, identifier, 0, 4], [2, identifier, 0, 5, 4],
            [2, identifier, 0, 5, 1], [2, identifier, 0, 5, 26], [2, identifier, 0, 6, 26, 2], [2, identifier, 0, 6, 26, 3],
        ]
        for packet in strange {
            var session = begun
            for _ in 0..<EAPSession.ignoredLimit { #expect(session.receive(packet, desk.surroundings) == .again(request), "\(packet)") }
            var patient = session
            #expect(Self.isSuccess(patient.run(peer, desk, first: peer.answer(request))))
            // Enough is enough: devices that do not understand repeat themselves without end.
            #expect([.eapMalformed, .eapUnexpected].contains(Self.reason(session.receive(packet, desk.surroundings))))
        }
    }

    @Test func theNameOfTheMethodMustBeTheIdentity() {
        let desk = EAPDesk(["EXAMPLE\\nemo": EAPAccount(.clearText(Array("arctangent".utf8)))])
        var windows = EAPSession()
        let identity = EAPPeerScript(user: "EXAMPLE\\nemo").identity()
        #expect(Self.isSuccess(windows.run(peer, desk, first: identity)))
        var other = EAPSession()
        #expect(Self.reason(other.run(EAPPeerScript(user: "alice"), desk, first: identity)) == .eapIdentityMismatch)
    }

    @Test func aProvenPeerThatIsTurnedAwayIsToldWhyWhereThatIsWanted() {
        let desk = EAPDesk(["nemo": EAPAccount(.clearText(Array("arctangent".utf8)), refusal: .locked)])
        desk.methods = [.md5Challenge]
        desk.notifiesRefused = true
        var session = EAPSession()
        let request = session.receive(peer.identity(), desk.surroundings).packet
        let notification = session.receive(peer.answer(request), desk.surroundings).packet
        #expect(notification[4] == 2)
        #expect(String(decoding: notification[5...], as: UTF8.self) == AccessReason.locked.sentence)
        #expect(Self.reason(session.receive(peer.answer(notification), desk.surroundings)) == .locked)
    }

    /// wpa_supplicant answers no Notification behind these, since they have shown their result.
    @Test(arguments: [EAPType.gtc, .msCHAPv2])
    func behindAnyOtherMethodItIsNotTold(method: EAPType) {
        let desk = EAPDesk(["nemo": EAPAccount(.clearText(Array("arctangent".utf8)), refusal: .locked)])
        desk.methods = [method]
        desk.notifiesRefused = true
        var silent = peer
        silent.readsNotifications = false
        var session = EAPSession()
        // The server turns it away where it decides about all others.
        #expect(Self.isSuccess(session.run(silent, desk)))
        #expect(session.hasEnded)
    }

    @Test func aVerdictIsHandedOutOnceAndBeforeThePeerHasTakenNoteOfIt() {
        let desk = EAPDesk()
        desk.methods = [.msCHAPv2]
        let wrong = EAPPeerScript(password: "secant")
        var session = EAPSession()
        let challenge = session.receive(wrong.identity(), desk.surroundings).packet
        let early = session.takeVerdict()
        #expect(early == nil && !session.isNoted)
        let failure = session.receive(wrong.answer(challenge), desk.surroundings).packet
        let verdicts = [session.takeVerdict(), session.takeVerdict()]
        #expect(failure[0] == 1 && verdicts == [.wrongPassword, nil])
        #expect(Self.reason(session.receive(wrong.answer(failure), desk.surroundings)) == .wrongPassword)
        #expect(session.isNoted)
    }

    @Test func endsWhatIsTooLong() {
        let desk = EAPDesk()
        desk.octetLimit = 9 + 64 + 100 + 64
        for (count, isTooLong) in [(100, false), (101, true)] {
            var session = EAPSession()
            _ = session.receive(peer.identity(), desk.surroundings)
            let action = session.receive([UInt8](repeating: 0, count: count), desk.surroundings)
            #expect((Self.reason(action) == .eapTooLong) == isTooLong)
        }
    }

    @Test(arguments: [([UInt8](), AccessReason.userNameMissing), ([UInt8](repeating: 97, count: 254), .eapMalformed)])
    func refusesAnIdentityThatIsNone(name: [UInt8], reason: AccessReason) {
        var session = EAPSession()
        #expect(Self.reason(session.receive(EAPPeerScript.response(1, .identity, name), EAPDesk().surroundings)) == reason)
    }

    /// Whatever a peer sends, in whatever state: an answer that is an EAP packet, no success without the password, and bounded memory.
    @Test func hostileOctetsNeverSucceed() throws {
        var generator = SeededGenerator(state: 3748)
        let desk = EAPDesk(["nemo": EAPAccount(.clearText(Array("arctangent".utf8))), "hash": EAPAccount(.hash([36]))])
        var answered = 0
        for round in 0..<4_000 {
            var session = EAPSession(identifier: UInt8(truncatingIfNeeded: round))
            var reply = round % 3 == 0 ? session.start().packet : session.receive(peer.identity(), desk.surroundings).packet
            for _ in 0..<12 where !session.hasEnded {
                let message = Self.mutated(EAPPeerScript(password: "wrong").answer(reply), reply, using: &generator)
                let action = session.receive(message, desk.surroundings)
                reply = action.packet
                let packet = try EAPPacket(reply.span)
                #expect(Int(reply[2]) << 8 | Int(reply[3]) == reply.count && packet.code != .response)
                #expect(!Self.isSuccess(action), "\(message)")
                #expect(session.memoryOctets < 20_000)
                answered += 1
            }
        }
        #expect(answered > 10_000)
    }

    private static func mutated(_ honest: [UInt8], _ request: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var message = honest.isEmpty ? [2, request[1], 0, 5, 3] : honest
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: return generator.octets(Int.random(in: 0..<80, using: &generator))
        case 1: message.removeLast(Int.random(in: 0...message.count, using: &generator))
        case 2: message += generator.octets(Int.random(in: 0..<4000, using: &generator))
        case 3: return message
        default:
            for _ in 0..<Int.random(in: 1..<4, using: &generator) {
                message[Int.random(in: 0..<message.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
        }
        // Mostly an honest length: otherwise nothing behind the header is reached.
        if message.count >= 4, Bool.random(using: &generator) {
            message[2] = UInt8(message.count >> 8)
            message[3] = UInt8(message.count & 255)
        }
        return message
    }
}
