import ArgumentParser

/// `lastmile home-server status`
struct HomeServerStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Prints how each home server does, as the node that answers sees it: state, time to a reply, what was dropped.",
        discussion: """
            dropped_mostly is why most of its replies were dropped. \
            Over tcp, tls and dtls connection_failure says why there is no connection. \
            secret_flaw is guessable, repetitive or short where its shared secret is easy to find; 16 random characters or more are safe.
            """)

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let answer = try global.client().send(.init(method: "POST", path: [Noun.homeServer.path, "status"]))
        let columns = [
            Column("name"), Column("state"), Column("radius_version"), Column("latency_microseconds"), Column("outstanding"),
            Column("requests"), Column("timeouts"), Column("dropped"), Column("dropped_mostly"),
            Column("coa_requests"), Column("connection_failure"), Column("secret_flaw"),
        ]
        Terminal.out(global.rendering.list(answer["home_servers"]?.elements ?? [], columns: columns))
    }
}

/// `lastmile realm match alice@partner.example`
struct RealmMatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "match", abstract: "Prints which realm a user name belongs to, and which home servers would be asked.")

    @OptionGroup var global: GlobalOptions
    @Option(help: "The NAS that asks, by name, for policy rules that forward; without it the first of the tenant.") var nas: String?
    @Argument(help: ArgumentHelp("The user name, as a NAS would send it.", valueName: "username")) var userName: String

    func run() throws {
        var query = [(name: "username", value: userName)]
        if let nas { query.append(("nas", nas)) }
        let answer = try global.client().send(.init(method: "POST", path: [Noun.realm.path, "match"], query: query))
        Terminal.out(global.rendering.record(answer, columns: []))
    }
}
