import RadiusCore

/// What a load came to.
struct LoadReport {
    let tally: LoadTally
    let histogram: LatencyHistogram
    /// Nanoseconds.
    let elapsed: UInt64
    let plan: LoadPlan

    static let columns: [Column] = []

    /// The figures; latencies in microseconds.
    var record: JSONValue {
        let answers = UInt64(Double(tally.answered) * 1e9 / Double(max(1, elapsed)))
        var members: [JSONValue.Member] = [
            .init("mode", .string(plan.mode.rawValue)), .init("seconds", .number(Self.thousandths(elapsed / 1_000_000))),
            .init("sent", .number(tally.sent)), .init("answered", .number(tally.answered)), .init("accepted", .number(tally.accepted)),
            .init("rejected", .number(tally.rejected)), .init("lost", .number(tally.lost)),
            .init("retransmitted", .number(tally.retransmitted)), .init("bad_replies", .number(tally.bad)),
            .init("stray_replies", .number(tally.stray)),
            .init("verified", .bool(plan.verifies || plan.mode == .accounting)), .init("answers_per_second", .number(answers)),
            .init("latency_mean_us", Self.microseconds(histogram.mean)),
        ]
        for (name, perMille) in [("p50", 500), ("p90", 900), ("p99", 990), ("p999", 999)] as [(String, UInt64)] {
            members.append(.init("latency_\(name)_us", Self.microseconds(histogram.quantile(perMille: perMille))))
        }
        members.append(.init("latency_max_us", Self.microseconds(histogram.maximum)))
        if plan.rate > 0 { members.append(.init("due", .number(tally.due))) }
        if plan.mode == .accounting {
            members += [.init("sessions_closed", .number(tally.sessions)), .init("run", .string(plan.run))]
        }
        return .object(members)
    }

    /// Set where the rate was not reached.
    var shortfall: String? {
        // What is due within 50 ms is a matter of the loop.
        guard tally.missed > tally.due / 100, tally.missed > UInt64(plan.rate / 20) else { return nil }
        return "the rate was not reached: \(tally.due - tally.missed) of \(tally.due) requests; raise --outstanding (\(plan.outstanding)), "
            + "or --threads where the server answers at once"
    }

    /// Lost requests or bad replies make the command end with 1.
    var failure: CommandFailure? {
        if tally.sent > 0, tally.answered == 0 {
            return CommandFailure(
                .unreachable, "no request was answered",
                next: "`lastmile radius test` with the same server and secret tells the likely causes.")
        }
        guard tally.lost > 0 || tally.bad > 0 else { return nil }
        return CommandFailure(
            .failed, "\(tally.lost.counted("request was", "requests were")) lost, \(tally.bad.counted("reply was", "replies were")) bad")
    }

    private static func microseconds(_ nanoseconds: UInt64) -> JSONValue { .number(thousandths(nanoseconds)) }

    /// `1234` as `1.234`.
    private static func thousandths(_ value: UInt64) -> String {
        let rest = String(value % 1000)
        return "\(value / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }
}
