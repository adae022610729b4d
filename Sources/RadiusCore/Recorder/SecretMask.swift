/// Attribute values as they may be shown to people who need not know anybody's password.
///
/// What is hidden on the wire stays so, and what stands there in clear but proves or carries a password is left out: passwords,
/// challenges and responses, keys, what EAP carries, values that name themselves a key, and what no dictionary explains where such things
/// stand. Message-Authenticator is shown: it proves nothing to whoever does not have the secret.
public enum SecretMask {
    /// What stands in the place of a value.
    public static let hidden = "(hidden)"

    /// `pair`'s value, or what may be said of it.
    public static func shown(_ pair: AttributePair, _ dictionary: RadiusDictionary) -> String {
        if pair.path == eapMessage { return EAPSummary.text(of: pair.raw) }
        guard !isSecret(pair, dictionary) else { return hidden }
        return pair.type == .string ? masked(pair.value) : pair.value
    }

    private static let eapMessage = AttributePath(numbers: [79])

    /// RFC 2865 §5: User-Password 2, CHAP-Password 3, CHAP-Challenge 60; RFC 2868 §3.5: Tunnel-Password 69; RFC 2869 §5.4, §5.8, §5.15:
    /// ARAP-Password 70, ARAP-Security-Data 74, ARAP-Challenge-Response 84; RFC 5090 §3: Digest-Response 103, Digest-Nonce 105, Digest-HA1
    /// 121; RFC 8044's opaque Vendor-Specific 26, which is shown by its parts alone.
    private static let standard: Set<UInt32> = [2, 3, 26, 60, 69, 70, 74, 84, 103, 105, 121]
    /// RFC 2548: all but MS-MPPE-Encryption-Policy 7, -Types 8, MS-CHAP-Domain 10, and the name servers 28...31.
    private static let plainOfMicrosoft: Set<UInt32> = [7, 8, 10, 28, 29, 30, 31]
    private static let microsoft: UInt32 = 311
    /// In an attribute's name.
    private static let names = ["password", "passwd", "passphrase", "psk", "secret", "challenge", "cleartext", "auth-token"]

    private static func isSecret(_ pair: AttributePair, _ dictionary: RadiusDictionary) -> Bool {
        if pair.isHidden || pair.isSecret { return true }
        guard let number = pair.path.numbers.first else { return true }
        if pair.path.vendor == 0, standard.contains(number) { return true }
        if pair.path.vendor == microsoft { return !plainOfMicrosoft.contains(number) }
        // A value that its type forbids has lost its name; the definition still says what it is.
        guard let definition = dictionary.attribute(at: pair.path) else { return pair.path.vendor != 0 }
        if definition.isSecret || definition.encryption != .none { return true }
        let name = definition.name.lowercased()
        return names.contains { name.contains($0) } || name.hasSuffix("key") || name.contains("-key-")
    }

    /// `psk=...` and the like inside a text, such as Cisco-AVPair: what follows the first such word is left out.
    private static func masked(_ text: String) -> String {
        guard let equals = text.firstIndex(of: "=") else { return text }
        var rest = text[...]
        var sign: String.Index? = equals
        while let found = sign {
            let word = rest[..<found].lowercased()
            if (names + ["key", "pwd"]).contains(where: { word.contains($0) }) { return text[...found] + hidden }
            rest = rest[text.index(after: found)...]
            sign = rest.firstIndex(of: "=")
        }
        return text
    }
}

/// An EAP packet without what it carries.
enum EAPSummary {
    /// Types by number (RFC 3748 §5, IANA), of which the packet alone tells.
    private static let names: [UInt32: String] = [
        1: "Identity", 2: "Notification", 3: "Nak", 4: "MD5", 5: "OTP", 6: "GTC", 13: "TLS", 18: "SIM", 21: "TTLS", 23: "AKA", 25: "PEAP",
        26: "MSCHAPv2", 43: "FAST", 50: "AKA'", 52: "PWD", 55: "TEAP",
    ]

    static func text(of octets: [UInt8]) -> String {
        guard let packet = try? EAPPacket(octets.span) else { return "\(octets.count) octets that are no EAP packet" }
        let code =
            switch packet.code {
            case .request: "Request"
            case .response: "Response"
            case .success: "Success"
            case .failure: "Failure"
            }
        let type = packet.type.map { " " + name(of: $0) } ?? ""
        return "EAP-\(code)\(type) id \(packet.identifier), \(octets.count) octets"
    }

    private static func name(of type: EAPType) -> String {
        guard type.vendor == 0 else { return "type \(type.vendor):\(type.number)" }
        return names[type.number] ?? "type \(type.number)"
    }
}
