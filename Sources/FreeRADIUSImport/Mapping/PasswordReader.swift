internal import RadiusCore

/// Finds the password that a subscriber can have among check items.
struct PasswordReader {
    private(set) var password: ImportedSubscriber.Password?
    private(set) var remarks: [Remark] = []
    /// There was a password item, whether or not it can be carried over.
    private(set) var hasItem = false

    private let subject: String

    init(_ control: [SourcePair], subject: String) {
        self.subject = subject
        let items = control.filter { ServerAttribute.isPassword($0.key) && $0.key != "smb-account-ctrl-text" }
        hasItem = !items.isEmpty
        var best: (rank: Int, password: ImportedSubscriber.Password)?
        for item in items {
            guard let found = read(item) else { continue }
            let rank = Self.rank(found)
            if best.map({ rank < $0.rank }) ?? true { best = (rank, found) }
        }
        password = best?.password
        // Another form of a password that is carried over is no loss.
        if password != nil { remarks.removeAll { $0.level == .lost } }
    }

    private static func rank(_ password: ImportedSubscriber.Password) -> Int {
        switch password {
        case .clear: 0
        case .nt: 1
        case .hash: 2
        }
    }

    private mutating func lose(
        _ item: SourcePair, _ why: String, _ advice: String = "Set a password: `lastmile subscriber update NAME --password ...`."
    ) {
        remarks.append(Remark(.lost, item.place, subject, item.attribute, why, advice))
    }

    private mutating func read(_ item: SourcePair) -> ImportedSubscriber.Password? {
        if item.isExpanded {
            lose(item, "FreeRADIUS computes it at each login")
            return nil
        }
        switch item.key {
        case "cleartext-password", "user-password":
            if item.operation == .isEqual {
                remarks.append(
                    Remark(
                        .note, item.place, subject, item.attribute, "== compares instead of setting; it was taken as the user's password"))
            }
            return clear(item, item.value)
        case "nt-password": return nt(item, item.value)
        case "crypt-password": return crypt(item, item.value)
        case "password-with-header": return headed(item)
        default:
            lose(item, "Lastmile does not verify hashes of this scheme")
            return nil
        }
    }

    private mutating func clear(_ item: SourcePair, _ value: String) -> ImportedSubscriber.Password? {
        let reason: String? =
            if value.isEmpty {
                "the password is empty"
            } else if value.utf8.count > 128 {
                "the password has more than 128 octets (RFC 2865 §5.2)"
            } else if value.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) {
                "the password holds control characters"
            } else {
                nil
            }
        if let reason {
            lose(item, reason)
            return nil
        }
        return .clear(value)
    }

    /// Hexadecimal with or without 0x, or base64.
    private mutating func nt(_ item: SourcePair, _ value: String) -> ImportedSubscriber.Password? {
        let digits = value.lowercased().hasPrefix("0x") ? value.dropFirst(2) : value[...]
        if digits.utf8.count == 32, Hexadecimal.octets(digits.utf8) != nil { return .nt(digits.lowercased()) }
        if let octets = Base64.standard.octets(of: value), octets.count == 16 { return .nt(Hexadecimal.text(octets)) }
        lose(item, "an NT hash has 32 hexadecimal digits")
        return nil
    }

    private mutating func crypt(_ item: SourcePair, _ value: String) -> ImportedSubscriber.Password? {
        if let scheme = Self.schemes.first(where: { value.hasPrefix($0.prefix) }) {
            let isPrintable = value.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            let digest = value.utf8.split(separator: UInt8(ascii: "$")).last?.count ?? 0
            if isPrintable, (13...383).contains(value.utf8.count), scheme.digest == nil || digest == scheme.digest { return .hash(value) }
            lose(item, "this is no whole hash of its scheme \(scheme.prefix)")
            return nil
        }
        let why =
            value.hasPrefix("$")
            ? "Lastmile does not verify hashes of this scheme"
            : "traditional DES crypt is too weak to be taken over; $id$ schemes are taken"
        lose(item, why)
        return nil
    }

    /// Schemes of crypt(5), and the octets behind the last dollar sign where they are always as many; with bcrypt those of the salt, too.
    private static let schemes: [(prefix: String, digest: Int?)] = [
        ("$1$", 22), ("$2a$", 53), ("$2b$", 53), ("$2y$", 53), ("$5$", 43), ("$6$", 86), ("$y$", 43), ("$argon2i$", nil),
        ("$argon2d$", nil), ("$argon2id$", nil),
    ]

    /// `{scheme}value`; without a header it is clear text, as FreeRADIUS takes it.
    private mutating func headed(_ item: SourcePair) -> ImportedSubscriber.Password? {
        guard item.value.hasPrefix("{"), let end = item.value.firstIndex(of: "}") else { return clear(item, item.value) }
        let value = String(item.value[item.value.index(after: end)...])
        switch item.value[..<end].dropFirst().lowercased() {
        case "clear", "cleartext": return clear(item, value)
        case "nt", "nthash", "x-nthash": return nt(item, value)
        case "crypt", "x-bcrypt", "bcrypt": return crypt(item, value)
        default:
            lose(item, "Lastmile does not verify hashes of this scheme")
            return nil
        }
    }
}
