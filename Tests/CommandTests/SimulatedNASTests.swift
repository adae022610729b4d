import ArgumentParser
import Testing

@testable import RadiusCore
@testable import lastmile

/// The simulator on a clock of the tests, against a server of the tests.
@Suite struct SimulatedNASTests {
    private static let secret = SharedSecret(Array("testing123".utf8))

    private func nas(_ change: (inout SimulatorPlan) -> Void = { _ in }) throws -> SimulatedNAS {
        let credential = try #require(ClientCredential(.pap, password: Array("p".utf8)))
        var plan = SimulatorPlan(
            name: "sim", secret: Self.secret, credential: credential, userNames: [Array("alice".utf8)], downloadOctets: 1_000_000_000,
            uploadOctets: 1000, run: "run")
        change(&plan)
        return SimulatedNAS(plan: plan, dictionary: try Shipped.dictionary.get())
    }

    private func sent(_ actions: [SimulatedNAS.Action]) -> [[UInt8]] {
        actions.compactMap { if case .send(_, let octets) = $0 { octets } else { nil } }
    }

    private func events(_ actions: [SimulatedNAS.Action]) -> [SimulatorEvent.Kind] {
        actions.compactMap { if case .event(let event) = $0 { event.kind } else { nil } }
    }

    private func replies(_ actions: [SimulatedNAS.Action]) -> [[UInt8]] {
        actions.compactMap { if case .reply(let octets) = $0 { octets } else { nil } }
    }

    private func reply(_ code: UInt8, to request: [UInt8], _ attributes: [UInt8] = [], secret: SharedSecret = secret) -> [UInt8] {
        var reply = [code, request[1], 0, UInt8(20 + attributes.count)] + [UInt8](repeating: 0, count: 16) + attributes
        var span = reply.mutableSpan
        ResponseAuthenticator.sign(&span, requestAuthenticator: Digest16 { request[4 + $0] }, secret: secret)
        return reply
    }

    private func values(_ number: UInt8, _ packet: [UInt8]) -> [[UInt8]] { AttributeOctets.values(number, in: Array(packet[20...])) }

    private func number(_ attribute: UInt8, _ packet: [UInt8]) -> UInt32? { AttributeOctets.number(attribute, in: Array(packet[20...])) }

    /// Logs alice in: two Class values, an address, an interim interval of a minute. Returns the NAS and the Start.
    private func online(_ change: (inout SimulatorPlan) -> Void = { _ in }) throws -> (SimulatedNAS, start: [UInt8]) {
        var nas = try nas(change)
        let login = try #require(sent(nas.start(now: 0)).first)
        let attributes: [UInt8] = [25, 4, 9, 8, 25, 3, 7, 8, 6, 192, 0, 2, 7, 85, 6, 0, 0, 0, 60]
        let start = try #require(sent(nas.received(reply(2, to: login, attributes), on: .authentication, now: 100)).first)
        _ = nas.received(reply(5, to: start), on: .accounting, now: 110)
        return (nas, start)
    }

    @Test func returnsClassAndAddressAsTheyCame() throws {
        let (nas, start) = try online()
        let isSigned = RequestAuthenticator.verify(start.span, secret: Self.secret)
        #expect(isSigned)
        #expect(values(25, start) == [[9, 8], [7]])
        #expect(values(8, start) == [[192, 0, 2, 7]])
        #expect(number(40, start) == 1)
        #expect(values(44, start) == [Array("run-0".utf8)])
        #expect(nas.sessions[0].state == .online)
    }

    @Test func whatIsGivenStandsInPlaceOfItsOwn() throws {
        let vendors: [UInt8] = [26, 9, 0, 0, 0x3a, 0x8c, 1, 3, 7]
        var nas = try nas { $0.attributes = [31, 4, 0x78, 0x79, 87, 3, 0x70] + vendors + vendors }
        let login = try #require(sent(nas.start(now: 0)).first)
        #expect(values(31, login) == [[0x78, 0x79]] && values(87, login) == [[0x70]])
        #expect(values(26, login).count == 2 && values(5, login).count == 1)
        let start = try #require(sent(nas.received(reply(2, to: login), on: .authentication, now: 1)).first)
        #expect(values(31, start) == [[0x78, 0x79]])
        let identity = nas.identity(nas.sessions[0])
        #expect(identity.callingStationID == "xy" && identity.nasPortID == "p" && identity.acctSessionID == "run-0")
    }

    @Test func whatIsGivenStandsOnceInAccountingAndNamesTheNAS() throws {
        let given: [UInt8] = [4, 6, 198, 51, 100, 9, 8, 6, 203, 0, 113, 5, 45, 6, 0, 0, 0, 3, 55, 6, 0, 0, 0, 9]
        let (simulated, start) = try online {
            $0.address = IPAddress(text: "192.0.2.1")
            $0.attributes = given
        }
        var nas = simulated
        #expect(values(4, start) == [[198, 51, 100, 9]] && values(8, start) == [[203, 0, 113, 5]])
        #expect(values(45, start) == [[0, 0, 0, 3]] && values(55, start) == [[0, 0, 0, 9]])
        func asked(_ attributes: [UInt8], _ identifier: UInt8) throws -> UInt8? {
            let coa = try request(.coa, session: "run-0", change: attributes, identifier: identifier)
            return replies(nas.requested(coa, now: 200, wall: 1000)).first?[0]
        }
        let byGiven = try asked([4, 6, 198, 51, 100, 9, 8, 6, 203, 0, 113, 5], 1)
        let byItsOwn = try asked([4, 6, 192, 0, 2, 1], 2)
        #expect(byGiven == 44 && byItsOwn == 45)
    }

    @Test func theNamesAreNoFurtherAttribute() throws {
        let dictionary = try Shipped.dictionary.get()
        func attributes(_ word: String) throws -> [UInt8] {
            try SimulateCommand.parse(["--secret", "s", "--password", "p", "--attribute", word]).plan(dictionary).attributes
        }
        #expect(try attributes("NAS-Identifier=bob") == [32, 5] + Array("bob".utf8))
        #expect(throws: CommandFailure.self) { try attributes("User-Name=bob") }
    }

    @Test func sendsInterimsWith64BitCountersWhenTheServerSays() throws {
        var (nas, _) = try online()
        #expect(nas.deadline == 60_100)
        #expect(sent(nas.tick(now: 60_099)).isEmpty)
        let interim = try #require(sent(nas.tick(now: 60_100)).first)
        #expect(number(40, interim) == 3)
        #expect(number(46, interim) == 60)
        #expect(number(42, interim) == 60_000)
        // 60 000 000 000 octets to the subscriber.
        #expect(number(53, interim) == 13)
        #expect(number(43, interim) == 4_165_425_152)
        #expect(values(25, interim) == [[9, 8], [7]])
    }

    @Test func honoursSessionTimeout() throws {
        var nas = try nas()
        let login = try #require(sent(nas.start(now: 0)).first)
        let start = try #require(sent(nas.received(reply(2, to: login, [27, 6, 0, 0, 0, 5]), on: .authentication, now: 0)).first)
        _ = nas.received(reply(5, to: start), on: .accounting, now: 1)
        let stop = try #require(sent(nas.tick(now: 5000)).first)
        #expect(number(40, stop) == 2)
        #expect(number(49, stop) == 5)
        #expect(events(nas.received(reply(5, to: stop), on: .accounting, now: 5001)) == [.closed])
        #expect(nas.isFinished)
    }

    @Test func anUnverifiedReplyChangesNothing() throws {
        var nas = try nas()
        let login = try #require(sent(nas.start(now: 0)).first)
        let forged = reply(2, to: login, secret: SharedSecret([1]))
        #expect(events(nas.received(forged, on: .authentication, now: 1)) == [.dropped])
        #expect(nas.sessions[0].state == .authenticating)
        #expect(nas.received([1, 2, 3], on: .authentication, now: 1).isEmpty)
        #expect(events(nas.received(reply(3, to: login), on: .authentication, now: 2)) == [.rejected])
        #expect(nas.isFinished)
    }

    @Test func sendsTheSameOctetsAgainAndGivesUp() throws {
        var nas = try nas { $0.retries = 2 }
        let login = try #require(sent(nas.start(now: 0)).first)
        #expect(sent(nas.tick(now: 2999)).isEmpty)
        #expect(sent(nas.tick(now: 3000)) == [login])
        #expect(sent(nas.tick(now: 6000)) == [login])
        #expect(events(nas.tick(now: 9000)) == [.unanswered])
        #expect(nas.isFinished)
        #expect(nas.sessions[0].state == .failed)
    }

    private func request(_ kind: CoARequest.Kind, session: String, change: [UInt8] = [], identifier: UInt8 = 1) throws -> [UInt8] {
        let named = [AttributeNumber.acctSessionID, UInt8(session.utf8.count + 2)] + Array(session.utf8)
        return try CoARequest(kind, attributes: named + change).encode(identifier: identifier, timestamp: 1000, secret: Self.secret)
    }

    @Test func sendsStopBeforeItAcknowledgesADisconnect() throws {
        var (nas, _) = try online()
        let disconnect = try request(.disconnect, session: "run-0")
        let actions = nas.requested(disconnect, now: 5100, wall: 1000)
        guard case .send(.accounting, let stop)? = actions.first, case .reply(let ack)? = actions.last else {
            Issue.record("a Stop first and a reply last are expected")
            return
        }
        #expect(number(40, stop) == 2)
        #expect(number(49, stop) == 6)
        #expect(ack[0] == 41)
        let isSigned = ResponseAuthenticator.verify(ack.span, requestAuthenticator: Digest16 { disconnect[4 + $0] }, secret: Self.secret)
        #expect(isSigned)
        // A repetition gets the same octets and no second Stop.
        let again = nas.requested(disconnect, now: 5200, wall: 1000)
        #expect(replies(again) == [ack])
        #expect(again.count == 1)
        // Another request for it: the session is gone.
        let late = try #require(
            replies(nas.requested(try request(.disconnect, session: "run-0", identifier: 2), now: 5300, wall: 1000)).first)
        #expect(late[0] == 42)
        #expect(number(101, late) == 503)
    }

    @Test func appliesACoAAndRefusesUnknownSessions() throws {
        var (nas, _) = try online()
        let coa = nas.requested(try request(.coa, session: "run-0", change: [27, 6, 0, 0, 0, 9]), now: 2000, wall: 1000)
        #expect(events(coa) == [.changed])
        #expect(replies(coa).first?[0] == 44)
        #expect(nas.deadline == 9100)
        let unknown = try #require(replies(nas.requested(try request(.coa, session: "run-9"), now: 2000, wall: 1000)).first)
        #expect(unknown[0] == 45)
        #expect(number(101, unknown) == 503)
    }

    @Test func dropsRequestsThatDoNotVerify() throws {
        var (nas, _) = try online()
        var forged = try request(.disconnect, session: "run-0")
        forged[forged.count - 1] ^= 1
        let actions = nas.requested(forged, now: 1, wall: 1000)
        #expect(events(actions) == [.dropped])
        #expect(replies(actions).isEmpty)
        #expect(replies(nas.requested(try request(.disconnect, session: "run-0"), now: 1, wall: 2000)).isEmpty)
        #expect(nas.sessions[0].state == .online)
    }

    @Test func answersAsItIsTold() throws {
        var (silent, _) = try online { $0.answer = .silence }
        #expect(events(silent.requested(try request(.disconnect, session: "run-0"), now: 1, wall: 1000)) == [.ignored])
        var (nak, _) = try online { $0.answer = .refuse(ErrorCause(rawValue: 501)) }
        let reply = try #require(replies(nak.requested(try request(.disconnect, session: "run-0"), now: 1, wall: 1000)).first)
        #expect(number(101, reply) == 501)
        #expect(try SimulateCommand.answer("nak:501") == .refuse(ErrorCause(rawValue: 501)))
        #expect(throws: CommandFailure.self) { try SimulateCommand.answer("nak:") }
    }

    @Test func closesAllSessionsAfterItsDuration() throws {
        var (nas, _) = try online { $0.duration = 2000 }
        let stop = try #require(sent(nas.tick(now: 2000)).first)
        #expect(number(49, stop) == 1)
        #expect(!nas.isFinished)
        _ = nas.received(reply(5, to: stop), on: .accounting, now: 2001)
        #expect(nas.isFinished)
    }

    @Test func keepsToItsWindow() throws {
        var nas = try nas {
            $0.userNames = (0..<10).map { Array("u\($0)".utf8) }
            $0.window = 4
        }
        let first = sent(nas.start(now: 0))
        #expect(first.count == 4)
        let next = sent(nas.received(reply(3, to: first[0]), on: .authentication, now: 1))
        #expect(next.count == 1)
        #expect(!first.map { $0[1] }.contains(next[0][1]))
    }
}
