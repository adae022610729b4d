import RadiusCore

/// Addresses as the interface takes and answers them.
enum Address {
    /// An IPv4 address in canonical text.
    static func ipv4(_ text: String) -> String? { AddressText.ipv4(text).flatMap { AddressText.text(ipv4: $0) } }

    /// `address/length` in canonical text, the bits behind the length cleared; a lone address is a network of one.
    static func network(_ text: String) -> String? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count) else { return nil }
        let isIPv4 = AddressText.ipv4(parts[0]) != nil
        guard var octets = AddressText.ipv4(parts[0]) ?? AddressText.ipv6(parts[0]) else { return nil }
        var length = octets.count * 8
        if parts.count == 2 {
            guard let given = isIPv4 ? length4(parts[1]) : Int(parts[1]), (0...length).contains(given) else { return nil }
            length = given
        }
        for index in octets.indices {
            let kept = min(8, max(0, length - index * 8))
            octets[index] &= UInt8(truncatingIfNeeded: 0xFF00 >> kept)
        }
        let canonical = isIPv4 ? AddressText.text(ipv4: octets) : AddressText.text(ipv6: octets)
        return canonical.map { "\($0)/\(length)" }
    }

    /// A host name of DNS, as the interface takes one.
    static func isHostName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let fits = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == 0x2D || $0 == 0x5F }
        }
        return fits && text.utf8.count <= 253 && labels.last?.allSatisfy(\.isNumber) == false
    }

    /// A length, or a mask such as 255.255.255.0.
    private static func length4(_ text: Substring) -> Int? {
        if let length = Int(text) { return length }
        guard let mask = AddressText.ipv4(text) else { return nil }
        let bits = mask.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let length = (~bits).leadingZeroBitCount
        return length == 32 || bits << UInt32(length) == 0 ? length : nil
    }

    /// Twelve hexadecimal digits, whole or in groups, as `00:53:00:12:34:56`; nil for any other text.
    static func hardware(_ text: String) -> String? {
        let digits = text.lowercased().filter { $0.isASCII && $0.isHexDigit }
        let others = text.filter { !($0.isASCII && $0.isHexDigit) }
        guard digits.utf8.count == 12, others.count <= 5, others.allSatisfy({ ":-.".contains($0) }) else { return nil }
        return stride(from: 0, to: 12, by: 2).map { String(digits.dropFirst($0).prefix(2)) }.joined(separator: ":")
    }
}
