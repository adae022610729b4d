import ArgumentParser

/// `lastmile radius trace --user alice --follow`
struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Shows what a user or NAS asked by RADIUS and what it was answered, with the reason.",
        usage: "lastmile radius trace [--user NAME] [--nas NAS] [--station MAC] [--last N] [--follow] [--brief] [-o FORMAT]",
        discussion: """
            The past comes from the daemon's flight recorder, which holds the last transactions in memory; auth-log goes further back. \
            --follow goes on until Ctrl-C. Passwords, keys and what EAP carries are left out. Times are UTC.
            """)

    @OptionGroup var global: GlobalOptions
    @Option(help: "Only of this username.") var user: String?
    @Option(help: "Only of this NAS, by name or id:N.") var nas: String?
    @Option(help: "Only of this Calling-Station-Id; a hardware address in any notation.") var station: String?
    @Option(help: "How many of the past, 1 to 1000, with --follow also 0; 20 unless --follow, then 3.") var last: Int?
    @Flag(name: .shortAndLong, help: "Goes on with what comes from now on.") var follow = false
    @Flag(help: "A line each, without the attributes.") var brief = false

    func validate() throws {
        let least = follow ? 0 : 1
        if let last, !(least...1000).contains(last) { throw ValidationError("--last \(last): \(least) to 1000 is possible") }
        if follow, ![.table, .json].contains(global.output) { throw ValidationError("--follow prints text, or with -o json a line each") }
    }

    func run() throws {
        var request = APIClient.Request(method: "POST", path: [Noun.authLog.path, "trace"])
        for (name, value) in [("user", user), ("nas", nas), ("station", station), ("last", String(last ?? (follow ? 3 : 20)))] {
            if let value { request.query.append((name, value)) }
        }
        if follow {
            try follow(request)
        } else {
            show(try global.client().send(request)["data"]?.elements ?? [])
        }
    }

    private func show(_ transactions: [JSONValue]) {
        guard global.output == .table else {
            return Terminal.out(global.rendering.list(transactions, columns: Self.columns))
        }
        for transaction in transactions { Terminal.out(text(transaction)) }
        if transactions.isEmpty {
            Terminal.note(
                """
                Nothing of that was recorded since the daemon started, or others have displaced it.
                  Do packets arrive at all? Look at `lastmile nas doctor`, and at what the daemon's log says of unknown clients.
                  Further back: lastmile auth-log list --user NAME\n
                """)
        }
    }

    private func follow(_ request: APIClient.Request) throws {
        var request = request
        request.query.append(("follow", "true"))
        request.line = { octets in
            guard let value = try? JSONReader.parse(octets) else { return }
            if global.output == .json { return Terminal.out(JSONText.compact(value) + "\n") }
            if let missed = value["missed"]?.integer {
                return Terminal.note("(\(missed.counted("transaction was", "transactions were")) displaced before anybody could look)\n")
            }
            Terminal.out(text(value))
        }
        let client = try global.client()
        request.begun = { Terminal.note("Following; Ctrl-C ends it.\n") }
        try client.send(request)
        Terminal.note("The daemon ended it: it stops, or an hour has passed.\n")
    }

    private func text(_ transaction: JSONValue) -> String {
        brief ? TransactionText.line(transaction) : TransactionText.text(transaction)
    }

    private static let columns = [
        Column("at"), Column("username"), Column("nas"), Column("outcome"), Column("reason"), Column("method"),
        Column("duration_microseconds"),
    ]
}
