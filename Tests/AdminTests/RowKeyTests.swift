import Testing

@testable import Admin

/// Names of digits, and ids: which row an address, a filter or a reference means.
@Suite struct RowKeyTests {
    /// What a new row of each resource with names needs besides its name.
    private static let bodies: [String: [JSON.Member]] = [
        "tenant": [], "profile": [], "subscriber": [],
        "token": [.init("scopes", ["aaa:read"])],
        "nas": [.init("secret", "s"), .init("vendor", "generic")],
        "policy_rule": [.init("priority", 10)],
        "post_auth_hook": [
            .init("url", "https://receiver.example.net/logins"), .init("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ],
        "address_pool": [.init("kind", "ipv4")],
        "home_server": [.init("address", "192.0.2.10"), .init("secret", "s")],
        "home_server_pool": [.init("servers", ["spare"])],
        "realm": [.init("kind", "rule")],
        "quota": [.init("octets", "5G")],
    ]

    /// Rows must differ in what no two may share.
    private static func body(_ resource: Resource, _ name: String, _ number: Int) throws -> JSON {
        var members = [JSON.Member(try #require(resource.nameField), .string(name))] + (bodies[resource.name] ?? [])
        if resource.name == "nas" { members.append(.init("address", .string("192.0.2.\(number)"))) }
        if resource.name == "address_pool" { members.append(.init("ranges", [.string("198.51.\(number).0/24")])) }
        return .object(members)
    }

    @Test func readsWhatIsMeant() {
        #expect(RowKey("alice") == .name("alice"))
        #expect(RowKey("7") == .nameOrID("7", 7) && RowKey("id:7") == .id(7) && RowKey("name:7") == .name("7"))
        #expect(RowKey("0007") == .name("0007") && RowKey("id:0007") == .name("id:0007") && RowKey("-7") == .name("-7"))
        #expect(RowKey("99999999999999999999") == .name("99999999999999999999"))
    }

    @Test func aNameOfDigitsGoesBeforeAnID() async throws {
        try await AdminFixture.run { fixture in
            let resources = Registry.all(vendors: ["generic"]).resources.filter { $0.nameField != nil }
            #expect(Set(resources.map(\.name)) == Set(Self.bodies.keys))
            let spare: JSON = ["name": "spare", "address": "192.0.2.99", "secret": "s"]
            #expect(try await fixture.post("/api/v1/home-servers", spare).status == 201)
            for resource in resources {
                let path = "/api/v1/" + resource.path
                let field = try #require(resource.nameField)
                var made: [Reply] = []
                for (number, name) in ["plain", nil, nil].enumerated() {
                    // The second is called as the first's id, the third so with zeros in front.
                    let name = name ?? (number == 1 ? "" : "00") + "\(made[0].id)"
                    let reply = try await fixture.post(path, try Self.body(resource, name, number))
                    #expect(reply.status == 201, "\(reply.text)")
                    made.append(reply)
                }
                let id = made[0].id
                #expect(made[0].header("location") == "\(path)/id:\(id)")
                #expect(try await fixture.get("\(path)/\(id)").id == made[1].id, "\(path)")
                #expect(try await fixture.get("\(path)/id:\(id)").id == id, "\(path)")
                #expect(try await fixture.get("\(path)/name:\(id)").id == made[1].id, "\(path)")
                #expect(try await fixture.get("\(path)/00\(id)").id == made[2].id, "\(path)")
                #expect(try await fixture.get("\(path)/\(made[2].id)").id == made[2].id, "\(path)")
                #expect(try await fixture.get("\(path)/0\(id)").status == 404, "\(path)")
                #expect(try await fixture.delete("\(path)/0\(id)").status == 404, "\(path)")
                #expect(try await fixture.delete("\(path)/00\(id)").status == 204, "\(path)")
                #expect(try await fixture.delete("\(path)/\(id)").status == 204, "\(path)")
                #expect(try await fixture.get("\(path)/\(id)")[field]?.text == "plain", "\(path)")
            }
        }
    }

    @Test func filtersReferencesAndActionsReadTheSame() async throws {
        try await AdminFixture.run { fixture in
            let plain = try await fixture.post("/api/v1/subscribers", ["username": "plain"])
            let digits = "\(plain.id)"
            #expect(try await fixture.post("/api/v1/subscribers", ["username": .string(digits)]).status == 201)
            #expect(try await fixture.post("/api/v1/subscribers", ["username": .string("00" + digits)]).status == 201)
            let meant = [(digits, digits), ("00" + digits, "00" + digits), ("id:" + digits, "plain")]
            for (text, name) in meant {
                let lock = try await fixture.post(
                    "/api/v1/locks", ["subscriber": .string(text), "reason": "overdue", "level": "captive"])
                #expect(lock.status == 201 && lock["subscriber"]?.text == name, "\(lock.text)")
                #expect(try await fixture.get("/api/v1/locks?subscriber=\(text)").column("id") == ["\(lock.id)"])
                let explained = try await fixture.post("/api/v1/subscribers/\(text)/explain")
                #expect(explained.status == 200, "\(explained.text)")
                #expect(fixture.services.calls.last?.hasSuffix(" \(name) -") == true, "\(fixture.services.calls)")
            }
            let odd = try await fixture.post(
                "/api/v1/locks", ["subscriber": .string("0" + digits), "reason": "fraud", "level": "captive"])
            #expect(odd.faults == ["/subscriber not_found"], "\(odd.text)")
            let number = try await fixture.post(
                "/api/v1/locks", ["subscriber": .number(digits), "reason": "fraud", "level": "captive"])
            #expect(number["subscriber"]?.text == "plain", "\(number.text)")
            #expect(try await fixture.get("/api/v1/locks?subscriber=plain").rows.count == 2)
        }
    }

    @Test func theNASThatAsksIsNamedLikewise() async throws {
        try await AdminFixture.run { fixture in
            #expect(try await fixture.post("/api/v1/subscribers", ["username": "alice"]).status == 201)
            let plain = try await fixture.post("/api/v1/nas", ["name": "core1", "address": "192.0.2.1", "secret": "s"])
            let expected = [("core1", "core1"), ("id:\(plain.id)", "core1"), ("\(plain.id)", "core1"), ("00\(plain.id)", "00\(plain.id)")]
            for (text, name) in expected {
                #expect(try await fixture.post("/api/v1/subscribers/alice/explain?nas=\(text)").status == 200)
                #expect(fixture.services.calls.last?.hasSuffix(" alice \(name)") == true, "\(fixture.services.calls)")
            }
            let other: JSON = ["name": .string("\(plain.id)"), "address": "192.0.2.2", "secret": "s"]
            #expect(try await fixture.post("/api/v1/nas", other).status == 201)
            #expect(try await fixture.post("/api/v1/subscribers/alice/explain?nas=\(plain.id)").status == 200)
            #expect(fixture.services.calls.last?.hasSuffix(" alice \(plain.id)") == true, "\(fixture.services.calls)")
        }
    }
}
