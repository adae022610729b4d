import ArgumentParser

/// `lastmile NOUN list [--filter field=value ...]`
struct ListCommand<Kind: NounKind>: ParsableCommand {
    static var configuration: CommandConfiguration {
        let noun = Kind.noun
        let options = noun.filters.map { " [--\($0.option) X]" }.joined()
        let lines = noun.filters.map { "  --" + Printable.padded($0.option, to: 12) + $0.summary }
        return CommandConfiguration(
            commandName: "list", abstract: "Prints those that fit, 100 unless --limit or --all says otherwise.",
            usage: "lastmile \(noun.name) list\(options) [--filter field=value ...] [--sort field] [--limit N | --all] [-o FORMAT]",
            discussion: lines.isEmpty ? "" : (["Filters:"] + lines).joined(separator: "\n"))
    }

    @OptionGroup var global: GlobalOptions
    @Option(help: ArgumentHelp("field=value, field!=value, or field[gte]=value and the like; repeat it for more.", valueName: "condition"))
    var filter: [String] = []
    @Option(name: [.customShort("q"), .long], parsing: .unconditional, help: "Text to look for.") var search: String?
    @Option(parsing: .unconditional, help: "Fields to sort by, separated by commas; a minus in front turns the order.") var sort: String?
    @Option(help: "Print at most so many.") var limit: Int?
    @Flag(help: "Print all of them.") var all = false
    @Argument(parsing: .allUnrecognized, help: .hidden) var words: [String] = []

    /// The largest page that the daemon gives.
    private static var pageLimit: Int { 500 }

    func run() throws {
        guard !all || limit == nil else { throw CommandFailure.usage("--limit and --all contradict each other", next: "Leave one out.") }
        if let limit, limit < 1 { throw CommandFailure.usage("--limit \(limit): at least 1 is possible") }
        var query = try Kind.noun.query(words) + filter.map { try Noun.condition($0) }
        if let search { query.append(("q", search)) }
        if let sort { query.append(("sort", sort)) }
        let (records, hasMore) = try fetch(query)
        Terminal.out(global.rendering.list(records, columns: Kind.noun.columns))
        if hasMore { Terminal.note("There are more; --all prints them all, --limit N so many.\n") }
    }

    private func fetch(_ query: [(name: String, value: String)]) throws -> (records: [JSONValue], hasMore: Bool) {
        let client = try global.client()
        let wanted = all ? Int.max : limit ?? 100
        var records: [JSONValue] = []
        var cursor: String?
        repeat {
            var page = query + [("limit", String(min(Self.pageLimit, wanted - records.count)))]
            if let cursor { page.append(("cursor", cursor)) }
            let answer = try client.send(.init(path: [Kind.noun.path], query: page))
            records += answer["data"]?.elements ?? []
            cursor = answer["page"]?["next"]?.text
        } while cursor != nil && records.count < wanted
        return (records, cursor != nil)
    }
}

extension Noun {
    /// The query of the options that only `list` has.
    func query(_ words: [String]) throws(CommandFailure) -> [(name: String, value: String)] {
        var query: [(name: String, value: String)] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let filter = filters.first(where: { "--" + $0.option == parts[0] }) else { throw unknownFilter(parts[0]) }
            guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                throw .usage("\(parts[0]) has no value", next: "\(filter.option): \(filter.summary).")
            }
            query.append((filter.parameter, value))
        }
        return query
    }

    private func unknownFilter(_ word: String) -> CommandFailure {
        let options = filters.map { "--" + $0.option }
        let near = Nearest.to(word, among: options + ["--filter", "--limit", "--sort", "--all", "--search"]).map { "Did you mean \($0)? " }
        let known = options.isEmpty ? "" : "Possible are \(options.joined(separator: ", ")), and "
        return .usage(
            "\(name) list does not know \(word)", next: (near ?? "") + (known.isEmpty ? "Possible is " : known) + "--filter field=value.")
    }

    /// `field=value`, `field!=value`, `field[operator]=value` as a query parameter.
    static func condition(_ text: String) throws(CommandFailure) -> (name: String, value: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts[0].count > (parts[0].hasSuffix("!") ? 1 : 0) else {
            throw .usage("--filter \(text) is no condition", next: "Write --filter field=value, such as --filter status=active.")
        }
        if parts[0].hasSuffix("!") { return (String(parts[0].dropLast()) + "[ne]", parts[1]) }
        return (parts[0], parts[1])
    }
}
