/// What one kind of request costs the server.
struct CountedFigure: Equatable {
    /// For each request, rounded; all threads of the server together.
    var instructions: Int
    /// In all counted requests together.
    var allocations: Int
    /// How many requests were counted.
    var requests: Int
    /// The dump of the longer window, for `callgrind_annotate`; empty when unknown.
    var dump = ""

    /// For each request, rounded up: a single allocation among a thousand requests is none too few to be seen.
    var mallocs: Int { (allocations + requests - 1) / requests }
}

/// What the driver and callgrind left behind, put together.
///
/// The driver writes `vectors NAME` and for each of two windows of a case `CASE WINDOW REQUESTS ALLOCATIONS`; callgrind writes one dump for
/// each window. The longer window less the shorter one is what its further requests cost.
struct CountedRun: Equatable {
    /// One dump: the window that it belongs to, and its instructions.
    struct Dump: Equatable {
        /// `CASE WINDOW`.
        let window: String
        let instructions: Int
        let name: String

        /// Reads the head of a callgrind file; nil for one that no window wrote.
        init?(_ text: some StringProtocol, name: String) {
            var window: String?
            var instructions: Int?
            for line in text.split(whereSeparator: \.isNewline).prefix(40) {
                let words = line.split(separator: " ")
                if line.hasPrefix("desc: Trigger: Client Request: "), words.count == 6 { window = words[4...].joined(separator: " ") }
                if words.count == 2, words[0] == "summary:" { instructions = Int(words[1]) }
            }
            guard let window, let instructions else { return nil }
            self.window = window
            self.instructions = instructions
            self.name = name
        }
    }

    private struct Window {
        var requests: Int
        var allocations: Int
        var dump: Dump
    }

    /// The vector instructions that the server was told of.
    private(set) var vectors = ""
    /// In the order of counting.
    private(set) var cases: [String] = []
    private(set) var figures: [String: CountedFigure] = [:]

    /// - Parameters:
    ///   - driver: what the driver printed.
    ///   - dumps: of callgrind.
    /// - Throws: `CountFault` when a window has no dump, or a case does not have two windows.
    init(driver: String, dumps: [Dump]) throws(CountFault) {
        let dumped = [String: Dump](dumps.map { ($0.window, $0) }, uniquingKeysWith: { first, _ in first })
        var windows: [String: [Window]] = [:]
        for line in driver.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 2, words[0] == "vectors" {
                vectors = words[1]
                continue
            }
            guard words.count == 4, let requests = Int(words[2]), let allocations = Int(words[3]) else {
                throw CountFault("the driver printed '\(line)', which is no window: CASE WINDOW REQUESTS ALLOCATIONS")
            }
            guard let dump = dumped["\(words[0]) \(words[1])"] else {
                throw CountFault("callgrind wrote no dump for '\(words[0]) \(words[1])'")
            }
            if windows[words[0]] == nil { cases.append(words[0]) }
            windows[words[0], default: []].append(Window(requests: requests, allocations: allocations, dump: dump))
        }
        guard !vectors.isEmpty else { throw CountFault("the driver did not say which vector instructions it saw") }
        for name in cases { figures[name] = try Self.figure(name, windows[name] ?? []) }
    }

    private static func figure(_ name: String, _ windows: [Window]) throws(CountFault) -> CountedFigure {
        guard windows.count == 2, windows[1].requests > windows[0].requests else {
            throw CountFault("\(name): a short and a longer window were expected, in this order")
        }
        let further = windows[1].requests - windows[0].requests
        let instructions = windows[1].dump.instructions - windows[0].dump.instructions
        guard instructions > 0 else { throw CountFault("\(name): the longer window took no more instructions than the short one") }
        return CountedFigure(
            instructions: (instructions + further / 2) / further, allocations: windows[0].allocations + windows[1].allocations,
            requests: windows[0].requests + windows[1].requests, dump: windows[1].dump.name)
    }
}
