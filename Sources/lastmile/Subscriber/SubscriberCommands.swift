import ArgumentParser

/// `lastmile subscriber explain NAME --nas NAS`
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Derives what a subscriber would be answered now, and why.")

    @OptionGroup var global: GlobalOptions
    @Option(help: "The NAS that asks, by name: its vendor decides the attributes.") var nas: String?
    @Argument(help: ArgumentHelp("The username.", valueName: "name")) var names: [String] = []

    func run() throws {
        let path = try Noun.subscriber.itemPath(names) + ["explain"]
        var request = APIClient.Request(method: "POST", path: path)
        if let nas { request.query = [("nas", nas)] }
        let explanation = try global.client().send(request)
        if global.output == .table {
            Terminal.out(ExplanationText.text(explanation))
        } else {
            Terminal.out(global.rendering.record(explanation, columns: []))
        }
    }
}

/// `lastmile subscriber lock NAME --reason overdue --level captive`
struct LockSubscriberCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "Restricts a subscriber for one reason, or changes that reason's level.")

    @OptionGroup var global: GlobalOptions
    @Option(help: "overdue, prepaid, fair_use, customer_hold, admin, fraud or system.") var reason: String
    @Option(help: "captive: the walled garden; suspended: rejected.") var level: String
    @Option(help: "For people.") var note: String?
    @Argument(help: ArgumentHelp("The username.", valueName: "name")) var names: [String] = []

    func run() throws {
        let name = try Noun.subscriber.itemPath(names)[1]
        let client = try global.client()
        let lock: JSONValue
        if let known = try LockSearch(client: client).find(name, reason).first?["id"] {
            lock = try client.send(
                .init(
                    method: "PATCH", path: ["locks", known.cell], body: Array(JSONText.compact(.object(restriction)).utf8),
                    mediaType: "application/merge-patch+json", headers: ["If-Match: *"]))
        } else {
            let members = [JSONValue.Member("subscriber", .string(name)), .init("reason", .string(reason))] + restriction
            lock = try client.send(.init(method: "POST", path: ["locks"], body: Array(JSONText.compact(.object(members)).utf8)))
        }
        Terminal.out(global.rendering.record(lock, columns: Noun.lock.columns))
        Terminal.note(
            "It holds for logins within a second; running sessions follow within seconds: `lastmile session list --user \(Printable.line(name))`.\n"
        )
    }

    private var restriction: [JSONValue.Member] {
        [.init("level", .string(level))] + (note.map { [.init("note", .string($0))] } ?? [])
    }
}

/// `lastmile subscriber unlock NAME --reason overdue`
struct UnlockSubscriberCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Takes the restriction for one reason, or all of them, away.")

    @OptionGroup var global: GlobalOptions
    @Option(help: "Only this reason's; else all.") var reason: String?
    @Argument(help: ArgumentHelp("The username.", valueName: "name")) var names: [String] = []

    func run() throws {
        let name = try Noun.subscriber.itemPath(names)[1]
        let client = try global.client()
        let locks = try LockSearch(client: client).find(name, reason)
        guard !locks.isEmpty else {
            // Tells an unknown subscriber from one without locks.
            try client.send(.init(path: ["subscribers", name]))
            throw CommandFailure(
                .notFound, "\(name) has no lock" + (reason.map { " for the reason \($0)" } ?? ""),
                next: "`lastmile lock list --subscriber \(Printable.line(name))` shows its locks.")
        }
        for lock in locks {
            guard let id = lock["id"]?.cell else { continue }
            try client.send(.init(method: "DELETE", path: ["locks", id], headers: ["If-Match: *"]))
            Terminal.note("lock \(id) (\(Printable.line(lock["reason"]?.cell ?? ""))) is removed\n")
        }
    }
}

/// Finds the locks of a subscriber.
struct LockSearch {
    let client: APIClient

    func find(_ subscriber: String, _ reason: String?) throws(CommandFailure) -> [JSONValue] {
        var query = [(name: "subscriber", value: subscriber), (name: "limit", value: "100")]
        if let reason { query.append(("reason", reason)) }
        return try client.send(.init(path: ["locks"], query: query))["data"]?.elements ?? []
    }
}
