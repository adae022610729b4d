/// A time of day on a date, in no zone.
public struct CivilTime: Hashable, Sendable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour = 0
    public var minute = 0
    public var second = 0
}

/// Reads the dates that people write into Expiration.
enum ExpirationReader {
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    /// `31 Jan 2027`, `Jan 31 2027 23:59:59`, `31 January 2027 23:59`, `2027-01-31`, `2027-01-31T23:59:59`, commas and hyphens between
    /// the parts; nil for anything else, and for days that no month has.
    static func read(_ text: String) -> CivilTime? {
        guard text.utf8.count <= 64 else { return nil }
        var words = text.split { " ,\t".contains($0) }.flatMap(isoParts)
        guard words.count >= 3 else { return nil }
        var clock: Substring?
        if let position = words.firstIndex(where: { $0.contains(":") }) { clock = words.remove(at: position) }
        guard words.count == 3, var time = date(words) else { return nil }
        guard let clock else { return time }
        let parts = clock.split(separator: ":", omittingEmptySubsequences: false).map { number($0, 2) }
        guard (2...3).contains(parts.count), let hour = parts[0], let minute = parts[1], let second = parts.count == 3 ? parts[2] : 0,
            hour < 24, minute < 60, second < 60
        else { return nil }
        (time.hour, time.minute, time.second) = (hour, minute, second)
        return time
    }

    /// `2027-01-31T10:00:00` and `31-Jan-2027` in their parts.
    private static func isoParts(_ word: Substring) -> [Substring] {
        let halves = word.split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, halves[0].contains("-"), halves[1].contains(":") else {
            return word.contains(":") ? [word] : word.split(separator: "-")
        }
        return halves[0].split(separator: "-") + [halves[1].hasSuffix("Z") ? halves[1].dropLast() : halves[1]]
    }

    private static func date(_ words: [Substring]) -> CivilTime? {
        let month = words.firstIndex { word in months.contains { word.lowercased().hasPrefix($0) } }
        let parts: (year: Int?, month: Int?, day: Int?)
        switch month {
        case nil: parts = (number(words[0], 4), number(words[1], 2), number(words[2], 2))
        case 0?: parts = (number(words[2], 4), name(words[0]), number(words[1], 2))
        case 1?: parts = (number(words[2], 4), name(words[1]), number(words[0], 2))
        default: return nil
        }
        guard let year = parts.year, let month = parts.month, let day = parts.day, (1970...9999).contains(year), (1...12).contains(month)
        else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        return (1...days).contains(day) ? CivilTime(year: year, month: month, day: day) : nil
    }

    private static func name(_ word: Substring) -> Int? {
        months.firstIndex { word.lowercased().hasPrefix($0) }.map { $0 + 1 }
    }

    private static func number(_ text: Substring, _ digits: Int) -> Int? {
        guard (1...digits).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }
}
