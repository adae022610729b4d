/// Where something stands in what was read: `radcheck:17` is the row with that id, `users:12` the line of a file.
public struct Place: Hashable, Sendable, CustomStringConvertible {
    /// A table's name, or a file's path as it was given.
    public let source: String
    /// The row's id, or the line, counted from 1.
    public let number: Int

    public init(_ source: String, _ number: Int) {
        self.source = source
        self.number = number
    }

    public var description: String { "\(source):\(number)" }
}

/// Something that could not be carried over as it is, or only with an assumption.
public struct Remark: Hashable, Sendable {
    /// How much is missing.
    public enum Level: String, Sendable, CaseIterable {
        /// Carried over; the reader should know how.
        case note
        /// The user, group or NAS is carried over, this part of it is not.
        case lost
        /// Nothing of the user, entry or NAS is carried over.
        case skipped
    }

    public let level: Level
    public let place: Place
    /// The user, group or NAS that it belongs to; empty where it belongs to none.
    public let subject: String
    /// The attribute or statement; never a secret.
    public let what: String
    public let why: String
    /// What to do about it; empty where there is nothing to do.
    public let advice: String

    public init(_ level: Level, _ place: Place, _ subject: String, _ what: String, _ why: String, _ advice: String = "") {
        self.level = level
        self.place = place
        self.subject = subject
        self.what = what
        self.why = why
        self.advice = advice
    }
}
