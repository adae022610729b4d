/// A Swift source reduced to its code: comments and what stands inside string literals are blanked, line ends stay.
///
/// Enough to count braces by; interpolations count as part of their literal.
struct SwiftOutline {
    /// As many lines as the source.
    let lines: [Substring]

    init(_ text: String) {
        var scanner = Scanner(text)
        scanner.run()
        lines = String(decoding: scanner.output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// A function, initialiser, deinitialiser or subscript, with the lines from its name to its closing brace.
    struct Function: Equatable {
        let firstLine: Int
        let lineCount: Int
    }

    /// The functions, in the order in which they close; nested ones count on their own too.
    var functions: [Function] {
        var open: [(line: Int, isFunction: Bool)] = []
        var pending: Int?
        var found: [Function] = []
        for (index, line) in lines.enumerated() {
            if let isFunction = Self.declaration(in: line) { pending = isFunction ? index + 1 : nil }
            for byte in line.utf8 {
                if byte == UInt8(ascii: "{") {
                    open.append((pending ?? index + 1, pending != nil))
                    pending = nil
                } else if byte == UInt8(ascii: "}"), let last = open.popLast() {
                    pending = nil
                    if last.isFunction { found.append(Function(firstLine: last.line, lineCount: index + 2 - last.line)) }
                }
            }
        }
        return found
    }

    /// Whether what `line` declares is a function; nil when it declares nothing.
    private static func declaration(in line: Substring) -> Bool? {
        let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "." }
        guard let first = words.firstIndex(where: { !modifiers.contains($0) }) else { return nil }
        if ["func", "init", "deinit", "subscript"].contains(words[first]) { return true }
        let others: Set<Substring> = ["struct", "enum", "extension", "protocol", "actor", "var", "let", "case", "typealias"]
        return others.contains(words[first]) || words[..<first].contains("class") ? false : nil
    }

    private static let modifiers: Set<Substring> = [
        "public", "internal", "package", "private", "fileprivate", "open", "static", "class", "final", "mutating", "nonmutating",
        "borrowing",
        "consuming", "override", "required", "convenience", "nonisolated", "isolated", "inlinable", "inline", "__always", "never",
        "_lifetime",
        "discardableResult", "available", "usableFromInline", "Sendable", "MainActor", "unsafe", "safe", "_cdecl",
    ]
}

/// Walks a Swift source byte by byte and keeps only code.
private struct Scanner {
    private let bytes: [UInt8]
    private var position = 0
    private(set) var output: [UInt8] = []

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    mutating func run() {
        while position < bytes.count {
            if starts(with: "//") {
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            } else if starts(with: "/*") {
                blockComment()
            } else if let pounds = literalStart() {
                literal(pounds: pounds)
            } else {
                output.append(bytes[position])
                position += 1
            }
        }
    }

    private func starts(with text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        return (0..<count).allSatisfy { bytes[position + $0] == text.utf8Start[$0] }
    }

    private mutating func skip(_ count: Int) {
        for _ in 0..<min(count, bytes.count - position) {
            if bytes[position] == UInt8(ascii: "\n") { output.append(bytes[position]) }
            position += 1
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                skip(2)
            } else if starts(with: "*/") {
                depth -= 1
                skip(2)
            } else {
                skip(1)
            }
        } while depth > 0 && position < bytes.count
    }

    /// The number of `#` before the quote, when a string literal starts here.
    private func literalStart() -> Int? {
        var end = position
        while end < bytes.count, bytes[end] == UInt8(ascii: "#") { end += 1 }
        return end < bytes.count && bytes[end] == UInt8(ascii: "\"") ? end - position : nil
    }

    private mutating func literal(pounds: Int) {
        skip(pounds)
        let quotes = starts(with: "\"\"\"") ? 3 : 1
        skip(quotes)
        while position < bytes.count {
            if closes(quotes: quotes, pounds: pounds) { return skip(quotes + pounds) }
            if isEscape(pounds: pounds) {
                skip(1 + pounds)
                starts(with: "(") ? interpolation() : skip(1)
            } else {
                skip(1)
            }
        }
    }

    private mutating func interpolation() {
        var depth = 0
        repeat {
            if let pounds = literalStart() {
                literal(pounds: pounds)
                continue
            }
            if starts(with: "(") { depth += 1 }
            if starts(with: ")") { depth -= 1 }
            skip(1)
        } while depth > 0 && position < bytes.count
    }

    private func closes(quotes: Int, pounds: Int) -> Bool {
        matches(UInt8(ascii: "\""), quotes, at: position) && matches(UInt8(ascii: "#"), pounds, at: position + quotes)
    }

    private func isEscape(pounds: Int) -> Bool {
        bytes[position] == UInt8(ascii: "\\") && matches(UInt8(ascii: "#"), pounds, at: position + 1)
    }

    private func matches(_ byte: UInt8, _ count: Int, at start: Int) -> Bool {
        start + count <= bytes.count && (0..<count).allSatisfy { bytes[start + $0] == byte }
    }
}
