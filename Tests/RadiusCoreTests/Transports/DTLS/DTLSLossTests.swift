import Support
import Testing

@testable import RadiusCore

/// Our client and our server over a way on which datagrams get lost, come twice, or late.
@Suite struct DTLSLossTests {
    private static let secret = DTLSClient.secret

    /// Connects and logs in through that weather; the login is sent again until it is answered, as its owner would.
    private static func logIn(through weather: @escaping LossyRelay.Weather) async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, datagrams: true)
            let relay = try LossyRelay(to: host.dtlsPort, weather)
            let context = try authority.datagramClient()
            try relay.use {
                let client = StreamClient(
                    to: IPAddress(ipv4: 0x7f00_0001), port: relay.port, context, serverName: "radius.example.net", nowSeconds: 0)
                try eventuallyBlocking {
                    _ = client.wait(milliseconds: 10, nowSeconds: 0)
                    return client.status != .handshaking
                }
                #expect(client.status == .open)
                var replies: [[UInt8]] = []
                try eventuallyBlocking {
                    _ = client.send(TestPacket.access(7, secret: secret))
                    for _ in 0..<20 where replies.isEmpty { replies += client.wait(milliseconds: 10, nowSeconds: 0) }
                    return !replies.isEmpty
                }
                #expect(replies.first?.prefix(2) == [2, 7])
                #expect(replies.first.map { TestPacket.isSigned($0, secret: secret) } == true)
                #expect(host.streams.census.statistics.handshakes == 1 && host.open == 1)
            }
        }
    }

    /// The two ClientHellos, the client's last flight, its login; the HelloVerifyRequest, the server's two flights, its answer.
    @Test(arguments: [LossyRelay.Direction.toServer, .toClient], 0..<4)
    func eachDatagramMayGetLost(direction: LossyRelay.Direction, lost: Int) async throws {
        try await Self.logIn { way, number, _ in way == direction && number == lost ? .getsLost : .comes }
    }

    @Test func everythingMayComeTwice() async throws {
        try await Self.logIn { _, _, _ in .comesTwice }
    }

    @Test func everySecondDatagramMayComeLate() async throws {
        try await Self.logIn { _, number, _ in number % 2 == 0 ? .comesLate : .comes }
    }

    @Test(arguments: UInt64(1)...8)
    func aHandshakeGetsThroughAStorm(seed: UInt64) async throws {
        try await Self.logIn(through: LossyRelay.storm(seed, count: 12))
    }

    /// Flights that go in long datagrams and get lost again and again go in shorter ones (RFC 6347 §4.1.1.1).
    @Test func aHandshakeGetsOverALinkForShortDatagrams() async throws {
        try await Self.logIn { _, _, octets in octets > 600 ? .getsLost : .comes }
    }
}
