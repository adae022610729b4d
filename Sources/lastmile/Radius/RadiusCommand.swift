import ArgumentParser

/// `lastmile radius ...`: tools that speak RADIUS themselves and need no daemon of ours, and `trace`, which asks it.
struct RadiusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "radius", abstract: "Shows what passes, tests servers, reads and makes packets, generates load.",
        subcommands: [TraceCommand.self, TestCommand.self, DecodeCommand.self, EncodeCommand.self, LoadCommand.self])
}
