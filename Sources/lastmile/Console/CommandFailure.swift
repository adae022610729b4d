/// How a command ends; scripts rely on the numbers.
enum ExitStatus: Int32, CaseIterable {
    case ok = 0
    case failed = 1
    case usage = 2
    case notFound = 3
    case denied = 4
    case conflict = 5
    case unreachable = 6
    case incomplete = 7

    var meaning: String {
        switch self {
        case .ok: "done, also when a list is empty"
        case .failed: "it was tried and refused, or it broke"
        case .usage: "the command line or its input is wrong; nothing was tried"
        case .notFound: "what was named does not exist"
        case .denied: "no token, a wrong token, or one without the scope"
        case .conflict: "it exists already, is in use, or was changed meanwhile"
        case .unreachable: "no answer from the daemon"
        case .incomplete: "an import is done, but something was left out"
        }
    }
}

/// Why a command did not do what it was asked: what happened, why, and what to do next.
struct CommandFailure: Error, Equatable {
    let status: ExitStatus
    /// What happened and why.
    let message: String
    /// Single mistakes, one a line.
    var details: [String] = []
    /// What to do now; empty where the message says it.
    var next = ""

    init(_ status: ExitStatus, _ message: String, details: [String] = [], next: String = "") {
        self.status = status
        self.message = message
        self.details = details
        self.next = next
    }

    static func usage(_ message: String, next: String = "") -> CommandFailure {
        CommandFailure(.usage, message, next: next)
    }

    /// The lines for standard error.
    var text: String {
        var lines = ["lastmile: " + Printable.line(message)]
        lines += details.map { "  " + Printable.line($0) }
        if !next.isEmpty { lines.append("  " + next) }
        return lines.joined(separator: "\n") + "\n"
    }
}
