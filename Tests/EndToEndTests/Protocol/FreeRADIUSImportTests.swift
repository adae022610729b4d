import Support
import Testing

extension ProtocolTests {
    /// What Debian's FreeRADIUS answers, and what the daemon answers once `lastmile import freeradius` has carried its users over.
    @Suite struct FreeRADIUSImport {
        /// A login, and the make of the NAS that asks here.
        private struct Login {
            let user: String
            let password: String
            var vendor = "mikrotik"
        }

        private static let users = #"""
            plain Cleartext-Password := "pass one"
            mikrotik Cleartext-Password := mk
                Mikrotik-Rate-Limit = "10M/50M", Session-Timeout = 3600
            burst Cleartext-Password := mk
                Mikrotik-Rate-Limit = "10M/50M 20M/100M 10M/50M 8/8 5"
            shared Cleartext-Password := mk
                Mikrotik-Rate-Limit = "10M/50M"
            wispr Cleartext-Password := w
                WISPr-Bandwidth-Max-Up = 2000000, WISPr-Bandwidth-Max-Down = 8000000
            ascend Cleartext-Password := w
                Ascend-Data-Rate = 3000000, Ascend-Xmit-Rate = 9000000
            huawei Cleartext-Password := w
                Huawei-Input-Average-Rate = 4000000, Huawei-Input-Peak-Rate = 4000000,
                Huawei-Output-Average-Rate = 12000000, Huawei-Output-Peak-Rate = 12000000
            chilli Cleartext-Password := w
                ChilliSpot-Bandwidth-Max-Up = 512, ChilliSpot-Bandwidth-Max-Down = 2048
            static Cleartext-Password := s
                Framed-IP-Address = 198.51.100.7, Framed-Route = "192.0.2.0/24 198.51.100.7 1", Idle-Timeout = 600
            extra Cleartext-Password := e
                Class = "gold", Reply-Message = "Hello, \"you\"", Filter-Id = "f1"
            vlan Cleartext-Password := v
                Tunnel-Type:1 = VLAN, Tunnel-Medium-Type:1 = IEEE-802, Tunnel-Private-Group-Id:1 = "17"
            nthash NT-Password := 0x8846F7EAEE8FB117AD06BDD830B7586C
            crypted Crypt-Password := "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1"
            "bob smith" Cleartext-Password := b
            blocked Cleartext-Password := x, Auth-Type := Reject
            gone Cleartext-Password := x, Expiration := "01 Jan 2020"
            lasting Cleartext-Password := x, Expiration := "01 Jan 2100"
            falls Cleartext-Password := f
                Session-Timeout = 77, Fall-Through = Yes
            hungry Cleartext-Password := h
                Mikrotik-Rate-Limit := "1M/2M", Fall-Through = Yes
            DEFAULT
                Mikrotik-Rate-Limit = "3M/4M", Session-Timeout = 88

            """#

        private static let logins = [
            Login(user: "plain", password: "pass one"), Login(user: "plain", password: "pass"), Login(user: "mikrotik", password: "mk"),
            Login(user: "burst", password: "mk"), Login(user: "shared", password: "mk"),
            Login(user: "wispr", password: "w", vendor: "wispr"),
            Login(user: "ascend", password: "w", vendor: "ascend"), Login(user: "huawei", password: "w", vendor: "huawei"),
            Login(user: "chilli", password: "w", vendor: "chillispot"), Login(user: "static", password: "s"),
            Login(user: "extra", password: "e"), Login(user: "vlan", password: "v"), Login(user: "nthash", password: "password"),
            Login(user: "nthash", password: "Password"), Login(user: "crypted", password: "secret"),
            Login(user: "bob smith", password: "b"),
            Login(user: "blocked", password: "x"), Login(user: "gone", password: "x"), Login(user: "lasting", password: "x"),
            Login(user: "falls", password: "f"), Login(user: "hungry", password: "h"), Login(user: "nobody", password: "x"),
        ]

        /// Both answer the same: code, and each attribute of FreeRADIUS's; Session-Timeout may be shorter where there is an end.
        private static func compare(_ logins: [Login], _ peer: FreeRADIUSServer, _ daemon: DaemonProcess) async throws {
            let owner = Operator(daemon)
            var nas: [String: TestNAS] = [:]
            for vendor in Set(logins.map(\.vendor)) { nas[vendor] = try await TestNAS.create(owner, vendor: vendor) }
            // Changes are followed in their order: who knows the NASes, which came last, knows the subscribers.
            for known in nas.values {
                try await eventually { try await Radclient(daemon, as: known).impatient.login("nobody", "x").code != nil }
            }
            for login in logins {
                let theirs = try await peer.login(login.user, login.password)
                let client = Radclient(daemon, as: try #require(nas[login.vendor]))
                let ours = try await client.login(login.user, login.password)
                #expect(ours.code == theirs.code, "\(login): \(theirs.transcript)\(ours.transcript)")
                guard theirs.code == "Access-Accept" else { continue }
                let ignored = ["Message-Authenticator", "Session-Timeout = 2"]
                let expected = theirs.attributes.filter { line in !ignored.contains { line.hasPrefix($0) } }
                let missing = expected.filter { !ours.attributes.contains($0) }
                #expect(missing == [], "\(login): \(theirs.transcript)\(ours.transcript)")
            }
        }

        private static func counts(_ result: ToolResult, _ noun: String) -> [String] {
            result.lines.first { $0.hasPrefix(noun + " ") }.map { $0.split(separator: " ").dropFirst().map(String.init) } ?? []
        }

        @Test func usersOfAFileAreAnsweredTheSame() async throws {
            try await DaemonProcess.run(["LASTMILE_RADIUS_REJECT_DELAY_MILLISECONDS": "0"]) { daemon in
                try await TemporaryDirectory.use { directory in
                    let peer = try await FreeRADIUSServer.start(users: Self.users, in: directory)
                    defer { peer.stop() }
                    let tool = CommandLineTool(daemon)
                    let arguments = ["import", "freeradius", "--users", directory + "/users", "--time-zone", "UTC", "--report"]
                    let report = directory + "/report.jsonl"
                    let rehearsal = try await Tool.run("lastmile", arguments + [report, "--dry-run"], settings: tool.settings)
                    #expect(rehearsal.status == 0, "\(rehearsal.output)\(rehearsal.errors)")
                    #expect(try await daemon.query("SELECT count(*) FROM aaa.subscriber WHERE username = 'shared'") == [["0"]])
                    let first = try await Tool.run("lastmile", arguments + [report], settings: tool.settings)
                    #expect(first.status == 0, "\(first.output)\(first.errors)")
                    #expect(Self.counts(first, "subscribers") == ["19", "0", "0", "0"])
                    #expect(Self.counts(rehearsal, "subscribers") == Self.counts(first, "subscribers"))
                    #expect(Self.counts(rehearsal, "profiles") == Self.counts(first, "profiles"))
                    try await Self.compare(Self.logins, peer, daemon)
                    let second = try await Tool.run("lastmile", arguments + [report], settings: tool.settings)
                    #expect(Self.counts(second, "subscribers") == ["0", "0", "19", "0"], "\(second.output)")
                }
            }
        }

        private static let rows = #"""
            INSERT INTO radcheck (username, attribute, op, value) VALUES
                ('alice.sql', 'Cleartext-Password', ':=', 'a''b\c'), ('bob.sql', 'Cleartext-Password', ':=', 'b'),
                ('carol.sql', 'Cleartext-Password', ':=', 'c'), ('dave.sql', 'Cleartext-Password', ':=', 'd'),
                ('eve.sql', 'Cleartext-Password', ':=', 'e'), ('frank.sql', 'Cleartext-Password', ':=', 'f'),
                ('grace.sql', 'SSHA-Password', ':=', '0011'), ('heidi.sql', 'Cleartext-Password', ':=', 'h');
            INSERT INTO radreply (username, attribute, op, value) VALUES
                ('bob.sql', 'Session-Timeout', '=', '60'), ('carol.sql', 'Mikrotik-Rate-Limit', '=', '1M/2M'),
                ('dave.sql', 'Framed-IP-Address', ':=', '198.51.100.9'), ('eve.sql', 'Fall-Through', '=', 'No'),
                ('heidi.sql', 'Class', '+=', 'x;y');
            INSERT INTO radgroupreply (groupname, attribute, op, value) VALUES
                ('home', 'Mikrotik-Rate-Limit', '=', '10M/50M'), ('home', 'Session-Timeout', '=', '3600'), ('home', 'Fall-Through', '=', 'Yes'),
                ('more', 'Idle-Timeout', ':=', '300'), ('more', 'Mikrotik-Rate-Limit', ':=', '20M/100M'), ('last', 'Idle-Timeout', ':=', '1');
            INSERT INTO radgroupcheck (groupname, attribute, op, value) VALUES ('disabled', 'Auth-Type', ':=', 'Reject');
            INSERT INTO radusergroup (username, groupname, priority) VALUES
                ('alice.sql', 'home', 1), ('bob.sql', 'home', 1), ('carol.sql', 'home', 1), ('dave.sql', 'more', 5), ('dave.sql', 'home', 1),
                ('dave.sql', 'last', 9), ('eve.sql', 'home', 1), ('frank.sql', 'disabled', 0), ('frank.sql', 'home', 1), ('heidi.sql', 'more', 1),
                ('heidi.sql', 'last', 2);
            INSERT INTO nas (nasname, shortname, type, secret) VALUES ('203.0.113.7', 'edge', 'mikrotik', 'testing-secret-of-edge');
            INSERT INTO radacct (acctsessionid, acctuniqueid, username, nasipaddress, acctstarttime)
                VALUES ('s1', 'u1', 'alice.sql', '203.0.113.7', now());

            """#

        @Test func tablesOfTheDebianSchemaAreAnsweredTheSame() async throws {
            let superuser = try await PostgresFixture.emptyDatabase()
            try await DaemonProcess.run(["LASTMILE_RADIUS_REJECT_DELAY_MILLISECONDS": "0"]) { daemon in
                try await TemporaryDirectory.use { directory in
                    let schema = TextFile.read(FreeRADIUSServer.stock + "/schema.sql") + Self.rows
                    let filled = try await Tool.run("psql", ["-q", "-v", "ON_ERROR_STOP=1", superuser], input: schema)
                    #expect(filled.status == 0, "\(filled.errors)")
                    let peer = try await FreeRADIUSServer.start(users: "", database: superuser, in: directory)
                    defer { peer.stop() }
                    let tool = CommandLineTool(daemon)
                    func carry(_ options: [String]) async throws -> ToolResult {
                        let dump = try await Tool.run("pg_dump", options + [superuser])
                        #expect(dump.status == 0, "\(dump.errors)")
                        let arguments = ["import", "freeradius", "--sql", "-", "--report", directory + "/report.csv"]
                        return try await Tool.run("lastmile", arguments, input: dump.output, settings: tool.settings)
                    }
                    let first = try await carry([])
                    // One hash cannot be verified here.
                    #expect(first.status == 7, "\(first.output)\(first.errors)")
                    #expect(Self.counts(first, "subscribers") == ["8", "0", "0", "0"])
                    #expect(Self.counts(first, "nas") == ["1", "0", "0", "0"])
                    #expect(TextFile.read(directory + "/report.csv").contains("lost,radcheck:7,grace.sql,SSHA-Password,"))
                    #expect(first.output.contains("1 open session in radacct"))
                    let names = [
                        ("alice", "a'b\\\\c"), ("bob", "b"), ("carol", "c"), ("dave", "d"), ("eve", "e"), ("frank", "f"), ("heidi", "h"),
                    ]
                    try await Self.compare(names.map { Login(user: $0.0 + ".sql", password: $0.1) }, peer, daemon)

                    let versions =
                        "SELECT string_agg(version::text, ',') FROM (SELECT version FROM aaa.subscriber UNION ALL "
                        + "SELECT version FROM aaa.profile UNION ALL SELECT version FROM aaa.nas) v"
                    let before = try await daemon.query(versions)
                    let second = try await carry(["--inserts"])
                    #expect(Self.counts(second, "subscribers") == ["0", "0", "8", "0"], "\(second.output)")
                    #expect(Self.counts(second, "nas") == ["0", "0", "1", "0"])
                    #expect(Self.counts(second, "profiles").first == "0" && Self.counts(second, "profiles").dropFirst().first == "0")
                    #expect(try await daemon.query(versions) == before)

                    let change =
                        "UPDATE radcheck SET value = 'new' WHERE username = 'bob.sql'; UPDATE nas SET secret = 'another-secret-of-edge'; "
                        + "UPDATE radgroupreply SET value = '11M/55M' WHERE groupname = 'home' AND attribute LIKE 'Mikrotik%'"
                    #expect(try await Tool.run("psql", ["-q", superuser, "-c", change]).status == 0)
                    let third = try await carry(["--column-inserts"])
                    #expect(Self.counts(third, "subscribers") == ["0", "1", "7", "0"], "\(third.output)")
                    #expect(Self.counts(third, "nas") == ["0", "1", "0", "0"])
                    try await Self.compare([Login(user: "bob.sql", password: "new")], peer, daemon)
                }
            }
        }
    }
}
