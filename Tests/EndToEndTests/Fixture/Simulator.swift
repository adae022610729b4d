import Support
import Testing

/// `lastmile nas simulate` at the address of a test's NAS, with the port where it takes CoA written into the NAS's record.
struct Simulator {
    let tool: RunningTool
    let nas: TestNAS

    /// Starts it and waits until all its sessions, one each for the names that `user` (a name or a pattern) gives, are online.
    static func start(
        _ daemon: DaemonProcess, as nas: TestNAS, user: String, sessions: Int = 1, options: [String] = []
    ) async throws -> Simulator {
        let arguments = [
            "nas", "simulate", "--server", "127.0.0.1", "--auth-port", "\(daemon.authenticationPort)", "--acct-port",
            "\(daemon.accountingPort)",
            "--secret", TestNAS.secret, "--bind", nas.address, "--nas-ip", nas.address, "--name", nas.name, "--coa-port", "0", "--user",
            user,
            "--password", TestSubscriber.password, "--sessions", "\(sessions)", "-o", "json",
        ]
        let simulator = Simulator(tool: try await CommandLineTool(daemon).start(arguments + options), nas: nas)
        do {
            let listening = try JSONValue(parsing: try await simulator.tool.line { $0.contains(#""event":"listening""#) })
            try await Operator(daemon).change("nas/\(nas.name)", #"{"coa_port":\#(try #require(listening["coa_port"]?.integer))}"#)
            for number in 1...sessions { _ = try await simulator.event("online", number: number) }
        } catch {
            simulator.tool.remove()
            throw error
        }
        return simulator
    }

    /// Waits for the event of that kind, the `number`th from 1.
    func event(_ kind: String, number: Int = 1) async throws -> JSONValue {
        let line = try await tool.line(number: number) { $0.contains(#""event":"\#(kind)""#) }
        return try JSONValue(parsing: line)
    }

    /// How often it happened so far.
    func count(_ kind: String) -> Int { tool.output.split(separator: "\n").count { $0.contains(#""event":"\#(kind)""#) } }
}

extension JSONValue {
    /// The values of an attribute in an event of the simulator.
    func attribute(_ name: String) -> [String] {
        (self["attributes"]?.elements ?? []).filter { $0["name"]?.text == name }.compactMap { $0["value"]?.text }
    }
}
