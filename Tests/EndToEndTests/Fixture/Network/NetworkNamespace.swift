import Glibc
import Support

/// A network of its own for the programs of one test. The host's is not touched, and nothing of it stays: the namespace has no name, and
/// goes with the last process in it; all of them die with the test process.
struct NetworkNamespace: Sendable {
    private let holder: RunningTool

    /// Why this system lets us make none; nil when it does.
    static func obstacle() async -> String? {
        let result = try? await Tool.run("unshare", ["--net", "ip", "link", "set", "lo", "up"])
        guard let result else { return "unshare or ip is missing; make setup installs them" }
        if result.status == 0 { return nil }
        return "no network namespaces here, for which root (CAP_SYS_ADMIN, CAP_NET_ADMIN) is needed: \(result.errors)"
    }

    /// Makes one, with its loopback interface up.
    ///
    /// - Throws: `ProcessFailure` in the system's words.
    static func make() async throws -> NetworkNamespace {
        let holder = try await Tool.start("unshare", ["--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"])
        do { _ = try await holder.line { $0 == "up" } } catch {
            holder.remove()
            throw error
        }
        return NetworkNamespace(holder: holder)
    }

    /// Ends what holds it.
    func remove() { holder.remove() }

    /// In front of a command line, which then runs in here; the program's path has to be absolute.
    func launcher() throws -> [String] { [try Programs.path(of: "nsenter"), "--net=/proc/\(holder.process.identifier)/ns/net"] }

    /// Runs a program in here to its end.
    func run(_ name: String, _ arguments: [String], settings: [String: String] = [:]) async throws -> ToolResult {
        let command = try launcher() + [Programs.path(of: name)] + arguments
        return try await Tool.run(command[0], Array(command.dropFirst()), settings: settings)
    }

    /// Starts a program in here, whose output is read line by line while it runs.
    func start(_ name: String, _ arguments: [String]) async throws -> RunningTool {
        let command = try launcher() + [Programs.path(of: "stdbuf"), "-oL", Programs.path(of: name)] + arguments
        return try await Tool.start(command[0], Array(command.dropFirst()))
    }

    /// Lays a cable to another: two Ethernet interfaces that are up.
    func connect(_ name: String, to other: NetworkNamespace, _ otherName: String) async throws {
        try await ip("link", "add", name, "type", "veth", "peer", "name", otherName, "netns", "\(other.holder.process.identifier)")
        try await ip("link", "set", name, "up")
        try await other.ip("link", "set", otherName, "up")
    }

    /// Runs `ip`.
    ///
    /// - Throws: `ProcessFailure` with what it said.
    func ip(_ arguments: String...) async throws {
        let result = try await run("ip", arguments)
        guard result.status == 0 else { throw ProcessFailure("ip \(arguments.joined(separator: " ")): \(result.errors)") }
    }
}
