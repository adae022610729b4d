import Admin
import Database
import Support
import Testing

@Suite struct HostileInputTests {
    @Test func tellsWhereABodyIsNoJSON() async throws {
        try await AdminFixture.run { fixture in
            let bodies: [(text: String, detail: String)] = [
                ("", ""), ("{\"username\": \"a\u{1}\"}", "line 1, column 16"), ("{\n  \"username\": \"a\",\n}", "line 3, column 1"),
                ("{\"username\":\"a\",\"username\":\"b\"}", "a second time"), ("{\"username\":\"a\\u0000\"}", "U+0000"),
                ("{\"username\":\"\\ud800\"}", "surrogate"), ("{\"vlan\":01}", "column 10"), ("nul", "expected"), ("{} {}", "follows"),
                (String(repeating: "[", count: 100_000), "deeper"),
                ("{\"vlan\":1" + String(repeating: "0", count: 500) + "}", "64 characters"),
            ]
            for (text, detail) in bodies {
                let reply = try await fixture.send("POST", "/api/v1/subscribers", Array(text.utf8))
                #expect(reply.status == 400, "\(text.prefix(40))")
                #expect(reply["detail"]?.text?.contains(detail) == true || detail.isEmpty, "\(text.prefix(40)): \(reply.text)")
            }
            let invalid = Array("{\"username\":\"".utf8) + [0xFF, 0xFE] + Array("\"}".utf8)
            #expect(try await fixture.send("POST", "/api/v1/subscribers", invalid)["detail"]?.text?.contains("UTF-8") == true)
            #expect(try await fixture.send("POST", "/api/v1/subscribers", Array("{\"username\":\"a\0\"}".utf8)).code == "bad_json")
        }
    }

    @Test func refusesValuesOfTheWrongKind() async throws {
        try await AdminFixture.run { fixture in
            let huge: JSON = .number("99999999999999999999")
            let reply = try await fixture.post(
                "/api/v1/subscribers",
                [
                    "username": 5, "password": ["x"], "status": true, "profile": 1.5.json, "static_ipv4": "192.0.2.1/24", "vlan": huge,
                    "session_timeout": "60", "filters": "a", "attributes": [["name": "Class"]], "full_name": "a\u{7}b",
                ])
            #expect(
                reply.faults == [
                    "/attributes/0/value required", "/filters type", "/full_name characters", "/password type", "/profile type",
                    "/session_timeout type", "/static_ipv4 address", "/status type", "/username type", "/vlan type",
                ])
            let rates: [JSON] = ["fast", "-1M", "1.2.3M", "50X", "9999999999999999T", -5, huge, true, "0.0000001k"]
            for rate in rates {
                #expect(try await fixture.post("/api/v1/profiles", ["name": "p", "download": rate]).status == 422, "\(rate)")
            }
            let reference = try await fixture.post("/api/v1/subscribers", ["username": "a", "profile": huge])
            #expect(reference.faults == ["/profile type"])
            #expect(
                try await fixture.post("/api/v1/subscribers", ["username": "a", "profile": 4_611_686_018_427_387_904]).faults == [
                    "/profile not_found"
                ])
        }
    }

    @Test func storesOddTextAsItIs() async throws {
        try await AdminFixture.run { fixture in
            let names = [
                "'; DROP TABLE aaa.subscriber; --", "$1", "a\\b\"c", "名前", "e\u{301}", "\u{E9}", "%s%n", "../..", "<script>",
                String(repeating: "ü", count: 126),
            ]
            for name in names {
                let made = try await fixture.post(
                    "/api/v1/subscribers", ["username": .string(name), "notes": .string(name + "\nsecond\tline")])
                #expect(made.status == 201, "\(name): \(made.text)")
                #expect(made["username"]?.text?.utf8.elementsEqual(name.utf8) == true)
                #expect(made["notes"]?.text == name + "\nsecond\tline")
                let deleted = try await fixture.delete("/api/v1/subscribers/\(made.id)")
                #expect(deleted.status == 204)
            }
            let long = try await fixture.post("/api/v1/subscribers", ["username": .string(String(repeating: "ü", count: 127))])
            #expect(long.faults == ["/username length"])
        }
    }

    @Test func limitsBodies() async throws {
        try await AdminFixture.run { fixture in
            let body = Array("{\"username\":\"a\",\"notes\":\"".utf8) + [UInt8](repeating: 0x61, count: 2 << 20) + Array("\"}".utf8)
            #expect(try await fixture.send("POST", "/api/v1/subscribers", body).status == 413)
            let chunked = try await fixture.send(
                "POST", "/api/v1/subscribers", body, headers: [("Transfer-Encoding", "chunked"), ("Content-Type", "application/json")])
            #expect(chunked.status == 413)
            #expect(try await fixture.get("/livez").status == 200)
            #expect(try await fixture.get("/api/v1/subscribers?q=" + String(repeating: "x", count: 9000)).status == 400)
        }
    }

    @Test func saysThatTheDatabaseIsAway() async throws {
        try await AdminFixture.run { fixture in
            try await onOwnThread { fixture.pool.shutdown() }
            let reply = try await fixture.get("/api/v1/subscribers")
            #expect(reply.status == 503)
            #expect(reply.header("retry-after") != nil)
        }
    }
}

extension Double {
    fileprivate var json: JSON { .number(description) }
}
