/// An explanation of an answer as a text for people.
enum ExplanationText {
    static func text(_ explanation: JSONValue) -> String {
        var lines: [String] = []
        func line(_ name: String, _ value: String) {
            if !value.isEmpty { lines.append(Printable.padded(name, to: 12) + Printable.line(value)) }
        }
        line("subscriber", explanation["username"]?.cell ?? "")
        line("status", explanation["status"]?.cell ?? "")
        line("locks", locks(explanation["locks"]?.elements ?? []))
        line("level", explanation["level"]?.cell ?? "")
        line("password", credential(explanation))
        profile(explanation["profile"], line)
        if let nas = explanation["nas"] {
            line("nas", nas["name"].map { name in name.cell + (nas["vendor"].map { " (\($0.cell))" } ?? "") } ?? nas.cell)
        }
        for rule in explanation["rules"]?.elements ?? [] { line("rule", self.rule(rule)) }
        for warning in explanation["warnings"]?.elements ?? [] { line("warning", warning.cell) }
        let attributes = explanation["attributes"]?.elements ?? []
        lines.append("")
        lines.append((explanation["answer"]?.cell).map(Printable.line) ?? "answer")
        lines += attributes.map { "    " + attribute($0) }
        lines.append("")
        lines.append("=> " + Printable.line(explanation["sentence"]?.cell ?? explanation["reason"]?.cell ?? ""))
        return lines.map { $0 + "\n" }.joined()
    }

    private static func locks(_ locks: [JSONValue]) -> String {
        if locks.isEmpty { return "none" }
        return locks.map { "\($0["reason"]?.cell ?? "?") (\($0["level"]?.cell ?? "?"))" }.joined(separator: ", ")
    }

    private static func credential(_ explanation: JSONValue) -> String {
        guard let kind = explanation["credential"]?.text else { return "" }
        let methods = explanation["methods"]?.cell ?? ""
        let form = ["clear": "in clear", "nt": "as an NT hash", "hash": "as a one-way hash"][kind]
        guard let form else { return "none is set" }
        return "stored \(form); serves \(methods.isEmpty ? "no method" : methods)"
    }

    private static func profile(_ profile: JSONValue?, _ line: (String, String) -> Void) {
        guard let profile, let name = profile["name"] else {
            line("profile", "none is sent")
            return
        }
        line("profile", name.cell)
        line("download", rate(profile["download"], "to the subscriber"))
        line("upload", rate(profile["upload"], "from the subscriber"))
    }

    private static func rate(_ value: JSONValue?, _ direction: String) -> String {
        guard let rate = value?.integer else { return "" }
        return rate == 0 ? "no limit (\(direction))" : "\(Quantity.rate(rate))bit/s (\(direction))"
    }

    /// `night (10) holds: chooses profile 7`
    private static func rule(_ rule: JSONValue) -> String {
        let result = (rule["result"]?.cell ?? "?").replacing("_", with: " ")
        let detail = rule["detail"]?.cell ?? ""
        return "\(rule["name"]?.cell ?? "?") (\(rule["priority"]?.cell ?? "?")) \(result)" + (detail.isEmpty ? "" : ": \(detail)")
    }

    private static func attribute(_ pair: JSONValue) -> String {
        let tag = pair["tag"]?.integer.map { ":\($0)" } ?? ""
        return Printable.line("\(pair["name"]?.cell ?? "?")\(tag) = \(pair["value"]?.cell ?? "")")
    }
}
