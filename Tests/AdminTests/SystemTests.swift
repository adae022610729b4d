import Admin
import Testing

@Suite struct SystemTests {
    @Test func answersHealthAndMetricsToAnyone() async throws {
        try await AdminFixture.run { fixture in
            let anonymous = [(name: "Authorization", value: "")]
            #expect(try await fixture.send("GET", "/livez", headers: anonymous).json["status"] == "ok")
            let metrics = try await fixture.send("GET", "/metrics", headers: anonymous)
            #expect(metrics.text == "lastmile_up 1\n")
            #expect(metrics.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
            #expect(try await fixture.get("/readyz").status == 200)
            fixture.services.setReady(false)
            let notReady = try await fixture.get("/readyz")
            #expect(notReady.status == 503)
            #expect(notReady["checks"]?[0]?["detail"] == "does not answer")
        }
    }

    @Test func saysWhatIsWrongWithAnAddressOrMethod() async throws {
        try await AdminFixture.run { fixture in
            for path in [
                "/", "/api", "/api/v1", "/api/v2/subscribers", "/api/v1/nothing", "/api/v1/subscribers/", "/api/v1/subscribers/1/nothing",
                "/api/v1//x",
            ] {
                let reply = try await fixture.get(path)
                #expect(reply.status == 404, "\(path)")
                #expect(reply.code == "no_route", "\(path)")
                #expect(reply.header("content-type") == "application/problem+json")
            }
            let reply = try await fixture.send("PUT", "/api/v1/subscribers/1", Array("{}".utf8))
            #expect(reply.status == 405)
            #expect(reply.header("allow") == "GET, HEAD, PATCH, DELETE, OPTIONS")
            #expect(reply["instance"] == "/api/v1/subscribers/1")
            #expect(reply["request_id"]?.text == reply.header("x-request-id"))
            let options = try await fixture.send("OPTIONS", "/api/v1/subscribers", headers: [("Authorization", "")])
            #expect(options.status == 204)
            #expect(options.header("allow") == "GET, HEAD, POST, OPTIONS")
            let form = try await fixture.send(
                "POST", "/api/v1/subscribers", Array("a=b".utf8), headers: [("Content-Type", "application/x-www-form-urlencoded")])
            #expect(form.status == 415)
        }
    }

    @Test func answersHEADAsGETWithoutABody() async throws {
        try await AdminFixture.run { fixture in
            let get = try await fixture.get("/api/v1/profiles")
            let head = try await fixture.send("HEAD", "/api/v1/profiles")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(head.header("content-length") == String(get.body.count))
        }
    }

    @Test func echoesHarmlessRequestIdentifiersOnly() async throws {
        try await AdminFixture.run { fixture in
            let echoed = try await fixture.send("GET", "/livez", headers: [("X-Request-Id", "abc-123")])
            #expect(echoed.header("x-request-id") == "abc-123")
            let long = String(repeating: "x", count: 200)
            let replaced = try await fixture.send("GET", "/livez", headers: [("X-Request-Id", long)])
            #expect(replaced.header("x-request-id") != long)
            #expect(replaced.header("x-request-id")?.isEmpty == false)
        }
    }

    @Test func describesEveryResource() async throws {
        try await AdminFixture.run { fixture in
            let document = try await fixture.send("GET", "/openapi.json", headers: [("Authorization", "")])
            #expect(document["openapi"] == "3.1.0")
            let paths = document["paths"]?.members?.map(\.name) ?? []
            for path in [
                "/api/v1/subscribers/{id}", "/api/v1/subscribers/import", "/api/v1/sessions/{id}/coa", "/api/v1/access-policy",
                "/api/v1/auth-log",
            ] {
                #expect(paths.contains(path), "\(path)")
            }
            let subscriber = document["components"]?["schemas"]?["subscriber"]?["properties"]?.members?.map(\.name) ?? []
            let made = try await fixture.post("/api/v1/subscribers", ["username": "alice"])
            #expect(subscriber == made.json.members?.map(\.name))
        }
    }
}
