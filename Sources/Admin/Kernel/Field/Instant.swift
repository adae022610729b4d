internal import Glibc

/// Points in time as callers spell them.
enum Instant {
    /// RFC 3339 text that PostgreSQL reads the same everywhere; a date alone is its midnight in UTC; `15m`, `2h`, `7d` are that long ago.
    ///
    /// - Throws: `FieldFault` for anything else and for days that no month has.
    static func normalized(_ text: String, now: Int64 = now()) throws(FieldFault) -> String {
        if let seconds = age(text) { return timestamp(now - seconds) }
        return try absolute(text, orElse: "a time such as 2026-01-31T12:00:00Z or an age such as 15m, 2h, 7d is expected")
    }

    /// The same without ages.
    static func absolute(
        _ text: String, orElse detail: String = "a time such as 2027-01-31T12:00:00Z is expected; a date alone is its midnight in UTC"
    ) throws(FieldFault) -> String {
        let expectation = FieldFault("timestamp", detail)
        let octets = Array(text.utf8)
        guard octets.count >= 10, octets.count <= 40, let date = date(octets[..<10]) else { throw expectation }
        guard octets.count > 10 else { return date + "T00:00:00Z" }
        guard octets[10] == UInt8(ascii: "T") || octets[10] == UInt8(ascii: "t") || octets[10] == UInt8(ascii: " ") else {
            throw expectation
        }
        guard let time = time(octets[11...]) else { throw expectation }
        return date + "T" + time
    }

    /// Seconds since the Unix epoch.
    static func now() -> Int64 {
        Int64(Glibc.time(nil))
    }

    private static func age(_ text: String) -> Int64? {
        guard let unit = text.last, text.utf8.count <= 10, text.dropLast().allSatisfy({ $0.isASCII && $0.isNumber }),
            let count = Int64(text.dropLast())
        else { return nil }
        let seconds: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let scale = seconds[unit], count <= 3_000_000_000 / scale else { return nil }
        return count * scale
    }

    private static func date(_ octets: ArraySlice<UInt8>) -> String? {
        let parts = String(decoding: octets, as: UTF8.self).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], let year = number(parts[0]), let month = number(parts[1]), let day = number(parts[2]),
            year >= 1, (1...12).contains(month)
        else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        return (1...days).contains(day) ? String(decoding: octets, as: UTF8.self) : nil
    }

    /// `12:00:00.5+02:00` or `12:00:00Z`.
    private static func time(_ octets: ArraySlice<UInt8>) -> String? {
        let text = String(decoding: octets, as: UTF8.self)
        let clock = text.prefix(8).split(separator: ":", omittingEmptySubsequences: false)
        guard clock.map(\.utf8.count) == [2, 2, 2], let hour = number(clock[0]), let minute = number(clock[1]),
            let second = number(clock[2]),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        var zone = text.dropFirst(8)
        if zone.first == "." {
            let digits = zone.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard (1...9).contains(digits.count) else { return nil }
            zone = zone.dropFirst(1 + digits.count)
        }
        if zone.uppercased() == "Z" { return text }
        guard let sign = zone.first, sign == "+" || sign == "-" else { return nil }
        let offset = zone.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard offset.map(\.utf8.count) == [2, 2], let hours = number(offset[0]), let minutes = number(offset[1]), hours < 16, minutes < 60
        else { return nil }
        return text
    }

    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }

    /// RFC 3339 text of seconds since the Unix epoch.
    static func timestamp(_ seconds: Int64) -> String {
        var clock = time_t(seconds)
        var fields = tm()
        gmtime_r(&clock, &fields)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let year = String(Int(fields.tm_year) + 1900)
        let date = String(repeating: "0", count: max(0, 4 - year.count)) + year + "-" + two(fields.tm_mon + 1) + "-" + two(fields.tm_mday)
        return date + "T" + two(fields.tm_hour) + ":" + two(fields.tm_min) + ":" + two(fields.tm_sec) + "Z"
    }
}
