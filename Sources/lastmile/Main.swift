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
            NounCommand.Subscriber.self, NounCommand.NAS.self, NounCommand.Profile.self, NounCommand.Lock.self, NounCommand.Policy.self,
            NounCommand.Session.self, NounCommand.AuthLog.self, NounCommand.Usage.self, NounCommand.Tenant.self, NounCommand.Token.self,
            NounCommand.Audit.self, HealthCommand.self, RadiusCommand.self,
        ])

    static func main() { Glibc.exit(run(Array(CommandLine.arguments.dropFirst()))) }

    /// Runs a command line and tells its exit status.
    static func run(_ arguments: [String]) -> Int32 {
        do {
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
}
