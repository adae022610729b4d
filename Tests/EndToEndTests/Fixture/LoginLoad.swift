import Support
import Testing

/// `lastmile radius load` with PAP logins of one user, every reply verified, until it is ended.
struct LoginLoad {
    private let tool: RunningTool

    /// Logins of a user whom nothing in the test changes.
    static func start(
        _ daemon: DaemonProcess, user: String = "alice", password: String = TestSubscriber.password, rate: Int = 200
    ) async throws -> LoginLoad {
        LoginLoad(
            tool: try await CommandLineTool(daemon).start([
                "radius", "load", "--target", "127.0.0.1:\(daemon.authenticationPort)", "--secret", "testing123", "--mode", "pap",
                "--users", user, "--password", password, "--rate", "\(rate)", "--seconds", "86400", "--verify", "-o", "json",
            ]))
    }

    /// Ends it: every request was answered, with a reply that verifies, and with Access-Accept.
    @discardableResult
    func finish() async throws -> Int64 {
        let result = try await tool.interrupt()
        tool.remove()
        let report = try JSONValue(parsing: result.output)
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        for fault in ["lost", "rejected", "bad_replies"] { #expect(report[fault]?.integer == 0, "\(fault): \(result.output)") }
        let accepted = try #require(report["accepted"]?.integer)
        #expect(accepted > 0)
        return accepted
    }

    /// Kills it, when a test has failed before its end.
    func remove() { tool.remove() }
}
