import Admin
import Testing

@Suite struct ListTests {
    /// Profiles p00...p59 with uneven values, some of them null.
    static func fill(_ fixture: AdminFixture) async throws {
        try await fixture.script(
            """
            INSERT INTO aaa.profile (tenant_id, name, download, priority, filters)
            SELECT (SELECT id FROM tenancy.tenant WHERE name = 'north'), 'p' || lpad(i::text, 2, '0'), i % 7 * 1000,
                CASE WHEN i % 3 = 0 THEN NULL ELSE i % 8 + 1 END, CASE WHEN i % 2 = 0 THEN ARRAY['even'] ELSE '{}' END
            FROM generate_series(0, 59) i
            """)
    }

    static let filters = [
        ("download=1000", "download = 1000"), ("download=1k&download=2000", "download IN (1000, 2000)"),
        ("download[gte]=4k", "download >= 4000"),
        ("download[lt]=2000&priority[gt]=3", "download < 2000 AND priority > 3"), ("priority[isnull]=true", "priority IS NULL"),
        ("priority[isnull]=false", "priority IS NOT NULL"), ("priority[ne]=2", "priority IS DISTINCT FROM 2"),
        ("name[in]=p01,p02,zz", "name IN ('p01', 'p02', 'zz')"), ("name[contains]=5", "name LIKE '%5%'"),
        ("name[startswith]=p1", "name LIKE 'p1%'"), ("filters[contains]=even", "'even' = ANY(filters)"), ("q=P3", "name ILIKE '%p3%'"),
        ("name=%27%20OR%20true--", "name = ''' OR true--'"), ("name[contains]=%25", "name LIKE '%\\%%'"),
        ("id[gt]=5&id[lte]=9", "id > 5 AND id <= 9"),
        ("created_at[gte]=1h", "true"), ("created_at[lt]=2020-02-29", "false"),
    ]

    @Test func filtersAsSQLByHandDoes() async throws {
        try await AdminFixture.run { fixture in
            try await Self.fill(fixture)
            for (query, condition) in Self.filters {
                let reply = try await fixture.get("/api/v1/profiles?limit=500&sort=name&count=exact&" + query)
                #expect(reply.status == 200, "\(reply.text)")
                let expected = try await fixture.sql(
                    "SELECT coalesce(string_agg(name, ',' ORDER BY name), '') FROM aaa.profile WHERE \(condition)")
                #expect(reply.column("name").joined(separator: ",") == expected, "\(query)")
                #expect(reply["page"]?["total"]?.integer == Int64(reply.rows.count), "\(query)")
            }
        }
    }

    @Test func pagesThroughEverythingOnce() async throws {
        try await AdminFixture.run { fixture in
            try await Self.fill(fixture)
            for sort in ["", "name", "-name", "priority", "-priority", "download,-priority", "-download,name", "created_at"] {
                let whole = try await fixture.get("/api/v1/profiles?limit=500&sort=" + sort).column("id")
                var seen: [String] = []
                var target = "/api/v1/profiles?limit=7&sort=" + sort
                while true {
                    let page = try await fixture.get(target)
                    #expect(page.status == 200, "\(page.text)")
                    seen += page.column("id")
                    guard let next = page["page"]?["next"]?.text else { break }
                    target = "/api/v1/profiles?limit=7&sort=\(sort)&cursor=\(next)"
                }
                #expect(seen == whole, "\(sort)")
                #expect(whole.count == 60)
            }
        }
    }

    @Test func neitherSkipsNorRepeatsWhileRowsComeAndGo() async throws {
        try await AdminFixture.run { fixture in
            try await Self.fill(fixture)
            var seen: [String] = []
            var next: String?
            repeat {
                let page = try await fixture.get("/api/v1/profiles?limit=10&sort=name" + (next.map { "&cursor=" + $0 } ?? ""))
                seen += page.column("name")
                next = page["page"]?["next"]?.text
                if let last = seen.last { _ = try await fixture.delete("/api/v1/profiles/" + last) }
                _ = try await fixture.post("/api/v1/profiles", ["name": .string("o\(seen.count)")])
            } while next != nil
            #expect(seen == (0..<60).map { "p" + ($0 < 10 ? "0\($0)" : "\($0)") })
        }
    }

    @Test func refusesParametersThatItDoesNotKnow() async throws {
        try await AdminFixture.run { fixture in
            let reply = try await fixture.get("/api/v1/profiles?colour=red&limit=0&download=fast&sort=filters&priority[contains]=1&count=1")
            #expect(reply.status == 400)
            #expect(reply.faults == ["colour unknown", "count choice", "limit range", "priority[contains] unknown", "sort unknown"])
            #expect(try await fixture.get("/api/v1/profiles?download=fast").faults == ["download rate"])
            #expect(try await fixture.get("/api/v1/profiles/1?x=1").status == 400)
            #expect(try await fixture.get("/api/v1/profiles?name=%ff").code == "bad_request")
            #expect(try await fixture.get("/api/v1/profiles?name=%00").code == "bad_request")
        }
    }

    @Test func refusesFiltersThatNothingCanMatch() async throws {
        try await AdminFixture.run { fixture in
            let nas = try await fixture.post("/api/v1/nas", ["name": "core1", "address": "192.0.2.1", "secret": "s"])
            #expect(try await fixture.get("/api/v1/auth-log?nas=nope").faults == ["nas not_found"])
            #expect(try await fixture.get("/api/v1/auth-log?nas=core1", tenant: "south").faults == ["nas not_found"])
            let pool = try await fixture.get("/api/v1/address-leases?pool=nobody")
            #expect(pool.faults == ["pool not_found"] && pool.text.contains("there is no address-pool called “nobody”"), "\(pool.text)")
            let realm = try await fixture.post("/api/v1/realms", ["name": "r", "kind": "rule", "pool": "nobody"])
            #expect(realm.faults == ["/pool not_found"] && realm.text.contains("there is no home-server-pool called"), "\(realm.text)")
            #expect(try await fixture.get("/api/v1/policy-rules/x").text.contains("policy-rule “x” does not exist"))
            #expect(try await fixture.get("/api/v1/auth-log?reason=nosuch").faults == ["reason choice"])
            for query in ["method=mschap2", "method[in]=pap,eap_tls"] {
                let refused = try await fixture.get("/api/v1/auth-log?" + query)
                #expect(refused.faults == ["method choice"] && refused.text.contains("mschapv2, eap, "), "\(refused.text)")
            }
            #expect(try await fixture.get("/api/v1/auth-log?reason[in]=wrong_password,nosuch").faults == ["reason choice"])
            // What is gone is still known by its id.
            for query in [
                "nas=core1", "nas=id:\(nas.id)", "nas[in]=id:\(nas.id)", "nas=999999", "reason=wrong_password", "reason[contains]=eap",
                "user=nobody",
                "method=eap-ttls/pap", "method[contains]=peap",
            ] {
                let reply = try await fixture.get("/api/v1/auth-log?" + query)
                #expect(reply.status == 200 && reply.rows.isEmpty, "\(query): \(reply.text)")
            }
        }
    }

    @Test func bindsACursorToItsList() async throws {
        try await AdminFixture.run { fixture in
            try await Self.fill(fixture)
            let cursor = try #require(try await fixture.get("/api/v1/profiles?limit=5&sort=name")["page"]?["next"]?.text)
            #expect(try await fixture.get("/api/v1/profiles?limit=9&sort=name&cursor=" + cursor).status == 200)
            for other in ["sort=-name", "sort=name&download=0", "sort=name&q=p"] {
                #expect(try await fixture.get("/api/v1/profiles?\(other)&cursor=\(cursor)").faults == ["cursor bad_cursor"], "\(other)")
            }
            #expect(try await fixture.get("/api/v1/profiles?sort=name&cursor=" + cursor, tenant: "south").status == 400)
            let forged = String(cursor.dropLast()) + (cursor.hasSuffix("A") ? "B" : "A")
            for text in [forged, "", "!!", "AAAA"] {
                #expect(try await fixture.get("/api/v1/profiles?sort=name&cursor=" + text).status == 400, "\(text)")
            }
        }
    }

    @Test func linksToTheNextPage() async throws {
        try await AdminFixture.run { fixture in
            try await Self.fill(fixture)
            let first = try await fixture.get("/api/v1/profiles?limit=50&name[startswith]=p")
            let link = try #require(first.header("link"))
            let target = String(link.dropFirst().prefix { $0 != ">" })
            let second = try await fixture.get(target)
            #expect(second.rows.count == 10)
            #expect(second.header("link") == nil)
        }
    }

    @Test func findsByIdOrName() async throws {
        try await AdminFixture.run { fixture in
            let digits = try await fixture.post("/api/v1/subscribers", ["username": "0501234567"])
            let odd = try await fixture.post("/api/v1/subscribers", ["username": "name:a/b c%"])
            #expect(try await fixture.get("/api/v1/subscribers/0501234567").id == digits.id)
            #expect(try await fixture.get("/api/v1/subscribers/name:0501234567").id == digits.id)
            #expect(try await fixture.get("/api/v1/subscribers/id:\(digits.id)").id == digits.id)
            #expect(try await fixture.get("/api/v1/subscribers/\(digits.id)").id == digits.id)
            #expect(try await fixture.get("/api/v1/subscribers/name:name:a%2Fb%20c%25").id == odd.id)
            #expect(try await fixture.get("/api/v1/subscribers/99999999999999999999999").status == 404)
            #expect(try await fixture.get("/api/v1/locks/abc").status == 404)
        }
    }
}
