/// What the network said to an action, for people.
enum OutcomeText {
    /// The outcome of one session: `session 7: ack`, with the cause in words when it is not.
    static func line(_ outcome: JSONValue, session: String? = nil) -> String {
        let id = session ?? outcome["session"].map(\.cell)
        let head = id.map { $0.isEmpty ? "" : "session \(Printable.line($0)): " } ?? ""
        if let error = outcome["error"] { return head + Printable.line(error["detail"]?.cell ?? error.cell) }
        let inner = outcome["outcome"]
        if let inner, case .object = inner { return head + line(inner, session: "") }
        let word = inner?.cell ?? outcome["result"]?.cell ?? outcome["status"]?.cell
        let reason = ["sentence", "message", "detail", "error_cause", "cause"].compactMap { outcome[$0]?.cell }.first { !$0.isEmpty }
        guard let word else { return head + (reason.map(Printable.line) ?? JSONText.compact(outcome)) }
        return head + Printable.line(word) + (reason.map { ": " + Printable.line($0) } ?? "")
    }

    /// The outcomes of a profile's sessions.
    static func applied(_ outcome: JSONValue) -> String {
        let sessions = outcome["sessions"]?.elements ?? outcome.elements
        let counts = outcome.members.filter { member in
            if case .number = member.value { member.name != "subscriber" } else { false }
        }
        var lines = counts.isEmpty ? [] : [counts.map { "\($0.name) \($0.value.cell)" }.joined(separator: ", ")]
        lines += sessions.map { line($0) }
        if lines.isEmpty { lines = ["no session is live; there was nothing to tell a NAS"] }
        return lines.map { $0 + "\n" }.joined()
    }

    /// What to do when the network did not do it, where the outcome is counts alone: a session's own says that itself.
    static func advice(_ outcome: JSONValue) -> String {
        (outcome["timeout"]?.integer ?? 0) == 0
            ? "" : "Does the NAS take CoA from this server, at its coa_address and coa_port, or over its connection where coa_over says so?"
    }

    /// Whether the network did it: an outcome that says neither no nor nothing; or the session that was to end is over.
    static func isDone(_ outcome: JSONValue) -> Bool {
        if outcome["error"] != nil { return false }
        if outcome["kind"]?.text == "disconnect", outcome["closed"]?.flag == true { return true }
        if let inner = outcome["outcome"], case .object = inner { return isDone(inner) }
        if case .array(let sessions)? = outcome["sessions"] { return sessions.allSatisfy(isDone) }
        if ["nak", "timeout", "refused"].contains(where: { (outcome[$0]?.integer ?? 0) > 0 }) { return false }
        guard let word = outcome["outcome"]?.text ?? outcome["result"]?.text ?? outcome["status"]?.text else { return true }
        return !["nak", "timeout", "failed", "refused", "unreachable", "unanswered"].contains(word.lowercased())
    }
}
