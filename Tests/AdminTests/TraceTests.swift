import Testing

@testable import Admin

/// What passes, and what is wrong with a NAS, through the interface.
@Suite struct TraceTests {
    @Test func givesThePastAndRefusesNonsense() async throws {
        try await AdminFixture.run { fixture in
            let nas = try await fixture.post("/api/v1/nas", ["name": "core1", "address": "192.0.2.1", "secret": "s"])
            let reply = try await fixture.post("/api/v1/auth-log/trace?user=alice&nas=core1&station=00:53:00:12:34:56&last=7")
            #expect(reply.status == 200)
            #expect(reply.text == "{\"data\":[{\"call\":2}]}")
            #expect(fixture.services.calls == ["trace 1 alice \(nas.id) 00:53:00:12:34:56 7"])
            #expect(try await fixture.post("/api/v1/auth-log/trace?last=1001").faults == ["last range"])
            #expect(try await fixture.post("/api/v1/auth-log/trace?last=0").faults == ["last range"])
            #expect(try await fixture.post("/api/v1/auth-log/trace?last=-1&follow=true").faults == ["last range"])
            #expect(try await fixture.post("/api/v1/auth-log/trace?usr=a").faults == ["usr unknown"])
            #expect(try await fixture.post("/api/v1/auth-log/trace?nas=x").status == 404)
            #expect(try await fixture.post("/api/v1/auth-log/trace?nas=x&follow=true").status == 404)
            fixture.services.fail(with: .refused("nothing is recorded"))
            #expect(try await fixture.post("/api/v1/auth-log/trace?follow=true").status == 422)
        }
    }

    /// The records outlast what they are of.
    @Test func aNASThatIsDisabledOrGoneIsStillFound() async throws {
        try await AdminFixture.run { fixture in
            let nas = try await fixture.post(
                "/api/v1/nas", ["name": "core1", "address": "192.0.2.1", "secret": "s", "enabled": .boolean(false)])
            for text in ["core1", "id:\(nas.id)", "\(nas.id)"] {
                #expect(try await fixture.post("/api/v1/auth-log/trace?nas=\(text)").status == 200, "\(text)")
            }
            #expect(try await fixture.delete("/api/v1/nas/core1").status == 204)
            #expect(try await fixture.post("/api/v1/auth-log/trace?nas=id:\(nas.id)").status == 200)
            #expect(fixture.services.calls == Array(repeating: "trace 1 - \(nas.id) - 20", count: 4))
            #expect(try await fixture.post("/api/v1/auth-log/trace?nas=core1").status == 404)
        }
    }

    @Test func followsLineByLineUntilTheEnd() async throws {
        try await AdminFixture.run { fixture in
            let reply = try await fixture.post("/api/v1/auth-log/trace?follow=true&last=0")
            #expect(reply.status == 200)
            #expect(reply.header("content-type") == "application/x-ndjson")
            #expect(reply.text == "{\"call\":2}\n{\"missed\":3}\n{\"call\":1}\n")
        }
    }

    @Test func aTenantHasAFewPlacesOfAll() throws {
        let watchers = Watchers()
        var places = try (0..<5).map { _ in try watchers.enter(1) }
        let own = #expect(throws: Problem.self) { try watchers.enter(1) }
        #expect(own?.status == 503 && own?.code == "busy")
        for tenant in Int64(2)...4 { places += try (0..<5).map { _ in try watchers.enter(tenant) } }
        #expect(throws: Problem.self) { try watchers.enter(5) }
        // Given back once, however often it is left.
        places[0].leave()
        places[0].leave()
        places.append(try watchers.enter(5))
        #expect(throws: Problem.self) { try watchers.enter(1) }
        // Forgotten ones, too.
        places.removeAll()
        places = try (0..<5).map { _ in try watchers.enter(1) }
        #expect(throws: Problem.self) { try watchers.enter(1) }
        #expect(places.count == 5)
    }

    @Test func needsAScopeOfItsOwn() async throws {
        try await AdminFixture.run { fixture in
            func bearer(_ scope: String) async throws -> [(name: String, value: String)] {
                let made = try await fixture.post("/api/v1/tokens", ["name": .string(scope), "scopes": [.string(scope)]])
                #expect(made.status == 201)
                return [("Authorization", "Bearer " + (made["token"]?.text ?? ""))]
            }
            let path = "/api/v1/auth-log/trace"
            let (writer, watcher, reader) = (try await bearer("aaa:write"), try await bearer("trace:read"), try await bearer("aaa:read"))
            #expect(try await fixture.post(path, headers: writer).status == 403)
            #expect(try await fixture.post(path, headers: watcher).status == 200)
            #expect(try await fixture.post("/api/v1/nas/doctor", headers: reader).status == 200)
        }
    }

    @Test func examinesOneOrAllNAS() async throws {
        try await AdminFixture.run { fixture in
            let body: JSON = ["name": "core1", "address": "192.0.2.1/32", "secret": "a-secret-of-some-length"]
            let made = try await fixture.post("/api/v1/nas", body)
            #expect(made.status == 201, "\(made.text)")
            #expect(try await fixture.post("/api/v1/nas/doctor").status == 200)
            #expect(try await fixture.post("/api/v1/nas/core1/doctor").status == 200)
            #expect(try await fixture.post("/api/v1/nas/core2/doctor").status == 404)
            #expect(fixture.services.calls == ["doctor 1 -", "doctor 1 core1"])
        }
    }
}
