import ArgumentParser

/// `lastmile nas doctor [NAME]`
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Examines one NAS, or all: what ought to be mended, and how.",
        usage: "lastmile nas doctor [NAME] [-o FORMAT]",
        discussion: """
            Looks at secrets, Message-Authenticator, clocks, silence, CoA and makes, by the records and by what passed lately. \
            Ends with 1 when there is a problem; warnings and notes are none.
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("The NAS; without it all of them.", valueName: "name")) var name: String?

    func run() throws {
        let path = [Noun.nas.path] + (name.map { [$0] } ?? []) + ["doctor"]
        let examined = try global.client().send(.init(method: "POST", path: path))["data"]?.elements ?? []
        if global.output == .table {
            Terminal.out(DoctorText.text(examined))
        } else {
            Terminal.out(global.rendering.list(DoctorText.rows(examined), columns: Self.columns))
        }
        let problems = DoctorText.count("problem", examined)
        guard problems == 0 else {
            let message = problems == 1 ? "there is a problem" : "there are \(problems) problems"
            throw CommandFailure(.failed, message, next: "Each says above what to do.")
        }
    }

    private static let columns = [Column("nas"), Column("severity"), Column("code"), Column("what"), Column("advice")]
}

/// What the doctor found as a text for people.
enum DoctorText {
    static func text(_ examined: [JSONValue]) -> String {
        if examined.isEmpty { return "There is no NAS yet: lastmile nas create --name core1 --address 192.0.2.1 --secret S\n" }
        let sick = examined.filter { !findings($0).isEmpty }
        var lines: [String] = []
        for nas in sick {
            let address = nas["address"]?.text.map(Printable.line) ?? "no address"
            lines.append("\(shown(nas["nas"])) (\(address), \(shown(nas["vendor"])), \(seen(nas)))")
            for finding in findings(nas) {
                lines.append("  \(shown(finding["severity"]).uppercased()) \(shown(finding["code"])): \(shown(finding["what"]))")
                lines.append("    -> \(shown(finding["advice"]))")
            }
            lines.append("")
        }
        lines.append(summary(examined, sound: examined.count - sick.count))
        return lines.map { $0 + "\n" }.joined()
    }

    /// A record for each finding, for other formats.
    static func rows(_ examined: [JSONValue]) -> [JSONValue] {
        examined.flatMap { nas in
            findings(nas).map { .object([.init("nas", nas["nas"] ?? .null)] + $0.members) }
        }
    }

    static func count(_ severity: String, _ examined: [JSONValue]) -> Int {
        examined.flatMap(findings).filter { $0["severity"]?.text == severity }.count
    }

    private static func findings(_ nas: JSONValue) -> [JSONValue] { nas["findings"]?.elements ?? [] }

    private static func summary(_ examined: [JSONValue], sound: Int) -> String {
        let counts = ["problem", "warning", "note"].map { count($0, examined).counted($0) }
        return "\(examined.count) NAS examined, \(sound) without a finding: \(counts.joined(separator: ", "))."
    }

    private static func seen(_ nas: JSONValue) -> String {
        guard let seconds = nas["last_seen_seconds"]?.integer else { return "never seen" }
        switch seconds {
        case ..<120: return "seen just now"
        case ..<7200: return "seen \(seconds / 60) minutes ago"
        case ..<172_800: return "seen \(seconds / 3600) hours ago"
        default: return "seen \(seconds / 86_400) days ago"
        }
    }

    private static func shown(_ value: JSONValue?) -> String { Printable.line(value?.cell ?? "") }
}
