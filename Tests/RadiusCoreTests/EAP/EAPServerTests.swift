import CLinux
import Support
import Testing

@testable import RadiusCore

/// A device and its NAS, packet by packet.
private struct EAPCaller {
    let nas: TestNAS
    var peer = EAPPeerScript()
    var identifier: UInt8 = 0

    /// An Access-Request with an EAP packet in attributes of at most `split` octets.
    mutating func request(_ message: [UInt8], state: [UInt8] = [], user: String? = nil, split: Int = 253, extra: [UInt8] = []) -> [UInt8] {
        identifier &+= 1
        return TestPacket.build(.accessRequest, identifier, sign: true) { writer in
            let name = user ?? peer.user
            if !name.isEmpty { writer.append(AttributeNumber.userName, Array(name.utf8).span) }
            for start in stride(from: 0, to: max(1, message.count), by: split) {
                writer.append(AttributeNumber.eapMessage, message[start..<min(message.count, start + split)].span)
            }
            if !state.isEmpty { writer.append(AttributeNumber.state, state.span) }
            writer.append(encoded: extra.span)
        }
    }

    /// The values of an attribute in a reply, joined.
    static func value(_ type: UInt8, in reply: [UInt8]) -> [UInt8] {
        var index = AttributeIndex()
        guard reply.count >= 20, (try? index.fill(from: reply.span)) != nil else { return [] }
        return (0..<index.count).map { index[$0] }.filter { $0.type == type }.flatMap { Array(reply[$0.range]) }
    }

    static func message(_ reply: [UInt8]) -> [UInt8] { value(AttributeNumber.eapMessage, in: reply) }
    static func state(_ reply: [UInt8]) -> [UInt8] { value(AttributeNumber.state, in: reply) }

    /// Goes on from a Challenge until something else comes.
    mutating func finish(_ challenge: [UInt8]) -> [UInt8] {
        var reply = challenge
        for _ in 0..<10 where reply.first == PacketCode.accessChallenge.rawValue {
            reply = nas.exchange(request(peer.answer(Self.message(reply)), state: Self.state(reply)))
        }
        return reply
    }
}

/// EAP over the server's own sockets.
@Suite struct EAPServerTests {
    private static func debian(
        _ host: TestServer, _ method: String, user: String = "nemo", password: String = "arctangent", keys: Bool = false
    ) -> EAPOLTest {
        EAPOLTest(
            port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", method: method, user: user, password: password,
            expectsKeys: keys)
    }

    @Test(arguments: [("MD5", false), ("GTC", false), ("MSCHAPV2", true)])
    func eapolTestSucceeds(method: String, keys: Bool) async throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")], workers: 2)
        var test = Self.debian(host, method, keys: keys)
        test.repetitions = 2
        let outcome = try await test.run()
        #expect(outcome.isSuccess, "\(outcome.transcript)")
        #expect(outcome.keysMatched == (keys ? 3 : 0), "\(outcome.transcript)")
        #expect(outcome.replies.last == "Access-Accept")
        #expect(host.count(.accepted as AccessReason) == 3)
    }

    @Test(arguments: ["MD5", "GTC", "MSCHAPV2"])
    func eapolTestFailsWithAWrongPassword(method: String) async throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let outcome = try await Self.debian(host, method, password: "wrong").run()
        #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
        #expect(host.count(.wrongPassword as AccessReason) == 1)
    }

    @Test func eapolTestReadsWhyALockedSubscriberIsTurnedAway() async throws {
        var locked = TestServer.subscriber("nemo")
        locked.locks.insert(.overdue, at: .suspended)
        var settings = EAPService.Settings()
        settings.notifiesRefused = true
        let host = try TestServer(subscribers: [locked], eap: settings)
        let outcome = try await Self.debian(host, "MD5").run()
        let challenges = ["Access-Challenge", "Access-Challenge", "Access-Challenge"]
        #expect(!outcome.isSuccess && outcome.replies == challenges + ["Access-Reject"], "\(outcome.transcript)")
        #expect(outcome.transcript.contains("EAP-Request notification") || outcome.transcript.contains("EAP-Request Notification"))
        #expect(host.count(.locked as AccessReason) == 1)
    }

    @Test(arguments: ["GTC", "MSCHAPV2"])
    func aLockedSubscriberIsRejectedBehindMethodsThatAllowNoNotification(method: String) async throws {
        var locked = TestServer.subscriber("nemo")
        locked.locks.insert(.overdue, at: .suspended)
        var settings = EAPService.Settings()
        settings.notifiesRefused = true
        let host = try TestServer(subscribers: [locked], eap: settings)
        let outcome = try await Self.debian(host, method).run()
        #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
        #expect(host.count(.locked as AccessReason) == 1)
    }

    /// Windows asks its user for another password and says nothing more.
    @Test func aDeviceThatFallsSilentOnceItKnowsHasItsRow() throws {
        var settings = EAPService.Settings()
        settings.methods = [.msCHAPv2]
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")], eap: settings)
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort), peer: EAPPeerScript(password: "secant"))
        let first = caller.nas.exchange(caller.request(caller.peer.identity()))
        #expect(host.count(.wrongPassword as AccessReason) == 0)
        let failure = caller.nas.exchange(caller.request(caller.peer.answer(EAPCaller.message(first)), state: EAPCaller.state(first)))
        #expect(failure.first == PacketCode.accessChallenge.rawValue)
        #expect(host.count(.wrongPassword as AccessReason) == 1 && host.count(.accessRejects as ServerCounter) == 0)
        let end = caller.finish(failure)
        #expect(end.first == PacketCode.accessReject.rawValue && host.count(.accessRejects as ServerCounter) == 1)
        #expect(host.count(.wrongPassword as AccessReason) == 1)
    }

    /// Proxy-States leave no room for the Failure that would tell it.
    @Test func aVerdictThatDoesNotFitAPacketHasNoRowBesideTheRejects() throws {
        var settings = EAPService.Settings()
        settings.methods = [.msCHAPv2]
        let host = try TestServer(subscribers: [TestServer.subscriber("n")], eap: settings)
        let peer = EAPPeerScript(user: "n", password: "secant")
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort), peer: peer)
        let first = caller.nas.exchange(caller.request(peer.identity()))
        let (response, state) = (peer.answer(EAPCaller.message(first)), EAPCaller.state(first))
        var states: [UInt8] = []
        let room = 4096 - caller.request(response, state: state).count
        while states.count < room {
            let left = room - states.count
            let count = left > 255 ? min(255, left - 3) : left
            states += [AttributeNumber.proxyState, UInt8(count)] + [UInt8](repeating: 7, count: count - 2)
        }
        let reject = caller.nas.exchange(caller.request(response, state: state, extra: states))
        #expect(reject.first == PacketCode.accessReject.rawValue && host.count(.accessRejects as ServerCounter) == 1)
        #expect(host.count(.replyTooLarge as AccessReason) == 1 && host.count(.wrongPassword as AccessReason) == 0)
    }

    @Test func gtcChecksAHashThatIsSlow() async throws {
        let hash = "$2b$04$abcdefghijklmnopqrstuuv2JZ5Q5GQMCkgpHDlQi2NV1CCBnf8uW"
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo", password: hash, kind: .hash)])
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort))
        let first = caller.nas.exchange(caller.request(caller.peer.identity()))
        #expect(EAPCaller.message(first)[4] == 6)
        #expect(caller.finish(first).first == PacketCode.accessReject.rawValue)
        #expect(host.count(.wrongPassword as AccessReason) == 1)
    }

    @Test func aChallengeIsSignedAndHasStateAndSessionTimeout() throws {
        let client = NASClient(
            id: 7, tenant: 1, name: "loopback", network: IPAddress(ipv4: 0x7f00_0001), prefixLength: 128, secret: TestServer.secret,
            vendor: .generic, sendsMessageAuthenticator: false)
        let host = try TestServer(client: client, subscribers: [TestServer.subscriber("nemo")])
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort))
        let challenge = caller.nas.exchange(caller.request(caller.peer.identity(), extra: [33, 4, 1, 2]))
        #expect(challenge.first == PacketCode.accessChallenge.rawValue && TestPacket.isSigned(challenge))
        #expect(EAPCaller.state(challenge).count == EAPState.count)
        #expect(EAPCaller.value(AttributeNumber.sessionTimeout, in: challenge) == [0, 0, 0, 30])
        #expect(EAPCaller.value(AttributeNumber.proxyState, in: challenge) == [1, 2])
        let accept = caller.finish(challenge)
        #expect(accept.first == PacketCode.accessAccept.rawValue && TestPacket.isSigned(accept))
        #expect(EAPCaller.message(accept)[0] == 3)
        #expect(EAPCaller.value(AttributeNumber.acctInterimInterval, in: accept) == [0, 0, 2, 0x58])
        caller.peer.password = "wrong"
        let reject = caller.finish(caller.nas.exchange(caller.request(caller.peer.identity())))
        #expect(reject.first == PacketCode.accessReject.rawValue && TestPacket.isSigned(reject) && EAPCaller.message(reject)[0] == 4)
    }

    @Test func aConversationGoesOnFromAnotherPortAndInPieces() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")], workers: 4)
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort))
        for _ in 0..<20 {
            let first = caller.nas.exchange(caller.request(caller.peer.identity(), split: 3))
            var other = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort), peer: caller.peer, identifier: caller.identifier)
            let response = caller.peer.answer(EAPCaller.message(first))
            let second = other.nas.exchange(other.request(response, state: EAPCaller.state(first), split: 7))
            // The same packet by a third way: the same answer, and no harm.
            var third = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort), peer: caller.peer, identifier: 99)
            let again = third.nas.exchange(third.request(response, state: EAPCaller.state(first)))
            #expect(EAPCaller.message(again) == EAPCaller.message(second))
            #expect(other.finish(second).first == PacketCode.accessAccept.rawValue)
        }
        #expect(host.count(.accepted as AccessReason) == 20)
    }

    @Test func anEAPStartNeedsNoName() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort))
        let first = caller.nas.exchange(caller.request([], user: ""))
        #expect(EAPCaller.message(first)[4] == 1)
        #expect(caller.finish(first).first == PacketCode.accessAccept.rawValue)
        #expect(caller.nas.exchange(caller.request(caller.peer.identity(), user: "")).first == PacketCode.accessReject.rawValue)
        #expect(host.count(.userNameMissing as AccessReason) == 1)
    }

    @Test func whatIsNotProvenOrMixedIsDroppedInSilence() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort))
        caller.nas.send(
            TestPacket.build(.accessRequest, 200, sign: false) { writer in
                writer.append(AttributeNumber.userName, Array("nemo".utf8).span)
                writer.append(eap: EAPPeerScript().identity())
            })
        #expect(eventually { host.count(DecodeError.messageAuthenticatorMissing) == 1 })
        caller.nas.send(TestPacket.access(201, extra: [79, 8, 2, 1, 0, 6, 1, 97]))
        #expect(eventually { host.count(DecodeError.conflictingCredentials) == 1 })
        // Neither was answered: the next reply is that of the next request.
        let reply = caller.nas.exchange(caller.request(caller.peer.identity()))
        #expect(reply.prefix(2) == [PacketCode.accessChallenge.rawValue, caller.identifier])
    }

    @Test func everyRefusalHasItsReason() throws {
        var locked = TestServer.subscriber("locked")
        locked.locks.insert(.overdue, at: .suspended)
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo"), locked])
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort))
        let first = caller.nas.exchange(caller.request(caller.peer.identity()))
        let (state, response) = (EAPCaller.state(first), caller.peer.answer(EAPCaller.message(first)))
        func refused(_ packet: [UInt8], _ reason: AccessReason) {
            let before = host.count(reason)
            let reply = caller.nas.exchange(packet)
            #expect(reply.first == PacketCode.accessReject.rawValue && EAPCaller.message(reply).first == 4, "\(reason)")
            #expect(host.count(reason) == before + 1, "\(reason)")
        }
        refused(caller.request(response), .eapStateMissing)
        refused(caller.request(response, state: [1, 2, 3]), .eapConversationUnknown)
        refused(caller.request(response, state: [UInt8](repeating: 1, count: 32)), .eapOtherNode)
        refused(caller.request(response, state: Array(state.dropLast()) + [state[31] ^ 1]), .eapConversationUnknown)
        refused(caller.request([2, 1], user: "nemo"), .eapMalformed)
        refused(caller.request(caller.peer.identity(), user: "alice"), .eapIdentityMismatch)
        refused(caller.request(response, state: state, user: "alice"), .eapIdentityMismatch)
        let second = caller.nas.exchange(caller.request(caller.peer.identity(9)))
        refused(
            caller.request(EAPPeerScript.nak(EAPCaller.message(second), 13), state: EAPCaller.state(second)), .eapNoCommonMethod)
        caller.peer.user = "locked"
        let third = caller.nas.exchange(caller.request(caller.peer.identity()))
        let fourth = caller.nas.exchange(caller.request(caller.peer.answer(EAPCaller.message(third)), state: EAPCaller.state(third)))
        refused(caller.request(caller.peer.answer(EAPCaller.message(fourth)), state: EAPCaller.state(fourth)), .locked)
    }

    /// In another RADIUS packet: the device has not heard that it may.
    @Test func anAnswerThatComesAgainIsOneLogIn() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort))
        var reply = caller.nas.exchange(caller.request(caller.peer.identity()))
        var (state, response): ([UInt8], [UInt8]) = ([], [])
        for _ in 0..<10 where reply.first == PacketCode.accessChallenge.rawValue {
            (state, response) = (EAPCaller.state(reply), caller.peer.answer(EAPCaller.message(reply)))
            reply = caller.nas.exchange(caller.request(response, state: state))
        }
        let again = caller.nas.exchange(caller.request(response, state: state))
        #expect(reply.first == PacketCode.accessAccept.rawValue && again.first == PacketCode.accessAccept.rawValue)
        #expect(host.count(.accepted as AccessReason) == 1)
        // What is refused behind it has its row all the same.
        _ = caller.nas.exchange(caller.request([2, 0, 0, 5, 99], state: state))
        _ = caller.nas.exchange(caller.request(response, state: state, user: "alice"))
        #expect(host.count(.eapUnexpected as AccessReason) == 1 && host.count(.eapIdentityMismatch as AccessReason) == 1)
        var logged = 0
        for ring in host.server.authEvents { _ = ring.drain(limit: 100) { _ in logged += 1 } }
        #expect(logged == 3)
    }

    @Test func whatWasIgnoredIsSaidAndTheRequestRepeated() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort))
        let first = caller.nas.exchange(caller.request(caller.peer.identity()))
        let second = caller.nas.exchange(caller.request([2, 0, 0, 5, 99], state: EAPCaller.state(first)))
        #expect(EAPCaller.message(second) == EAPCaller.message(first))
        // RFC 3579 §2.2: Error-Cause 202.
        #expect(EAPCaller.value(101, in: second) == [0, 0, 0, 202])
        #expect(caller.finish(second).first == PacketCode.accessAccept.rawValue)
    }

    @Test func aServerWithoutEAPSaysSo() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")], eap: nil)
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort))
        let reply = caller.nas.exchange(caller.request(caller.peer.identity()))
        #expect(reply.first == PacketCode.accessReject.rawValue && EAPCaller.message(reply).first == 4)
        #expect(host.count(.methodUnsupported as AccessReason) == 1)
    }

    @Test func aFloodOfBeginningsLeavesPAPAndOthersAlone() throws {
        var settings = EAPService.Settings()
        settings.conversations = 64
        settings.queue = 16
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")], eap: settings)
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort))
        let began = caller.nas.exchange(caller.request(caller.peer.identity()))
        let answered = caller.nas.exchange(caller.request(caller.peer.answer(EAPCaller.message(began)), state: EAPCaller.state(began)))
        var flood = try (0..<4).map { _ in EAPCaller(nas: try TestNAS(to: host.server.authenticationPort)) }
        let nas = try TestNAS(to: host.server.authenticationPort)
        var accepted = 0
        for identifier in UInt8(0)..<250 {
            for place in flood.indices {
                flood[place].nas.send(flood[place].request(EAPPeerScript(user: "flood").identity(identifier), user: "flood"))
            }
            if nas.exchange(TestPacket.access(identifier)).prefix(2) == [PacketCode.accessAccept.rawValue, identifier] { accepted += 1 }
        }
        #expect(accepted == 250)
        #expect(eventually { host.count(ServerCounter.eapRequests) + host.count(ServerCounter.eapRefused) == 1002 })
        #expect(eventually { host.server.environment.eap?.queue.waiting == 0 })
        let statistics = try #require(host.server.environment.eap?.statistics)
        #expect(statistics.conversations <= 64 && statistics.displacedAnswered == 0)
        // The one that had got further goes on.
        #expect(caller.finish(answered).first == PacketCode.accessAccept.rawValue)
    }

    @Test func aNameThatChangesItsPasswordMeanwhileMustKnowTheNewOne() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        var caller = EAPCaller(nas: try TestNAS(to: host.server.authenticationPort))
        let first = caller.nas.exchange(caller.request(caller.peer.identity()))
        let old = host.store.snapshot
        host.store.publish(
            Snapshot(
                clients: old.clients, subscribers: old.subscribers.updated(with: [TestServer.subscriber("nemo", password: "changed")]),
                profiles: old.profiles, policies: old.policies, dictionary: old.dictionary))
        #expect(caller.finish(first).first == PacketCode.accessReject.rawValue)
        #expect(host.count(.wrongPassword as AccessReason) == 1)
    }
}
