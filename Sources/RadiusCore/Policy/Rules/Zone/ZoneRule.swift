/// A rule for the time to come, as POSIX writes it: `EET-2EEST,M3.5.0/3,M10.5.0/4`.
struct ZoneRule {
    /// The day of a year and the time on it at which the clock changes.
    struct Change {
        enum Day {
            /// 1...365, the leap day not counted.
            case julian(Int)
            /// 0...365.
            case ordinal(Int)
            /// Of a month the nth such weekday, 5 for the last; 0 is Sunday.
            case weekday(month: Int, week: Int, day: Int)
        }

        let day: Day
        /// Seconds from midnight; may be negative, or more than a day.
        let seconds: Int
    }

    /// Seconds east of UTC.
    let standard: Int32
    private let summer: (offset: Int32, begins: Change, ends: Change)?

    init(_ text: [UInt8]) throws(ZoneFault) {
        var scanner = Scanner(rest: text[...])
        try scanner.name()
        standard = Int32(-(try scanner.time(hours: 24)))
        guard !scanner.rest.isEmpty else {
            summer = nil
            return
        }
        try scanner.name()
        let hasOffset = scanner.rest.first != UInt8(ascii: ",")
        let offset = hasOffset ? Int32(-(try scanner.time(hours: 24))) : standard + 3600
        try scanner.take(",")
        let begins = try scanner.change()
        try scanner.take(",")
        summer = (offset, begins, try scanner.change())
        guard scanner.rest.isEmpty else { throw Scanner.fault }
    }

    /// The changes of these years, in order.
    func changes(from first: Int, to last: Int) -> [(at: Int64, offset: Int32)] {
        guard let summer, first <= last else { return [] }
        let all = (first...last).flatMap { year in
            [
                (at: Self.seconds(summer.begins, year) - Int64(standard), offset: summer.offset),
                (at: Self.seconds(summer.ends, year) - Int64(summer.offset), offset: standard),
            ]
        }
        return all.sorted { $0.at < $1.at }
    }

    /// The change in local seconds since 1970.
    private static func seconds(_ change: Change, _ year: Int) -> Int64 {
        let day =
            switch change.day {
            case .julian(let number): days(year, 1, 1) + number - 1 + (isLeap(year) && number > 59 ? 1 : 0)
            case .ordinal(let number): days(year, 1, 1) + number
            case .weekday(let month, let week, let weekday): self.day(year, month, week, weekday)
            }
        return Int64(day * 86_400 + change.seconds)
    }

    private static func day(_ year: Int, _ month: Int, _ week: Int, _ weekday: Int) -> Int {
        let first = days(year, month, 1)
        // 1970-01-01 was a Thursday, the fifth day of a week that begins with Sunday as 0.
        let begins = (first + 4) % 7
        var day = first + (weekday - begins + 7) % 7 + (week - 1) * 7
        let next = month == 12 ? days(year + 1, 1, 1) : days(year, month + 1, 1)
        while day >= next { day -= 7 }
        return day
    }

    /// Days from 1970-01-01; 1970 or later.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let before = (1..<month).reduce(0) { $0 + [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][$1 - 1] }
        let past = year - 1
        return year * 365 + past / 4 - past / 100 + past / 400 - (1970 * 365 + 1969 / 4 - 1969 / 100 + 1969 / 400) + before + day - 1
    }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    /// The year of a time, or the one before it.
    static func year(of seconds: Int64) -> Int {
        seconds <= 0 ? 1970 : 1970 + Int(seconds / 31_622_400)
    }

    /// Reads the parts of a rule.
    private struct Scanner {
        static let fault = ZoneFault("its rule for the time to come cannot be read (RFC 9636 §3.3.1)")
        var rest: ArraySlice<UInt8>

        mutating func take(_ sign: Unicode.Scalar) throws(ZoneFault) {
            guard rest.first == UInt8(ascii: sign) else { throw Self.fault }
            rest.removeFirst()
        }

        /// Three letters or more, or anything between angle brackets.
        mutating func name() throws(ZoneFault) {
            if rest.first == UInt8(ascii: "<") {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { throw Self.fault }
                rest = rest[(end + 1)...]
                return
            }
            let letters = rest.prefix { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
            guard letters.count >= 3 else { throw Self.fault }
            rest = rest.dropFirst(letters.count)
        }

        /// Seconds of `[+-]hh[:mm[:ss]]`.
        mutating func time(hours: Int) throws(ZoneFault) -> Int {
            let sign = rest.first
            if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
            var seconds = try number(0...hours) * 3600
            for unit in [60, 1] where rest.first == UInt8(ascii: ":") {
                rest.removeFirst()
                seconds += try number(0...59) * unit
            }
            return sign == UInt8(ascii: "-") ? -seconds : seconds
        }

        mutating func number(_ range: ClosedRange<Int>) throws(ZoneFault) -> Int {
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard (1...3).contains(digits.count) else { throw Self.fault }
            let number = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            guard range.contains(number) else { throw Self.fault }
            rest = rest.dropFirst(digits.count)
            return number
        }

        mutating func change() throws(ZoneFault) -> Change {
            let day: Change.Day
            switch rest.first {
            case UInt8(ascii: "M"):
                rest.removeFirst()
                let month = try number(1...12)
                try take(".")
                let week = try number(1...5)
                try take(".")
                day = .weekday(month: month, week: week, day: try number(0...6))
            case UInt8(ascii: "J"):
                rest.removeFirst()
                day = .julian(try number(1...365))
            default: day = .ordinal(try number(0...365))
            }
            guard rest.first == UInt8(ascii: "/") else { return Change(day: day, seconds: 7200) }
            rest.removeFirst()
            return Change(day: day, seconds: try time(hours: 167))
        }
    }
}
