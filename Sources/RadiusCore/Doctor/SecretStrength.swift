/// How hard a shared secret is to guess. Whoever records one packet can try secrets without asking anybody (RFC 2865 §8).
enum SecretStrength {
    /// RFC 2865 §3 wants 16 octets or more.
    private static let goodCount = 16
    private static let poorCount = 8
    private static let leastDistinct = 5

    /// What documentation, default configurations and word lists begin with; also with digits or signs behind.
    private static let words: Set<String> = [
        "secret", "mysecret", "sharedsecret", "radsecret", "topsecret", "supersecret", "testing", "test", "radius", "freeradius",
        "password",
        "passw0rd", "p@ssw0rd", "admin", "administrator",
        "cisco", "mikrotik", "juniper", "huawei", "ubnt", "ubiquiti", "router", "switch",
        "wifi", "wireless", "internet", "network", "default", "changeme", "change", "qwerty", "qwertyuiop", "letmein", "welcome", "company",
        "server", "client", "access", "hotspot", "public", "private", "community", "key", "psk", "wpa", "abc", "qwe", "asdf", "zxcv",
        "accel", "pppoe", "lastmile", "whatever", "xyzzy", "provider", "billing",
    ]

    static func findings(_ facts: NASFacts) -> [NASFinding] {
        let client = facts.client
        let secret = client.secret.bytes
        let mend =
            "Make a new one (openssl rand -base64 24), set it on the NAS, then: lastmile nas update \(client.name) --secret NEW"
        var found: [NASFinding] = []
        if isGuessable(secret, names: [client.name, client.vendor.name]) {
            found.append(
                NASFinding(.problem, "secret_guessable", "The shared secret is one of those that are tried first.", do: mend))
        } else if isRepetitive(secret) {
            found.append(
                NASFinding(
                    .problem, "secret_repetitive", "The shared secret repeats itself or follows the alphabet's or the keyboard's order.",
                    do: mend))
        }
        if secret.count < goodCount {
            found.append(
                NASFinding(
                    secret.count < poorCount ? .problem : .warning, "secret_short",
                    "The shared secret has \(secret.count) characters; 16 or more at random are safe.", do: mend))
        }
        if let first = facts.sharesSecretWith.first {
            let others = facts.sharesSecretWith.count - 1
            found.append(
                NASFinding(
                    .warning, "secret_shared",
                    "\(first)\(others > 0 ? " and \(others) more NAS have" : " has") the same shared secret: who opens one opens all.",
                    do: "Give each NAS its own. " + mend))
        }
        return found
    }

    /// The first thing that makes `secret` easy to find; nil: nothing does.
    static func flaw(of secret: [UInt8], names: [String]) -> String? {
        if isGuessable(secret, names: names) { return "guessable" }
        if isRepetitive(secret) { return "repetitive" }
        return secret.count < goodCount ? "short" : nil
    }

    static func isGuessable(_ secret: [UInt8], names: [String]) -> Bool {
        let text = String(decoding: secret, as: UTF8.self).lowercased()
        let bare = trimmed(text)
        if bare.isEmpty { return true }
        let known = words.union(names.map { $0.lowercased() }).union(names.map { trimmed($0.lowercased()) })
        if known.contains(text) || known.contains(bare) { return true }
        // Two of them in a row, such as radiussecret.
        return bare.indices.dropFirst().contains { cut in
            words.contains(String(bare[..<cut])) && words.contains(trimmed(String(bare[cut...])))
        }
    }

    /// Without the digits and signs around a word.
    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while let last = text.last, !last.isLetter { text = text.dropLast() }
        while let first = text.first, !first.isLetter { text = text.dropFirst() }
        return String(text)
    }

    static func isRepetitive(_ secret: [UInt8]) -> Bool {
        if Set(secret).count < min(leastDistinct, max(2, secret.count)) { return true }
        let count = secret.count
        let isPeriodic =
            count >= 4
            && (1...max(1, count / 2)).contains { period in
                secret.indices.dropFirst(period).allSatisfy { secret[$0] == secret[$0 - period] }
            }
        return isPeriodic || isRun(secret, step: 1) || isRun(secret, step: -1) || isKeyboardRow(secret)
    }

    /// At least half of the characters follow the one before, such as in `0123456789abcdef0`.
    private static func isRun(_ secret: [UInt8], step: Int) -> Bool {
        let followers = secret.indices.dropFirst().count(where: { Int(secret[$0]) - Int(secret[$0 - 1]) == step })
        return secret.count >= 4 && followers * 2 >= secret.count
    }

    private static func isKeyboardRow(_ secret: [UInt8]) -> Bool {
        let text = String(decoding: secret, as: UTF8.self).lowercased()
        let rows = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1q2w3e4r5t6y7u8i9o0p", "qwertyuiopasdfghjklzxcvbnm"]
        return text.count >= 4 && rows.contains { $0.contains(text) || String($0.reversed()).contains(text) }
    }
}

extension HomeServer {
    /// `guessable`, `repetitive` or `short`, as the doctor says of a NAS's secret; nil for one that is good, or that is not the proof
    /// since certificates are.
    public var secretFlaw: String? { transport.isProtected ? nil : SecretStrength.flaw(of: secret.bytes, names: [name]) }
}
