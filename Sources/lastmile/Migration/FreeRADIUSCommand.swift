import ArgumentParser
import FreeRADIUSImport
import Glibc
import RadiusCore

/// `lastmile import`
struct MigrationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Carries over what another system holds.", subcommands: [FreeRADIUSCommand.self])
}

/// `lastmile import freeradius`
struct FreeRADIUSCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freeradius", abstract: "Carries users, groups and clients over from FreeRADIUS.",
        discussion: """
            Reads dumps (mysqldump, mariadb-dump, pg_dump, sqlite3 .dump), users files and clients.conf; groups become profiles, users \
            subscribers, clients NASes. Run it as often as you like: what is there already is left alone, what differs is changed, \
            nothing is deleted.

              mysqldump radius radcheck radreply radgroupcheck radgroupreply radusergroup nas > radius.sql
              lastmile import freeradius --sql radius.sql --report left-out.jsonl --dry-run

            Ends with 0 when everything was carried over, with 7 when something was left out; the report names each.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var dictionary: DictionaryOption
    @Option(name: .customLong("sql"), help: ArgumentHelp("A dump of the rad* tables and of nas; - is standard input.", valueName: "file"))
    var dumps: [String] = []
    @Option(name: .customLong("users"), help: ArgumentHelp("A users file, such as mods-config/files/authorize.", valueName: "file"))
    var users: [String] = []
    @Option(name: .customLong("clients"), help: ArgumentHelp("A clients.conf.", valueName: "file")) var clients: [String] = []
    @Option(help: "Whose dump it is: mysql, postgresql or sqlite. Else it is told by its beginning.") var dialect: String?
    @Flag(help: "Takes dumps without their tool's last line (mysqldump --skip-comments), or without tables in which there is nothing.")
    var partial = false
    @Option(help: ArgumentHelp("Where dates without a zone are meant, such as Europe/Kyiv. Else this machine's zone.", valueName: "zone"))
    var timeZone: String?
    @Option(help: "The make of NASes whose type says nothing, such as mikrotik.") var nasVendor: String?
    @Flag(help: "Carries over users with demands on the request (Calling-Station-Id ==) without those demands.") var dropRestrictions =
        false
    @Flag(help: "Changes nothing, and prints the same plan.") var dryRun = false
    @Option(help: ArgumentHelp("Gets a line for each remark: JSON, or CSV when the name ends with .csv.", valueName: "file")) var report:
        String?

    func run() throws {
        guard !(dumps + users + clients).isEmpty else {
            throw CommandFailure.usage(
                "nothing to read", next: "Give --sql, --users or --clients; see `lastmile import freeradius --help`.")
        }
        var options = Importer.Options()
        options.dropsRestrictions = dropRestrictions
        options.vendor = try vendor()
        try LocalTime.choose(timeZone)
        let dictionary = try dictionary.load()
        let client = try global.client()
        let file = try report.map { try ReportFile($0) }
        let files = SourceFiles(dumps: dumps, users: users, clients: clients, dialect: try chosenDialect(), takesParts: partial)
        let source = try files.read()
        var importer = Importer(
            source, options: options, check: Self.check(dictionary), isOctets: Self.isOctets(dictionary), clock: LocalTime.seconds)
        var progress = ProgressLine("working out")
        var plan = importer.run { progress.update($0, of: $1) }
        progress.abandon()
        var writer = PlanWriter(client: client, isRehearsal: dryRun)
        try writer.write(plan)
        plan.remarks += writer.remarks
        try file?.write(plan.remarks)
        let summary = ImportSummary(plan: plan, source: source, counts: writer.counts, isRehearsal: dryRun, report: report)
        Terminal.out(global.output == .table ? summary.text : global.rendering.record(summary.document, columns: []))
        if summary.isIncomplete {
            throw CommandFailure(
                .incomplete, summary.leftOut,
                next: report == nil ? "Run it with --dry-run --report FILE to see each." : "\(report ?? "") names each, with what to do.")
        }
    }

    private func vendor() throws -> NASVendor? {
        guard let nasVendor else { return nil }
        guard let vendor = NASVendor(name: nasVendor) else {
            let near = Nearest.to(nasVendor, among: NASVendor.names).map { "Did you mean \($0)? " } ?? ""
            throw CommandFailure.usage(
                "no make is called “\(nasVendor)”", next: near + "There are \(NASVendor.names.joined(separator: ", ")).")
        }
        return vendor
    }

    private func chosenDialect() throws -> SQLDialect? {
        guard let dialect else { return nil }
        guard let chosen = SQLDialect(rawValue: dialect.lowercased()) else {
            throw CommandFailure.usage(
                "--dialect \(dialect)", next: "There are \(SQLDialect.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return chosen
    }

    private static func isOctets(_ dictionary: RadiusDictionary) -> (String) -> Bool {
        { name in
            let untagged = name.split(separator: ":", maxSplits: 1).first.map(String.init) ?? name
            return dictionary.attribute(named: untagged)?.type == .octets
        }
    }

    /// What the daemon would say of an attribute.
    private static func check(_ dictionary: RadiusDictionary) -> (String, String) -> String? {
        var known: [String: String?] = [:]
        return { name, value in
            let key = name + "\u{0}" + value
            if let answer = known[key] { return answer }
            var compiled = CompiledAttributes()
            compiled.append(name, value, dictionary)
            let answer = compiled.problems.first
            if known.count < 10_000 { known[key] = .some(answer) }
            return answer
        }
    }
}

/// Civil time in the zone that the FreeRADIUS server has.
enum LocalTime {
    static func choose(_ zone: String?) throws(CommandFailure) {
        guard let zone else { return }
        do throws(ZoneFault) { _ = try ZoneOffsets.load(zone) } catch {
            throw .usage(error.description, next: "Write it like Europe/Kyiv.")
        }
        setenv("TZ", ":" + zone, 1)
        tzset()
    }

    /// Seconds since the Unix epoch; nil for a time beyond what the system reckons with.
    static func seconds(_ civil: CivilTime) -> Int64? {
        var time = tm()
        time.tm_year = Int32(civil.year - 1900)
        time.tm_mon = Int32(civil.month - 1)
        time.tm_mday = Int32(civil.day)
        time.tm_hour = Int32(civil.hour)
        time.tm_min = Int32(civil.minute)
        time.tm_sec = Int32(civil.second)
        time.tm_isdst = -1
        let seconds = mktime(&time)
        return seconds < 0 ? nil : Int64(seconds)
    }
}
