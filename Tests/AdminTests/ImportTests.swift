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
            let marked = [JSON.Member("dry_run", true)] + (partial.json.members ?? [])
            #expect(rehearsed.json == .object(marked))
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

    @Test func updatesOnlyWhatDiffers() async throws {
        try await AdminFixture.run { fixture in
            _ = try await fixture.post("/api/v1/profiles", ["name": "home", "download": "100M"])
            let header = "username,password,password_nt,profile,static_ipv4,filters,attributes,expires_at,session_timeout\n"
            let alice = #"alice,secret,,home,192.0.2.1,"[""a;b""]","[{""name"":""Class"",""value"":""x;y""}]",2030-01-01T00:00:00Z,60"#
            let bob = "bob,,8846f7eaee8fb117ad06bdd830b7586c,,,,,,"
            let carol = "carol,,,home,,,,,"
            let file = header + [alice, bob, carol].joined(separator: "\n") + "\n"
            let query = "?existing=update&partial=true"
            let first = try await Self.send(fixture, file, query)
            #expect(first.json == ["imported": 3, "refused": 0, "updated": 0, "unchanged": 0, "errors": []])
            let stored = try await fixture.get("/api/v1/subscribers/alice")
            #expect(stored["filters"] == ["a;b"])
            #expect(stored["attributes"] == [["name": "Class", "value": "x;y"]])
            let again = try await Self.send(fixture, file, query)
            #expect(again.json == ["imported": 0, "refused": 0, "updated": 0, "unchanged": 3, "errors": []])
            #expect(try await fixture.sql("SELECT max(version)::text FROM aaa.subscriber") == "1")

            let changed = file.replacing("secret", with: "other").replacing("carol,,,home", with: "carol,,,")
            let rehearsed = try await Self.send(fixture, changed, query + "&dry_run=true")
            #expect(rehearsed.json == ["dry_run": true, "imported": 0, "refused": 0, "updated": 2, "unchanged": 1, "errors": []])
            #expect(try await fixture.sql("SELECT max(version)::text FROM aaa.subscriber") == "1")
            let third = try await Self.send(fixture, changed, query)
            #expect(third.json == ["imported": 0, "refused": 0, "updated": 2, "unchanged": 1, "errors": []])
            let clear = Array("other".utf8).map { String($0 ^ 0x5A, radix: 16) }.map { $0.count == 1 ? "0" + $0 : $0 }.joined()
            #expect(try await fixture.sql("SELECT encode(password, 'hex') FROM aaa.subscriber WHERE username = 'alice'") == clear)
            #expect(try await fixture.sql("SELECT profile_id::text FROM aaa.subscriber WHERE username = 'carol'") == nil)
        }
    }

    @Test func anUpdateWithoutAPasswordLeavesTheStoredOne() async throws {
        try await AdminFixture.run { fixture in
            _ = try await fixture.post("/api/v1/subscribers", ["username": "alice", "password": "kept"])
            let reply = try await Self.send(fixture, "username,password,vlan\nalice,,7\n", "?existing=update")
            #expect(reply["updated"] == 1)
            let alice = try await fixture.get("/api/v1/subscribers/alice")
            #expect(alice["has_password"] == true)
            #expect(alice["vlan"] == 7)
            let none = try await Self.send(fixture, "username\nalice\n", "?existing=perhaps")
            #expect(none.status == 400)
        }
    }

    @Test func composedAndDecomposedLettersAreTwoNames() async throws {
        try await AdminFixture.run { fixture in
            let names = ["ren\u{e9}", "rene\u{301}"]
            for (name, rate) in zip(names, ["10M", "20M"]) {
                #expect(try await fixture.post("/api/v1/profiles", ["name": .string(name), "download": .string(rate)]).status == 201)
            }
            let file = "username,password,profile\n" + names.map { "\($0),pw\($0.utf8.count),\($0)\n" }.joined()
            let made = try await Self.send(fixture, file, "?existing=update")
            #expect(made.json == ["imported": 2, "refused": 0, "updated": 0, "unchanged": 0, "errors": []])
            let again = try await Self.send(fixture, file, "?existing=update")
            #expect(again.json == ["imported": 0, "refused": 0, "updated": 0, "unchanged": 2, "errors": []])
            let same = "SELECT count(*)::text FROM aaa.subscriber s JOIN aaa.profile p ON p.id = s.profile_id WHERE p.name = s.username"
            #expect(try await fixture.sql(same) == "2")
        }
    }

    @Test func anUpdateWithoutAStatusLeavesTheStoredOne() async throws {
        try await AdminFixture.run { fixture in
            for (name, status) in [("alice", "terminated"), ("bob", "suspended"), ("carol", "active")] {
                _ = try await fixture.post("/api/v1/subscribers", ["username": .string(name), "status": .string(status)])
            }
            let query = "?existing=update"
            let first = try await Self.send(fixture, "username,status\nalice,\nbob,active\ncarol,suspended\ndave,\n", query)
            #expect(first.json == ["imported": 1, "refused": 0, "updated": 2, "unchanged": 1, "errors": []])
            let list = try await fixture.get("/api/v1/subscribers?sort=username")
            #expect(list.column("status") == ["terminated", "active", "suspended", "active"])
        }
    }

    @Test func anUpdateKeepsEachSecretByItself() async throws {
        try await AdminFixture.run { fixture in
            let (ki, opc) = ("465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf")
            let file = "username,password,sim_credential\nalice,secret,\(ki):\(opc)\n"
            #expect(try await Self.send(fixture, file)["imported"] == 1)
            func secrets() async throws -> String? {
                try await fixture.sql("SELECT encode(password, 'hex') || '/' || encode(sim_credential, 'hex') FROM aaa.subscriber")
            }
            let stored = try await secrets()
            let sheets = [
                file, "username,password,sim_credential\nalice,,\n", "username,password,sim_credential\nalice,secret,\n",
                "username,sim_credential\nalice,\(ki):\(opc)\n", "username,sim_credential\nalice,\n",
            ]
            for sheet in sheets {
                let reply = try await Self.send(fixture, sheet, "?existing=update")
                #expect(reply.json == ["imported": 0, "refused": 0, "updated": 0, "unchanged": 1, "errors": []], "\(sheet)")
                #expect(try await secrets() == stored, "\(sheet)")
            }
            let other = "username,password,sim_credential\nalice,secret,\(opc):\(ki)\n"
            #expect(try await Self.send(fixture, other, "?existing=update")["updated"] == 1)
            let (before, after) = (try #require(stored).split(separator: "/"), try #require(try await secrets()).split(separator: "/"))
            #expect(after[0] == before[0])
            #expect(after[1] != before[1])
        }
    }

    @Test func aPasswordThatIsStoredAlreadyIsNoChange() async throws {
        try await AdminFixture.run { fixture in
            _ = try await fixture.post("/api/v1/subscribers", ["username": "alice", "password": "8846f7eaee8fb117ad06bdd830b7586c"])
            let same = try await fixture.patch("/api/v1/subscribers/alice", ["password": "8846f7eaee8fb117ad06bdd830b7586c"])
            #expect(same.etag == "\"1\"")
            let kind = try await fixture.patch("/api/v1/subscribers/alice", ["password_nt": "8846f7eaee8fb117ad06bdd830b7586c"])
            #expect(kind.etag == "\"2\"")
            #expect(kind["password_kind"] == "nt")
            let both = try await fixture.patch(
                "/api/v1/subscribers/alice", ["password_nt": "8846f7eaee8fb117ad06bdd830b7586c", "vlan": 5])
            #expect(both["vlan"] == 5)
        }
    }
}
