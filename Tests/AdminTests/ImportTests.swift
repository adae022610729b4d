import Admin
import Testing

@Suite struct ImportTests {
    private static func send(_ fixture: AdminFixture, _ text: String, _ query: String = "", headers: [(name: String, value: String)] = [])
        async throws -> Reply
    {
        try await fixture.send(
            "POST", "/api/v1/subscribers/import" + query, Array(text.utf8), headers: headers + [("Content-Type", "text/csv; charset=utf-8")]
        )
    }

    @Test func readsWhatSpreadsheetsWrite() async throws {
        try await AdminFixture.run { fixture in
            _ = try await fixture.post("/api/v1/profiles", ["name": "100", "download": "100M"])
            let file =
                "\u{FEFF}username,password,profile,static_ipv4,full_name,routes,attributes,vlan\r\n"
                + "alice,\"p,\"\"w\",100,192.0.2.1,\"Liddell,\r\nAlice\",10.0.0.0/8;10.1.0.0/16 192.0.2.9,Filter-Id=gold; Class=a=b,5\r\n"
                + "bob,,,,,,,\r\n\r\ncarol,pw,100,,Carol,,,\n"
            let reply = try await Self.send(fixture, file)
            #expect(reply.status == 422)
            #expect(reply.faults == ["2 full_name characters"])
            let good = file.replacing("Liddell,\r\nAlice", with: "Liddell, Alice")
            let stored = try await Self.send(fixture, good)
            #expect(stored.json == ["imported": 3, "refused": 0, "errors": []])
            let alice = try await fixture.get("/api/v1/subscribers/alice")
            #expect(alice["profile"] == "100")
            #expect(alice["full_name"] == "Liddell, Alice")
            #expect(alice["routes"] == ["10.0.0.0/8", "10.1.0.0/16 192.0.2.9"])
            #expect(alice["attributes"] == [["name": "Filter-Id", "value": "gold"], ["name": "Class", "value": "a=b"]])
            #expect(alice["vlan"] == 5)
            let bob = try await fixture.get("/api/v1/subscribers/bob")
            #expect(bob["has_password"] == false)
            #expect(bob["routes"] == [])
            #expect(bob["full_name"] == "")
            #expect(bob["status"] == "active")
            let clear = Array("p,\"w".utf8).map { String($0 ^ 0x5A, radix: 16) }.map { $0.count == 1 ? "0" + $0 : $0 }.joined()
            #expect(try await fixture.sql("SELECT encode(password, 'hex') FROM aaa.subscriber WHERE username = 'alice'") == clear)
            #expect(try await fixture.get("/api/v1/audit?action=import").rows[0]["after"]?["imported"] == 3)
        }
    }

    @Test func namesEachBadLineAndStoresNothing() async throws {
        try await AdminFixture.run { fixture in
            _ = try await fixture.post("/api/v1/subscribers", ["username": "taken"])
            let file = """
                username,password,profile,vlan,password_nt
                alice,a,,5,
                bob,b,nope,5000,
                alice,c,,,
                taken,d,,,
                eve,e,,
                ,f,,,
                mallory,g,,,8846F7EAEE8FB117AD06BDD830B7586C
                dave,ok,,7,
                """
            let reply = try await Self.send(fixture, file)
            #expect(reply.status == 422)
            #expect(reply.code == "bad_file")
            #expect(
                reply.faults == [
                    "3 vlan range", "4 username repeated", "5 username unique", "6  cells", "7 username length", "8 password_nt rival",
                ])
            #expect(try await fixture.sql("SELECT count(*)::text FROM aaa.subscriber") == "1")
            let rehearsed = try await Self.send(fixture, file, "?partial=true&dry_run=true")
            let partial = try await Self.send(fixture, file, "?partial=true")
            #expect(partial.status == 200)
            #expect(rehearsed.json == partial.json)
            #expect(partial["imported"] == 2)
            #expect(partial["refused"] == 6)
            #expect(try await fixture.get("/api/v1/subscribers?sort=username").column("username") == ["alice", "dave", "taken"])
        }
    }

    @Test func refusesFilesThatMeanNothing() async throws {
        try await AdminFixture.run { fixture in
            let files: [(text: String, fault: String)] = [
                ("", "1  csv"), ("username,colour\na,b\n", "1 colour unknown"), ("password\nx\n", "1 username required"),
                ("username,username\na,b\n", "1 username repeated"), ("username\n\"a\n", "2  csv"), ("username\n\"a\"b\n", "2  csv"),
                ("username\nbad\u{0}\n", "2  csv"), ("username,id\na,1\n", "1 id unknown"),
                ("username,profile\na,gold\n", "2 profile not_found"),
            ]
            for (text, fault) in files {
                let reply = try await Self.send(fixture, text)
                #expect(reply.status == 422, "\(text)")
                #expect(reply.faults == [fault], "\(text): \(reply.text)")
            }
            #expect(try await fixture.send("POST", "/api/v1/subscribers/import", Array("username\na".utf8)).status == 415)
        }
    }

    @Test func storesManyAtOnceAndOnlyOnce() async throws {
        try await AdminFixture.run { fixture in
            var file = "username,password\n"
            for index in 0..<12_001 { file += "user\(index),secret\(index)\n" }
            let headers = [(name: "Idempotency-Key", value: "import-1")]
            #expect(try await Self.send(fixture, file, headers: headers)["imported"] == 12_001)
            #expect(try await Self.send(fixture, file, headers: headers).header("idempotency-replayed") == "true")
            let again = try await Self.send(fixture, file)
            #expect(again["detail"]?.text?.hasPrefix("12001 mistakes") == true)
            #expect(again["errors"]?.elements?.count == 1000)
            #expect(try await fixture.sql("SELECT count(DISTINCT password)::text FROM aaa.subscriber") == "12001")
        }
    }
}
