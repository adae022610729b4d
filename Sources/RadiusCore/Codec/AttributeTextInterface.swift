/// Interface identifiers, MAC addresses and truth values as text.
enum InterfaceText {
    /// Four groups of hexadecimal digits without leading zeros (RFC 8044 §3.7); nil unless there are eight octets.
    static func text(interfaceID octets: [UInt8]) -> String? {
        guard octets.count == 8 else { return nil }
        return stride(from: 0, to: 8, by: 2).map { String(UInt16(octets[$0]) << 8 | UInt16(octets[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }

    /// Eight octets from four groups of 1...4 digits.
    static func interfaceID(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var octets: [UInt8] = []
        for part in parts {
            guard part.count <= 4, let group = NumberText.hexadecimal(part) else { return nil }
            octets += NumberText.octets(group, count: 2)
        }
        return octets
    }

    /// Six pairs of digits between colons; nil unless there are six octets.
    static func text(ethernet octets: [UInt8]) -> String? {
        guard octets.count == 6 else { return nil }
        return octets.map { Hexadecimal.text([$0]) }.joined(separator: ":")
    }

    /// Six octets from pairs of digits between colons or between hyphens.
    static func ethernet(_ text: some StringProtocol) -> [UInt8]? {
        let separator = text.contains("-") ? UInt8(ascii: "-") : UInt8(ascii: ":")
        let parts = text.utf8.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.count == 6 else { return nil }
        var octets: [UInt8] = []
        for part in parts {
            guard part.count == 2, let octet = NumberText.hexadecimal(part) else { return nil }
            octets.append(UInt8(octet))
        }
        return octets
    }

    /// One octet, 0 or 1.
    static func bool(_ text: some StringProtocol) -> [UInt8]? {
        switch text.lowercased() {
        case "yes", "true", "1": [1]
        case "no", "false", "0": [0]
        default: nil
        }
    }
}
