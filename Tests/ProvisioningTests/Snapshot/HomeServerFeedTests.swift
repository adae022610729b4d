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

    /// As a newer version of the schema may have them.
    @Test func oneOfUnknownVersionsIsLeftOut() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.pool.run { try $0.script("ALTER TABLE aaa.home_server DROP CONSTRAINT home_server_radius_versions_check") }
            let insert = """
                INSERT INTO aaa.home_server (tenant_id, name, address, transport, secret, radius_versions)
                VALUES ($1, $2, '192.0.2.9', 'tls', $3, $4) RETURNING id
                """
            let secret = SQLValue.bytes(try desk.seal("secret"))
            let newer = try await desk.sql(insert, [.int(desk.tenant), .text("newer"), secret, .text("1.2")])
            let known = try await desk.sql(insert, [.int(desk.tenant), .text("known"), secret, .text("1.1")])
            try await desk.follow()
            let servers = desk.feed.store.snapshot.proxy?.servers
            #expect(servers?[newer] == nil && servers?[known]?.versions == .v11)
            #expect(desk.feed.state.problems.contains { $0.hasPrefix("home server newer: ") && $0.contains("'1.2'") })
        }
    }
}
