internal import Glibc

/// What a program that ran to its end left behind.
public struct ToolResult: Sendable {
    /// Exit code, or 128 + signal.
    public let status: Int32
    public let output: String
    public let errors: String

    public var lines: [String] { output.split(separator: "\n").map(String.init) }
}

/// Runs programs to their end, and starts those that a test watches.
public enum Tool {
    /// Runs a program.
    ///
    /// - Parameters:
    ///   - name: a path, or a name that is looked for where we were built and then in `PATH`.
    ///   - arguments: its command line behind the name.
    ///   - input: its standard input.
    ///   - settings: variables on top of ours.
    ///   - seconds: after which it is killed.
    /// - Returns: how it ended.
    /// - Throws: `ProcessFailure` when it is missing or does not end in time.
    public static func run(
        _ name: String, _ arguments: [String] = [], input: String = "", settings: [String: String] = [:], seconds: Int = 60
    ) async throws -> ToolResult {
        let tool = try await start(name, arguments, input: input, settings: settings)
        defer { tool.remove() }
        let status: Int32
        do { status = try await tool.process.end(within: seconds) } catch {
            throw ProcessFailure("\(error)\n\(tool.output)\(tool.errors)")
        }
        return ToolResult(status: status, output: tool.output, errors: tool.errors)
    }

    /// Starts a program whose output is read while it runs.
    public static func start(
        _ name: String, _ arguments: [String] = [], input: String = "", settings: [String: String] = [:]
    ) async throws -> RunningTool {
        let path = try Programs.path(of: name)
        let directory = try PostgresFixture.temporaryDirectory()
        try Array(input.utf8).write(to: directory + "/in")
        // The shell only arranges the three streams, and becomes the program.
        let script = "exec \"$@\" <\(directory)/in >\(directory)/out 2>\(directory)/err"
        let command = ["/bin/sh", "-c", script, "sh", path] + arguments
        let process = try await RunningProcess.start(
            command, environment: RunningProcess.environment(settings), output: directory + "/start")
        return RunningTool(process: process, directory: directory)
    }
}

/// A program that runs, with its output so far.
public struct RunningTool: Sendable {
    public let process: RunningProcess
    let directory: String

    public var output: String { TextFile.read(directory + "/out") }
    public var errors: String { TextFile.read(directory + "/err") + TextFile.read(directory + "/start") }

    /// Waits until as many lines of the output as `number` says fulfil `condition`, and gives the last of these.
    ///
    /// - Throws: `ProcessFailure` with all output when none came in time, or the program ended without it.
    public func line(number: Int = 1, within seconds: Int = 60, where condition: (String) -> Bool) async throws -> String {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            let hasEnded = process.exitStatus != nil
            let lines = output.split(separator: "\n").map(String.init).filter(condition)
            if lines.count >= number { return lines[number - 1] }
            if hasEnded || ContinuousClock.now > deadline {
                throw ProcessFailure("\(hasEnded ? "ended" : "waited") without the expected line: \(process.name)\n\(output)\(errors)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Interrupts it as Ctrl-C does, and waits for its end.
    @discardableResult
    public func interrupt() async throws -> ToolResult {
        process.signal(SIGINT)
        let status = try await process.end()
        return ToolResult(status: status, output: output, errors: errors)
    }

    /// Removes its output; kills it when it still runs.
    public func remove() {
        process.signalGroup(SIGKILL)
        for name in ["in", "out", "err", "start"] { unlink(directory + "/" + name) }
        rmdir(directory)
    }
}
