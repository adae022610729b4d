import RadiusCore

/// Where messages of hooks may go: by default to the public internet, under TLS.
///
/// It is asked for the address that a connection is about to be opened to, so it does not matter what DNS said before, or says next.
public struct WebhookReach: Sendable, Equatable {
    struct Network: Sendable, Equatable {
        let start: IPAddress
        /// Of 128 bits.
        let length: Int

        /// Reads an address, or a network such as `10.1.0.0/16`.
        init?(_ text: some StringProtocol) {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard (1...2).contains(parts.count), let address = IPAddress(text: String(parts[0])) else { return nil }
            let most = address.ipv4 == nil ? 128 : 32
            guard let bits = parts.count == 1 ? most : Int(parts[1]), (0...most).contains(bits) else { return nil }
            length = bits + 128 - most
            start = address.masked(to: length)
        }

        func contains(_ address: IPAddress) -> Bool { address.masked(to: length) == start }
    }

    private let listed: [Network]

    /// `networks` may be reached whatever they are, and without TLS too; what is no network is left out.
    public init(_ networks: [String] = []) { listed = networks.compactMap { Network($0) } }

    /// Whether a connection to `address` may be opened.
    func allows(_ address: IPAddress, isPlain: Bool) -> Bool {
        if listed.contains(where: { $0.contains(address) }) { return true }
        return !isPlain && Self.isPublic(address)
    }

    /// Whether `address` is somebody's on the public internet (the registries of special-purpose addresses, RFC 6890).
    static func isPublic(_ address: IPAddress) -> Bool {
        if address.ipv4 != nil { return !special4.contains { $0.contains(address) } }
        // Through NAT64 it is the IPv4 address that is reached (RFC 6052).
        if translated.contains(where: { $0.contains(address) }) {
            return isPublic(IPAddress(ipv4: UInt32(truncatingIfNeeded: address.low)))
        }
        return global6.contains { $0.contains(address) } && !special6.contains { $0.contains(address) }
    }

    private static let special4 = networks(
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 "
            + "192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4")
    private static let translated = networks("64:ff9b::/96")
    private static let global6 = networks("2000::/3")
    /// Protocol assignments with Teredo, documentation, 6to4.
    private static let special6 = networks("2001::/23 2001:db8::/32 2002::/16 3fff::/20")

    private static func networks(_ text: String) -> [Network] { text.split(separator: " ").compactMap { Network($0) } }
}

/// Addresses that hooks may have.
public enum WebhookURL {
    /// Why `text` cannot be one; nil when it can. Where it leads is looked at when it is used.
    public static func mistake(in text: String) -> String? {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return "only printable ASCII without blanks is possible" }
        let scheme = ["https://", "http://"].first { text.hasPrefix($0) }
        guard let scheme else { return "an address such as https://receiver.example.net/logins is expected" }
        let authority = text.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        if authority.isEmpty || authority.hasPrefix(":") { return "a host is expected behind \(scheme)" }
        if authority.contains("@") { return "it cannot hold a user name or a password; receivers know us by the signature" }
        return text.contains("#") ? "a fragment (#) is not sent, so leave it out" : nil
    }
}
