import ArgumentParser

/// `lastmile radius ...`: tools that speak RADIUS themselves and need no daemon of ours.
struct RadiusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "radius", abstract: "Tests servers, reads and makes packets, generates load.",
        subcommands: [TestCommand.self, DecodeCommand.self, EncodeCommand.self, LoadCommand.self])
}
