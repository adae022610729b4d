import CLinux
import Glibc
import Testing

@testable import RadiusCore

/// Many requests at once: they share digests, not fates.
@Suite struct BatchTests {
    private static let password = "arctangent"

    /// A request of its own authenticator, under any secret.
    private func request(
        _ identifier: UInt8, secret: SharedSecret = TestServer.secret, user: String = "nemo", password: String = password,
        breaks: Bool = false
    ) -> [UInt8] {
        let authenticator = Digest16 { UInt8(truncatingIfNeeded: $0 &* 11 &+ Int(identifier)) }
        var octets = [UInt8](repeating: 0, count: 4096)
        var writer = PacketWriter(octets.mutableSpan, code: .accessRequest, identifier: identifier)
        writer.setAuthenticator(authenticator)
        writer.reserveMessageAuthenticator()
        writer.append(AttributeNumber.userName, Array(user.utf8).span)
        var hidden = [UInt8](repeating: 0, count: 128)
        var out = hidden.mutableSpan
        let count = UserPassword.hide(Array(password.utf8).span, requestAuthenticator: authenticator, secret: secret, into: &out)
        writer.append(AttributeNumber.userPassword, hidden.span.extracting(0..<count))
        let finished = writer.finish()
        octets.removeLast(octets.count - finished.count)
        var span = octets.mutableSpan
        MessageAuthenticator.sign(&span, attributeOffset: 20, authenticator: authenticator, secret: secret)
        if breaks { octets[24] ^= 1 }
        return octets
    }

    /// Whether both signatures of a reply to `request` are right.
    private func isSigned(_ reply: [UInt8], _ request: [UInt8], _ secret: SharedSecret = TestServer.secret) -> Bool {
        guard reply.count >= 38 else { return false }
        let authenticator = digest16(request[4..<20])
        return ResponseAuthenticator.verify(reply.span, requestAuthenticator: authenticator, secret: secret)
            && MessageAuthenticator.verify(reply.span, attributeOffset: 20, authenticator: authenticator, secret: secret)
    }

    @Test func everyRequestOfABatchGetsItsOwnAnswer() throws {
        // Passwords of every number of blocks, so that jobs of many lengths stand side by side.
        let passwords = (0..<100).map { String(repeating: "p", count: $0 + 1) }
        let subscribers = passwords.enumerated().map { TestServer.subscriber("user\($0)", password: $1) }
        let host = try TestServer(subscribers: subscribers)
        let nas = try TestNAS(to: host.server.authenticationPort)
        var requests: [UInt8: [UInt8]] = [:]
        for (position, password) in passwords.enumerated() {
            let identifier = UInt8(position)
            let isWrong = position % 5 == 4
            requests[identifier] = request(
                identifier, user: "user\(position)", password: isWrong ? password + "x" : password, breaks: position % 7 == 6)
        }
        for request in requests.values { nas.send(request) }
        let broken = passwords.indices.count { $0 % 7 == 6 }
        for _ in 0..<passwords.count - broken {
            let reply = nas.receive()
            try #require(reply.count >= 20)
            let identifier = reply[1]
            let taken = requests.removeValue(forKey: identifier)
            let sent = try #require(taken)
            #expect(isSigned(reply, sent))
            #expect(reply[0] == (identifier % 5 == 4 ? PacketCode.accessReject : .accessAccept).rawValue)
        }
        #expect(requests.keys.allSatisfy { $0 % 7 == 6 })
        // Broken ones may be the last, behind all that are answered.
        #expect(eventually { host.count(DecodeError.messageAuthenticatorInvalid) == UInt64(broken) })
    }

    @Test func aRequestThatComesTwiceAtOnceIsAnsweredByOneDecision() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let nas = try TestNAS(to: host.server.authenticationPort)
        for round in 0..<UInt8(50) {
            let request = request(round)
            nas.send(request)
            nas.send(request)
            // The second is dropped when it comes with the first, and is given the same octets when it comes behind it.
            var reply = nas.receive()
            while reply.count >= 2, reply[1] != round { reply = nas.receive() }
            #expect(isSigned(reply, request))
        }
        #expect(host.count(ServerCounter.accessAccepts) == 50)
        #expect(eventually { host.count(ServerCounter.duplicates) + host.count(ServerCounter.duplicatesInWork) == 50 })
    }

    @Test(arguments: [DatagramArena.longestSecret, DatagramArena.longestSecret + 1, 3000])
    func aSecretOfAnyLengthSignsAndHides(length: Int) throws {
        let secret = SharedSecret((0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) })
        let client = NASClient(
            id: 7, tenant: 1, name: "loopback", network: IPAddress(ipv4: 0x7f00_0001), prefixLength: 128, secret: secret,
            vendor: .mikrotik)
        let host = try TestServer(client: client, subscribers: [TestServer.subscriber("nemo")])
        let nas = try TestNAS(to: host.server.authenticationPort)
        let sent = request(1, secret: secret)
        let reply = nas.exchange(sent)
        #expect(reply.first == PacketCode.accessAccept.rawValue)
        #expect(isSigned(reply, sent, secret))
        nas.send(request(2, secret: secret, breaks: true))
        #expect(eventually { host.count(DecodeError.messageAuthenticatorInvalid) == 1 })
        var accounting = TestPacket.accounting(3, status: 1, session: "s1")
        var span = accounting.mutableSpan
        RequestAuthenticator.sign(&span, secret: secret)
        let response = try TestNAS(to: host.server.accountingPort).exchange(accounting)
        #expect(response.prefix(2) == [PacketCode.accountingResponse.rawValue, 3])
        let signed = ResponseAuthenticator.verify(response.span, requestAuthenticator: digest16(accounting[4..<20]), secret: secret)
        #expect(signed)
    }

    @Test func aPacketOfTheLargestSizeWithPaddingBehindItIsVerified() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let nas = try TestNAS(to: host.server.authenticationPort)
        let filler = (0..<15).flatMap { _ in [AttributeNumber.vendorSpecific, 255] + [UInt8](repeating: 0, count: 253) }
        let full = TestPacket.access(1, extra: filler)
        #expect(full.count > 3800)
        #expect(TestPacket.isSigned(nas.exchange(full)))
        #expect(TestPacket.isSigned(nas.exchange(TestPacket.access(2) + [UInt8](repeating: 0xff, count: 90))))
    }

    @Test func repliesComeOutAsTheyWentInHoweverOftenTheMemoryGoesRound() {
        var held = HeldReplies(entries: 8, octets: 16384)
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 4096)
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: 4096)
        defer { memory.deallocate() }
        defer { room.deallocate() }
        var slot = lm_datagram()
        slot.bytes = room
        func count(_ round: Int) -> Int { 20 + round * 97 % 4000 }
        // One or two wait all the time, so that the memory does go round; once in a while none does.
        for round in 0..<400 {
            memory.update(repeating: UInt8(truncatingIfNeeded: round), count: count(round))
            var datagram = lm_datagram()
            datagram.bytes = memory
            datagram.count = UInt32(count(round))
            let hasRoom = held.hasRoom()
            #expect(hasRoom)
            held.hold(datagram, until: UInt64(round), token: ReplyToken(slot: UInt32(round), stamp: 1))
            for due in round % 50 == 49 ? [round - 1, round] : round % 50 == 0 ? [] : [round - 1] {
                let early = due > 0 ? held.release(through: UInt64(due - 1), into: &slot) : nil
                #expect(early?.slot == nil)
                let token = held.release(through: UInt64(due), into: &slot)
                #expect(token?.slot == UInt32(due))
                #expect(slot.bytes == room && slot.count == UInt32(count(due)))
                #expect((0..<count(due)).allSatisfy { room[$0] == UInt8(truncatingIfNeeded: due) })
            }
        }
        let isEmpty = held.isEmpty
        #expect(isEmpty)
    }
}
