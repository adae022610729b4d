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

    /// What the daemon cannot read would lock the gateway out.
    @Test func whomACertificateMustNameIsCheckedWhenItIsSaved() async throws {
        try await AdminFixture.run { fixture in
            let nas: JSON = ["name": "gw", "address": "192.0.2.1", "secret": "s", "tls_identity": "gw1.example.net, psk:gw1"]
            #expect(try await fixture.post("/api/v1/nas", nas).status == 201)
            for text in ["sha256:zz", "psk:", "*.*.x", "300.1.1.1", ",", "gw1.example.net,sha256:00"] {
                let refused = try await fixture.patch("/api/v1/nas/gw", ["tls_identity": .string(text)])
                #expect(refused.status == 422 && refused.faults == ["/tls_identity format"], "\(text): \(refused.text)")
            }
            let second = try await fixture.patch("/api/v1/nas/gw", ["tls_identity": "gw1.example.net,sha256:00"])
            #expect(second.text.contains("word 2, “sha256:00”"), "\(second.text)")
            #expect(try await fixture.patch("/api/v1/nas/gw", ["tls_identity": .null]).status == 200)
        }
    }
}
