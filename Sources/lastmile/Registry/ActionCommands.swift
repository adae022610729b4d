import ArgumentParser

/// `lastmile session disconnect ID` and the like: an action of one thing, by name.
protocol ItemAction {
    static var noun: Noun { get }
    /// The last segment of the action's address.
    static var action: String { get }
    static var abstract: String { get }
}

enum SessionDisconnect: ItemAction {
    static let noun = Noun.session
    static let action = "disconnect"
    static let abstract = "Ends a session at its NAS and prints what the NAS said."
}

enum SessionCoA: ItemAction {
    static let noun = Noun.session
    static let action = "coa"
    static let abstract = "Gives a session its subscriber's current profile and prints what the NAS said."
}

enum ProfileApply: ItemAction {
    static let noun = Noun.profile
    static let action = "apply"
    static let abstract = "Gives all live sessions of a profile its current rates."
}

enum SubscriberDisconnect: ItemAction {
    static let noun = Noun.subscriber
    static let action = "disconnect"
    static let abstract = "Ends all sessions of a subscriber and prints what the NASes said."
}

/// Does the action, prints the outcome, and ends with 1 when the network did not do it.
struct ActionCommand<Kind: ItemAction>: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: Kind.action, abstract: Kind.abstract)
    }

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp(Noun.keyHelp, valueName: "name")) var names: [String] = []

    func run() throws {
        let path = try Kind.noun.itemPath(names) + [Kind.action]
        let outcome = try global.client().send(.init(method: "POST", path: path))
        if global.output == .table {
            let isList = outcome["sessions"] != nil || Kind.action == ProfileApply.action
            Terminal.out(isList ? OutcomeText.applied(outcome) : OutcomeText.line(outcome, session: names.first) + "\n")
        } else {
            Terminal.out(global.rendering.record(outcome, columns: []))
        }
        guard OutcomeText.isDone(outcome) else {
            throw CommandFailure(.failed, "the network did not do all of it", next: OutcomeText.advice(outcome))
        }
    }
}
