import Glibc
import Support
import Testing

@testable import RadiusCore

/// Which version is spoken, or why none, for what both sides allow (RFC 9765 §3.3.2).
@Suite struct NegotiationTests {
    /// What comes of a connection.
    enum Outcome: String, Sendable {
        case v10, v11
        /// The server refuses with the alert no_application_protocol.
        case alert
        /// The server ends the connection, since the client knows no ALPN; or the client, since the server does not.
        case serverCloses, clientCloses
    }

    /// Nil knows no ALPN.
    private static func server(_ authority: TestAuthority, _ versions: RadiusVersions?) throws -> StreamHost {
        try StreamHost(authority, tls: { $0.applicationProtocols = versions?.applicationProtocols ?? [] })
    }

    static func client(
        _ authority: TestAuthority, to port: UInt16, _ versions: RadiusVersions?, over version: TLSSettings.Version? = nil
    ) throws -> StreamClient {
        let negotiation = try versions.map {
            RadiusNegotiation($0, secret: StreamPeer.radsec, dictionary: try ShippedDictionaries.loaded.get())
        }
        let context = try authority.client { settings in if let version { settings.allow(only: version) } }
        return StreamClient(
            to: IPAddress(ipv4: 0x7f00_0001), port: port, context, serverName: "radius.example.net", negotiation: negotiation,
            nowSeconds: 0)
    }

    /// Drives a client until `condition` holds, or a minute has passed.
    @discardableResult
    static func drive(_ client: StreamClient, until condition: ([[UInt8]]) -> Bool) -> [[UInt8]] {
        var packets: [[UInt8]] = []
        for _ in 0..<6000 where !condition(packets) {
            packets += client.wait(milliseconds: 10, nowSeconds: 0)
            if case .ended = client.status { break }
        }
        return packets
    }

    private static let table: [(RadiusVersions?, RadiusVersions?, Outcome)] = [
        (nil, nil, .v10), (nil, .v10, .v10), (nil, .both, .v10), (nil, .v11, .serverCloses),
        (.v10, nil, .v10), (.v10, .v10, .v10), (.v10, .both, .v10), (.v10, .v11, .alert),
        (.both, nil, .v10), (.both, .v10, .v10), (.both, .both, .v11), (.both, .v11, .v11),
        (.v11, nil, .clientCloses), (.v11, .v10, .alert), (.v11, .both, .v11), (.v11, .v11, .v11),
    ]

    @Test func allPairings() async throws {
        try await TestAuthority.withPair { authority in
            for (ours, theirs, outcome) in Self.table {
                let host = try Self.server(authority, theirs)
                let client = try Self.client(authority, to: host.tlsPort, ours)
                let place = "client \(ours?.name ?? "none"), server \(theirs?.name ?? "none")"
                switch outcome {
                case .v10, .v11:
                    Self.drive(client) { _ in client.status == .open }
                    let expected: RadiusVersions = outcome == .v11 ? .v11 : .v10
                    #expect(client.version == expected, "\(place)")
                    #expect(client.send(TestPacket.access(7, secret: StreamPeer.radsec)), "\(place)")
                    let reply = Self.drive(client) { !$0.isEmpty }.first ?? []
                    #expect(reply.prefix(2) == [2, 7] && TestPacket.isSigned(reply, secret: StreamPeer.radsec), "\(place)")
                case .alert:
                    Self.drive(client) { _ in false }
                    #expect(client.status == .ended(.tls(.alert(120))), "\(place)")
                    #expect(await eventually { host.refused("tls_no_shared_protocol") == 1 }, "\(place)")
                case .clientCloses:
                    Self.drive(client) { _ in false }
                    #expect(client.status == .ended(.version(.versionMissing)), "\(place)")
                    #expect(await eventually { host.open == 0 && host.streams.census.statistics.handshakes == 1 }, "\(place)")
                    // Its Protocol-Error, which nobody asked for.
                    #expect(await eventually { host.drops(.unsupportedCode) == 1 }, "\(place)")
                case .serverCloses:
                    let packets = Self.drive(client) { _ in false }
                    #expect(client.status == .ended(.byPeer), "\(place)")
                    #expect(packets == [TokenPacket.versionDemanded], "\(place)")
                    #expect(await eventually { host.refused("version_missing") == 1 }, "\(place)")
                }
            }
        }
    }

    @Test func theVersionsAreCounted() async throws {
        try await TestAuthority.withPair { authority in
            let host = try Self.server(authority, .both)
            let clients = try ([.both, .v11, .v10, nil] as [RadiusVersions?]).map { try Self.client(authority, to: host.tlsPort, $0) }
            for client in clients { Self.drive(client) { _ in client.status == .open } }
            #expect(await eventually { host.streams.census.statistics.handshakes == 4 })
            #expect(host.streams.census.statistics.versions == [.v11: 2, .v10: 1, nil: 1])
        }
    }

    @Test func overTLS12ThereIsOnly10() async throws {
        try await TestAuthority.withPair { authority in
            let host = try Self.server(authority, .both)
            let both = try Self.client(authority, to: host.tlsPort, .both, over: .tls12)
            Self.drive(both) { _ in both.status == .open }
            #expect(both.version == .v10)
            let demanding = try Self.client(authority, to: host.tlsPort, .v11, over: .tls12)
            Self.drive(demanding) { _ in false }
            #expect(demanding.status == .ended(.tls(.alert(120))))
        }
    }

    @Test func aServerMayChooseOnlyWhatWasOffered() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        let negotiation = { RadiusNegotiation($0, secret: StreamPeer.radsec, dictionary: dictionary) }
        #expect(try negotiation(.both).agreed("radius/1.1", over: .tls13) == .v11)
        #expect(throws: RadiusNegotiation.Fault.olderTLS) { try negotiation(.both).agreed("radius/1.1", over: .tls12) }
        #expect(throws: RadiusNegotiation.Fault.notOffered("radius/1.1")) { try negotiation(.v10).agreed("radius/1.1", over: .tls13) }
        #expect(throws: RadiusNegotiation.Fault.notOffered("radius/1.0")) { try negotiation(.v11).agreed("radius/1.0", over: .tls13) }
        #expect(throws: RadiusNegotiation.Fault.notOffered("h2")) { try negotiation(.both).agreed("h2", over: .tls13) }
        #expect(throws: RadiusNegotiation.Fault.versionMissing) { try negotiation(.v11).agreed(nil, over: .tls13) }
        #expect(try negotiation(.both).agreed(nil, over: .tls12) == .v10)
    }

    @Test func overDTLSThereIsOnly10() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(
                authority, datagrams: true, tls: { $0.applicationProtocols = RadiusVersions.both.applicationProtocols })
            let context = try #require(host.streams.certificates?.currentForDatagrams)
            #expect(context.settings.applicationProtocols == ["radius/1.0"])
            #expect(host.streams.certificates?.current?.settings.applicationProtocols == ["radius/1.1", "radius/1.0"])
        }
    }

    @Test(
        arguments: [
            ("1.0", RadiusVersions.v10), ("1.1", .v11), ("1.0,1.1", .both), (" 1.1 , 1.0", .both), ("", nil), ("1.2", nil), ("1.0,", nil),
        ] as [(String, RadiusVersions?)])
    func readsTheirNames(text: String, versions: RadiusVersions?) {
        #expect(RadiusVersions(text: text) == versions)
        if let versions { #expect(RadiusVersions(text: versions.name) == versions) }
    }
}
