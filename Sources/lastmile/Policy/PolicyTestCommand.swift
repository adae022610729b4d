import ArgumentParser

/// `lastmile policy-rule test alice --nas core1 --attribute 'NAS-Port=9'`
struct PolicyTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Tries the rules in force on a login: each rule's outcome and why, and the answer. Changes nothing.",
        usage: "lastmile policy-rule test [NAME] [--nas NAS] [--attribute Name=value ...] [--method METHOD] [--at TIME] [--packet HEX]")

    @OptionGroup var global: GlobalOptions
    @Option(help: "The NAS that asks, by name; without it the first of the tenant.") var nas: String?
    @Option(name: .customLong("attribute"), help: "An attribute of the request, Name=value; as often as there are some.")
    var attributes: [String] = []
    @Option(help: "The authentication method, as the auth log names it: pap, mschapv2, eap-tls, eap-ttls/pap, ...") var method: String?
    @Option(help: "When the login counts as tried: 2026-01-31T22:30:00Z; without it now.") var at: String?
    @Option(help: "A recorded Access-Request in hexadecimal digits, instead of attributes; of EAP, --method says what it became.")
    var packet: String?
    @Argument(help: ArgumentHelp("The username.", valueName: "name")) var names: [String] = []

    func run() throws {
        let answer = try Self.send(.object(try body()), by: global.client())
        if global.output == .table {
            Terminal.out(ExplanationText.text(answer))
        } else {
            Terminal.out(global.rendering.record(answer, columns: []))
        }
    }

    static func send(_ body: JSONValue, by client: APIClient) throws(CommandFailure) -> JSONValue {
        do throws(CommandFailure) {
            return try client.send(
                .init(method: "POST", path: [Noun.policyRule.path, "test"], body: Array(JSONText.compact(body).utf8)))
        } catch {
            // No rule was named.
            guard error.status == .notFound else { throw error }
            throw CommandFailure(
                error.status, error.message, details: error.details,
                next: "`lastmile subscriber list` and `lastmile nas list` show what there is.")
        }
    }

    private func body() throws -> [JSONValue.Member] {
        guard names.count == (packet == nil ? 1 : names.count), names.count <= 1 else {
            throw CommandFailure.usage(
                "one username is expected", next: "For example: lastmile policy-rule test alice --attribute 'NAS-Port=9'")
        }
        var members: [JSONValue.Member] = []
        for (name, value) in [("username", names.first), ("nas", nas), ("method", method), ("at", at), ("packet", packet)] {
            if let value { members.append(.init(name, .string(value))) }
        }
        let pairs = try attributes.map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw CommandFailure.usage("--attribute \(text) is no attribute", next: "Write --attribute 'Name=value'.")
            }
            return JSONValue.object([.init("name", .string(parts[0])), .init("value", .string(parts[1]))])
        }
        if !pairs.isEmpty { members.append(.init("attributes", .array(pairs))) }
        return members
    }
}
