import ArgumentParser
import Glibc

/// The operator's command line over the daemon's HTTP interface, and the tools for RADIUS itself.
@main
struct Lastmile: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lastmile",
        abstract: "Runs a provider's access from the command line.",
        discussion: """
            LASTMILE_URL (http://127.0.0.1:8080) names the daemon; LASTMILE_TOKEN, or the file admin.token in LASTMILE_STATE_DIR \
            (else ./var, else /var/lib/lastmile), opens it; LASTMILE_TENANT chooses whose data. \
            Data goes to standard output, everything else to standard error.

            Exit codes: \(ExitStatus.allCases.map { "\($0.rawValue) \($0.meaning)" }.joined(separator: "; ")).
            """,
        subcommands: [
            NounCommand.Subscriber.self, NounCommand.NAS.self, NounCommand.Profile.self, NounCommand.Lock.self, NounCommand.PolicyRule.self,
            NounCommand.PostAuthHook.self,
            NounCommand.Policy.self, NounCommand.AddressPool.self, NounCommand.AddressLease.self,
            NounCommand.Quota.self, NounCommand.QuotaThreshold.self, NounCommand.QuotaTopUp.self, NounCommand.QuotaState.self,
            NounCommand.QuotaEvent.self,
            NounCommand.HomeServer.self, NounCommand.HomeServerPool.self, NounCommand.Realm.self,
            NounCommand.Session.self, NounCommand.DynamicAuthorization.self, NounCommand.AuthLog.self, NounCommand.Usage.self,
            NounCommand.Tenant.self, NounCommand.Token.self,
            NounCommand.Audit.self, HealthCommand.self, MigrationCommand.self, RadiusCommand.self, PKICommand.self,
        ])

    static func main() { Glibc.exit(run(Array(CommandLine.arguments.dropFirst()))) }

    /// Runs a command line and tells its exit status.
    static func run(_ arguments: [String]) -> Int32 {
        do {
            try checkWords(arguments)
            var command = try parseAsRoot(arguments)
            try command.run()
            return ExitStatus.ok.rawValue
        } catch let failure as CommandFailure {
            Terminal.note(failure.text)
            return failure.status.rawValue
        } catch {
            let isHelp = exitCode(for: error) == .success
            let text = fullMessage(for: error)
            if isHelp { Terminal.out(text + "\n") } else { Terminal.note(text + "\n") }
            return isHelp ? ExitStatus.ok.rawValue : ExitStatus.usage.rawValue
        }
    }

    /// Names the word that no command has, before anything else is looked at: what follows it means nothing.
    static func checkWords(_ arguments: [String]) throws(CommandFailure) {
        var command: any ParsableCommand.Type = Self.self
        var path = "lastmile"
        for word in arguments {
            let known = command.configuration.subcommands
            guard !known.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
            guard let next = known.first(where: { $0._commandName == word }) else {
                let names = known.map { $0._commandName }
                let near = Nearest.to(word, among: names).map { "Did you mean \($0)? " } ?? ""
                throw .usage("\(path) has no command “\(word)”", next: near + "There are \(names.joined(separator: ", ")).")
            }
            command = next
            path += " " + word
        }
    }
}
