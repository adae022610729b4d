import FreeRADIUSImport
import Glibc
import RadiusCore
import Testing

@testable import lastmile

/// What an import sends to the daemon.
@Suite struct MigrationTests {
    private static let empty = ScriptedHTTPServer.answer(200, #"{"data":[],"page":{"next":null}}"#)
    private static let counts = ScriptedHTTPServer.answer(
        200, #"{"imported":0,"refused":0,"updated":0,"unchanged":1,"errors":[]}"#)

    private static func plan(_ users: String) throws -> ImportPlan {
        var reader = UsersFile(into: FreeRADIUSSource()) { _ in [] }
        try reader.read(Array(users.utf8), name: "users")
        var importer = Importer(
            reader.source, options: .init(), check: { _, _ in nil }, isOctets: { _ in false }, clock: { Int64($0.year) })
        return importer.run()
    }

    /// Writes one subscriber with a new profile, whose POST is answered so, and gives the sheet and what was counted.
    private static func write(_ profileAnswer: String, isRehearsal: Bool) throws -> (sheet: String, counts: PlanWriter.Counts) {
        let server = try ScriptedHTTPServer([empty, profileAnswer, empty, counts, empty])
        var writer = try Self.writer(server, isRehearsal: isRehearsal)
        try writer.write(try plan("alice Cleartext-Password := \"secret\"\n  Session-Timeout := 60\n"))
        let sheet = try #require(server.requests.first { $0.hasPrefix("POST /api/v1/subscribers/import") })
        return (sheet, writer.counts)
    }

    private static func writer(_ server: ScriptedHTTPServer, isRehearsal: Bool = false) throws -> PlanWriter {
        let connection = try Connection(tenant: "north") { name in
            ["LASTMILE_URL": "http://127.0.0.1:\(server.port)/", "LASTMILE_TOKEN": "t0ken"][name]
        }
        return PlanWriter(client: APIClient(connection: connection), isRehearsal: isRehearsal)
    }

    private static func profile(ofOnlyLineIn sheet: String) -> String { cell("profile", ofOnlyLineIn: sheet) ?? "no sheet" }

    /// nil where the sheet has no such column.
    private static func cell(_ column: String, ofOnlyLineIn sheet: String) -> String? {
        let lines = sheet.split(whereSeparator: \.isNewline).suffix(2).map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        guard lines.count == 2, let place = lines[0].firstIndex(where: { $0 == column }) else { return nil }
        return String(lines[1][place])
    }

    /// The daemon names the first mistakes of a sheet; the others are asked for without storing anything.
    @Test func allThatTheDaemonRefusesAreNamed() throws {
        func answer(_ refused: Int, _ lines: [Int]) -> String {
            let errors = lines.map { #"{"line":\#($0),"column":"static_ipv4","code":"pool","detail":"a pool hands it out"}"# }
            return ScriptedHTTPServer.answer(
                200, #"{"imported":1,"refused":\#(refused),"updated":0,"unchanged":0,"errors":[\#(errors.joined(separator: ","))]}"#)
        }
        let users = "abcd".map { "\($0) Cleartext-Password := x\n  Mikrotik-Rate-Limit := 1M/2M\n" }.joined()
        let made = ScriptedHTTPServer.answer(201, #"{"id":1}"#)
        let server = try ScriptedHTTPServer([Self.empty, made, answer(3, [2, 3]), answer(1, [3]), Self.empty])
        var writer = try Self.writer(server)
        try writer.write(try Self.plan(users))
        #expect(writer.remarks.map(\.subject) == ["a", "b", "d"])
        #expect(writer.counts.subscribers == .init(created: 1, refused: 3))
        let sheets = server.requests.filter { $0.hasPrefix("POST /api/v1/subscribers/import") }
        #expect(sheets.map { $0.contains("dry_run=true") } == [false, true])
        #expect(sheets.last?.split(whereSeparator: \.isNewline).suffix(2).map { String($0.prefix(2)) } == ["c,", "d,"])
        let silent = try ScriptedHTTPServer([Self.empty, made, answer(3, [2]), answer(2, []), Self.empty])
        var other = try Self.writer(silent)
        try other.write(try Self.plan(users))
        #expect(other.remarks.map(\.what) == ["static_ipv4", "2 more"])
    }

    /// Neither the interval nor the limit is possible, and there is no rate.
    @Test(arguments: [nil, "null", #""mine""#]) func whatIsSetByHandInPlaceOfWhatCouldNotBeCarriedStays(profile: String?) throws {
        let known = profile.map {
            ScriptedHTTPServer.answer(200, #"{"data":[{"id":1,"username":"alice","profile":\#($0)}],"page":{"next":null}}"#)
        }
        let made = ScriptedHTTPServer.answer(201, #"{"id":1}"#)
        let server = try ScriptedHTTPServer([Self.empty, made, known ?? Self.empty, Self.counts, Self.empty])
        var writer = try Self.writer(server)
        let plan = try Self.plan("alice Cleartext-Password := x, Simultaneous-Use := 99\n  Acct-Interim-Interval := 30\n")
        #expect(plan.remarks.map(\.level) == [.lost, .lost])
        try writer.write(plan)
        let sheet = try #require(server.requests.first { $0.hasPrefix("POST /api/v1/subscribers/import") })
        // Nobody is let in without one.
        let hasOwn = profile == #""mine""#
        #expect(Self.cell("profile", ofOnlyLineIn: sheet) == (hasOwn ? nil : "down-unlimited-up-unlimited"))
        #expect(Self.cell("interim_interval", ofOnlyLineIn: sheet) == nil && Self.cell("session_limit", ofOnlyLineIn: sheet) == nil)
        #expect(Self.cell("session_timeout", ofOnlyLineIn: sheet) == "")
    }

    @Test func whatFreeRADIUSComputesIsLeftAsItIsHere() throws {
        let made = ScriptedHTTPServer.answer(201, #"{"id":1}"#)
        let server = try ScriptedHTTPServer([Self.empty, made, Self.empty, Self.counts, Self.empty])
        var writer = try Self.writer(server)
        let reply = #"Session-Timeout := "%{sql:SELECT 1}", Framed-IP-Address := "%{sql:SELECT 2}", Idle-Timeout := 60"#
        try writer.write(Self.plan("alice Cleartext-Password := x\n  \(reply)\n"))
        let sheet = try #require(server.requests.first { $0.hasPrefix("POST /api/v1/subscribers/import") })
        #expect(Self.cell("session_timeout", ofOnlyLineIn: sheet) == nil && Self.cell("static_ipv4", ofOnlyLineIn: sheet) == nil)
        #expect(Self.cell("ipv6_prefix", ofOnlyLineIn: sheet) == "" && Self.cell("interim_interval", ofOnlyLineIn: sheet) == "")
    }

    @Test func whoseOwnValueIsImpossibleStaysInTheGroupsProfile() throws {
        var rows = TableRows("dump", into: FreeRADIUSSource())
        try rows.add("radcheck", [], ["1", "alice", "Cleartext-Password", ":=", "x"].map(SQLCell.text), 1)
        try rows.add("radreply", [], ["1", "alice", "Acct-Interim-Interval", ":=", "30"].map(SQLCell.text), 2)
        try rows.add("radusergroup", [], ["alice", "home", "1"].map(SQLCell.text), 3)
        for (id, item) in [("Mikrotik-Rate-Limit", "4M/40M"), ("Acct-Interim-Interval", "300")].enumerated() {
            try rows.add("radgroupreply", [], ["\(id)", "home", item.0, ":=", item.1].map(SQLCell.text), id + 4)
        }
        var importer = Importer(rows.source, options: .init(), check: { _, _ in nil }, clock: { _ in nil })
        let plan = importer.run()
        #expect(plan.profiles.map(\.name) == ["home"])
        #expect(plan.subscribers.map(\.profile) == ["home"] && plan.subscribers.map(\.interimInterval) == [nil])
    }

    @Test func aProfileKeepsWhatItsGroupCouldNotGive() throws {
        var rows = TableRows("dump", into: FreeRADIUSSource())
        for (id, item) in [("Mikrotik-Rate-Limit", "1M/2M"), ("Acct-Interim-Interval", "30")].enumerated() {
            try rows.add("radgroupreply", [], ["\(id)", "home", item.0, ":=", item.1].map(SQLCell.text), id + 1)
        }
        var importer = Importer(rows.source, options: .init(), check: { _, _ in nil }, clock: { _ in nil })
        let known = ScriptedHTTPServer.answer(
            200, #"{"data":[{"id":5,"name":"home","download":1,"interim_interval":300,"session_timeout":60}],"page":{"next":null}}"#)
        let server = try ScriptedHTTPServer([known, ScriptedHTTPServer.answer(200, #"{"id":5}"#), Self.empty])
        var writer = try Self.writer(server)
        try writer.write(importer.run())
        #expect(writer.counts.profiles.updated == 1)
        let change = try #require(server.requests.first { $0.hasPrefix("PATCH /api/v1/profiles/") })
        #expect(!change.contains("interim_interval") && change.contains(#""session_timeout":null"#), "\(change)")
    }

    @Test func subscribersOfARefusedProfileNameIt() throws {
        let refusal = ScriptedHTTPServer.problem(422, #"{"title":"T","status":422,"detail":"D","code":"invalid"}"#)
        let (sheet, counts) = try Self.write(refusal, isRehearsal: false)
        #expect(!["", "no sheet"].contains(Self.profile(ofOnlyLineIn: sheet)))
        #expect(counts.profiles.refused == 1)
        let rehearsed = try Self.write(refusal, isRehearsal: true)
        #expect(Self.profile(ofOnlyLineIn: rehearsed.sheet) == Self.profile(ofOnlyLineIn: sheet))
    }

    @Test func aNASThatIsLookedUpIsKnownByItsNameNotByTheAddressOfNow() throws {
        var file = ClientsFile("clients.conf", into: FreeRADIUSSource())
        try file.read(Array("client gw {\nipaddr = gw.example.net\nsecret = testing-secret\n}\n".utf8))
        var importer = Importer(file.source, options: .init(), check: { _, _ in nil }, clock: { _ in nil })
        let known = ScriptedHTTPServer.answer(
            200,
            #"{"data":[{"id":7,"name":"gw","address":"192.0.2.1/32","dns_name":"gw.example.net","vendor":"cisco","updated_at":"t"}],"#
                + #""page":{"next":null}}"#)
        let server = try ScriptedHTTPServer([Self.empty, known, ScriptedHTTPServer.answer(200, #"{"id":7,"updated_at":"t"}"#)])
        var writer = try Self.writer(server)
        try writer.write(importer.run())
        #expect(writer.counts.nas.unchanged == 1 && writer.counts.nas.created == 0)
        let change = try #require(server.requests.last)
        #expect(change.hasPrefix("PATCH /api/v1/nas/") && !change.contains("address") && !change.contains("dns_name"), "\(change)")
        // The source does not tell the make, so the one that was set by hand stays.
        #expect(!change.contains("vendor"), "\(change)")
    }

    @Test(arguments: [
        (0, 1, "0 entries were not carried over, and 1 part of others"), (1, 2, "1 entry was not carried over, and 2 parts of others"),
        (3, 0, "3 entries were not carried over"),
    ])
    func whatIsLeftOutIsCountedInWords(skipped: Int, lost: Int, words: String) throws {
        var plan = try Self.plan("")
        let remark = { (level: Remark.Level) in Remark(level, Place("users", 1), "alice", "x", "y") }
        plan.remarks = Array(repeating: remark(.skipped), count: skipped) + Array(repeating: remark(.lost), count: lost)
        let summary = ImportSummary(plan: plan, source: FreeRADIUSSource(), counts: .init(), isRehearsal: true, report: nil)
        #expect(summary.leftOut == words)
    }

    @Test(arguments: [(1, "1 open session in radacct: it appears"), (2, "2 open sessions in radacct: they appear")])
    func openSessionsAreCountedInWords(count: Int, words: String) throws {
        var source = FreeRADIUSSource()
        source.openSessions = count
        let summary = ImportSummary(plan: try Self.plan(""), source: source, counts: .init(), isRehearsal: true, report: nil)
        #expect(summary.text.contains(words))
    }

    @Test func aReportIsReadableByItsOwnerAloneAlsoWhenTheFileWasThere() throws {
        let folder = try Self.makeFolder()
        let path = folder + "/left-out.csv"
        defer {
            unlink(path)
            rmdir(folder)
        }
        close(open(path, O_WRONLY | O_CREAT, 0o644))
        #expect(chmod(path, 0o644) == 0)
        try ReportFile(path).write([])
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    private static func makeFolder() throws -> String {
        var template = Array("/tmp/lastmile-migration-XXXXXX".utf8CString)
        return try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    /// Each dump of `texts` in a file of its own.
    private static func read(_ texts: [String], takesParts: Bool = false) throws -> FreeRADIUSSource {
        let folder = try makeFolder()
        let paths = texts.indices.map { "\(folder)/\($0).sql" }
        defer {
            for path in paths { unlink(path) }
            rmdir(folder)
        }
        for (path, text) in zip(paths, texts) {
            let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
            #expect(Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count)
            close(descriptor)
        }
        return try SourceFiles(dumps: paths, users: [], clients: [], dialect: .mysql, takesParts: takesParts).read()
    }

    private static let groups = """
        INSERT INTO radgroupcheck VALUES (1,'gold','Simultaneous-Use',':=','1');
        INSERT INTO radgroupreply VALUES (1,'gold','Filter-Id',':=','gold');
        CREATE TABLE radusergroup (username text);

        """
    private static let users = """
        INSERT INTO radcheck VALUES (1,'alice','Cleartext-Password',':=','secret');
        CREATE TABLE radreply (id integer);

        """
    private static let end = "-- Dump completed on 2026-11-22 21:00:00\n"

    @Test func aDumpWithoutItsEndIsRefused() throws {
        let failure = #expect(throws: CommandFailure.self) { try Self.read([Self.users + Self.groups]) }
        #expect(failure?.message.contains("0.sql does not end with “-- Dump completed”") == true)
        #expect(failure?.next.contains("--partial") == true)
        #expect(throws: CommandFailure.self) { try Self.read([Self.users + Self.end + Self.groups]) }
        #expect(throws: CommandFailure.self) { try Self.read([Self.users + Self.end, Self.groups]) }
        #expect(try Self.read([Self.users + Self.groups + Self.end]).users.all.map(\.name) == ["alice"])
        #expect(try Self.read([Self.users + Self.groups], takesParts: true).users.all.map(\.name) == ["alice"])
    }

    @Test func tablesThatBelongTogetherAreMissedByName() throws {
        let failure = #expect(throws: CommandFailure.self) { try Self.read([Self.users + Self.end]) }
        #expect(failure?.message.hasPrefix("no dump has radgroupcheck, radgroupreply, radusergroup:") == true)
        #expect(try Self.read([Self.users + Self.end, Self.groups + Self.end]).groups.all.map(\.name) == ["gold"])
        #expect(try Self.read([Self.users + Self.end], takesParts: true).users.all.map(\.name) == ["alice"])
        let other = #expect(throws: CommandFailure.self) { try Self.read(["CREATE TABLE t (a int);\n" + Self.end], takesParts: true) }
        #expect(other?.message.contains("none of FreeRADIUS's tables") == true)
    }

    @Test func onlyWhomTheSourceRejectsHasAStatus() throws {
        let plan = try Self.plan("alice Cleartext-Password := \"a\"\nbob Auth-Type := Reject\n")
        let text = String(decoding: PlanCSV.sheet(plan.subscribers, hasProfile: true), as: UTF8.self)
        let lines = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let place = try #require(lines.first?.firstIndex(of: "status"))
        #expect(lines.dropFirst().map { [$0[0], $0[place]] } == [["alice", ""], ["bob", "suspended"]])
    }

    @Test func aRehearsalLeavesOutANewProfileThatIsNotThereYet() throws {
        let made = ScriptedHTTPServer.answer(201, #"{"id":1}"#)
        let rehearsed = try Self.write(made, isRehearsal: true)
        #expect(Self.profile(ofOnlyLineIn: rehearsed.sheet).isEmpty)
        #expect(rehearsed.counts.subscribers.updated == 1)
        let real = try Self.write(made, isRehearsal: false)
        #expect(!Self.profile(ofOnlyLineIn: real.sheet).isEmpty)
        #expect(real.counts.subscribers.unchanged == 1)
    }
}
