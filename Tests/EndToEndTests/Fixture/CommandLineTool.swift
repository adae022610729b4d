import Support

/// `lastmile`, as an operator calls it on the daemon's machine.
struct CommandLineTool {
    let daemon: DaemonProcess

    init(_ daemon: DaemonProcess) { self.daemon = daemon }

    var settings: [String: String] {
        ["LASTMILE_URL": daemon.url, "LASTMILE_STATE_DIR": daemon.state, "LASTMILE_SHARE_DIR": Programs.checkout]
    }

    func run(_ arguments: String..., input: String = "", seconds: Int = 120) async throws -> ToolResult {
        try await Tool.run("lastmile", arguments, input: input, settings: settings, seconds: seconds)
    }

    func start(_ arguments: [String]) async throws -> RunningTool {
        try await Tool.start("lastmile", arguments, settings: settings)
    }
}
