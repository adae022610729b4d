/// A line of a dictionary that is sound in itself and of no use: a VALUE whose attribute no file defines.
///
/// It hides nothing, as no packet can carry such an attribute, and dictionaries that others publish have such lines. Mostly its
/// attribute's name is mistyped, or the file that defines it is not loaded.
struct DictionaryWarning: Hashable, Sendable, CustomStringConvertible {
    /// Lines named by one load, at most.
    static let limit = 20

    /// The file as it was named, or as the including file leads to it.
    let file: String
    /// Counted from 1.
    let line: Int
    let reason: String

    /// `file:line: reason`.
    var description: String { "\(file):\(line): \(reason)" }
}
