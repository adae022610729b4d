import Testing

@testable import RadiusCore

@Suite struct ServerDutiesTests {
    @Test func resendsTheSameOctetsToARetransmission() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let nas = try TestNAS(to: host.server.authenticationPort)
        let first = nas.exchange(TestPacket.access())
        let again = nas.exchange(TestPacket.access())
        #expect(first == again)
        #expect(host.count(ServerCounter.duplicates) == 1)
        #expect(host.count(ServerCounter.accessAccepts) == 1)
    }

    @Test func dropsARetransmissionWhileTheRejectIsHeldBack() throws {
        // It is held back until the server stops.
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")], rejectDelayMilliseconds: 120_000)
        let nas = try TestNAS(to: host.server.authenticationPort)
        let request = TestPacket.access(password: "wrong")
        nas.send(request)
        #expect(eventually { host.count(ServerCounter.accessRejects) == 1 })
        nas.send(request)
        #expect(eventually { host.count(ServerCounter.duplicatesInWork) == 1 })
        host.server.stop()
        #expect(nas.receive().first == 3)
        #expect(host.count(ServerCounter.duplicatesInWork) == 1)
    }

    @Test func answersStatusServerOnBothPortsOnlyWhenSigned() throws {
        let host = try TestServer(subscribers: [])
        let authentication = try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.status())
        #expect(authentication.first == PacketCode.accessAccept.rawValue)
        #expect(TestPacket.isSigned(authentication))
        let accounting = try TestNAS(to: host.server.accountingPort).exchange(TestPacket.status())
        #expect(accounting.first == PacketCode.accountingResponse.rawValue)
        #expect(TestPacket.isSigned(accounting))
        try TestNAS(to: host.server.authenticationPort).send(TestPacket.status(sign: false))
        #expect(eventually { host.count(DecodeError.messageAuthenticatorMissing) == 1 })
    }

    @Test func answersAccountingOnceItIsInTheJournal() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let nas = try TestNAS(to: host.server.accountingPort)
        let reply = nas.exchange(TestPacket.accounting(4, status: 1, session: "s1"))
        #expect(reply.prefix(2) == [PacketCode.accountingResponse.rawValue, 4])
        #expect(host.server.environment.journal.durableSequence == 1)
        var reader = JournalReader(directory: host.folder.path, after: 0)
        let kept = try KeptRecord.all(&reader, through: 1)
        #expect(kept.map(\.subscriber) == [42])
    }

    @Test func anAccountingRequestWithoutSessionIsDroppedButAccountingOnIsNot() throws {
        let host = try TestServer(subscribers: [])
        let nas = try TestNAS(to: host.server.accountingPort)
        nas.send(TestPacket.accounting(1, status: 1, session: ""))
        #expect(nas.exchange(TestPacket.accounting(2, status: 7, session: "")).prefix(2) == [5, 2])
        #expect(host.count(DecodeError.accountingIncomplete) == 1)
    }

    @Test func aWrongSecretIsCountedAndSilent() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let nas = try TestNAS(to: host.server.accountingPort)
        var packet = TestPacket.accounting(1, status: 1, session: "s1")
        packet[10] ^= 1
        nas.send(packet)
        #expect(eventually { host.count(DecodeError.requestAuthenticatorInvalid) == 1 })
        var access = TestPacket.access()
        access[25] ^= 1
        try TestNAS(to: host.server.authenticationPort).send(access)
        #expect(eventually { host.count(DecodeError.messageAuthenticatorInvalid) == 1 })
    }

    @Test func anUnknownClientIsCountedNotedAndSilent() throws {
        let stranger = NASClient(
            id: 8, tenant: 1, name: "elsewhere", network: IPAddress(ipv4: 0xc000_0201), prefixLength: 128, secret: TestServer.secret,
            vendor: .generic)
        let host = try TestServer(client: stranger, subscribers: [])
        try TestNAS(to: host.server.authenticationPort).send(TestPacket.access())
        #expect(eventually { host.count(ServerCounter.unknownClients) == 1 })
        #expect(host.server.environment.unknownClients.drain() == [UnknownClient(address: IPAddress(ipv4: 0x7f00_0001)): 1])
    }

    @Test func aClientThatOnceSignedIsHeldToIt() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let nas = try TestNAS(to: host.server.authenticationPort)
        #expect(nas.exchange(TestPacket.access(1, sign: false)).first == 2)
        #expect(host.client.observation.requiresMessageAuthenticator == false)
        #expect(nas.exchange(TestPacket.access(2)).first == 2)
        #expect(host.client.observation.requiresMessageAuthenticator == true)
        nas.send(TestPacket.access(3, sign: false))
        #expect(eventually { host.count(DecodeError.messageAuthenticatorMissing) == 1 })
    }

    @Test func dropsUnsignedProxyStateFromAClientThatNeverSentIt() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let nas = try TestNAS(to: host.server.authenticationPort)
        #expect(nas.exchange(TestPacket.access(1, sign: false)).first == 2)
        nas.send(TestPacket.access(2, extra: [AttributeNumber.proxyState, 3, 1], sign: false))
        #expect(eventually { host.count(DecodeError.proxyStateUnsigned) == 1 })
    }

    @Test(arguments: [
        (TriState.yes, TriState.no, false, false, DecodeError.messageAuthenticatorMissing),
        (.no, .yes, false, true, .proxyStateUnsigned),
    ])
    func theOperatorsRuleNeedsNoLearning(
        require: TriState, limit: TriState, sign: Bool, proxyState: Bool, expected: DecodeError
    ) throws {
        let host = try TestServer(
            client: TestServer.loopback(require: require, limit: limit), subscribers: [TestServer.subscriber("nemo")])
        let extra: [UInt8] = proxyState ? [AttributeNumber.proxyState, 3, 1] : []
        try TestNAS(to: host.server.authenticationPort).send(TestPacket.access(extra: extra, sign: sign))
        #expect(eventually { host.count(expected) == 1 })
    }

    @Test func dropsWhatIsMalformedAndGoesOn() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let nas = try TestNAS(to: host.server.authenticationPort)
        nas.send([1, 1, 0])
        nas.send([1, 1, 0, 19] + [UInt8](repeating: 0, count: 20))
        nas.send([1, 1, 0, 200] + [UInt8](repeating: 0, count: 30))
        nas.send([1, 1, 0, 22] + [UInt8](repeating: 0, count: 16) + [1, 1])
        nas.send([1, 1, 0, 23] + [UInt8](repeating: 0, count: 16) + [1, 9, 65])
        nas.send([99, 1, 0, 20] + [UInt8](repeating: 0, count: 16))
        #expect(nas.exchange(TestPacket.access()).first == 2)
        let expected: [DecodeError] = [
            .shorterThanHeader, .lengthOutOfRange, .lengthBeyondDatagram, .attributeTooShort, .attributeOverrun, .unsupportedCode,
        ]
        for reason in expected { #expect(host.count(reason) == 1, "\(reason)") }
    }

    @Test func aNewSnapshotIsInForceAtTheNextBatch() throws {
        let host = try TestServer(subscribers: [])
        let nas = try TestNAS(to: host.server.authenticationPort)
        #expect(nas.exchange(TestPacket.access(1)).first == 3)
        let before = host.store.snapshot
        let subscribers = before.subscribers.updated(with: [TestServer.subscriber("nemo")])
        host.store.publish(
            Snapshot(
                clients: before.clients, subscribers: subscribers, profiles: before.profiles, policies: before.policies,
                dictionary: before.dictionary))
        #expect(nas.exchange(TestPacket.access(2)).first == 2)
    }

    @Test func aPortThatIsTakenIsNamedWithWhatToDo() throws {
        let host = try TestServer(subscribers: [])
        let taken = host.server.authenticationPort
        let error = #expect(throws: ServerError.self) {
            _ = try RadiusServer(
                .init(address: IPAddress(ipv4: 0x7f00_0001), authenticationPort: taken, accountingPort: 0),
                environment: host.server.environment)
        }
        #expect(error?.description.contains("\(taken)") == true)
        #expect(error?.description.contains("radius.auth.port") == true)
    }
}
