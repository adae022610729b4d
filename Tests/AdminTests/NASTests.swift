import Admin
import Testing

@Suite struct NASTests {
    /// Connections are told apart by addresses, and never are of a NAS that its NAS-Identifier tells from others there.
    @Test func whoSharesAnAddressIsNotToldOverAConnection() async throws {
        try await AdminFixture.run { fixture in
            let shared: JSON = [
                "name": "gw", "address": "192.0.2.1", "nas_identifier": "gw", "secret": "s", "coa_over": "connection",
            ]
            let refused = try await fixture.post("/api/v1/nas", shared)
            #expect(refused.status == 422 && refused.faults == ["/coa_over nas_identifier"], "\(refused.text)")
            let alone: JSON = ["name": "gw", "address": "192.0.2.1", "secret": "s", "coa_over": "connection"]
            let made = try await fixture.post("/api/v1/nas", alone)
            #expect(made.status == 201 && made["coa_over"] == "connection", "\(made.text)")
            let named = try await fixture.patch("/api/v1/nas/gw", ["nas_identifier": "gw"])
            #expect(named.status == 422 && named.faults == ["/coa_over nas_identifier"], "\(named.text)")
            let both = try await fixture.patch("/api/v1/nas/gw", ["nas_identifier": "gw", "coa_over": "udp"])
            #expect(both.status == 200, "\(both.text)")
        }
    }
}
