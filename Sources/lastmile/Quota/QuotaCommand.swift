import ArgumentParser

/// `lastmile subscriber quota NAME`
struct SubscriberQuotaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quota", abstract: "Prints what a subscriber may use and has used, and what holds it.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("The username.", valueName: "name")) var names: [String] = []

    func run() throws {
        let answer = try global.client().send(.init(method: "POST", path: try Noun.subscriber.itemPath(names) + ["quota"]))
        if global.output == .table {
            let lines = QuotaText.lines(answer["quota"])
            Terminal.out((lines.isEmpty ? ["no quota"] : lines).map { Printable.line($0) + "\n" }.joined())
        } else {
            Terminal.out(global.rendering.record(answer, columns: []))
        }
    }
}

/// A subscriber's quota for people.
enum QuotaText {
    /// `fair: 83.2 GB of 100 GB (83 %), until 2026-12-01T00:00:00Z`
    static func sentence(_ quota: JSONValue) -> String {
        let share = "\(octets(quota["used"])) of \(octets(quota["limit"])) (\(quota["percent"]?.cell ?? "0") %)"
        let held = hold(quota)
        return "\(quota["name"]?.cell ?? "?"): \(share), until \(quota["window_end"]?.cell ?? "?")"
            + (held.isEmpty ? "" : "; " + held) + (quota["estimated"]?.cell == "true" ? "; estimated, since accounting is late" : "")
    }

    /// One line each; none without a quota.
    static func lines(_ quota: JSONValue?) -> [String] {
        guard let quota, quota["name"] != nil else { return [] }
        let thresholds = (quota["thresholds"]?.elements ?? []).map { threshold in
            let profile = threshold["profile"]?.text.map { " to \($0)" } ?? ""
            return "threshold   \(threshold["percent"]?.cell ?? "?") % \(threshold["action"]?.cell ?? "?")\(profile)"
                + (threshold["fired"]?.cell == "true" ? " (reached)" : "")
        }
        let topUps = (quota["top_ups"]?.elements ?? []).map { topUp in
            "top-up      \(octets(topUp["remaining"])) of \(octets(topUp["octets"])) left"
                + (topUp["expires_at"]?.text.map { ", until \($0)" } ?? "")
        }
        let span = "\(quota["window_start"]?.cell ?? "?") to \(quota["window_end"]?.cell ?? "?")"
        let window = "window      \(quota["period"]?.cell ?? "?"), \(span)"
        return ["quota       " + sentence(quota), window, "counts      \(quota["direction"]?.cell ?? "?")"] + thresholds + topUps
    }

    private static func hold(_ quota: JSONValue) -> String {
        switch quota["action"]?.text {
        case "throttle": "throttled to \(quota["profile"]?.cell ?? "?")"
        case "captive": "in the walled garden"
        case "block": "blocked"
        case "unlocked": "used up, but let in: its lock was taken away by hand"
        default: ""
        }
    }

    private static func octets(_ value: JSONValue?) -> String { value?.integer.map { Quantity.octets($0) } ?? "?" }
}
