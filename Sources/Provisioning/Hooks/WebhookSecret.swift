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
            guard word.hasPrefix(Self.prefix), let key = Base64.standard.octets(of: word.dropFirst(Self.prefix.count)) else { return nil }
            return Self.keyOctets.contains(key.count) ? key : nil
        }
        guard (1...2).contains(words.count), keys.count == words.count else { return nil }
        self.keys = keys
    }

    /// The value of `webhook-signature`: HMAC-SHA-256 of `id.timestamp.body` under each key.
    func signature(id: String, seconds: Int64, body: [UInt8]) -> String {
        let message = Array("\(id).\(seconds).".utf8) + body
        return keys.map { "v1," + Base64.standard.text(of: KeyedDigests.hmacSHA256($0, message)) }.joined(separator: " ")
    }
}
