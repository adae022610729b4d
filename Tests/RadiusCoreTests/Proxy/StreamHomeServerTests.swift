import CLinux
import Glibc
import Support
import Testing

@testable import RadiusCore

/// A home server over TCP, played by hand.
@Suite struct StreamHomeServerTests {
    @Test func asksOverTheConnectionThatWasMadeAhead() throws {
        let home = try ScriptedStreamServer()
        let server = try Self.server(home)
        try home.accept()
        let (nas, request) = try Self.ask(server, home)
        home.send(ScriptedHomeServer.reply(.accessAccept, to: request))
        #expect(nas.receive().first == 2)
        #expect(try Self.meter(server)[.accepts] == 1)
    }

    /// As servers do that are asked seldom: the next login finds another connection, and no word of trouble is said.
    @Test func anIdleConnectionThatTheServerEndsIsMadeAnew() throws {
        let home = try ScriptedStreamServer()
        let server = try Self.server(home)
        let meter = try Self.meter(server)
        for round in 1...3 {
            try home.accept()
            let (nas, request) = try Self.ask(server, home)
            home.send(ScriptedHomeServer.reply(.accessReject, to: request))
            #expect(nas.receive().first == 3, "\(round)")
            home.hangUp()
        }
        try home.accept()
        try eventuallyBlocking { meter.connectionFailure == nil && meter.state == .alive }
        #expect(meter[.connectionFailures] == 0)
    }

    /// One that ends the connection before it has answered anything is no server that can be used.
    @Test func aConnectionThatTheServerEndsAtOnceIsAFailure() throws {
        let home = try ScriptedStreamServer()
        let server = try Self.server(home)
        let meter = try Self.meter(server)
        try home.accept()
        home.hangUp()
        try eventuallyBlocking { meter.state == .zombie }
        #expect(meter[.connectionFailures] == 1)
        #expect(meter.connectionFailure == "the server closed the connection")
    }

    @Test func requestsThatAServerLeavesBehindAreItsFailure() throws {
        let home = try ScriptedStreamServer()
        let server = try Self.server(home)
        let meter = try Self.meter(server)
        try home.accept()
        let (nas, request) = try Self.ask(server, home)
        home.send(ScriptedHomeServer.reply(.accessAccept, to: request))
        #expect(nas.receive().first == 2)
        nas.send(TestPacket.access(200, user: "a@partner.example"))
        _ = try #require(home.receive())
        home.hangUp()
        try eventuallyBlocking { meter[.connectionFailures] == 1 && meter.state == .zombie }
    }

    /// RFC 6613 §2.6.4.
    @Test func aReplyThatIsNotAuthenticEndsTheConnection() throws {
        let home = try ScriptedStreamServer()
        let server = try Self.server(home)
        let meter = try Self.meter(server)
        try home.accept()
        let (_, request) = try Self.ask(server, home)
        var forged = ScriptedHomeServer.reply(.accessAccept, to: request)
        forged[4] ^= 1
        home.send(forged)
        #expect(try home.waitForEnd())
        try eventuallyBlocking { meter.connectionFailure?.contains("its shared secret is another") == true }
        #expect(meter[.accepts] == 0 && server.count(.accessAccepts) == 0)
    }

    private static func server(_ home: ScriptedStreamServer) throws -> TestServer {
        var timing = HomeServer.Timing()
        timing.responseMilliseconds = 20_000
        let row = HomeServer(
            id: 1, tenant: 1, name: "home", address: IPAddress(ipv4: 0x7f00_0001), transport: .tcp, accessPort: home.port,
            secret: ScriptedHomeServer.secret, timing: timing, usesStatusServer: false)
        let pool = HomeServerPool(id: 1, tenant: 1, name: "partners", kind: .failover, servers: [row])
        let realm = try #require(
            Realm(
                id: 1, tenant: 1, name: "partner", kind: .suffix, text: "partner.example", accessPool: pool, accountingPool: pool,
                strips: false, rejectsUnanswered: false))
        return try TestServer(subscribers: [], plan: ProxyPlan(servers: [row], realms: [realm]))
    }

    private static func meter(_ server: TestServer) throws -> HomeServerMeter {
        try #require(server.server.environment.proxy?.reports.first?.meter)
    }

    /// Asks until the server has a request; before it is known that the connection stands, nobody is asked.
    private static func ask(_ server: TestServer, _ home: ScriptedStreamServer) throws -> (TestNAS, [UInt8]) {
        let nas = try TestNAS(to: server.server.authenticationPort)
        var (identifier, request): (UInt8, [UInt8]?) = (0, nil)
        while request == nil, identifier < 250 {
            identifier += 1
            let unanswered = server.count(.proxyUnanswered)
            nas.send(TestPacket.access(identifier, user: "a@partner.example"))
            try eventuallyBlocking {
                request = home.receive(waitMilliseconds: 20)
                return request != nil || server.count(.proxyUnanswered) > unanswered
            }
        }
        return (nas, try #require(request))
    }
}

/// A server over TCP with one connection at a time.
private final class ScriptedStreamServer {
    let port: UInt16
    private let listener: Int32
    private var connection: Int32 = -1
    private var kept: [UInt8] = []

    init() throws {
        listener = lm_tcp_bind(IPAddress(ipv4: 0x7f00_0001).octets, 0, 0, 65_536)
        try #require(listener >= 0 && lm_tcp_listen(listener, 4) == 0)
        port = UInt16(lm_bound_port(listener))
    }

    deinit {
        hangUp()
        close(listener)
    }

    func accept() throws {
        var (waiting, peer) = (listener, lm_address())
        try #require(lm_wait(&waiting, 1, 60_000) > 0)
        connection = lm_tcp_accept(listener, &peer)
        try #require(connection >= 0)
    }

    func hangUp() {
        if connection >= 0 { close(connection) }
        (connection, kept) = (-1, [])
    }

    /// The next packet; nil when none comes.
    func receive(waitMilliseconds: Int32 = 60_000) -> [UInt8]? {
        while true {
            let length = kept.count >= 4 ? Int(kept[2]) << 8 | Int(kept[3]) : 4
            if length >= 20, kept.count >= length {
                defer { kept.removeFirst(length) }
                return Array(kept[..<length])
            }
            var (waiting, octets) = (connection, [UInt8](repeating: 0, count: 4096))
            guard lm_wait(&waiting, 1, waitMilliseconds) > 0 else { return nil }
            let count = lm_stream_receive(connection, &octets, octets.count)
            guard count > 0 else { return nil }
            kept += octets[..<count]
        }
    }

    func send(_ packet: [UInt8]) { _ = lm_stream_send(connection, packet, packet.count) }

    /// Whether the other side ends the connection.
    func waitForEnd() throws -> Bool {
        var octets = [UInt8](repeating: 0, count: 4096)
        while true {
            var waiting = connection
            guard lm_wait(&waiting, 1, 60_000) > 0 else { return false }
            let count = lm_stream_receive(connection, &octets, octets.count)
            if count <= 0 { return count == 0 }
        }
    }
}
