import ArgumentParser

/// `lastmile NOUN create --field value ...`
struct CreateCommand<Kind: NounKind>: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "create", abstract: "Makes one and prints it.",
            usage: "lastmile \(Kind.noun.name) create --field value ... [--set field=value ...] [--dry-run]",
            discussion: Kind.noun.fieldHelp)
    }

    @OptionGroup var global: GlobalOptions
    @Flag(help: "Checks everything and stores nothing.") var dryRun = false
    @Argument(parsing: .allUnrecognized, help: .hidden) var words: [String] = []

    func run() throws {
        let noun = Kind.noun
        let given = try FieldWords(words, noun: noun)
        try given.checkNames(atMost: 0)
        if let name = given.names.first {
            throw CommandFailure.usage("“\(name)” belongs to no option", next: noun.example.isEmpty ? "" : "For example: \(noun.example)")
        }
        guard let body = given.document else {
            throw CommandFailure.usage("there is nothing to create: no field was given", next: "For example: \(noun.example)")
        }
        var request = APIClient.Request(method: "POST", path: [noun.path], body: body)
        if dryRun { request.query = [("dry_run", "true")] }
        let made = try global.client().send(request)
        Terminal.out(global.rendering.record(dryRun ? made["after"] ?? made : made, columns: noun.columns))
        if dryRun { Terminal.note("It would be made so; nothing was stored.\n") }
    }
}

/// `lastmile NOUN update NAME --field value ...`
struct UpdateCommand<Kind: NounKind>: ParsableCommand {
    static var configuration: CommandConfiguration {
        let name = Kind.noun.isSingleton ? "" : " NAME"
        let apply = Kind.noun.applies ? " [--apply]" : ""
        return CommandConfiguration(
            commandName: "update", abstract: "Changes the fields that are given, and prints the result.",
            usage: "lastmile \(Kind.noun.name) update\(name) --field value ... [--clear field] [--set field=value]\(apply) [--dry-run]",
            discussion: Kind.noun.fieldHelp)
    }

    @OptionGroup var global: GlobalOptions
    @Flag(help: "Checks everything and stores nothing.") var dryRun = false
    @Option(help: ArgumentHelp("Changes it only if it still has this ETag.", valueName: "etag")) var ifMatch = "*"
    @Flag(help: Kind.noun.applies ? "Then gives the change to live sessions." : .hidden) var apply = false
    @Argument(parsing: .allUnrecognized, help: .hidden) var words: [String] = []

    func run() throws {
        let noun = Kind.noun
        let given = try FieldWords(words, noun: noun)
        try given.checkNames(atMost: noun.isSingleton ? 0 : 1)
        let path = try noun.itemPath(given.names)
        guard !apply || noun.applies else { throw CommandFailure.usage("--apply: there is nothing to apply of a \(noun.name)") }
        guard let body = given.document else {
            throw CommandFailure.usage(
                "there is nothing to change: no field was given", next: "`lastmile \(noun.name) update --help` lists the fields.")
        }
        var request = APIClient.Request(method: "PATCH", path: path, body: body, mediaType: "application/merge-patch+json")
        request.headers = ["If-Match: " + ifMatch]
        if dryRun { request.query.append(("dry_run", "true")) }
        if apply { request.query.append(("apply", "true")) }
        let changed = try global.client().send(request)
        if let applied = changed["applied"], global.output == .table {
            let record = changed.members.filter { $0.name != "applied" }
            Terminal.out(global.rendering.record(.object(record), columns: noun.columns))
            Terminal.note("applied: " + OutcomeText.applied(applied))
        } else {
            Terminal.out(global.rendering.record(dryRun ? changed["after"] ?? changed : changed, columns: noun.columns))
        }
        if dryRun { Terminal.note("It would become so; nothing was stored.\n") }
        if let applied = changed["applied"], !OutcomeText.isDone(applied) {
            throw CommandFailure(.failed, "the change is stored, but the network did not take all of it", next: OutcomeText.advice(applied))
        }
    }
}

/// `lastmile NOUN get NAME`
struct GetCommand<Kind: NounKind>: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "get", abstract: "Prints one with all its fields.")
    }

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp(Kind.noun.isSingleton ? "None: there is one a tenant." : Noun.keyHelp, valueName: "name"))
    var names: [String] = []

    func run() throws {
        let record = try global.client().send(.init(path: try Kind.noun.itemPath(names)))
        Terminal.out(global.rendering.record(record, columns: Kind.noun.columns))
    }
}

/// `lastmile NOUN delete NAME`
struct DeleteCommand<Kind: NounKind>: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "delete", abstract: "Removes one.")
    }

    @OptionGroup var global: GlobalOptions
    @Flag(help: "Only tells whether it could be removed.") var dryRun = false
    @Argument(help: ArgumentHelp(Noun.keyHelp, valueName: "name")) var names: [String] = []

    func run() throws {
        let noun = Kind.noun
        var request = APIClient.Request(method: "DELETE", path: try noun.itemPath(names), headers: ["If-Match: *"])
        if dryRun { request.query = [("dry_run", "true")] }
        try global.client().send(request)
        Terminal.note("\(noun.name) \(Printable.line(names.first ?? "")) \(dryRun ? "can be" : "is") removed\n")
    }
}

extension Noun {
    /// What may stand for NAME.
    static let keyHelp = "Its name; or its id, where nothing is called so; id:7 is always an id."

    /// The address of the one that `names` names.
    func itemPath(_ names: [String]) throws(CommandFailure) -> [String] {
        if isSingleton {
            guard names.isEmpty else { throw .usage("there is one \(name) a tenant; leave “\(names[0])” out") }
            return [path]
        }
        guard let first = names.first, !first.isEmpty else {
            throw .usage(
                "which \(name)? Its name or id is missing", next: verbs.contains(.list) ? "`lastmile \(name) list` shows them." : "")
        }
        guard names.count == 1 else { throw .usage("one \(name) at a time: “\(names[1])” is one word too many") }
        return [path, first]
    }

    /// The fields for the help of create and update.
    var fieldHelp: String {
        let width = fields.map { $0.option.count }.max() ?? 0
        let lines = fields.map { field in
            let isMany = field.kind == .list || field.kind == .attributes
            return "  --" + Printable.padded(field.option, to: width) + "  " + field.summary + (isMany ? " (repeat it for more)" : "")
        }
        return (["Fields:"] + lines + (example.isEmpty ? [] : ["", "For example: " + example])).joined(separator: "\n")
    }
}
