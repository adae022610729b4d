import ArgumentParser

extension Noun {
    static let addressPool = Noun(
        name: "address-pool", path: "address-pools", summary: "Addresses and prefixes that profiles hand out",
        fields: [
            Field("name", .text, "How you call it"),
            Field("kind", .text, "ipv4, ipv6-prefix or delegated-prefix"),
            Field("ranges", .list, "192.0.2.0/24, 192.0.2.10-192.0.2.99 or 2001:db8::/40", option: "range"),
            Field("prefix_length", .integer, "Of one prefix, such as 56; not for ipv4"),
            Field("quarantine", .integer, "Seconds that an address rests after a session"),
            Field("offer_time", .integer, "Seconds that a session may take to begin after its Access-Accept"),
            Field("on_exhausted", .text, "reject, or accept: without an address"),
            Field("enabled", .flag, "true or false; false lets nodes give back what they hold"),
            Field("notes", .text, "For people"),
        ],
        columns: [Column("name"), Column("kind"), Column("ranges"), Column("prefix_length"), Column("enabled")],
        filters: [Filter("kind", nil, "Only this kind")],
        example: "lastmile address-pool create --name home --kind ipv4 --range 100.64.0.0/18")

    static let addressLease = Noun(
        name: "address-lease", path: "address-leases", summary: "Who has an address of a pool, or had it last", verbs: [.list, .get],
        columns: [
            Column("id"), Column("address"), Column("state"), Column("username"), Column("also_used_by"), Column("nas"),
            Column("calling_station_id"), Column("confirmed_at"), Column("rests_until"),
        ],
        filters: [
            Filter("pool", nil, "Only of this pool"), Filter("user", "username", "Only this username"),
            Filter("state", nil, "in_use, conflict, quarantine or free"), Filter("address", nil, "Only this one"),
        ])
}

enum AddressPoolNoun: NounKind { static let noun = Noun.addressPool }
enum AddressLeaseNoun: NounKind { static let noun = Noun.addressLease }

/// `lastmile address-lease release ID`
struct ReleaseLeaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Frees an address at once that rests, or that no open session has.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("Its id.", valueName: "id")) var names: [String] = []

    func run() throws {
        let outcome = try global.client().send(.init(method: "POST", path: try Noun.addressLease.itemPath(names) + ["release"]))
        if global.output == .table {
            Terminal.note("address-lease \(Printable.line(names[0])) is released\n")
        } else {
            Terminal.out(global.rendering.record(outcome, columns: []))
        }
    }
}

/// `lastmile address-pool leases NAME`
struct PoolLeasesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leases", abstract: "Prints who has the addresses of a pool, 100 unless --limit or --all says otherwise.")

    @OptionGroup var global: GlobalOptions
    @Option(help: "Print at most so many.") var limit: Int?
    @Flag(help: "Print all of them.") var all = false
    @Option(help: "Only those that are in_use, conflict, quarantine or free.") var state: String?
    @Argument(help: ArgumentHelp("The pool's name.", valueName: "name")) var names: [String] = []

    func run() throws {
        _ = try Noun.addressPool.itemPath(names)
        var words = ["--pool", names[0]]
        if let state { words += ["--state", state] }
        var list = ListCommand<AddressLeaseNoun>()
        (list.global, list.filter, list.search, list.sort, list.limit, list.all) = (global, [], nil, nil, limit, all)
        list.words = words
        try list.run()
    }
}
