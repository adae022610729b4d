/// A dictionary that cannot be used, and the line to mend.
///
/// A load goes on behind a bad line and reports up to `limit` of them: this one is the first, `further` holds the others.
public struct DictionaryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Lines reported by one load, at most.
    public static let limit = 20

    /// The file as it was named, or as the including file leads to it.
    public let file: String
    /// Counted from 1; 0 when the file as a whole is at fault.
    public let line: Int
    public let reason: String
    /// The bad lines after this one, in the order in which they were met; empty in its own members.
    public let further: [DictionaryError]

    init(file: String, line: Int, reason: String, further: [DictionaryError] = []) {
        self.file = file
        self.line = line
        self.reason = reason
        self.further = further
    }

    /// One line for each fault, `file:line: reason`.
    public var description: String {
        let place = line > 0 ? "\(file):\(line)" : file
        return further.reduce("\(place): \(reason)") { $0 + "\n" + $1.description }
    }
}

/// What is wrong with the line at hand; the parser adds the file and the line.
struct DictionaryFault: Error {
    let reason: String
    /// What follows in this file means something else without this line, so that it is not read.
    var endsFile = false

    init(_ reason: String) {
        self.reason = reason
    }
}
