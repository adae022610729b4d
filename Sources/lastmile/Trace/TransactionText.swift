/// A recorded transaction as a text for people.
enum TransactionText {
    /// The whole conversation, an empty line behind it.
    static func text(_ transaction: JSONValue) -> String {
        var lines = [heading(transaction)]
        if let request = transaction["request"] {
            lines.append("  --> \(packet(request))")
            lines += attributes(request)
        }
        if let reply = transaction["reply"], reply != .null {
            let delay = transaction["delayed"]?.flag == true ? ", then held back" : ""
            lines.append("  <-- \(packet(reply)) after \(duration(transaction))\(delay)")
            lines += attributes(reply)
        } else {
            lines.append("  <-- nothing")
        }
        lines.append("  \(verdict(transaction))")
        return lines.map { $0 + "\n" }.joined() + "\n"
    }

    /// Everything but the attributes.
    static func line(_ transaction: JSONValue) -> String {
        let name = shown(transaction["username"])
        let words = [
            time(transaction), Printable.padded(name.isEmpty ? "-" : name, to: 16), Printable.padded(shown(transaction["nas"]), to: 12),
            Printable.padded(shown(transaction["outcome"]), to: 9), Printable.padded(detail(transaction), to: 30),
            transaction["reply"] == .null ? "no reply" : duration(transaction),
        ]
        return words.joined(separator: "  ") + "\n"
    }

    private static func heading(_ transaction: JSONValue) -> String {
        let name = shown(transaction["username"])
        let transport = transaction["transport"]?.text == "stream" ? ", over a connection" : ""
        return "\(time(transaction))  \(name.isEmpty ? "" : name + " at ")\(shown(transaction["nas"])) "
            + "(\(shown(transaction["peer"]))\(transport))"
    }

    private static func packet(_ packet: JSONValue) -> String {
        "\(shown(packet["code"])) id \(shown(packet["id"])), \(shown(packet["octets"])) octets"
    }

    private static func attributes(_ packet: JSONValue) -> [String] {
        let lines = (packet["attributes"]?.elements ?? []).map { "        \(shown($0["name"])) = \(shown($0["value"]))" }
        guard let malformed = packet["malformed"]?.text else { return lines }
        return lines + ["        (malformed: \(Printable.line(malformed)))"]
    }

    private static func verdict(_ transaction: JSONValue) -> String {
        let detail = detail(transaction)
        return "\(shown(transaction["outcome"]).uppercased())\(detail == "-" ? "" : " " + detail): \(shown(transaction["sentence"]))"
    }

    /// The reason and how the password was proved.
    private static func detail(_ transaction: JSONValue) -> String {
        let reason = shown(transaction["reason"])
        let method = shown(transaction["method"])
        let words = [reason == "accepted" ? "" : reason, method == "none" || method.isEmpty ? "" : "(\(method))"]
        let text = words.filter { !$0.isEmpty }.joined(separator: " ")
        return text.isEmpty ? "-" : text
    }

    /// `2026-01-31 22:30:00.123`.
    private static func time(_ transaction: JSONValue) -> String {
        String(shown(transaction["at"]).prefix(23)).replacing("T", with: " ")
    }

    /// Microseconds as a person would say them.
    static func duration(_ transaction: JSONValue) -> String {
        let microseconds = transaction["duration_microseconds"]?.integer ?? 0
        if microseconds < 1000 { return "\(microseconds) µs" }
        let (unit, name): (Int64, String) = microseconds < 1_000_000 ? (1000, "ms") : (1_000_000, "s")
        let tenths = microseconds * 10 / unit
        return "\(tenths / 10).\(tenths % 10) \(name)"
    }

    private static func shown(_ value: JSONValue?) -> String { Printable.line(value?.cell ?? "") }
}
