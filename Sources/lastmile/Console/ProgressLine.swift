/// How far a long operation is: a bar that redraws itself on a terminal, else a line for each tenth.
struct ProgressLine {
    private let title: String
    private let isTerminal: Bool
    private let write: (String) -> Void
    private var shown = -1

    /// `title`: what is being done, such as `uploading`.
    /// `isTerminal`: standard error is a terminal.
    init(_ title: String, isTerminal: Bool = Terminal.errorIsTTY, write: @escaping (String) -> Void = Terminal.note) {
        self.title = title
        self.isTerminal = isTerminal
        self.write = write
    }

    /// Shows `done` of `total`; repeats nothing.
    mutating func update(_ done: Int, of total: Int) {
        let percent = total <= 0 ? 100 : min(100, max(0, done * 100 / total))
        let step = isTerminal ? percent : percent / 10 * 10
        guard step > shown else { return }
        shown = step
        write(isTerminal ? "\r\(title) \(Self.bar(percent)) \(percent)%" : "\(title) \(step)%\n")
        if isTerminal, percent == 100 { write("\n") }
    }

    /// Ends the line of a bar that did not reach its end.
    mutating func abandon() {
        if isTerminal, shown >= 0, shown < 100 { write("\n") }
        shown = 100
    }

    private static func bar(_ percent: Int) -> String {
        let filled = percent * 30 / 100
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled) + "]"
    }
}
