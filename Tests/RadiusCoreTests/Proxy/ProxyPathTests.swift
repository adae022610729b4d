import CLinux
import Glibc
import Support
import Testing

@testable import RadiusCore

/// Requests from a NAS through the server to a scripted home server and back, over loopback.
@Suite struct ProxyPathTests {
    private static func plan(
        _ servers: [HomeServer], kind: HomeServerPool.Kind = .failover, strips: Bool = false, rejects: Bool = false
    ) throws -> ProxyPlan {
        let pool = HomeServerPool(id: 1, tenant: 1, name: "partners", kind: kind, servers: servers)
        let realm = try #require(
            Realm(
                id: 1, tenant: 1, name: "partner", kind: .suffix, text: "partner.example", accessPool: pool, accountingPool: pool,
                strips: strips, rejectsUnanswered: rejects))
        return ProxyPlan(servers: servers, realms: [realm])
    }

    private static func meter(_ server: TestServer, _ id: Int64 = 1) -> HomeServerMeter? {
        server.server.environment.proxy?.reports.first { $0.server.id == id }?.meter
    }

    private static func publish(_ plan: ProxyPlan, in server: TestServer) throws {
        server.store.publish(try TestServer.snapshot([server.client], [], [TestServer.plan()], AccessPolicy(), plan))
    }

    @Test func forwardsALoginAndItsAnswer() throws {
        let home = try ScriptedHomeServer()
        let server = try TestServer(subscribers: [TestServer.subscriber("nemo")], plan: try Self.plan([home.row()], strips: true))
        let nas = try TestNAS(to: server.server.authenticationPort)
        let states = [[1, 2, 3], [9]].map { ScriptedHomeServer.attribute(33, $0) }.flatMap { $0 }
        nas.send(TestPacket.access(7, user: "alice@Partner.Example", password: "let me in", extra: states))
        let request = try #require(home.receive())
        #expect(request[0] == 1)
        #expect(request[20] == 80)
        let authenticator = digest16(request[4..<20])
        let isSigned = MessageAuthenticator.verify(
            request.span, attributeOffset: 20, authenticator: authenticator, secret: ScriptedHomeServer.secret)
        #expect(isSigned)
        #expect(ScriptedHomeServer.values(1, in: request) == [Array("alice".utf8)])
        let hidden = try #require(ScriptedHomeServer.values(2, in: request).first)
        let clear = try filling(128) {
            try UserPassword.reveal(hidden.span, requestAuthenticator: authenticator, secret: ScriptedHomeServer.secret, into: &$0)
        }
        #expect(clear == Array("let me in".utf8))
        let sent = ScriptedHomeServer.values(33, in: request)
        #expect(sent.count == 3)
        #expect(Array(sent.prefix(2)) == [[1, 2, 3], [9]])
        home.send(ScriptedHomeServer.reply(.accessAccept, to: request, extra: ScriptedHomeServer.attribute(18, Array("welcome".utf8))))
        let reply = nas.receive()
        #expect(reply.first == 2)
        #expect(TestPacket.isSigned(reply))
        #expect(ScriptedHomeServer.values(33, in: reply) == [[1, 2, 3], [9]])
        #expect(ScriptedHomeServer.values(18, in: reply) == [Array("welcome".utf8)])
        #expect(server.count(.proxyAccepted) == 1)
        #expect(Self.meter(server)?[.accepts] == 1)
        #expect(Self.meter(server)?[.proxyStateMissing] == 0)
    }

    @Test func meetsARetransmissionWithTheSameReply() throws {
        let home = try ScriptedHomeServer()
        let server = try TestServer(subscribers: [], plan: try Self.plan([home.row()]))
        let nas = try TestNAS(to: server.server.authenticationPort)
        let packet = TestPacket.access(3, user: "a@partner.example")
        nas.send(packet)
        let request = try #require(home.receive())
        // While the home server thinks, the same request is not forwarded anew.
        nas.send(packet)
        #expect(eventually { server.count(.duplicatesInWork) == 1 })
        home.send(ScriptedHomeServer.reply(.accessReject, to: request))
        let reply = nas.receive()
        #expect(reply.first == 3)
        #expect(nas.exchange(packet) == reply)
        #expect(Self.meter(server)?[.accessRequests] == 1)
    }

    @Test func answersSubscribersOfItsOwnItself() throws {
        let home = try ScriptedHomeServer()
        let server = try TestServer(subscribers: [TestServer.subscriber("nemo")], plan: try Self.plan([home.row()]))
        #expect(try TestNAS(to: server.server.authenticationPort).exchange(TestPacket.access(1)).first == 2)
        #expect(server.count(.proxied) == 0)
    }

    @Test func carriesTheChallengeOfCHAP() throws {
        let home = try ScriptedHomeServer()
        let server = try TestServer(subscribers: [], plan: try Self.plan([home.row()]))
        let nas = try TestNAS(to: server.server.authenticationPort)
        let chap = ScriptedHomeServer.attribute(3, [UInt8](repeating: 5, count: 17))
        nas.send(TestPacket.access(1, user: "a@partner.example", password: nil, extra: chap))
        let request = try #require(home.receive())
        #expect(ScriptedHomeServer.values(60, in: request) == [octets(TestPacket.authenticator)])
        #expect(ScriptedHomeServer.values(3, in: request) == [[UInt8](repeating: 5, count: 17)])
    }

    @Test func dropsWhatIsNoReplyOfTheHomeServer() throws {
        let home = try ScriptedHomeServer()
        let server = try TestServer(subscribers: [], plan: try Self.plan([home.row()]))
        let nas = try TestNAS(to: server.server.authenticationPort)
        nas.send(TestPacket.access(1, user: "a@partner.example"))
        let request = try #require(home.receive())
        let meter = try #require(Self.meter(server))
        home.send(ScriptedHomeServer.reply(.accessAccept, to: request, sign: false))
        #expect(eventually { meter[.messageAuthenticatorMissing] == 1 })
        home.send(ScriptedHomeServer.reply(.accessAccept, to: request, secret: SharedSecret(Array("another".utf8))))
        #expect(eventually { meter[.badAuthenticator] == 1 })
        let stranger = try ScriptedHomeServer()
        home.send(ScriptedHomeServer.reply(.accessAccept, to: request), from: stranger.fd)
        #expect(eventually { meter[.wrongSource] == 1 })
        home.send([2, request[1], 0, 19])
        home.send(ScriptedHomeServer.reply(.accountingResponse, to: request))
        #expect(eventually { meter[.malformed] == 2 })
        home.send(ScriptedHomeServer.reply(.accessReject, to: request))
        #expect(nas.receive().first == 3)
        #expect(meter[.rejects] == 1)
    }

    /// Its identifier is a log-in's by then.
    @Test func aLateReplyToAccountingIsLateAndNotAStrangers() throws {
        let (access, accounting) = (try ScriptedHomeServer(), try ScriptedHomeServer())
        let row = HomeServer(
            id: 1, tenant: 1, name: "home", address: IPAddress(ipv4: 0x7f00_0001), accessPort: access.port,
            accountingPort: accounting.port, secret: ScriptedHomeServer.secret)
        let plan = try Self.plan([row])
        let store = SnapshotStore(try TestServer.snapshot([TestServer.loopback()], [], [TestServer.plan()], AccessPolicy(), plan))
        let loop = ProxyLoop(
            ProxyEngine(settings: .init(), store: store, epoll: lm_epoll(), wake: lm_eventfd(), tls: ProxyService.noTLS))
        let pool = HomeServerPool(id: 1, tenant: 1, name: "partners", kind: .failover, servers: [row])
        func send(_ kind: ProxyOrder.Kind, _ packet: [UInt8]) throws -> ProxyLoop.Exchange {
            let order = ProxyOrder(
                kind, to: pool, received: packet, userName: nil, filter: AttributeFilter(), dictionary: store.snapshot.dictionary, key: 0
            ) { _ in }
            loop.dispatch(order, tried: [], beganAt: lm_monotonic_nanoseconds())
            return try #require(loop.exchanges.values.first)
        }
        let late = try send(.accounting(receivedMicroseconds: 0), TestPacket.accounting(1, status: 1, session: "s1"))
        loop.forget(late)
        var current = try send(.access(TestServer.secret), TestPacket.access(1))
        while current.identifier != late.identifier {
            loop.forget(current)
            current = try send(.access(TestServer.secret), TestPacket.access(1))
        }
        let (meter, now) = (current.lane.meter, lm_monotonic_nanoseconds())
        let answer = ScriptedHomeServer.reply(.accountingResponse, to: late.request.octets, sign: false)
        loop.receive(answer, current.channel, current.lane, from: accounting.port, at: now)
        #expect(meter[.unmatched] == 1 && meter[.wrongSource] == 0)
        let foreign = ScriptedHomeServer.reply(.accessAccept, to: current.request.octets)
        loop.receive(foreign, current.channel, current.lane, from: accounting.port, at: now)
        #expect(meter[.unmatched] == 1 && meter[.wrongSource] == 1)
    }

    @Test func turnsToTheNextServer() throws {
        let (first, second) = (try ScriptedHomeServer(), try ScriptedHomeServer())
        let servers = [first.row(id: 1, responseMilliseconds: 2000), second.row(id: 2)]
        let server = try TestServer(subscribers: [], plan: try Self.plan(servers))
        let nas = try TestNAS(to: server.server.authenticationPort)
        nas.send(TestPacket.access(1, user: "a@partner.example"))
        let asked = try #require(first.receive())
        // The repetition is the same packet.
        #expect(first.receive() == asked)
        let request = try #require(second.receive())
        #expect(request[4..<20] != asked[4..<20])
        second.send(ScriptedHomeServer.reply(.accessAccept, to: request))
        #expect(nas.receive().first == 2)
        let meter = try #require(Self.meter(server, 1))
        #expect(meter[.timeouts] == 1)
        #expect(meter[.repetitions] == 1)
        #expect(eventually { meter.state == .zombie })
        // It is asked how it does, and when it answers it is alive again.
        try eventuallyBlocking {
            // One that waited too long for its answer is over; another comes each second.
            if let probe = first.receive(waitMilliseconds: 100) {
                #expect(probe[0] == 12)
                first.send(ScriptedHomeServer.reply(.accessAccept, to: probe))
            }
            return meter.state == .alive
        }
        #expect(meter[.statusAnswers] > 0)
    }

    /// Has the first server pass the request on that it was asked, once the proxy has taken up `plan`.
    private static func passOn(
        _ asked: [UInt8], from first: ScriptedHomeServer, after plan: ProxyPlan, _ server: TestServer, _ nas: TestNAS
    ) throws {
        try publish(plan, in: server)
        // Whatever comes behind it meets the new servers; that this reaches the first one shows that they are there.
        nas.send(TestPacket.access(99, user: "a@partner.example"))
        let second = try #require(first.receive())
        first.send(ScriptedHomeServer.reply(.accessReject, to: second))
        #expect(nas.receive().prefix(2) == [3, 99])
        first.send(ScriptedHomeServer.reply(.protocolError, to: asked))
    }

    @Test func goesOnWithTheServersOfTheNewestSnapshot() throws {
        let (first, before, after) = (try ScriptedHomeServer(), try ScriptedHomeServer(), try ScriptedHomeServer())
        let row = first.row(id: 1)
        let server = try TestServer(subscribers: [], plan: try Self.plan([row, before.row(id: 2)]))
        let nas = try TestNAS(to: server.server.authenticationPort)
        nas.send(TestPacket.access(1, user: "a@partner.example"))
        let asked = try #require(first.receive())
        // The order in hand knows the second server where it was.
        try Self.passOn(asked, from: first, after: try Self.plan([row, after.row(id: 2)]), server, nas)
        let request = try #require(after.receive())
        after.send(ScriptedHomeServer.reply(.accessAccept, to: request))
        #expect(nas.receive().first == 2)
        #expect(before.receive(waitMilliseconds: 0) == nil)
    }

    @Test func asksNoServerThatWasDeleted() throws {
        let (first, deleted) = (try ScriptedHomeServer(), try ScriptedHomeServer())
        let row = first.row(id: 1)
        let server = try TestServer(subscribers: [], plan: try Self.plan([row, deleted.row(id: 2)]))
        let nas = try TestNAS(to: server.server.authenticationPort)
        nas.send(TestPacket.access(1, user: "a@partner.example"))
        let asked = try #require(first.receive())
        try Self.passOn(asked, from: first, after: try Self.plan([row]), server, nas)
        // Nobody was waited for in vain: the only one that is left refused.
        #expect(eventually { server.count(.proxyDeclined) == 1 })
        #expect(server.count(.proxyTimeout) == 0)
        #expect(deleted.receive(waitMilliseconds: 0) == nil)
    }

    @Test func refusesWhenNobodyAnswers() throws {
        let home = try ScriptedHomeServer()
        let server = try TestServer(subscribers: [], plan: try Self.plan([home.row(responseMilliseconds: 100)], rejects: true))
        let nas = try TestNAS(to: server.server.authenticationPort)
        #expect(nas.exchange(TestPacket.access(1, user: "a@partner.example")).first == 3)
        #expect(server.count(.proxyTimeout) == 1)
        #expect(server.count(.proxyUnanswered) == 1)
    }

    @Test func letsANASAskAgainWhenNobodyAnswers() throws {
        let home = try ScriptedHomeServer()
        let server = try TestServer(subscribers: [], plan: try Self.plan([home.row(responseMilliseconds: 100)]))
        let nas = try TestNAS(to: server.server.authenticationPort)
        let packet = TestPacket.access(1, user: "a@partner.example")
        nas.send(packet)
        #expect(eventually { server.count(.proxyTimeout) == 1 })
        nas.send(packet)
        #expect(eventually { server.count(.proxied) == 2 })
        #expect(server.count(.accessRejects) == 0)
        #expect(eventually { server.server.authEvents.contains { $0.waitingOctets > 0 } })
        var outcomes: [AuthEvent.Outcome] = []
        for ring in server.server.authEvents { _ = ring.drain(limit: 100) { outcomes.append($0.event.outcome) } }
        #expect(!outcomes.isEmpty && outcomes.allSatisfy { $0 == .silence }, "\(outcomes)")
    }

    @Test func staysWithTheServerThatGaveTheState() throws {
        let (first, second) = (try ScriptedHomeServer(), try ScriptedHomeServer())
        let server = try TestServer(
            subscribers: [],
            plan: try Self.plan(
                [first.row(id: 1), second.row(id: 2)], kind: .balance))
        let nas = try TestNAS(to: server.server.authenticationPort)
        nas.send(TestPacket.access(1, user: "a@partner.example"))
        var request: [UInt8]?
        var (holder, other) = (second, first)
        try eventuallyBlocking {
            (holder, other) = (other, holder)
            request = holder.receive(waitMilliseconds: 20)
            return request != nil
        }
        let state = ScriptedHomeServer.attribute(24, [4, 2, 4, 2])
        holder.send(ScriptedHomeServer.reply(.accessChallenge, to: try #require(request), extra: state))
        #expect(nas.receive().first == 11)
        for identifier: UInt8 in 2..<8 {
            nas.send(TestPacket.access(identifier, user: "a@partner.example", extra: state))
            let next = try #require(holder.receive())
            holder.send(ScriptedHomeServer.reply(.accessReject, to: next))
            #expect(nas.receive().first == 3)
        }
        #expect(other.receive(waitMilliseconds: 0) == nil)
    }

    @Test func stopsALoop() throws {
        let home = try ScriptedHomeServer()
        let server = try TestServer(subscribers: [], plan: try Self.plan([home.row()]))
        let nas = try TestNAS(to: server.server.authenticationPort)
        nas.send(TestPacket.access(1, user: "a@partner.example"))
        let request = try #require(home.receive())
        let own = try #require(ScriptedHomeServer.values(33, in: request).last)
        let reply = nas.exchange(TestPacket.access(2, user: "a@partner.example", extra: ScriptedHomeServer.attribute(33, own)))
        #expect(reply.first == 3)
        #expect(server.count(.proxyLoop) == 1)
        let far = (0..<ProxyState.hopLimit).flatMap { ScriptedHomeServer.attribute(33, [UInt8($0)]) }
        #expect(nas.exchange(TestPacket.access(3, user: "a@partner.example", extra: far)).first == 3)
        #expect(server.count(.proxyLoop) == 2)
    }

    @Test func hidesKeysAnew() throws {
        let home = try ScriptedHomeServer()
        let server = try TestServer(subscribers: [], plan: try Self.plan([home.row()]))
        let nas = try TestNAS(to: server.server.authenticationPort)
        nas.send(TestPacket.access(1, user: "a@partner.example"))
        let request = try #require(home.receive())
        let key = (0..<32).map { UInt8($0) }
        func salted(_ salt: UInt16) -> [UInt8] {
            filling(64) {
                SaltEncryption.hide(
                    key.span, salt: salt, authenticator: digest16(request[4..<20]), secret: ScriptedHomeServer.secret, into: &$0)
            }
        }
        let send = salted(0x8001), tunnel = [3] + salted(0x8002)
        let pair = Array((1...24).map { UInt8($0) } + [UInt8](repeating: 0, count: 8))
        let old = filling(64) {
            UserPassword.hide(
                pair.span, requestAuthenticator: digest16(request[4..<20]), secret: ScriptedHomeServer.secret, into: &$0)
        }
        let extra =
            ScriptedHomeServer.attribute(26, [0, 0, 1, 0x37, 16, UInt8(send.count + 2)] + send + [12, UInt8(old.count + 2)] + old)
            + ScriptedHomeServer.attribute(69, tunnel)
        home.send(ScriptedHomeServer.reply(.accessAccept, to: request, extra: extra))
        let reply = nas.receive()
        #expect(reply.first == 2)
        let vendor = try #require(ScriptedHomeServer.values(26, in: reply).first)
        let password = try #require(ScriptedHomeServer.values(69, in: reply).first)
        let other = Array(vendor[(6 + send.count + 2)...])
        let revealed = try filling(64) {
            try UserPassword.reveal(
                other.span, requestAuthenticator: TestPacket.authenticator, secret: TestServer.secret, into: &$0)
        }
        #expect(revealed == Array(pair[..<24]))
        #expect(other.count == 32)
        for hidden in [Array(vendor[6..<6 + send.count]), Array(password[1...])] {
            let clear = try filling(64) {
                try SaltEncryption.reveal(
                    hidden.span, authenticator: TestPacket.authenticator, secret: TestServer.secret, into: &$0)
            }
            #expect(clear == key)
        }
        #expect(password[0] == 3)
        #expect(vendor[6] & 0x80 != 0)
        #expect(vendor[6..<8] != password[1..<3])
    }
}
