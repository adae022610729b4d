import ArgumentParser

/// What every command that talks to the daemon takes.
struct GlobalOptions: ParsableArguments {
    @Option(name: [.customShort("o"), .long], help: ArgumentHelp("How data is printed.", valueName: "format"))
    var output = OutputFormat.table

    @Option(help: ArgumentHelp("Whose data, by the tenant's name. Else LASTMILE_TENANT.", valueName: "name"))
    var tenant: String?

    @Flag(help: "Leaves the line of column names out of tables and CSV.")
    var noHeaders = false

    func client() throws -> APIClient { APIClient(connection: try Connection(tenant: tenant)) }

    var rendering: Rendering {
        var rendering = Rendering(format: output)
        rendering.hasHeader = !noHeaders
        return rendering
    }
}
