import Admin
import Testing

@Suite struct DNSNameTests {
    @Test(arguments: ["10.0.0.0/24", "0.0.0.0/0", "2001:db8::/127"])
    func aNetworkHasNoName(network: String) async throws {
        try await AdminFixture.run { fixture in
            let both: JSON = ["name": "gw", "address": .string(network), "dns_name": "gw.example.net", "secret": "s"]
            let refused = try await fixture.post("/api/v1/nas", both)
            #expect(refused.status == 422 && refused.faults == ["/dns_name network"], "\(refused.text)")
            #expect(refused.text.contains("\(network) is a network"), "\(refused.text)")
            let made = try await fixture.post("/api/v1/nas", ["name": "gw", "address": .string(network), "secret": "s"])
            #expect(made.status == 201, "\(made.text)")
            let named = try await fixture.patch("/api/v1/nas/gw", ["dns_name": "gw.example.net"])
            #expect(named.status == 422 && named.faults == ["/dns_name network"], "\(named.text)")
            let alone = try await fixture.patch("/api/v1/nas/gw", ["dns_name": "gw.example.net", "address": .null])
            #expect(alone.status == 200 && alone["address"] == .null, "\(alone.text)")
            let again = try await fixture.patch("/api/v1/nas/gw", ["address": .string(network)])
            #expect(again.faults == ["/dns_name network"], "\(again.text)")
        }
    }

    @Test(arguments: ["192.0.2.1", "2001:db8::1"])
    func anAddressMayHaveAName(address: String) async throws {
        try await AdminFixture.run { fixture in
            let both: JSON = ["name": "gw", "address": .string(address), "dns_name": "gw.example.net", "secret": "s"]
            let made = try await fixture.post("/api/v1/nas", both)
            #expect(made.status == 201, "\(made.text)")
        }
    }

    @Test(arguments: ["nas", "home-servers"])
    func whatWasWrongWithANameGoesWithIt(path: String) async throws {
        try await AdminFixture.run { fixture in
            let both: JSON = ["name": "gw", "address": "192.0.2.1", "dns_name": "gw.example.net", "secret": "s"]
            let made = try await fixture.post("/api/v1/\(path)", both)
            #expect(made.status == 201, "\(made.text)")
            for name: JSON in [.null, "gw2.example.net"] {
                try await fixture.script("UPDATE aaa.\(path == "nas" ? "nas" : "home_server") SET dns_error = 'no such name'")
                let other = try await fixture.patch("/api/v1/\(path)/gw", ["notes": .string("\(name)")])
                #expect(other["dns_error"] == "no such name", "\(other.text)")
                let changed = try await fixture.patch("/api/v1/\(path)/gw", ["dns_name": name])
                #expect(changed.status == 200 && changed["dns_error"] == .null && changed["dns_name"] == name, "\(changed.text)")
            }
        }
    }
}
