import Testing

@testable import RadiusCore

@Suite struct AccessTests {
    @Test func acceptsTheRightPasswordWithASignedReplyInTheNASsDialect() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let reply = try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.access())
        #expect(reply.first == PacketCode.accessAccept.rawValue)
        #expect(TestPacket.isSigned(reply))
        let pairs = try AttributeDecoder.decode(reply.span, dictionary: host.store.snapshot.dictionary)
        // rx/tx as the router sees it: the subscriber's upload comes first.
        #expect(pairs.first { $0.name == "Mikrotik-Rate-Limit" }?.value == "10M/50M")
        #expect(pairs.first { $0.name == "Acct-Interim-Interval" }?.value == "600")
    }

    @Test func rejectsAWrongPasswordAndSaysWhyInTheCounters() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let reply = try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.access(password: "wrong"))
        #expect(reply.first == PacketCode.accessReject.rawValue)
        #expect(TestPacket.isSigned(reply))
        #expect(host.count(.wrongPassword as AccessReason) == 1)
    }

    @Test func rejectsAnUnknownNameLikeAWrongPassword() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let nas = try TestNAS(to: host.server.authenticationPort)
        let unknown = nas.exchange(TestPacket.access(1, user: "nobody"))
        let wrong = nas.exchange(TestPacket.access(2, password: "wrong"))
        #expect(unknown.count == wrong.count)
        #expect(host.count(.unknownSubscriber as AccessReason) == 1)
    }

    @Test(arguments: [
        (SubscriberStatus.pending, AccessReason.statusPending), (.suspended, .statusSuspended),
        (.disconnected, .statusDisconnected), (.terminated, .statusTerminated), (.quarantined, .noWalledGarden),
    ])
    func refusesByStatusOnlyAfterThePasswordWasRight(status: SubscriberStatus, reason: AccessReason) throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo", status: status)])
        let nas = try TestNAS(to: host.server.authenticationPort)
        #expect(nas.exchange(TestPacket.access(1, password: "wrong")).first == 3)
        #expect(host.count(reason) == 0)
        #expect(nas.exchange(TestPacket.access(2)).first == 3)
        #expect(host.count(reason) == 1)
    }

    @Test func aCaptiveSubscriberGetsTheWalledGardenAndNoServiceOfItsOwn() throws {
        var captive = TestServer.subscriber("nemo")
        captive.locks.insert(.overdue, at: .captive)
        captive.identity = [AttributeNumber.framedIPAddress, 6, 192, 0, 2, 9]
        captive.service = [AttributeNumber.filterID, 6] + Array("full".utf8)
        let garden = ReplyProfile(
            id: 9, tenant: 1, name: "garden", rate: BandwidthRate(downloadBitsPerSecond: 1_000_000, uploadBitsPerSecond: 512_000),
            sessionTimeoutSeconds: 300, idleTimeoutSeconds: 0, interimSeconds: 60, filters: [], free: { _ in [] }, keyed: { _ in [] })
        let host = try TestServer(
            subscribers: [captive], profiles: [TestServer.plan(), garden], policy: AccessPolicy(walledGardenProfile: 9))
        let reply = try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.access())
        let pairs = try AttributeDecoder.decode(reply.span, dictionary: host.store.snapshot.dictionary)
        #expect(reply.first == PacketCode.accessAccept.rawValue)
        #expect(pairs.first { $0.name == "Mikrotik-Rate-Limit" }?.value == "512k/1M")
        #expect(pairs.first { $0.name == "Framed-IP-Address" }?.value == "192.0.2.9")
        #expect(pairs.first { $0.name == "Session-Timeout" }?.value == "300")
        #expect(!pairs.contains { $0.name == "Filter-Id" })
    }

    @Test func checksASlowHashOffThePathAndAnswersThroughTheSameSocket() throws {
        // bcrypt of "arctangent", made by mkpasswd.
        let hash = "$2b$05$cpTTW8ENQgoIX.S2yyKvA.WNywwaqToTOVJqc7wLilOMlPT7qDlKG"
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo", password: hash, kind: .hash)])
        let nas = try TestNAS(to: host.server.authenticationPort)
        let accept = nas.exchange(TestPacket.access(1))
        #expect(accept.first == PacketCode.accessAccept.rawValue)
        #expect(TestPacket.isSigned(accept))
        #expect(nas.exchange(TestPacket.access(2, password: "wrong")).first == PacketCode.accessReject.rawValue)
        #expect(host.count(ServerCounter.parked) == 2)
        #expect(host.count(.wrongPassword as AccessReason) == 1)
    }

    @Test func aHashCannotServeCHAP() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo", password: "$6$abc$def", kind: .hash)])
        let chap = [AttributeNumber.chapPassword, 19, 1] + [UInt8](repeating: 5, count: 16)
        let reply = try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.access(password: nil, extra: chap))
        #expect(reply.first == PacketCode.accessReject.rawValue)
        #expect(host.count(.methodNeedsClearText as AccessReason) == 1)
    }

    @Test func echoesProxyStateInOrderBehindEverythingElse() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let states: [UInt8] = [AttributeNumber.proxyState, 4, 1, 2, AttributeNumber.proxyState, 3, 9]
        let reply = try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.access(extra: states))
        #expect(Array(reply.suffix(states.count)) == states)
    }

    @Test(arguments: ["a\u{0}b", "line\r\nbreak", String(repeating: "x", count: 253), "' OR 1=1 --", "日本"])
    func hostileNamesAreRefusedAndNothingBreaks(name: String) throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let nas = try TestNAS(to: host.server.authenticationPort)
        #expect(nas.exchange(TestPacket.access(1, user: name)).first == 3)
        #expect(nas.exchange(TestPacket.access(2)).first == 2)
    }

    @Test func aReplyThatIsTooLargeIsARejectWithAReason() throws {
        var large = TestServer.subscriber("nemo")
        for _ in 0..<15 { large.service += [AttributeNumber.filterID, 255] + [UInt8](repeating: 65, count: 253) }
        large.service += [AttributeNumber.filterID, 255] + [UInt8](repeating: 65, count: 253)
        let host = try TestServer(subscribers: [large])
        let reply = try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.access())
        #expect(reply.first == PacketCode.accessReject.rawValue)
        #expect(host.count(.replyTooLarge as AccessReason) == 1)
    }

    @Test func holdsARejectBackWithoutHoldingOthers() throws {
        // Not started: both meet the worker in one batch, so that no pause between them outlasts the delay.
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")], rejectDelayMilliseconds: 200, started: false)
        let nas = try TestNAS(to: host.server.authenticationPort)
        nas.send(TestPacket.access(1, password: "wrong"))
        nas.send(TestPacket.access(2))
        host.server.start()
        #expect(nas.receive().prefix(2) == [2, 2])
        #expect(nas.receive().prefix(2) == [3, 1])
    }
}
