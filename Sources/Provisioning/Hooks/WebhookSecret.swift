import RadiusCore

/// What messages to a hook are signed with (Standard Webhooks, symmetric): one secret, or two while a receiver changes over.
public struct WebhookSecret: Sendable, Equatable {
    static let prefix = "whsec_"
    static let keyOctets = 24...64

    let keys: [[UInt8]]

    /// Reads `whsec_` and 24 to 64 octets in base64, and a second one behind a blank; nil when `text` is something else.
    public init?(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        let keys = words.compactMap { word -> [UInt8]? in
            guard word.hasPrefix(Self.prefix), let key = Base64.octets(of: word.dropFirst(Self.prefix.count)) else { return nil }
            return Self.keyOctets.contains(key.count) ? key : nil
        }
        guard (1...2).contains(words.count), keys.count == words.count else { return nil }
        self.keys = keys
    }

    /// The value of `webhook-signature`: HMAC-SHA-256 of `id.timestamp.body` under each key.
    func signature(id: String, seconds: Int64, body: [UInt8]) -> String {
        let message = Array("\(id).\(seconds).".utf8) + body
        return keys.map { "v1," + Base64.text(of: KeyedDigests.hmacSHA256($0, message)) }.joined(separator: " ")
    }
}

/// Base64 with padding (RFC 4648 §4).
enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func text(of octets: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: octets.count, by: 3) {
            let group = octets[start..<min(start + 3, octets.count)]
            var bits: UInt32 = 0
            for place in 0..<3 { bits = bits << 8 | (place < group.count ? UInt32(group[start + place]) : 0) }
            for place in 0..<4 {
                let digit = Int(bits >> UInt32(18 - 6 * place)) & 63
                text.append(place <= group.count ? digits[digit] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil when `text` is not what `text(of:)` makes of some octets.
    static func octets(of text: some StringProtocol) -> [UInt8]? {
        var octets: [UInt8] = []
        var (bits, count): (UInt32, Int) = (0, 0)
        for digit in text.utf8 where digit != UInt8(ascii: "=") {
            guard let value = digits.firstIndex(of: digit) else { return nil }
            (bits, count) = (bits << 6 | UInt32(value), count + 6)
            guard count >= 8 else { continue }
            count -= 8
            octets.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            bits &= (1 << UInt32(count)) - 1
        }
        return Self.text(of: octets) == String(text) ? octets : nil
    }
}
