import ArgumentParser

/// `lastmile health`
struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Tells whether the daemon can work, part by part.",
        discussion: "Ends with 1 while a part is not ready.")

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let (status, value) = try global.client().document("readyz")
        let checks = value["checks"]?.elements ?? []
        if global.output == .table {
            let columns = [Column("name"), Column("ready"), Column("detail")]
            Terminal.out(global.rendering.list(checks, columns: columns))
        } else {
            Terminal.out(global.rendering.record(value, columns: []))
        }
        guard status == 200 else {
            let bad = checks.filter { $0["ready"]?.flag == false }.compactMap { $0["name"]?.text }
            throw CommandFailure(
                .failed, "not ready: \(bad.joined(separator: ", "))", next: "The details above say why; the daemon's log says more.")
        }
    }
}
