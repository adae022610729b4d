import Glibc
import Support
import Testing

@testable import RadiusCore

/// `StreamClient` over DTLS.
@Suite struct DatagramClientTests {
    private static let loopback = IPAddress(ipv4: 0x7f00_0001)
    private static let secret = DTLSClient.secret

    private static func client(
        to port: UInt16, _ authority: TestAuthority, name: String? = "radius.example.net", nowSeconds: UInt32 = 0
    ) throws -> StreamClient {
        StreamClient(to: loopback, port: port, try authority.datagramClient(), serverName: name, nowSeconds: nowSeconds)
    }

    /// Drives a client, and the server when it is the test's, until `condition` holds, and collects what arrives at both.
    @discardableResult
    private static func drive(
        _ client: StreamClient, _ server: ScriptedDTLSServer? = nil, until condition: (_ replies: [[UInt8]], _ requests: [[UInt8]]) -> Bool
    ) throws -> (replies: [[UInt8]], requests: [[UInt8]]) {
        var (replies, requests): ([[UInt8]], [[UInt8]]) = ([], [])
        try eventuallyBlocking {
            replies += client.wait(milliseconds: server == nil ? 10 : 1, nowSeconds: 0)
            if let server { requests += server.turn(waitMilliseconds: 1) }
            return condition(replies, requests)
        }
        return (replies, requests)
    }

    /// A client with an open connection to a server of the test.
    private static func withPair(_ body: (StreamClient, ScriptedDTLSServer) throws -> Void) async throws {
        try await TestAuthority.withPair { authority in
            let server = try ScriptedDTLSServer(authority)
            let client = try client(to: server.port, authority)
            try drive(client, server) { _, _ in client.status == .open && server.isOpen }
            try body(client, server)
        }
    }

    @Test func sendsAndReceivesWholePackets() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, datagrams: true)
            let client = try Self.client(to: host.dtlsPort, authority)
            #expect(client.status == .handshaking && !client.send(TestPacket.access(0, secret: Self.secret)))
            try Self.drive(client) { _, _ in client.status == .open }
            #expect(client.peer?.names.dnsNames == ["radius.example.net"])
            for identifier in UInt8(0)..<100 { #expect(client.send(TestPacket.access(identifier, secret: Self.secret))) }
            let replies = try Self.drive(client) { replies, _ in replies.count == 100 }.replies
            #expect(Set(replies.map { $0[1] }) == Set(UInt8(0)..<100))
            #expect(replies.allSatisfy { $0[0] == 2 && TestPacket.isSigned($0, secret: Self.secret) })
            #expect(client.takeLosses() == StreamClient.Losses())
            client.close(nowSeconds: 0)
            #expect(client.status == .ended(.closed) && client.fd == -1 && !client.send(TestPacket.access()))
            #expect(await eventually { host.streams.census.statistics.closed[.dtls]?["peer"] == 1 && host.open == 0 })
        }
    }

    @Test func refusesAServerOfAnotherName() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, datagrams: true)
            let client = try Self.client(to: host.dtlsPort, authority, name: "other.example.net")
            try Self.drive(client) { _, _ in client.status != .handshaking }
            #expect(client.status == .ended(.tls(.certificate(.wrongName, depth: 0))))
            #expect(await eventually { host.refused("tls_alert_42", .dtls) == 1 }, "\(host.streams.census.statistics.refused)")
        }
    }

    @Test func aPortWhereNobodyListensEndsAnAttempt() async throws {
        try await TestAuthority.withPair { authority in
            let client = try Self.client(to: try LastingPorts.next(), authority)
            try Self.drive(client) { _, _ in client.status != .handshaking }
            #expect(client.status == .ended(.system(ECONNREFUSED)))
        }
    }

    /// Whoever is on the way can say so.
    @Test func aPortWhereNobodyListensAnyMoreEndsNoConnection() async throws {
        try await TestAuthority.withPair { authority in
            var server: ScriptedDTLSServer? = try ScriptedDTLSServer(authority)
            let client = try Self.client(to: server?.port ?? 0, authority)
            try Self.drive(client, server) { _, _ in client.status == .open && server?.isOpen == true }
            // Its port is nobody's now, and the system tells us.
            server = nil
            for identifier in UInt8(0)..<10 {
                #expect(client.send(TestPacket.access(identifier, secret: Self.secret)))
                _ = client.wait(milliseconds: 10, nowSeconds: 0)
            }
            #expect(client.status == .open && client.waitingOctets == 0)
        }
    }

    @Test func aServerThatDoesNotAnswerIsAskedAgainAndGivenUp() async throws {
        try await TestAuthority.withPair { authority in
            let server = try ScriptedHomeServer()
            let client = try Self.client(to: server.port, authority, nowSeconds: 100)
            var hellos: [[UInt8]] = []
            try eventuallyBlocking {
                _ = client.wait(milliseconds: 10, nowSeconds: 100)
                if let datagram = server.receive(waitMilliseconds: 0) { hellos.append(datagram) }
                return hellos.count == 2
            }
            // The same ClientHello in another record.
            #expect(hellos[0].dropFirst(13) == hellos[1].dropFirst(13) && hellos[0] != hellos[1])
            client.tick(nowSeconds: 109)
            #expect(client.status == .handshaking)
            client.tick(nowSeconds: 110)
            #expect(client.status == .ended(.timeout))
        }
    }

    @Test func aServersGoodbyeIsAnswered() async throws {
        try await Self.withPair { client, server in
            server.send(TestPacket.access(1))
            server.sayGoodbye()
            let replies = try Self.drive(client, server) { _, _ in client.status != .open && server.tls?.state == .closed }.replies
            #expect(client.status == .ended(.byPeer) && replies.count == 1)
        }
    }

    @Test func whatFollowsAPacketInItsRecordIsPadding() async throws {
        try await Self.withPair { client, server in
            let packet = TestPacket.access(5)
            server.send(packet + [0, 0, 0])
            let replies = try Self.drive(client) { replies, _ in !replies.isEmpty }.replies
            #expect(replies == [packet])
            #expect(client.status == .open)
        }
    }

    @Test(arguments: [
        ([UInt8](repeating: 0, count: 19), StreamClient.Ending.badLength(19)),
        ([2, 1, 0, 19] + [UInt8](repeating: 0, count: 20), .badLength(19)),
        ([2, 1, 0x10, 1] + [UInt8](repeating: 0, count: 4100), .badLength(4097)),
        ([2, 1, 0, 40] + [UInt8](repeating: 0, count: 30), .cutPacket(34)),
    ])
    func aRecordThatIsNoPacketEndsTheConnection(record: [UInt8], ending: StreamClient.Ending) async throws {
        try await Self.withPair { client, server in
            server.send(TestPacket.access(1))
            server.send(record)
            // The peer is told.
            let replies = try Self.drive(client, server) { _, _ in client.status != .open && server.tls?.state == .closed }.replies
            #expect(client.status == .ended(ending) && replies.count == 1)
        }
    }

    @Test func datagramsOfNoUseAreCountedAndHarmNothing() async throws {
        try await Self.withPair { client, server in
            let record = server.seal(TestPacket.access(1))
            var damaged = record
            damaged[damaged.count - 1] ^= 1
            let long = [UInt8](repeating: 23, count: 30_000)
            // The last one comes a second time.
            for datagram in [damaged, [22, 254], TestPacket.access(2), long, record, record] { server.socket.send(datagram) }
            server.send(TestPacket.access(3))
            let replies = try Self.drive(client) { replies, _ in replies.count == 2 }.replies
            #expect(replies.map { $0[1] } == [1, 3] && client.status == .open)
            #expect(client.takeLosses() == StreamClient.Losses(passedOver: 5) && client.takeLosses() == StreamClient.Losses())
        }
    }

    @Test func eachPacketHasItsDatagramHoweverLong() async throws {
        try await Self.withPair { client, server in
            let long = TestPacket.build(.accessRequest, 9, sign: false) { writer in
                for _ in 0..<15 { writer.append(18, [UInt8](repeating: 0x61, count: 253).span) }
            }
            let sent = [TestPacket.access(1), long, TestPacket.access(2)]
            for packet in sent { #expect(client.send(packet)) }
            _ = client.attend(nowSeconds: 0)
            var requests: [[[UInt8]]] = []
            try eventuallyBlocking {
                requests.append(server.turn())
                return requests.joined().count == 3
            }
            #expect(requests.filter { !$0.isEmpty } == sent.map { [$0] })
        }
    }
}
