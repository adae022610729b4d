internal import Glibc

/// What a new certificate shall say.
public struct CertificateRequest: Sendable {
    public var kind: CertificateKind
    public var commonName: String
    /// The stem of its file names; unique among certificates in force.
    public var name: String
    public var organization: String?
    public var dnsNames: [String] = []
    public var ipAddresses: [String] = []
    public var emailAddresses: [String] = []
    public var userPrincipalNames: [String] = []
    public var naiRealms: [String] = []
    /// Adds id-kp-eapOverLAN (RFC 4334 §2) to the usages.
    public var isForEAPOverLAN = false
    public var keyType = KeyType.ecdsaP256
    /// Days of validity from now, 1...36500.
    public var days = 397

    public init(kind: CertificateKind, commonName: String, name: String? = nil) {
        self.kind = kind
        self.commonName = commonName
        self.name = name ?? Self.fileName(for: commonName)
    }

    /// A file name that tells what `commonName` does: letters, digits, `.`, `-`, `_` and `@` stay, all else becomes `-`.
    public static func fileName(for commonName: String) -> String {
        let kept = String(commonName.map { isFileNameCharacter($0) ? $0 : "-" }.prefix(100))
        return kept.hasPrefix(".") || kept.hasPrefix("-") ? "_" + kept.dropFirst() : kept
    }

    private static func isFileNameCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || ".-_@".contains(character))
    }

    /// - Throws: `CertificateFailure` that names the value and what is allowed.
    func validate() throws(CertificateFailure) {
        try Self.validate(commonName, "the common name", most: 64)
        if let organization { try Self.validate(organization, "the organization", most: 64) }
        guard !name.isEmpty, name == Self.fileName(for: name) else {
            throw CertificateFailure(
                .invalid, "“\(name)” is no name for files", next: "Use at most 100 letters, digits, and . - _ @, not starting with . or -.")
        }
        guard (1...36500).contains(days) else { throw CertificateFailure(.invalid, "\(days) days of validity: 1 to 36500 are possible") }
        for dnsName in dnsNames { try Self.validateDNSName(dnsName) }
        for address in ipAddresses where Self.octets(ofAddress: address) == nil {
            throw CertificateFailure(.invalid, "“\(address)” is no IP address", next: "Write it like 192.0.2.1 or 2001:db8::1.")
        }
        for address in emailAddresses { try Self.validateMailbox(address, "an e-mail address") }
        for name in userPrincipalNames { try Self.validateMailbox(name, "a user principal name") }
        for realm in naiRealms { try Self.validateDNSName(realm) }
        try validateCount()
    }

    private func validateCount() throws(CertificateFailure) {
        let count = dnsNames.count + ipAddresses.count + emailAddresses.count + userPrincipalNames.count + naiRealms.count
        guard count <= 100 else {
            throw CertificateFailure(.invalid, "\(count) names in one certificate: 100 are possible", next: "Issue several.")
        }
    }

    /// `most`: octets; X.520 bounds common names and organizations by 64 characters.
    static func validate(_ text: String, _ what: String, most: Int) throws(CertificateFailure) {
        let isClean = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value) }
        guard !text.isEmpty, text.utf8.count <= most, isClean, !text.hasPrefix(" "), !text.hasSuffix(" ") else {
            throw CertificateFailure(
                .invalid, "\(what) is empty, longer than \(most) octets, or has control characters or blanks at its ends")
        }
    }

    private static func validateDNSName(_ name: String) throws(CertificateFailure) {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isName =
            name.utf8.count <= 253
            && labels.enumerated().allSatisfy { position, label in
                let isWildcard = position == 0 && label == "*" && labels.count > 2
                let isLabel = label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
                return isWildcard || (1...63).contains(label.utf8.count) && isLabel && !label.hasPrefix("-") && !label.hasSuffix("-")
            }
        guard isName else {
            throw CertificateFailure(
                .invalid, "“\(name)” is no DNS name", next: "Write it like radius.example.net; names beyond ASCII in their xn-- form.")
        }
    }

    private static func validateMailbox(_ text: String, _ what: String) throws(CertificateFailure) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isPrintable = text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), isPrintable, text.utf8.count <= 253 else {
            throw CertificateFailure(.invalid, "“\(text)” is not \(what)", next: "Write it like alice@example.net.")
        }
    }

    /// The octets of an address in text, 4 or 16.
    static func octets(ofAddress text: String) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &octets) == 1 { return Array(octets.prefix(4)) }
        return inet_pton(AF_INET6, text, &octets) == 1 ? octets : nil
    }

    /// Whether `text` could be a DNS name with a dot in it.
    public static func isDNSName(_ text: String) -> Bool {
        text.contains(".") && octets(ofAddress: text) == nil && (try? validateDNSName(text)) != nil
    }
}
