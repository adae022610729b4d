/// Instants between Unix microseconds, PostgreSQL microseconds (since 2000-01-01) and ISO text, all UTC.
enum Timestamp {
    /// 2000-01-01T00:00:00Z in Unix microseconds (PostgreSQL's POSTGRES_EPOCH_JDATE).
    static let postgresEpoch: Int64 = 946_684_800_000_000
    private static let microsecondsPerDay: Int64 = 86_400_000_000

    /// `2026-01-31 23:59:59.000001+00`.
    static func append(_ microseconds: Int64, to buffer: inout [UInt8]) {
        if microseconds == .max || microseconds == .min {
            buffer.append(contentsOf: (microseconds == .max ? "infinity" : "-infinity").utf8)
            return
        }
        appendDate(days: floorDivide(microseconds, microsecondsPerDay), to: &buffer, era: false)
        let rest = microseconds - floorDivide(microseconds, microsecondsPerDay) * microsecondsPerDay
        let seconds = rest / 1_000_000
        buffer.append(UInt8(ascii: " "))
        appendPadded(seconds / 3600, width: 2, to: &buffer)
        buffer.append(UInt8(ascii: ":"))
        appendPadded(seconds / 60 % 60, width: 2, to: &buffer)
        buffer.append(UInt8(ascii: ":"))
        appendPadded(seconds % 60, width: 2, to: &buffer)
        buffer.append(UInt8(ascii: "."))
        appendPadded(rest % 1_000_000, width: 6, to: &buffer)
        buffer.append(contentsOf: "+00".utf8)
        if civil(floorDivide(microseconds, microsecondsPerDay)).year < 1 { buffer.append(contentsOf: " BC".utf8) }
    }

    /// PostgreSQL's `infinity` stays the largest value, `-infinity` the smallest.
    static func unixMicroseconds(fromPostgres value: Int64) -> Int64 {
        if value == .min { return value }
        let (sum, overflow) = value.addingReportingOverflow(postgresEpoch)
        return overflow ? .max : sum
    }

    static func text(microsecondsSinceUnixEpoch: Int64) -> String {
        var buffer: [UInt8] = []
        append(microsecondsSinceUnixEpoch, to: &buffer)
        return String(decoding: buffer, as: UTF8.self)
    }

    /// `2026-01-31` for days since the Unix epoch.
    static func dateText(daysSinceUnixEpoch days: Int64) -> String {
        var buffer: [UInt8] = []
        appendDate(days: days, to: &buffer, era: true)
        return String(decoding: buffer, as: UTF8.self)
    }

    private static func appendDate(days: Int64, to buffer: inout [UInt8], era: Bool) {
        let (year, month, day) = civil(days)
        appendPadded(year < 1 ? 1 - year : year, width: 4, to: &buffer)
        buffer.append(UInt8(ascii: "-"))
        appendPadded(month, width: 2, to: &buffer)
        buffer.append(UInt8(ascii: "-"))
        appendPadded(day, width: 2, to: &buffer)
        if era, year < 1 { buffer.append(contentsOf: " BC".utf8) }
    }

    /// Days since 1970-01-01 to the proleptic Gregorian calendar, counted from 0000-03-01 in eras of 400 years.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let leapDays = dayOfEra / 1460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, day)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    private static func appendPadded(_ value: Int64, width: Int, to buffer: inout [UInt8]) {
        let digits = String(value).utf8
        for _ in 0..<max(0, width - digits.count) { buffer.append(UInt8(ascii: "0")) }
        buffer.append(contentsOf: digits)
    }
}
