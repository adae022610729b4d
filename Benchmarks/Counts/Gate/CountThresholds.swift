/// What each kind of request may cost: the text of `thresholds.txt`.
///
/// `vectors NAME` says which processors the instructions hold for; `CASE instructions N` and `CASE mallocs N` are for each request.
/// A line that begins with `#` is a comment.
struct CountThresholds: Equatable {
    struct Limit: Equatable {
        var instructions: Int
        var mallocs: Int
    }

    private(set) var vectors: String
    /// In the order of the file.
    private(set) var cases: [String] = []
    private(set) var limits: [String: Limit] = [:]

    /// Reads the file's text.
    ///
    /// - Throws: `CountFault` that names the line and what is wrong with it, or the case that lacks a line.
    init(_ text: String) throws(CountFault) {
        var named: String?
        var values: [String: [String: Int]] = [:]
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.split(separator: " ").map(String.init)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            if first == "vectors" {
                guard words.count == 2, named == nil else { throw Self.fault(index, line, "'vectors NAME' was expected, once") }
                named = words[1]
                continue
            }
            guard words.count == 3, ["instructions", "mallocs"].contains(words[1]) else {
                throw Self.fault(index, line, "'CASE instructions N' or 'CASE mallocs N' was expected")
            }
            guard let value = Int(words[2]), value >= (words[1] == "mallocs" ? 0 : 1) else {
                throw Self.fault(index, line, "'\(words[2])' is no number of \(words[1])")
            }
            if values[first] == nil { cases.append(first) }
            guard values[first, default: [:]].updateValue(value, forKey: words[1]) == nil else {
                throw Self.fault(index, line, "a second line for the same")
            }
        }
        guard let named else { throw CountFault("thresholds: there is no line 'vectors NAME'") }
        vectors = named
        for name in cases {
            guard let instructions = values[name]?["instructions"] else { throw Self.missing("\(name) instructions") }
            guard let mallocs = values[name]?["mallocs"] else { throw Self.missing("\(name) mallocs") }
            limits[name] = Limit(instructions: instructions, mallocs: mallocs)
        }
    }

    /// The thresholds that `run` just holds.
    init(holding run: CountedRun) {
        vectors = run.vectors
        cases = run.cases
        limits = run.figures.mapValues { Limit(instructions: $0.instructions, mallocs: $0.mallocs) }
    }

    /// The file's text.
    var text: String {
        var lines = [
            "# What one request may cost the server: instructions of all its threads outside the kernel, and allocations.",
            "# `make counts` fails when instructions are more than \(CountVerdict.tolerancePercent) % above, or mallocs above at all.",
            "# `scripts/counts --update` writes this file anew.",
            "vectors \(vectors)",
        ]
        for name in cases {
            guard let limit = limits[name] else { continue }
            lines += ["\(name) instructions \(limit.instructions)", "\(name) mallocs \(limit.mallocs)"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func fault(_ index: Int, _ line: Substring, _ reason: String) -> CountFault {
        CountFault("thresholds, line \(index + 1), '\(line)': \(reason)")
    }

    private static func missing(_ line: String) -> CountFault {
        CountFault("thresholds: there is no line '\(line) N'; scripts/counts --update writes the file anew")
    }
}
