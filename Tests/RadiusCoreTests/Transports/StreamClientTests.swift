import Glibc
import Support
import Testing

@testable import RadiusCore

@Suite struct StreamClientTests {
    private static let loopback = IPAddress(ipv4: 0x7f00_0001)

    /// Drives `client` until `condition` holds, and collects what arrives.
    private static func drive(_ client: StreamClient, until condition: ([[UInt8]]) -> Bool) -> [[UInt8]] {
        var packets: [[UInt8]] = []
        for _ in 0..<2000 where !condition(packets) { packets += client.wait(milliseconds: 10, nowSeconds: 0) }
        return packets
    }

    @Test(arguments: [false, true])
    func sendsAndReceivesWholePackets(isTLS: Bool) async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority)
            let client = StreamClient(
                to: Self.loopback, port: isTLS ? host.tlsPort : host.tcpAuthenticationPort, isTLS ? try authority.client() : nil,
                serverName: isTLS ? "radius.example.net" : nil, nowSeconds: 0)
            #expect(!client.send(TestPacket.access(0)))
            _ = Self.drive(client) { _ in client.status == .open }
            let secret = isTLS ? StreamPeer.radsec : TestServer.secret
            for identifier in UInt8(0)..<100 { #expect(client.send(TestPacket.access(identifier, secret: secret))) }
            let replies = Self.drive(client) { $0.count == 100 }
            #expect(replies.map { $0.prefix(2) } == (0..<100).map { [2, UInt8($0)] })
            #expect(replies.allSatisfy { TestPacket.isSigned($0, secret: secret) })
            #expect(client.peer?.names.dnsNames == (isTLS ? ["radius.example.net"] : nil))
            client.close(nowSeconds: 0)
            #expect(client.status == .ended(.closed) && client.fd == -1 && !client.send(TestPacket.access()))
            #expect(await eventually { host.streams.census.statistics.closed[isTLS ? .tls : .tcp]?["peer"] == 1 })
        }
    }

    @Test func refusesAServerOfAnotherName() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority)
            let client = StreamClient(
                to: Self.loopback, port: host.tlsPort, try authority.client(), serverName: "other.example.net", nowSeconds: 0)
            _ = Self.drive(client) { _ in client.status != .connecting && client.status != .handshaking }
            #expect(client.status == .ended(.tls(.certificate(.wrongName, depth: 0))))
            #expect(await eventually { host.refused("tls_alert_42") == 1 }, "\(host.streams.census.statistics.refused)")
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func aCertificateThatIsNoClientsIsNamedAsTheReason(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority)
            let context = try authority.client("server") { $0.allow(only: version) }
            #expect(context.certificates.first?.isForClients == false)
            #expect(try authority.client().certificates.first?.isForClients == true)
            let client = StreamClient(to: Self.loopback, port: host.tlsPort, context, nowSeconds: 0)
            // In TLS 1.3 the server looks at it when the client has begun already.
            _ = Self.drive(client) { _ in if case .ended = client.status { true } else { false } }
            #expect(client.status == .ended(.ownCertificate(.alert(43))))
            #expect(await eventually { host.refused("certificate_wrong_purpose") == 1 }, "\(host.streams.census.statistics.refused)")
        }
    }

    @Test func aPortWhereNobodyListensEndsItWithTheSystemsReason() throws {
        let host = try StreamHost()
        let client = StreamClient(to: Self.loopback, port: host.tlsPort, nil, nowSeconds: 0)
        _ = Self.drive(client) { _ in client.status != .connecting }
        #expect(client.status == .ended(.system(ECONNREFUSED)))
    }

    @Test func aServerThatDoesNotShakeHandsIsGivenUpInTime() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost()
            let client = StreamClient(to: Self.loopback, port: host.tcpAuthenticationPort, try authority.client(), nowSeconds: 100)
            _ = Self.drive(client) { _ in client.status == .handshaking && client.waitingOctets == 0 }
            client.tick(nowSeconds: 109)
            #expect(client.status == .handshaking || client.status == .ended(.byPeer))
            client.tick(nowSeconds: 110)
            #expect(client.status == .ended(.timeout) || client.status == .ended(.byPeer))
        }
    }

    @Test func aServerThatGoesIsNoticed() throws {
        let host = try StreamHost()
        let client = StreamClient(to: Self.loopback, port: host.tcpAuthenticationPort, nil, nowSeconds: 0)
        _ = Self.drive(client) { _ in client.status == .open }
        #expect(client.send(TestPacket.access(1)) && Self.drive(client) { !$0.isEmpty }.count == 1)
        host.streams.stop()
        _ = Self.drive(client) { _ in client.status != .open }
        #expect(client.status == .ended(.byPeer))
    }

    @Test func onlySoMuchWaitsForTheServer() throws {
        let host = try StreamHost()
        let client = StreamClient(to: Self.loopback, port: host.tcpAuthenticationPort, nil, nowSeconds: 0)
        _ = Self.drive(client) { _ in client.status == .open }
        var taken = 0
        while client.send([UInt8](repeating: 0, count: 4096)), taken < 1000 { taken += 1 }
        #expect(taken == 16 && client.waitingOctets == 65_536)
    }

    @Test func delaysGrowToAMinuteAndBeginAnewAfterASuccess() {
        var random = SeededGenerator(state: 1)
        var delay = ReconnectDelay()
        let first = (0..<12).map { _ in delay.failed(&random) }
        #expect(first[0] == 1 && first.allSatisfy { (1...60).contains($0) } && first.suffix(4).allSatisfy { $0 >= 30 })
        delay.succeeded()
        #expect(delay.failed(&random) == 1)
    }
}
