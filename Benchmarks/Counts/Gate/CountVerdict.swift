/// The figures of a run held against the thresholds.
struct CountVerdict: Equatable {
    /// How far instructions may rise, and how far they must fall before a lower threshold is asked for.
    static let tolerancePercent = 5

    /// For reading: a heading and a line for each case.
    let table: [String]
    /// What breaks the build; empty when nothing does.
    private(set) var failures: [String] = []
    /// What a person should do or know though nothing failed.
    private(set) var notes: [String] = []

    /// - Throws: `CountFault` when a counted case has no threshold, or a threshold has no counted case.
    init(_ run: CountedRun, against thresholds: CountThresholds) throws(CountFault) {
        for name in run.cases where thresholds.limits[name] == nil {
            throw CountFault("case '\(name)' has no thresholds; scripts/counts --update writes them")
        }
        for name in thresholds.cases where run.figures[name] == nil {
            throw CountFault("the thresholds name a case '\(name)' that is not counted; scripts/counts --update leaves it out")
        }
        let isComparable = run.vectors == thresholds.vectors
        table = [Self.row("case", "instructions", "threshold", "change", "mallocs")] + Self.rows(run, thresholds)
        if !isComparable {
            notes.append(
                "Instructions are NOT judged: this machine has \(run.vectors) vectors, the thresholds are for \(thresholds.vectors). "
                    + "Mallocs are.")
        }
        for name in run.cases {
            guard let figure = run.figures[name], let limit = thresholds.limits[name] else { continue }
            judgeMallocs(name, figure, limit)
            if isComparable { judgeInstructions(name, figure, limit) }
        }
    }

    private mutating func judgeMallocs(_ name: String, _ figure: CountedFigure, _ limit: CountThresholds.Limit) {
        guard figure.mallocs > limit.mallocs else { return }
        failures.append(
            "\(name): \(figure.allocations) allocations in \(figure.requests) requests, allowed \(limit.mallocs) for each. "
                + Self.advice(figure, "malloc"))
    }

    private mutating func judgeInstructions(_ name: String, _ figure: CountedFigure, _ limit: CountThresholds.Limit) {
        let change = (figure.instructions - limit.instructions) * 100
        if change > Self.tolerancePercent * limit.instructions {
            failures.append(
                "\(name): \(figure.instructions) instructions a request, \(Self.percent(figure, limit)) against the \(limit.instructions) "
                    + "of the thresholds; \(Self.tolerancePercent) % more is allowed. " + Self.advice(figure, "the cost"))
        } else if change < -Self.tolerancePercent * limit.instructions {
            notes.append(
                "\(name): \(Self.percent(figure, limit)) instructions. Keep the gain: scripts/counts --update, and commit the thresholds.")
        }
    }

    private static func rows(_ run: CountedRun, _ thresholds: CountThresholds) -> [String] {
        run.cases.compactMap { name in
            guard let figure = run.figures[name], let limit = thresholds.limits[name] else { return nil }
            return row(name, "\(figure.instructions)", "\(limit.instructions)", percent(figure, limit), "\(figure.mallocs)")
        }
    }

    private static func advice(_ figure: CountedFigure, _ what: String) -> String {
        figure.dump.isEmpty ? "" : "To see where \(what) comes from: callgrind_annotate --tree=caller \(figure.dump)"
    }

    /// `+1.3 %`.
    private static func percent(_ figure: CountedFigure, _ limit: CountThresholds.Limit) -> String {
        let difference = figure.instructions - limit.instructions
        let tenths = (abs(difference) * 2000 / limit.instructions + 1) / 2
        let sign = tenths == 0 ? "" : difference < 0 ? "-" : "+"
        return "\(sign)\(tenths / 10).\(tenths % 10) %"
    }

    private static func row(_ name: String, _ figures: String...) -> String {
        let padded = figures.map { String(repeating: " ", count: max(1, 14 - $0.count)) + $0 }
        return name + String(repeating: " ", count: max(1, 12 - name.count)) + padded.joined()
    }
}
