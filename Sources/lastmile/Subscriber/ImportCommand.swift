import ArgumentParser

/// `lastmile subscriber import FILE.csv`
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Stores subscribers from a CSV file: all of them, or none.",
        discussion: """
            The first line names the columns: username,password,profile[,static_ipv4,...]; an empty cell leaves the default. \
            Lists in a cell are separated by semicolons.
            Bad lines are listed by number. Ends with 1 when lines are refused, with 5 when it is only because usernames exist already.
            """)

    @OptionGroup var global: GlobalOptions
    @Flag(help: "Stores the good lines and lists the bad ones.") var partial = false
    @Flag(help: "Checks everything and stores nothing.") var dryRun = false
    @Flag(help: "Gives subscribers that exist what their line says; secrets and status stay where it has none.") var update = false
    @Argument(help: "The file; - is standard input.") var file: String

    /// Refused lines that are printed, at most.
    private static var printLimit: Int { 50 }

    func run() throws {
        let bytes = file == "-" ? try Terminal.standardInput() : try File.read(file, limit: 64 << 20)
        var progress = ProgressLine("checking")
        let sheet = CSVSheet(bytes) { progress.update($0, of: bytes.count) }
        progress.abandon()
        guard sheet.faults.isEmpty || partial && sheet.rows > 0 else { throw refusal(sheet.faults.map(\.text), "nothing was sent") }
        let answer = try upload(bytes)
        let imported = answer["imported"]?.integer ?? 0
        if global.output == .table {
            let changes = update ? "\(answer["updated"]?.cell ?? "0") updated, \(answer["unchanged"]?.cell ?? "0") unchanged, " : ""
            Terminal.out("\(imported) \(dryRun ? "would be stored" : "stored"), \(changes)\(answer["refused"]?.cell ?? "0") refused\n")
        } else {
            Terminal.out(global.rendering.record(answer, columns: []))
        }
        if let failure = Self.failure(answer, isRehearsal: dryRun) { throw failure }
    }

    private func upload(_ bytes: [UInt8]) throws -> JSONValue {
        let client = try global.client()
        let sending = Sending(isRehearsal: dryRun)
        var request = APIClient.Request(method: "POST", path: ["subscribers", "import"], body: bytes, mediaType: "text/csv")
        if partial { request.query.append(("partial", "true")) }
        if dryRun { request.query.append(("dry_run", "true")) }
        if update { request.query.append(("existing", "update")) }
        request.timeoutSeconds = 3600
        request.progress = { sent, total in sending.update(sent, of: total) }
        defer { sending.end() }
        do {
            return try client.send(request)
        } catch {
            sending.end()
            throw error.details.isEmpty ? error : merged(error)
        }
    }

    /// Uploading, then waiting for the database.
    private final class Sending {
        private let isRehearsal: Bool
        private var line = ProgressLine("uploading")
        private var isWaiting = false

        init(isRehearsal: Bool) { self.isRehearsal = isRehearsal }

        func update(_ sent: Int, of total: Int) {
            line.update(sent, of: total)
            guard sent >= total, !isWaiting else { return }
            isWaiting = true
            Terminal.note("the daemon is checking\(isRehearsal ? "" : " and storing") ...\n")
        }

        func end() { line.abandon() }
    }

    /// Set where `answer` to a partial import has refused lines; in a rehearsal nothing is stored, so the good lines stay in the file.
    static func failure(_ answer: JSONValue, isRehearsal: Bool) -> CommandFailure? {
        let refused = answer["errors"]?.elements ?? []
        guard !refused.isEmpty else { return nil }
        let count = answer["refused"]?.integer ?? Int64(refused.count)
        return CommandFailure(
            status(refused),
            isRehearsal ? "\(count.counted("line")) would be refused" : "\(count.counted("line was", "lines were")) refused",
            details: shown(refused.map(APIProblem.line)),
            next: isRehearsal
                ? "Nothing was stored. Mend them, or leave --dry-run out to store the others."
                : "Mend them and import a file of only those lines.")
    }

    /// A refusal of the whole file, its lines cut to what one reads.
    private func merged(_ failure: CommandFailure) -> CommandFailure {
        let isTaken = failure.details.allSatisfy { $0.hasSuffix("exists already") }
        return CommandFailure(
            isTaken ? .conflict : failure.status, failure.message, details: Self.shown(failure.details),
            next: "Nothing was stored. \(advice)")
    }

    private func refusal(_ lines: [String], _ consequence: String) -> CommandFailure {
        CommandFailure(
            .failed, "\(lines.count.counted("mistake")) in the file, \(consequence)", details: Self.shown(lines), next: advice)
    }

    /// A file that is no sheet has no good lines either.
    private var advice: String { partial ? "Mend the file." : "Mend the lines, or store the others with --partial." }

    private static func shown(_ lines: [String]) -> [String] {
        lines.count <= printLimit ? lines : lines.prefix(printLimit) + ["... and \(lines.count - printLimit) more"]
    }

    /// Only names that exist already: a conflict; anything else: failed.
    static func status(_ errors: [JSONValue]) -> ExitStatus {
        errors.allSatisfy { $0["code"]?.text == "unique" } ? .conflict : .failed
    }
}
