import Database
import RadiusCore
import Support
import Testing

@testable import Provisioning

/// Home servers from their rows to the snapshot.
@Suite struct HomeServerFeedTests {
    /// Columns of a home server that is known by its address, its name in DNS or both, and whom its certificate must name.
    @Test(arguments: [
        (tlsName: String?.none, dnsName: String?.none, wanted: String?.none), (nil, "radius.partner.example", "radius.partner.example"),
        ("tls.partner.example", "radius.partner.example", "tls.partner.example"), ("tls.partner.example", nil, "tls.partner.example"),
    ])
    func theCertificateNamesWhatTheServerIsKnownBy(tlsName: String?, dnsName: String?, wanted: String?) async throws {
        try await SnapshotDesk.with { desk in
            let id = try await desk.sql(
                """
                INSERT INTO aaa.home_server (tenant_id, name, address, transport, secret, tls_name, dns_name)
                VALUES ($1, 'partner1', '192.0.2.9', 'tls', $2, $3, $4) RETURNING id
                """,
                [
                    .int(desk.tenant), .bytes(try desk.seal("secret")), tlsName.map(SQLValue.text) ?? .null,
                    dnsName.map(SQLValue.text) ?? .null,
                ])
            try await desk.follow()
            let server = try #require(desk.feed.store.snapshot.proxy?.servers[id])
            #expect(server.address.text == "192.0.2.9" && server.tlsName == wanted)
        }
    }
}
