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

    /// It exists, and no log-in could come from it: that it does not exist would send people astray.
    @Test func whatDNSDoesNotKnowIsNoNASThatAsks() async throws {
        try await AdminFixture.run { fixture in
            #expect(try await fixture.post("/api/v1/subscribers", ["username": "alice"]).status == 201)
            let nas = try await fixture.post("/api/v1/nas", ["name": "gw", "dns_name": "gw.example.net", "secret": "s"])
            #expect(nas.status == 201, "\(nas.text)")
            for error in ["not looked up yet", "no such name"] {
                if error == "no such name" { try await fixture.script("UPDATE aaa.nas SET dns_error = '\(error)'") }
                for name in ["gw", "id:\(nas.id)"] {
                    let replies = [
                        try await fixture.post("/api/v1/subscribers/alice/explain?nas=\(name)"),
                        try await fixture.post("/api/v1/policy-rules/test", ["username": "alice", "nas": .string(name)]),
                    ]
                    for reply in replies {
                        #expect(reply.status == 422, "\(reply.text)")
                        #expect(reply.text.contains("the NAS “gw” has no address yet (gw.example.net: \(error))"), "\(reply.text)")
                    }
                }
            }
            #expect(fixture.services.calls.isEmpty, "\(fixture.services.calls)")
            #expect(try await fixture.patch("/api/v1/nas/gw", ["address": "192.0.2.1"]).status == 200)
            #expect(try await fixture.post("/api/v1/subscribers/alice/explain?nas=gw").status == 200)
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
