/// Whom a peer's certificate must name for a client (RFC 6614 §2.3): a DNS name, an address, or one certificate by its
/// fingerprint; or which key it must have instead.
public enum TLSIdentity: Sendable, Equatable, CustomStringConvertible {
    /// In lower case; a name that begins with `*.` stands for one label more.
    case name(String)
    case address(IPAddress)
    /// SHA-256 of the certificate.
    case fingerprint([UInt8])
    /// The name of a key that was shared beforehand.
    case presharedKey(String)

    private static let fingerprintPrefix = "sha256:"
    private static let keyPrefix = "psk:"

    /// Reads `gw1.example.net`, `*.pop3.example.net`, `192.0.2.1`, `psk:gw1`, or `sha256:` and 64 hexadecimal digits, with colons or without;
    /// nil for anything else.
    public init?(text: String) {
        if let address = IPAddress(text: text) {
            self = .address(address)
        } else if text.lowercased().hasPrefix(Self.fingerprintPrefix) {
            guard let octets = Self.octets(text.dropFirst(Self.fingerprintPrefix.count)) else { return nil }
            self = .fingerprint(octets)
        } else if text.hasPrefix(Self.keyPrefix) {
            guard text.utf8.count > Self.keyPrefix.utf8.count else { return nil }
            self = .presharedKey(String(text.dropFirst(Self.keyPrefix.count)))
        } else {
            guard Self.isName(text) else { return nil }
            self = .name(text.lowercased())
        }
    }

    /// Reads several with blanks or commas between; nil when one of them is none.
    public static func list(_ text: String) -> [TLSIdentity]? {
        let words = words(text)
        let identities = words.compactMap { TLSIdentity(text: $0) }
        return identities.count == words.count ? identities : nil
    }

    /// Why `text` names nobody: which of its words is wrong, and what would be possible; nil when it is a list that names somebody.
    public static func flaw(in text: String) -> String? {
        let possible =
            "possible are DNS names such as gw1.example.net or *.pop3.example.net, addresses, sha256: with 64 hexadecimal digits, and psk: "
            + "with the name of a key"
        let words = words(text)
        guard let wrong = words.firstIndex(where: { TLSIdentity(text: $0) == nil }) else {
            return words.isEmpty ? "nobody is named; " + possible : nil
        }
        return "word \(wrong + 1), “\(words[wrong])”, names nobody; " + possible
    }

    private static func words(_ text: String) -> [String] { text.split { $0 == " " || $0 == "," }.map(String.init) }

    public var description: String {
        switch self {
        case .name(let name): name
        case .address(let address): address.text
        case .fingerprint(let octets): Self.fingerprintPrefix + Hexadecimal.text(octets, uppercase: true)
        case .presharedKey(let name): Self.keyPrefix + name
        }
    }

    /// Whether `certificate` names it. The Common Name counts where the certificate has no DNS names (RFC 6125 §6.4.4).
    public func isNamed(by certificate: CertificateDescription) -> Bool {
        switch self {
        case .fingerprint(let octets): return certificate.fingerprint == octets
        case .presharedKey: return false
        case .address(let address): return certificate.names.ipAddresses.contains { IPAddress(text: $0) == address }
        case .name(let name):
            let names = certificate.names.dnsNames
            return (names.isEmpty ? [certificate.commonName].compactMap { $0 } : names).contains { Self.matches($0.lowercased(), name) }
        }
    }

    private static func matches(_ name: String, _ pattern: String) -> Bool {
        guard pattern.hasPrefix("*.") else { return name == pattern }
        guard let dot = name.firstIndex(of: "."), dot > name.startIndex else { return false }
        return name[dot...] == pattern.dropFirst()
    }

    private static func isName(_ text: String) -> Bool {
        let labels = (text.hasPrefix("*.") ? text.dropFirst(2) : text[...]).split(separator: ".", omittingEmptySubsequences: false)
        let isLabel = { (label: Substring) in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy { byte in
                    byte == 0x2d || byte == 0x5f || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                        || (0x61...0x7a).contains(byte)
                }
        }
        // An address that is none, such as 300.1.1.1. Any other digits may be a Common Name.
        let isNumeric = labels.count == 4 && labels.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        return text.utf8.count <= 253 && labels.allSatisfy(isLabel) && !isNumeric
    }

    private static func octets(_ text: Substring) -> [UInt8]? {
        guard let octets = Hexadecimal.octets(text.utf8.filter { $0 != UInt8(ascii: ":") }), octets.count == 32 else { return nil }
        return octets
    }
}
