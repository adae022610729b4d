internal import Glibc

/// What values a key takes.
public enum SettingType: Sendable, Equatable {
    /// 0 to 65535.
    case port
    /// A whole number in the range.
    case integer(ClosedRange<Int>)
    /// One of the words.
    case choice([String])
    /// Some of the words, each at most once, at least one.
    case choices([String])
    /// A file or directory; a relative one is taken from the working directory.
    case path
    /// Like `path`, and may be left empty.
    case optionalPath
    /// An IPv4 or IPv6 address, no name.
    case address
    /// Such as `http://ocsp.example.net:8080/`, or empty.
    case web
    /// Addresses and networks such as `10.1.0.0/16`, each at most once; may be none.
    case networks
    /// A PostgreSQL connection string, or empty.
    case database
    /// A secret of 16 to 256 printable characters, or empty.
    case token

    /// The values that may be written, in words for an error message.
    public var allowed: String {
        switch self {
        case .port: "a port, 0 to 65535"
        case .integer(let range): "a whole number, \(range.lowerBound) to \(range.upperBound)"
        case .choice(let words): "one of \(words.joined(separator: ", "))"
        case .choices(let words): "a list of any of \(words.joined(separator: ", "))"
        case .path, .optionalPath: "a path of at most 4096 bytes"
        case .address: "an IPv4 or IPv6 address such as 127.0.0.1 or ::1"
        case .web: "an address such as http://ocsp.example.net:8080/, by HTTP without TLS, or empty"
        case .networks: "a list of addresses and networks such as 10.1.0.0/16 or fd00::/8, at most 100, or none"
        case .database: "postgresql://user:password@host:port/database, or host=... dbname=..., or empty for the private cluster"
        case .token: "16 to 256 printable characters without spaces, or empty to have one generated"
        }
    }

    /// Whether a value may appear in messages and logs.
    public var isSecret: Bool { self == .database || self == .token }

    /// Whether an empty value means something.
    var mayBeEmpty: Bool { self == .database || self == .token || self == .optionalPath || self == .web }

    /// The value that `text` writes, or nil when the type does not allow it.
    func value(of text: String) -> SettingValue? {
        if text.isEmpty { return self == .networks ? .list([]) : mayBeEmpty ? .text("") : nil }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return switch self {
        case .port: Self.number(text, in: 0...65535)
        case .integer(let range): Self.number(text, in: range)
        case .choice(let words): words.contains(text) ? .text(text) : nil
        case .choices, .networks: list(of: text.split(separator: ",", omittingEmptySubsequences: false).map(Self.trimmed))
        case .path, .optionalPath: text.utf8.count <= 4096 ? .text(text) : nil
        case .address: Self.isAddress(text) ? .text(text) : nil
        case .web: Self.isWebAddress(text) ? .text(text) : nil
        case .database: Self.isConnectionString(text) ? .text(text) : nil
        case .token: Self.isToken(text) ? .text(text) : nil
        }
    }

    /// The value that a list of words writes, or nil when the type takes no list or not these words.
    func list(of words: [String]) -> SettingValue? {
        guard Set(words).count == words.count else { return nil }
        return switch self {
        case .choices(let known): !words.isEmpty && words.allSatisfy(known.contains) ? .list(words) : nil
        case .networks: words.count <= 100 && words.allSatisfy(Self.isNetwork) ? .list(words) : nil
        default: nil
        }
    }

    private static func number(_ text: String, in range: ClosedRange<Int>) -> SettingValue? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), range.contains(number) else { return nil }
        return .number(number)
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private static func isAddress(_ text: String) -> Bool {
        var room = in6_addr()
        return inet_pton(AF_INET, text, &room) == 1 || inet_pton(AF_INET6, text, &room) == 1
    }

    private static func isNetwork(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), isAddress(parts[0]) else { return false }
        let most = parts[0].contains(":") ? 128 : 32
        return parts.count == 1 || number(parts[1], in: 0...most) != nil
    }

    private static func isWebAddress(_ text: String) -> Bool {
        guard text.utf8.count <= 2048, text.hasPrefix("http://"), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return false }
        let host = text.dropFirst("http://".count).prefix { $0 != "/" }
        return !host.isEmpty && !host.contains("@")
    }

    private static func isConnectionString(_ text: String) -> Bool {
        if text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") { return true }
        return text.split(separator: " ").first?.contains("=") ?? false
    }

    private static func isToken(_ text: String) -> Bool {
        (16...256).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

/// A value that its key's type allowed.
enum SettingValue: Sendable, Equatable {
    case number(Int)
    case text(String)
    case list([String])
}
