/// Where something stands in a condition.
public struct RulePlace: Hashable, Sendable {
    /// Counted from 1.
    public let line: Int
    /// In characters, counted from 1.
    public let column: Int

    init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// Why a condition cannot be used: where, which text, and what would be possible.
public struct RuleError: Error, Hashable, Sendable, CustomStringConvertible {
    public let place: RulePlace
    /// What stands there, as it was written; empty at the end of the condition.
    public let text: String
    public let reason: String

    init(_ token: RuleToken, _ reason: String) {
        self.init(token.place, token.text, reason)
    }

    init(_ place: RulePlace, _ text: String, _ reason: String) {
        self.place = place
        self.text = OctetText.printable(text, limit: 60)
        self.reason = reason
    }

    public var description: String {
        "line \(place.line), column \(place.column), at \(text.isEmpty ? "the end" : "“\(text)”"): \(reason)"
    }
}

/// What is wrong with a part of a rule; whoever knows the place adds it.
struct RuleFault: Error {
    let reason: String
    /// Former versions took it.
    let wasTaken: Bool

    init(_ reason: String, wasTaken: Bool = false) {
        self.reason = reason
        self.wasTaken = wasTaken
    }
}
