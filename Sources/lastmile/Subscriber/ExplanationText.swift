/// An explanation of an answer as a text for people.
enum ExplanationText {
    static func text(_ explanation: JSONValue) -> String {
        var lines: [String] = []
        func line(_ name: String, _ value: String) {
            if !value.isEmpty { lines.append(Printable.padded(name, to: 12) + Printable.line(value)) }
        }
        // A name that home servers answer, or that stands outside of a tunnel, need not be a subscriber's.
        let isElsewhere = explanation["status"] == nil
        line(isElsewhere ? "user name" : "subscriber", explanation["username"]?.cell ?? "")
        line("status", explanation["status"]?.cell ?? "")
        if !isElsewhere { line("locks", locks(explanation["locks"]?.elements ?? [])) }
        line("level", explanation["level"]?.cell ?? "")
        line("password", credential(explanation))
        if !isElsewhere { profile(explanation["profile"], line) }
        if let name = explanation["forwarding"]?["forwarded_as"]?.cell { line("sent as", name) }
        if let nas = explanation["nas"] {
            line("nas", nas["name"].map { name in name.cell + (nas["vendor"].map { " (\($0.cell))" } ?? "") } ?? nas.cell)
        }
        line("sessions", sessions(explanation["sessions"]))
        for binding in explanation["bindings"]?.elements ?? [] { line("bound", self.binding(binding)) }
        if let quota = explanation["quota"], quota["name"] != nil { line("quota", QuotaText.sentence(quota)) }
        for rule in explanation["rules"]?.elements ?? [] { line("rule", self.rule(rule)) }
        for pool in explanation["addresses"]?.elements ?? [] { line("pool", address(pool)) }
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
        guard let form else { return methods.contains("eap-sim") ? "none is set; a SIM card serves \(methods)" : "none is set" }
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

    /// `online from 1 of 2 places; one more is refused`
    private static func sessions(_ sessions: JSONValue?) -> String {
        guard let sessions, let limit = sessions["limit"]?.cell else { return "" }
        let word = limit == "1" ? "place" : "places"
        guard let places = sessions["places"]?.integer else {
            return "at most \(limit) \(word); from how many it is online is not known at this node"
        }
        let more = sessions["on_limit"]?.text == "replace" ? "ends the oldest" : "is refused"
        return "online from \(places) of \(limit) \(word); one more \(more)"
    }

    /// `Calling-Station-Id (enforce): 00:53:00:12:34:56; the request has 00-53-00-AB-CD-EF, which differs`
    private static func binding(_ binding: JSONValue) -> String {
        let bound = (binding["bound"]?.elements ?? []).map(\.cell).joined(separator: ", ")
        let received = binding["received"]?.text.map { "the request has \($0)" }
        let results = [
            "matches": "\(received ?? "the request"), which matches", "differs": "\(received ?? "the request"), which differs",
            "absent": "\(received.map { $0 + ", which tells none" } ?? "the request does not tell")",
            "awaited": "the first login binds it", "not_asked": "not compared: the request has nothing but a name",
        ]
        let what = "\(binding["attribute"]?.cell ?? "?") (\(binding["mode"]?.cell ?? "?"))"
        return what + ": " + (bound.isEmpty ? "" : bound + "; ") + (results[binding["result"]?.cell ?? ""] ?? "")
    }

    /// `night (10) holds: chooses profile 7`
    private static func rule(_ rule: JSONValue) -> String {
        let result = (rule["result"]?.cell ?? "?").replacing("_", with: " ")
        let detail = rule["detail"]?.cell ?? ""
        return "\(rule["name"]?.cell ?? "?") (\(rule["priority"]?.cell ?? "?")) \(result)" + (detail.isEmpty ? "" : ": \(detail)")
    }

    /// `home: 100.64.0.7, which it had before`
    private static func address(_ pool: JSONValue) -> String {
        let outcomes = [
            "had_before": ", which it had before", "next_free": ", the next that is free", "exhausted": "nothing is left",
            "refilling": "this node is getting more", "cut_off": "this node may not hand it out now",
            "elsewhere": "nothing is left for this node; others hold what is free",
            "settling": "what this node has waits for log-ins that a killed node let in", "switched_off": "it is switched off",
        ]
        return "\(pool["pool"]?.cell ?? "?"): \(pool["address"]?.cell ?? "")\(outcomes[pool["outcome"]?.cell ?? ""] ?? "")"
    }

    private static func attribute(_ pair: JSONValue) -> String {
        let tag = pair["tag"]?.integer.map { ":\($0)" } ?? ""
        return Printable.line("\(pair["name"]?.cell ?? "?")\(tag) = \(pair["value"]?.cell ?? "")")
    }
}
