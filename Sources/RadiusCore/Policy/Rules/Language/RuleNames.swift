/// Names besides those of attributes, and the words that their values have.
enum RuleNames {
    private static let subjects: [(name: String, source: RuleSource, kind: RuleKind)] = [
        ("subscriber.name", .subscriberName, .text),
        ("subscriber.realm", .subscriberRealm, .text),
        ("subscriber.profile", .subscriberProfile, .text),
        ("subscriber.status", .subscriberStatus, .number(1)),
        ("subscriber.level", .subscriberLevel, .number(1)),
        ("nas.name", .nasName, .text),
        ("nas.huntgroup", .nasHuntgroup, .text),
        ("nas.vendor", .nasVendor, .number(1)),
        ("nas.address", .nasAddress, .comboIP),
        ("login.method", .method, .number(1)),
        ("time.of_day", .timeOfDay, .number(4)),
        ("time.weekday", .weekday, .number(1)),
        ("time.date", .date, .number(4)),
    ]

    static var all: [String] { subjects.map(\.name) }

    static func subject(_ name: String) -> RuleSubject? {
        subjects.first { $0.name == name }.map { RuleSubject(source: $0.source, kind: $0.kind) }
    }

    /// How a value is written that is kept as a number but is none of the dictionary's.
    struct Words {
        /// For a message.
        let expected: String
        /// The number of a word; nil where it is none.
        let number: (String) -> UInt64?
        /// The word of a number; nil where it has none.
        let word: (UInt64) -> String?
    }

    static func words(of source: RuleSource) -> Words? {
        switch source {
        case .subscriberStatus: choice(SubscriberStatus.allCases.map { ($0.name, UInt64($0.rawValue)) })
        case .subscriberLevel: choice(AccessLevel.allCases.map { ($0.name, UInt64($0.rawValue)) })
        case .nasVendor: choice(NASVendor.allCases.map { ($0.name, UInt64($0.rawValue)) })
        case .method: choice(AuthenticationMethod.proofs.map { ($0.name, UInt64($0.rawValue)) })
        case .weekday: choice(zip(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 1...7).map { ($0, $1) })
        case .timeOfDay: Words(expected: "a time of day such as 22:30, from 00:00 to 23:59", number: minutes, word: clock)
        case .date: Words(expected: "a day such as 2026-12-24", number: days, word: date)
        default: nil
        }
    }

    /// The word that a value of `source` has.
    static func word(of source: RuleSource, _ number: UInt64) -> String? { words(of: source)?.word(number) }

    private static func choice(_ words: [(name: String, number: UInt64)]) -> Words {
        Words(
            expected: "one of " + words.map(\.name).joined(separator: ", "),
            number: { word in words.first { $0.name == word }?.number }, word: { number in words.first { $0.number == number }?.name })
    }

    private static func clock(_ minutes: UInt64) -> String? {
        let (hour, minute) = (minutes / 60, minutes % 60)
        return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
    }

    private static func date(_ days: UInt64) -> String? {
        UInt32(exactly: days * 86_400).map { String(DateText.text($0).prefix(10)) }
    }

    /// Minutes since midnight.
    private static func minutes(_ text: String) -> UInt64? {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, (1...2).contains(parts[0].count), parts[1].count == 2 else { return nil }
        guard let hour = NumberText.decimal(parts[0]), let minute = NumberText.decimal(parts[1]), hour < 24, minute < 60 else { return nil }
        return hour * 60 + minute
    }

    /// Days since 1970-01-01.
    private static func days(_ text: String) -> UInt64? {
        DateText.seconds(text + "T00:00:00Z").map { UInt64($0 / 86_400) }
    }
}

/// `first..last`, both ends included.
enum RuleRange {
    static func ends(_ token: RuleToken) -> (first: RuleToken, last: RuleToken)? {
        guard token.kind == .word, let dots = token.text.firstRange(of: "..") else { return nil }
        let last = token.text[dots.upperBound...]
        let column = token.place.column + token.text.distance(from: token.text.startIndex, to: dots.upperBound)
        return (
            RuleToken(kind: .word, text: String(token.text[..<dots.lowerBound]), place: token.place),
            RuleToken(kind: .word, text: String(last), place: RulePlace(line: token.place.line, column: column))
        )
    }
}

extension RuleSubject {
    /// Less and greater mean something.
    var isOrdered: Bool {
        switch source {
        case .subscriberStatus, .subscriberLevel, .nasVendor, .method: false
        default:
            switch kind {
            case .number, .signed: true
            default: false
            }
        }
    }

    /// Values that begin anew behind the last one, so that a range may go over the end: 22:00..06:00, sat..mon.
    var circle: ClosedRange<UInt64>? {
        switch source {
        case .timeOfDay: 0...1439
        case .weekday: 1...7
        default: nil
        }
    }

    /// Octets of the addresses that may be compared with it.
    var addressOctets: [Int] {
        switch kind {
        case .ipv4: [4]
        case .ipv6: [16]
        case .prefix(let octets): [octets]
        default: [4, 16]
        }
    }

    /// What its values are, for a message.
    var kindText: String {
        if let words = RuleNames.words(of: source) { return words.expected }
        switch kind {
        case .text: return "a text"
        case .octets: return "a run of octets such as 0x0a1b"
        case .number, .signed: return "a number"
        case .ipv4: return "an IPv4 address or network such as 192.0.2.0/24"
        case .ipv6: return "an IPv6 address or network such as 2001:db8::/32"
        case .comboIP: return "an address or network such as 192.0.2.0/24"
        case .prefix(let octets): return octets == 4 ? "an IPv4 prefix such as 192.0.2.0/24" : "an IPv6 prefix such as 2001:db8::/48"
        case .flag: return "yes or no"
        }
    }
}
