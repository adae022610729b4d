/// Whose dump it is: they differ in what a backslash in a string means, and in what quotes a name.
public enum SQLDialect: String, CaseIterable, Sendable {
    case mysql, postgresql, sqlite

    /// A backslash in '...' begins an escape.
    var escapesByBackslash: Bool { self == .mysql }

    /// With what its tool ends a dump: a comment that begins so, or the statement that ends the one transaction.
    public var end: String {
        switch self {
        case .mysql: "-- Dump completed"
        case .postgresql: "-- PostgreSQL database dump complete"
        case .sqlite: "COMMIT;"
        }
    }

    /// Names of users that differ only by case are one: the collation that FreeRADIUS's schema has there.
    public var foldsNames: Bool { self == .mysql }

    /// The dialect of a dump by what its tool writes in front of the rows; nil when that says nothing.
    ///
    /// Nothing of a row is asked: a subscriber who can choose a password must not choose how the dump is read.
    public static func detect(_ head: some Sequence<UInt8>) -> SQLDialect? {
        var quotesByBacktick = false
        for line in Array(head).split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
            let text = String(decoding: line.drop { $0 == 0x20 || $0 == 0x09 }, as: UTF8.self).lowercased()
            if let dialect = announced(text) { return dialect }
            let holdsRows = text.hasPrefix("insert") || text.hasPrefix("replace") || text.hasPrefix("copy")
            // Of a line with rows: what stands before the first value.
            let names = holdsRows ? text.prefix { $0 != "'" && $0 != "\"" && $0 != "(" } : text[...]
            quotesByBacktick = quotesByBacktick || names.utf8.contains(UInt8(ascii: "`"))
            if holdsRows { break }
        }
        return quotesByBacktick ? .mysql : nil
    }

    /// The dialect of which only the tool's dumps have such a line, in lower case.
    private static func announced(_ line: String) -> SQLDialect? {
        func begins(_ words: String...) -> Bool { words.contains { line.hasPrefix($0) } }
        if begins("-- mysql dump", "-- mariadb dump", "/*!", "/*m!") { return .mysql }
        if begins("-- postgresql database dump", "set standard_conforming_strings") { return .postgresql }
        if begins("copy "), line.hasSuffix("from stdin;") { return .postgresql }
        return begins("pragma ") ? .sqlite : nil
    }
}

/// A value in a row of a dump.
public enum SQLCell: Equatable, Sendable {
    case null
    case text(String)
    /// Octets that are no UTF-8.
    case octets([UInt8])

    init(_ octets: [UInt8]) {
        if let text = String(validating: octets, as: UTF8.self) { self = .text(text) } else { self = .octets(octets) }
    }

    /// Empty for null; nil for octets that are no text.
    var string: String? {
        switch self {
        case .null: ""
        case .text(let text): text
        case .octets: nil
        }
    }
}
