import CLinux
import Glibc
import Support
import Testing

@testable import RadiusCore

/// Requests from a NAS to home servers over DTLS, and back.
@Suite struct DTLSHomeServerTests {
    private static func row(
        _ port: UInt16, id: Int64 = 1, responseMilliseconds: Int = 20_000, usesStatusServer: Bool = true,
        tlsName: String = "radius.example.net"
    ) -> HomeServer {
        var timing = HomeServer.Timing()
        timing.responseMilliseconds = responseMilliseconds
        timing.checkSeconds = 1
        timing.answersToRevive = 1
        return HomeServer(
            id: id, tenant: 1, name: "home\(id)", address: IPAddress(ipv4: 0x7f00_0001), transport: .dtls, accessPort: port,
            secret: ScriptedHomeServer.secret, timing: timing, usesStatusServer: usesStatusServer, tlsName: tlsName)
    }

    /// A server whose NAS's users of partner.example belong to these home servers.
    private static func server(_ servers: [HomeServer], _ authority: TestAuthority?) throws -> TestServer {
        let pool = HomeServerPool(id: 1, tenant: 1, name: "partners", kind: .failover, servers: servers)
        let realm = try #require(
            Realm(
                id: 1, tenant: 1, name: "partner", kind: .suffix, text: "partner.example", accessPool: pool, accountingPool: nil,
                strips: true))
        let plan = ProxyPlan(servers: servers, realms: [realm])
        guard let context = try authority?.datagramClient() else { return try TestServer(subscribers: [], plan: plan) }
        return try TestServer(subscribers: [], plan: plan, homeServerTLS: { _ throws(TLSFileFailure) in context })
    }

    private static func meter(_ server: TestServer, _ id: Int64 = 1) throws -> HomeServerMeter {
        try #require(server.server.environment.proxy?.reports.first { $0.server.id == id }?.meter)
    }

    private static let user = "nemo@partner.example"

    /// Logs in, anew each time, until an answer comes: without an association there is none.
    ///
    /// - Parameters:
    ///   - server: where.
    ///   - home: a home server of the test, which accepts.
    /// - Returns: the answer.
    /// - Throws: `ConditionNotMet` when none comes in a minute.
    private static func logIn(_ server: TestServer, at home: ScriptedDTLSServer? = nil) throws -> [UInt8] {
        let nas = try TestNAS(to: server.server.authenticationPort)
        var identifier: UInt8 = 0
        var readable = nas.fd
        try eventuallyBlocking {
            identifier &+= 1
            nas.send(TestPacket.access(identifier, user: user))
            guard let home else { return lm_wait(&readable, 1, 300) > 0 }
            for request in home.turn(waitMilliseconds: 100) { home.send(reply(.accessAccept, to: request)) }
            return lm_wait(&readable, 1, 100) > 0
        }
        return nas.receive()
    }

    private static func reply(_ code: PacketCode, to request: [UInt8]) -> [UInt8] {
        ScriptedHomeServer.reply(code, to: request, secret: DTLSClient.secret)
    }

    /// Drives a home server of the test until `condition` holds.
    private static func drive(
        _ home: ScriptedDTLSServer, until condition: () -> Bool, hearing: ([UInt8]) -> Void = { _ in }
    ) throws {
        try eventuallyBlocking {
            home.turn().forEach(hearing)
            return condition()
        }
    }

    /// Answers what is on the way, and then not the next request.
    ///
    /// - Returns: that request, once its time is over.
    private static func leaveUnanswered(_ server: TestServer, at home: ScriptedDTLSServer) throws -> [UInt8] {
        let meter = try Self.meter(server)
        let isQuiet = { meter[.accessRequests] == meter[.accepts] + meter[.timeouts] }
        try drive(home, until: isQuiet) { home.send(reply(.accessAccept, to: $0)) }
        try TestNAS(to: server.server.authenticationPort).send(TestPacket.access(1, user: user))
        var unanswered: [UInt8]?
        try drive(home, until: { unanswered != nil && isQuiet() }) { if $0[0] == 1 { unanswered = $0 } }
        return try #require(unanswered)
    }

    @Test func logsInAtAServerOfOurs() async throws {
        try await TestAuthority.withPair { authority in
            let home = try StreamHost(authority, datagrams: true)
            let server = try Self.server([Self.row(home.dtlsPort)], authority)
            let reply = try Self.logIn(server)
            #expect(reply.first == 2 && TestPacket.isSigned(reply))
            let nas = try TestNAS(to: server.server.authenticationPort)
            let wrong = nas.exchange(TestPacket.access(200, user: Self.user, password: "wrong"))
            #expect(wrong.first == 3)
            let meter = try Self.meter(server)
            #expect(meter[.accepts] >= 1 && meter[.rejects] == 1 && meter[.noRecord] == 0 && meter.connectionFailure == nil)
            #expect(home.open == 1 && home.streams.census.statistics.handshakes == 1)
            // A goodbye, not silence.
            server.server.environment.proxy?.shutdown()
            #expect(await eventually { home.streams.census.statistics.closed[.dtls]?["peer"] == 1 })
        }
    }

    @Test func beginsAnewWithAServerThatWasRestarted() async throws {
        try await TestAuthority.withPair { authority in
            let port = try LastingPorts.next()
            var home: StreamHost? = try StreamHost(authority, datagrams: true, datagramPort: port)
            let server = try Self.server([Self.row(port)], authority)
            #expect(try Self.logIn(server).first == 2 && home?.open == 1)
            home = nil
            let meter = try Self.meter(server)
            try eventuallyBlocking { meter.connectionFailure != nil && meter.state != .alive }
            let next = try StreamHost(authority, datagrams: true, datagramPort: port)
            #expect(try Self.logIn(server).first == 2 && next.open == 1)
            #expect(meter[.connectionFailures] >= 1 && meter.connectionFailure == nil)
        }
    }

    /// It lost its memory, and says nothing: only the silence tells.
    @Test(arguments: [true, false])
    func beginsAnewWithAServerThatHasForgotten(usesStatusServer: Bool) async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedDTLSServer(authority)
            let row = Self.row(home.port, responseMilliseconds: 500, usesStatusServer: usesStatusServer)
            let server = try Self.server([row], authority)
            #expect(try Self.logIn(server, at: home).first == 2)
            home.forget()
            try TestNAS(to: server.server.authenticationPort).send(TestPacket.access(1, user: Self.user))
            try Self.drive(home, until: { home.sessions == 2 && home.isOpen })
            let meter = try Self.meter(server)
            #expect(meter[.connectionFailures] == 1 && meter[.timeouts] >= 1 && meter[.repetitions] >= 1)
            #expect((meter[.statusServers] > 0) == usesStatusServer)
            #expect(try Self.logIn(server, at: home).first == 2 && home.sessions == 2)
        }
    }

    @Test func aReplyThatDoesNotVerifyEndsTheAssociation() async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedDTLSServer(authority)
            let server = try Self.server([Self.row(home.port)], authority)
            #expect(try Self.logIn(server, at: home).first == 2)
            let (meter, first) = (try Self.meter(server), try #require(home.tls))
            try TestNAS(to: server.server.authenticationPort).send(TestPacket.access(1, user: Self.user))
            // The secret of the row is not that of the association.
            try Self.drive(home, until: { meter[.badAuthenticator] == 1 }) {
                home.send(ScriptedHomeServer.reply(.accessAccept, to: $0))
            }
            try Self.drive(home, until: { home.tls !== first && home.isOpen })
            // The server was told.
            #expect(first.state == .closed && meter[.connectionFailures] == 1)
            #expect(try Self.logIn(server, at: home).first == 2)
        }
    }

    /// Its identifier has been given out again by then.
    @Test func aLateReplyDoesNotEndTheAssociation() async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedDTLSServer(authority)
            let server = try Self.server([Self.row(home.port, responseMilliseconds: 3000)], authority)
            #expect(try Self.logIn(server, at: home).first == 2)
            let (meter, association) = (try Self.meter(server), try #require(home.tls))
            let late = try Self.leaveUnanswered(server, at: home)
            let others = [try TestNAS(to: server.server.authenticationPort), try TestNAS(to: server.server.authenticationPort)]
            var (sent, current) = (0, [UInt8]?.none)
            try eventuallyBlocking {
                for _ in 0..<8 {
                    others[sent / 256 % 2].send(TestPacket.access(UInt8(sent % 256), user: Self.user))
                    sent += 1
                }
                for _ in 0..<8 {
                    for request in home.turn() {
                        if request[1] == late[1], request[4..<20] != late[4..<20] {
                            current = request
                        } else {
                            home.send(Self.reply(.accessAccept, to: request))
                        }
                    }
                }
                return current != nil
            }
            let unmatched = meter[.unmatched]
            home.send(Self.reply(.accessReject, to: late))
            try Self.drive(home, until: { meter[.unmatched] > unmatched })
            #expect(home.tls === association && home.isOpen)
            #expect(meter[.badAuthenticator] == 0 && meter[.rejects] == 0 && meter[.connectionFailures] == 0)
        }
    }

    /// It is there, and knows no Status-Server; nobody asks it anything else.
    @Test func aServerThatIgnoresStatusServerKeepsItsAssociation() async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedDTLSServer(authority)
            let server = try Self.server([Self.row(home.port, responseMilliseconds: 2000)], authority)
            #expect(try Self.logIn(server, at: home).first == 2)
            let (meter, association) = (try Self.meter(server), try #require(home.tls))
            let late = try Self.leaveUnanswered(server, at: home)
            let unmatched = meter[.unmatched]
            home.send(Self.reply(.accessAccept, to: late))
            try Self.drive(home, until: { meter[.unmatched] > unmatched })
            // It is asked once a second from now on, for longer than an association lasts without an answer.
            let asked = meter[.statusServers]
            try Self.drive(home, until: { meter[.statusServers] >= asked + 9 })
            #expect(home.tls === association && home.isOpen)
            #expect(meter[.statusAnswers] == 0 && meter[.connectionFailures] == 0)
        }
    }

    /// Its operator has switched that off, say. It loses an association by it, and keeps the next one.
    @Test func aServerThatAnswersStatusServerNoMoreKeepsItsNextAssociation() async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedDTLSServer(authority)
            let server = try Self.server([Self.row(home.port, responseMilliseconds: 2000)], authority)
            #expect(try Self.logIn(server, at: home).first == 2)
            let meter = try Self.meter(server)
            _ = try Self.leaveUnanswered(server, at: home)
            try Self.drive(home, until: { meter[.statusAnswers] > 0 && meter.state == .alive }) {
                home.send(Self.reply(.accessAccept, to: $0))
            }
            let late = try Self.leaveUnanswered(server, at: home)
            home.send(Self.reply(.accessAccept, to: late))
            // It is asked once a second from now on: twelve times over one association, which lasts six seconds where that counts.
            var (association, asked, lost) = (home.tls, meter[.statusServers], 0)
            try Self.drive(
                home,
                until: {
                    if home.tls !== association {
                        (association, asked) = (home.tls, meter[.statusServers])
                        lost += 1
                    }
                    return home.isOpen && meter[.statusServers] >= asked + 12
                })
            #expect(lost >= 1)
        }
    }

    @Test func aLaneThatIsRetiredSaysNothingOfTheNewOnesConnection() throws {
        let meter = HomeServerMeter()
        let former = HomeServerLane(Self.row(1), meter: meter, at: 0)
        former.failed(because: "no certificate", at: 0)
        #expect(meter.connectionFailure == "no certificate")
        former.retire()
        let current = HomeServerLane(Self.row(2), meter: meter, at: 0)
        #expect(meter.connectionFailure == nil)
        former.failed(because: "reset", at: 0)
        #expect(meter.connectionFailure == nil)
        current.failed(because: "refused", at: 0)
        former.opened(try #require(HomeServerChannel(datagramsUnder: 1)), at: 0)
        #expect(meter.connectionFailure == "refused" && meter[.connectionFailures] == 3)
    }

    @Test func hasAsManyRequestsOnTheWayAsThereAreIdentifiers() async throws {
        try await TestAuthority.withPair { authority in
            let home = try ScriptedDTLSServer(authority)
            // However slow the machine is, no request's time is over, and no question takes an identifier.
            let row = Self.row(home.port, responseMilliseconds: 3_600_000, usesStatusServer: false)
            let server = try Self.server([row], authority)
            #expect(try Self.logIn(server, at: home).first == 2)
            let meter = try Self.meter(server)
            // None of these logins is left.
            try Self.drive(home, until: { meter[.accessRequests] == meter[.accepts] }) { home.send(Self.reply(.accessAccept, to: $0)) }
            let (nas, other) = (try TestNAS(to: server.server.authenticationPort), try TestNAS(to: server.server.authenticationPort))
            var requests: [UInt8: [UInt8]] = [:]
            for identifier in UInt8(0)...255 {
                nas.send(TestPacket.access(identifier, user: Self.user))
                try Self.drive(home, until: { requests.count == Int(identifier) + 1 }) { requests[$0[1]] = $0 }
            }
            other.send(TestPacket.access(1, user: Self.user))
            try eventuallyBlocking { server.count(.proxyOverloaded) == 1 }
            for request in requests.values { home.send(Self.reply(.accessReject, to: request)) }
            for _ in 0..<256 { #expect(nas.receive().first == 3) }
            #expect(meter[.rejects] == 256)
        }
    }

    @Test func oneThatDoesNotShakeHandsHoldsUpNobodyAndHearsNothingInClear() async throws {
        try await TestAuthority.withPair { authority in
            let (silent, home) = (try ScriptedHomeServer(), try StreamHost(authority, datagrams: true))
            let server = try Self.server([Self.row(silent.port, id: 1), Self.row(home.dtlsPort, id: 2)], authority)
            #expect(try Self.logIn(server).first == 2)
            let nas = try TestNAS(to: server.server.authenticationPort)
            for identifier in UInt8(100)..<120 { #expect(nas.exchange(TestPacket.access(identifier, user: Self.user)).first == 2) }
            var heard: [[UInt8]] = []
            while let datagram = silent.receive(waitMilliseconds: 0) { heard.append(datagram) }
            #expect(!heard.isEmpty && heard.allSatisfy { DTLSClientHello.begins($0.span) })
            #expect(try Self.meter(server, 1)[.accessRequests] == 0)
        }
    }

    @Test func saysWhyThereIsNoConnection() async throws {
        try await TestAuthority.withPair { authority in
            let home = try StreamHost(authority, datagrams: true)
            let without = try Self.server([Self.row(home.dtlsPort)], nil)
            let meter = try Self.meter(without)
            try eventuallyBlocking { meter.connectionFailure?.hasPrefix("radsec.certificate: it names none") == true }
            let server = try Self.server(
                [Self.row(home.dtlsPort, id: 1, tlsName: "other.example.net"), Self.row(try LastingPorts.next(), id: 2)], authority)
            let (other, nobody) = (try Self.meter(server, 1), try Self.meter(server, 2))
            try eventuallyBlocking { other.connectionFailure?.contains("it belongs to another server") == true }
            try eventuallyBlocking { nobody.connectionFailure == "Connection refused" }
            #expect(home.open == 0)
        }
    }
}
