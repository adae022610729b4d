import Database
import Provisioning
import RadiusCore
import Support
import Testing

@Suite struct SnapshotLoadTests {
    @Test func everyFieldOfASubscriberReachesTheReply() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.sql(
                """
                UPDATE aaa.profile SET session_timeout = 86400, idle_timeout = 900, interim_interval = 300, filters = '{lan,nat}',
                    attributes = '[{"name": "Framed-MTU", "value": 1492},
                        {"name": "Mikrotik-Address-List", "value": "paying", "vendor": "mikrotik"},
                        {"name": "ERX-Ingress-Policy-Name", "value": "up", "vendor": "juniper"}]'
                """)
            try await desk.nas()
            let alice = try await desk.subscriber("alice", profile: profile)
            try await desk.sql(
                """
                UPDATE aaa.subscriber SET static_ipv4 = '203.0.113.9', ipv6_prefix = '2001:db8:1::/64',
                    delegated_ipv6_prefix = '2001:db8:100::/56', vlan = 100, inner_vlan = 4094,
                    routes = '{198.51.100.0/24 203.0.113.9 1,2001:db8:200::/48 2001:db8:1::9 1}',
                    attributes = '[{"name": "Reply-Message", "value": "Hello, Alice"}, {"name": "Tunnel-Password:1", "value": "s3cret"}]'
                WHERE id = $1
                """, [.int(alice)])
            try await desk.follow()
            let reply = try #require(desk.explain("alice"))
            #expect(
                reply.lines == [
                    "Framed-IP-Address = 203.0.113.9", "Framed-IPv6-Prefix = 2001:db8:1::/64",
                    "Delegated-IPv6-Prefix = 2001:db8:100::/56", "Tunnel-Type:1 = VLAN", "Tunnel-Medium-Type:1 = IEEE-802",
                    "Tunnel-Private-Group-Id:1 = 100", "Tunnel-Type:2 = VLAN", "Tunnel-Medium-Type:2 = IEEE-802",
                    "Tunnel-Private-Group-Id:2 = 4094", "Mikrotik-Rate-Limit = 10M/50M", "Framed-MTU = 1492",
                    "Mikrotik-Address-List = paying", "Session-Timeout = 86400", "Idle-Timeout = 900", "Acct-Interim-Interval = 300",
                    "Filter-Id = lan", "Filter-Id = nat", "Reply-Message = Hello, Alice",
                    "Framed-Route = 198.51.100.0/24 203.0.113.9 1", "Framed-IPv6-Route = 2001:db8:200::/48 2001:db8:1::9 1",
                    "Tunnel-Password:1 = s3cret",
                ])
            #expect(reply.isAccepted && reply.reason == .accepted && reply.credential == .clearText)
            #expect(reply.profile?.name == "home50")
            // RFC 8044 §3.10: reserved, length, and only as many octets as the length needs.
            #expect(reply.attributes[1].raw == [0, 64, 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0])
            // RFC 2868 §3.1, §3.2: a tag, and the number in three octets.
            #expect(Array(reply.encoded[29...40]) == [64, 6, 1, 0, 0, 13, 65, 6, 1, 0, 0, 6])
            #expect(!reply.encoded.contains(Array("s3cret".utf8)))
            #expect(desk.feed.state.problems == [])
        }
    }

    @Test func theSubscribersOwnValuesWinOverTheProfiles() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.sql(
                "UPDATE aaa.profile SET session_timeout = 86400, idle_timeout = 900, interim_interval = 300, filters = '{lan}'")
            try await desk.nas()
            let alice = try await desk.subscriber("alice", profile: profile)
            try await desk.subscriber("bob", profile: profile)
            try await desk.sql(
                """
                UPDATE aaa.subscriber SET session_timeout = 3600, idle_timeout = 60, interim_interval = 120, filters = '{a,b}' WHERE id = $1
                """, [.int(alice)])
            try await desk.follow()
            #expect(
                desk.explain("alice")?.lines.dropFirst() == [
                    "Session-Timeout = 3600", "Idle-Timeout = 60", "Acct-Interim-Interval = 120", "Filter-Id = a", "Filter-Id = b",
                ])
            #expect(
                desk.explain("bob")?.lines.dropFirst() == [
                    "Session-Timeout = 86400", "Idle-Timeout = 900", "Acct-Interim-Interval = 300", "Filter-Id = lan",
                ])
        }
    }

    @Test func everyFieldOfARateIsRead() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("burst")
            try await desk.sql(
                """
                UPDATE aaa.profile SET download_burst = 100000000, upload_burst = 20000000, burst_seconds = 16, priority = 3,
                    download_policy = 'down', upload_policy = 'up'
                """)
            try await desk.nas()
            try await desk.subscriber("alice", profile: profile)
            try await desk.follow()
            let rate = try #require(desk.explain("alice")?.profile?.rate)
            #expect(rate.downloadBitsPerSecond == 50_000_000 && rate.uploadBitsPerSecond == 10_000_000)
            #expect(rate.downloadBurstBitsPerSecond == 100_000_000 && rate.uploadBurstBitsPerSecond == 20_000_000)
            #expect(rate.burstSeconds == 16 && rate.priority == 3)
            #expect(rate.downloadPolicy == "down" && rate.uploadPolicy == "up")
        }
    }

    @Test func credentialsOfEveryKindAreOpened() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            let rows = [
                ("clear", "clear", "pässword"), ("nt", "nt", "8846F7EAEE8FB117AD06BDD830B7586C"),
                ("lower", "nt", "8846f7eaee8fb117ad06bdd830b7586c"), ("hashed", "hash", "$6$salt$hash"), ("short", "nt", "8846F7"),
                ("nohex", "nt", "zz46F7EAEE8FB117AD06BDD830B7586C"),
            ]
            for (name, kind, password) in rows {
                let id = try await desk.subscriber(name, profile: profile, password: password)
                try await desk.sql("UPDATE aaa.subscriber SET password_kind = $2 WHERE id = $1", [.int(id), .text(kind)])
            }
            let silent = try await desk.subscriber("silent", profile: profile)
            try await desk.sql("UPDATE aaa.subscriber SET password = NULL WHERE id = $1", [.int(silent)])
            try await desk.follow()
            let none = CredentialKind.none
            #expect(rows.map { desk.explain($0.0)?.credential } == [.clearText, .ntHash, .ntHash, .hash, none, none])
            #expect(desk.explain("silent")?.credential == none)
            #expect(desk.credential("clear") == "pässword" && desk.credential("hashed") == "$6$salt$hash")
            // The MD4 of "password" in UTF-16, as everybody's tables have it.
            let hash: [UInt8] = [
                0x88, 0x46, 0xf7, 0xea, 0xee, 0x8f, 0xb1, 0x17, 0xad, 0x06, 0xbd, 0xd8, 0x30, 0xb7, 0x58, 0x6c,
            ]
            let snapshot = desk.feed.store.snapshot
            for name in ["nt", "lower"] {
                let stored = Array(name.utf8).withUnsafeBytes { snapshot.subscribers.find(tenant: desk.tenant, name: $0) }
                #expect(stored.map { Array($0.credential) } == hash)
            }
            #expect(desk.feed.state.problems.count == 2)
            #expect(desk.feed.state.problems.allSatisfy { $0.contains("NT hash is not 32 hex digits") && !$0.contains("46F7") })
        }
    }

    @Test func whatASIMCardHasInCommonIsOpened() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.nas()
            let (key, constant) = ("465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf")
            for (name, card) in [("card", "\(key):\(constant)"), ("spoilt", "\(key):"), ("both", "\(key):\(constant):8000")] {
                let id = try await desk.subscriber(name, profile: profile)
                let sealed = SQLValue.bytes(try desk.seal(card))
                try await desk.sql("UPDATE aaa.subscriber SET sim_credential = $2 WHERE id = $1", [.int(id), sealed])
                guard name != "both" else { continue }
                try await desk.sql("UPDATE aaa.subscriber SET password = NULL WHERE id = $1", [.int(id)])
            }
            try await desk.follow()
            let card: [AuthenticationMethod] = [.eapSIM, .eapAKA, .eapAKAPrime]
            #expect(desk.explain("card")?.methods == card && desk.explain("card")?.credential == CredentialKind.none)
            #expect(desk.explain("both")?.methods == [.pap, .chap, .msCHAP, .msCHAPv2] + card && desk.credential("both") == "secret")
            #expect(desk.explain("spoilt")?.methods == [])
            #expect(desk.feed.state.problems.count == 1 && desk.feed.state.problems[0].contains("OPc, behind the first colon"))
            #expect(!desk.feed.state.problems[0].contains(key))
        }
    }

    @Test(arguments: SubscriberStatus.allCases) func statusesAndLocksAreRead(status: SubscriberStatus) async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            let garden = try await desk.profile("garden", download: 1_000_000, upload: 1_000_000)
            try await desk.sql(
                "INSERT INTO aaa.access_policy (tenant_id, walled_garden_profile_id, interim_interval) VALUES ($1, $2, 77)",
                [.int(desk.tenant), .int(garden)])
            try await desk.nas()
            let ids = [try await desk.subscriber("free", profile: profile), try await desk.subscriber("held", profile: profile)]
            try await desk.lock(ids[1], "overdue", "captive")
            try await desk.lock(ids[1], "fair_use", "captive")
            try await desk.lock(ids[1], "fraud", "suspended")
            try await desk.sql("UPDATE aaa.subscriber SET status = $1", [.text(status.name)])
            try await desk.follow()
            let free = try #require(desk.explain("free"))
            #expect(free.status == status && free.level == status.level && free.locks.isEmpty)
            switch status.level {
            case .active: #expect(free.profile?.name == "home50" && free.value("Acct-Interim-Interval") == "77")
            case .captive: #expect(free.lines == ["Mikrotik-Rate-Limit = 1M/1M", "Acct-Interim-Interval = 77"])
            case .suspended: #expect(!free.isAccepted && free.encoded.isEmpty)
            }
            let held = try #require(desk.explain("held"))
            #expect(held.locks.map { "\($0.reason.name) \($0.level.name)" } == ["fraud suspended", "overdue captive", "fair_use captive"])
            #expect(held.level == .suspended && !held.isAccepted)
        }
    }

    @Test func clientsAreReadWithTheirRules() async throws {
        try await SnapshotDesk.with { desk in
            try await desk.nas("four", address: "192.0.2.0/24", vendor: "cisco")
            try await desk.nas("inside", address: "192.0.2.7/32")
            try await desk.nas("six", address: "2001:db8::/32", vendor: "no-such-make")
            try await desk.sql(
                """
                UPDATE aaa.nas SET require_message_authenticator = 'yes', limit_proxy_state = 'no', send_message_authenticator = false,
                    rate_limit_per_second = 250, tls_identity = 'gw1.example.net, 192.0.2.1', huntgroup = 'city'
                WHERE name = 'four'
                """)
            try await desk.follow()
            let clients = desk.feed.store.snapshot.clients
            func find(_ text: String) -> NASClient? { IPAddress(text: text).flatMap { clients.find($0) } }
            let four = try #require(find("192.0.2.200"))
            #expect(four.name == "four" && four.huntgroup == "city" && four.prefixLength == 120 && four.vendor == .cisco)
            #expect(four.requireMessageAuthenticator == .yes && four.limitProxyState == .no && !four.sendsMessageAuthenticator)
            #expect(four.rateLimitPerSecond == 250 && four.tlsIdentities?.map(\.description) == ["gw1.example.net", "192.0.2.1"])
            let inside = try #require(find("192.0.2.7"))
            #expect(
                inside.name == "inside" && inside.huntgroup.isEmpty && inside.prefixLength == 128
                    && inside.requireMessageAuthenticator == .auto)
            #expect(inside.sendsMessageAuthenticator && inside.rateLimitPerSecond == 0 && inside.tlsIdentities == nil)
            #expect(find("2001:db8:ffff::1")?.name == "six" && find("2001:db8:ffff::1")?.vendor == .generic)
            #expect(find("2001:db9::1") == nil && find("192.0.3.1") == nil)
        }
    }

    @Test func tenantsMayHaveTheSameUserName() async throws {
        try await SnapshotDesk.with { desk in
            let other = try await desk.sql("INSERT INTO tenancy.tenant (name) VALUES ('other') RETURNING id")
            let (home, slow) = (try await desk.profile("home"), try await desk.profile("slow", download: 8_000_000, of: other))
            try await desk.nas()
            try await desk.subscriber("alice", profile: home, password: "first")
            try await desk.subscriber("alice", profile: slow, password: "second", of: other)
            try await desk.follow()
            #expect(desk.credential("alice") == "first" && desk.credential("alice", tenant: other) == "second")
            #expect(desk.explain("alice")?.value("Mikrotik-Rate-Limit") == "10M/50M")
            #expect(desk.explain("alice", tenant: other)?.value("Mikrotik-Rate-Limit") == "10M/8M")
            try await desk.sql("DELETE FROM aaa.subscriber WHERE tenant_id = $1", [.int(other)])
            try await eventually { desk.credential("alice", tenant: other) == nil }
            #expect(desk.credential("alice") == "first")
        }
    }

    @Test func whatCannotBeCompiledIsReportedAndTheRestWorks() async throws {
        try await SnapshotDesk.with { desk in
            let profile = try await desk.profile("home50")
            try await desk.sql(
                """
                UPDATE aaa.profile SET attributes = '[{"name": "Framed-MTU", "value": "wide"}, "text", {"name": "Class", "value": "0x01"},
                    {"name": "Framed-Pool", "value": "x", "vendor": "nobody"}]'
                """)
            try await desk.nas()
            let odd = try await desk.subscriber("odd", profile: profile)
            let locked = try await desk.subscriber("locked", profile: profile)
            try await desk.subscriber("alice", profile: profile)
            try await desk.sql(
                """
                UPDATE aaa.subscriber SET attributes = '[{"name": "No-Such-Thing", "value": "1"}, {"name": "Reply-Message", "value": "hi"},
                    {"name": "Framed-MTU", "value": "1400", "vendor": "cisco"}]' WHERE id = $1
                """, [.int(odd)])
            try await desk.sql(
                "UPDATE aaa.subscriber SET password = $2 WHERE id = $1",
                [.int(locked), .bytes([1, 0, 0, 0, 9] + [UInt8](repeating: 7, count: 40))])
            try await desk.sql(
                "INSERT INTO aaa.nas (tenant_id, name, address, secret) VALUES ($1, 'shut', '192.0.2.8', '\\x00')", [.int(desk.tenant)])
            try await desk.follow()
            let problems = desk.feed.state.problems.sorted()
            #expect(problems.count == 7)
            #expect(problems.contains { $0.hasPrefix("NAS shut: ") })
            #expect(problems.contains { $0.hasPrefix("profile home50: Framed-MTU: ") })
            #expect(problems.contains { $0 == "profile home50: Framed-Pool: there is no vendor nobody" })
            #expect(problems.contains { $0.hasPrefix("subscriber \(odd): No-Such-Thing: ") })
            #expect(problems.contains { $0.hasPrefix("subscriber \(odd): Framed-MTU: only a profile's") })
            #expect(problems.contains { $0.hasPrefix("subscriber \(locked): ") && $0.contains("key 9") })
            #expect(desk.explain("alice", nas: "shut") == nil)
            #expect(desk.explain("locked")?.credential == CredentialKind.none)
            let expected = ["Mikrotik-Rate-Limit = 10M/50M", "Class = 0x01", "Acct-Interim-Interval = 600"]
            #expect(desk.explain("alice")?.lines == expected)
            #expect(desk.explain("odd")?.lines == expected + ["Reply-Message = hi"])
        }
    }
}
