/// Numbers as text, read strictly: no sign, blank or digit too many passes.
enum NumberText {
    /// 1...20 decimal digits that fit 64 bits.
    static func decimal(_ digits: some Collection<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var number: UInt64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            let (product, overflowed) = number.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
            if overflowed || carried { return nil }
            number = sum
        }
        return number
    }

    /// 1...16 hexadecimal digits.
    static func hexadecimal(_ digits: some Collection<UInt8>) -> UInt64? {
        guard (1...16).contains(digits.count) else { return nil }
        var number: UInt64 = 0
        for digit in digits {
            guard let nibble = Hexadecimal.digit(digit) else { return nil }
            number = number << 4 | UInt64(nibble)
        }
        return number
    }

    /// A decimal number, or a hexadecimal one behind `0x`.
    static func unsigned(_ text: some StringProtocol) -> UInt64? {
        let bytes = Array(text.utf8)
        guard bytes.count > 2, bytes[0] == UInt8(ascii: "0"), bytes[1] | 0x20 == UInt8(ascii: "x") else { return decimal(bytes) }
        return hexadecimal(bytes[2...])
    }

    /// A decimal number of 32 bits, perhaps behind `-`.
    static func signed(_ text: some StringProtocol) -> Int32? {
        let bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: "-") else { return decimal(bytes).flatMap { Int32(exactly: $0) } }
        return decimal(bytes[1...]).flatMap { Int64(exactly: $0) }.flatMap { Int32(exactly: -$0) }
    }

    /// `number` in `octets` octets, highest first.
    static func octets(_ number: UInt64, count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * (count - 1 - $0))) }
    }

    /// The number that up to eight octets hold, highest first.
    static func number(_ octets: some Sequence<UInt8>) -> UInt64 {
        octets.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Instants as RFC 3339 text in UTC, to the second.
enum DateText {
    /// `2026-01-31T23:59:59Z` of seconds since 1970.
    static func text(_ seconds: UInt32) -> String {
        let (year, month, day) = civil(days: Int(seconds / 86_400))
        let rest = Int(seconds % 86_400)
        return "\(padded(year, 4))-\(padded(month))-\(padded(day))T\(padded(rest / 3600)):\(padded(rest / 60 % 60)):\(padded(rest % 60))Z"
    }

    /// Seconds since 1970 from `2026-01-31T23:59:59Z`; nil for another form or a date that no calendar has.
    static func seconds(_ text: some StringProtocol) -> UInt32? {
        let bytes = Array(text.utf8)
        guard bytes.count == 20, bytes[19] | 0x20 == UInt8(ascii: "z"), bytes[10] | 0x20 == UInt8(ascii: "t") else { return nil }
        guard bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else { return nil }
        guard bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":") else { return nil }
        guard let year = field(bytes, 0..<4), let month = field(bytes, 5..<7), let day = field(bytes, 8..<10) else { return nil }
        guard let hour = field(bytes, 11..<13), let minute = field(bytes, 14..<16), let second = field(bytes, 17..<19) else { return nil }
        guard year >= 1970, hour < 24, minute < 60, second < 60 else { return nil }
        let days = days(year: year, month: month, day: day)
        guard civil(days: days) == (year, month, day) else { return nil }
        return UInt32(exactly: days * 86_400 + hour * 3600 + minute * 60 + second)
    }

    private static func field(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
        NumberText.decimal(bytes[range]).map { Int($0) }
    }

    private static func padded(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Days since 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap day is a year's last.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month < 3 ? year - 1 : year
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    /// The date of a day, 0 or later, since 1970-01-01.
    private static func civil(days: Int) -> (year: Int, month: Int, day: Int) {
        let total = days + 719_468
        let era = total / 146_097
        let dayOfEra = total % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = (shiftedMonth + 2) % 12 + 1
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        return (era * 400 + yearOfEra + (month < 3 ? 1 : 0), month, day)
    }
}
