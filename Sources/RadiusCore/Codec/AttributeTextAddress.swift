/// IP addresses and prefixes as text (RFC 1166 dotted decimal, RFC 4291 §2.2, RFC 5952).
public enum AddressText {
    /// Four octets from dotted decimal; nil unless four numbers of 0...255 without leading zeros.
    public static func ipv4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var octets: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            guard let number = NumberText.decimal(part), number <= 255 else { return nil }
            octets.append(UInt8(number))
        }
        return octets
    }

    /// Dotted decimal of four octets; nil for another count.
    public static func text(ipv4 octets: [UInt8]) -> String? {
        guard octets.count == 4 else { return nil }
        return "\(octets[0]).\(octets[1]).\(octets[2]).\(octets[3])"
    }

    /// Sixteen octets from any form of RFC 4291 §2.2; nil for anything else, a zone index too.
    public static func ipv6(_ text: some StringProtocol) -> [UInt8]? {
        let bytes = Array(text.utf8)
        guard (2...45).contains(bytes.count) else { return nil }
        let colon = UInt8(ascii: ":")
        let gap = bytes.indices.dropLast().first { bytes[$0] == colon && bytes[$0 + 1] == colon }
        guard let gap else {
            guard let octets = groups(bytes[...], endsWithIPv4: true), octets.count == 16 else { return nil }
            return octets
        }
        guard let head = groups(bytes[..<gap], endsWithIPv4: false), let tail = groups(bytes[(gap + 2)...], endsWithIPv4: true) else {
            return nil
        }
        guard head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// Groups of up to four hexadecimal digits between colons, the last perhaps an IPv4 address.
    private static func groups(_ text: ArraySlice<UInt8>, endsWithIPv4: Bool) -> [UInt8]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var octets: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if endsWithIPv4, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let address = ipv4(String(decoding: part, as: UTF8.self)) else { return nil }
                octets += address
                continue
            }
            guard (1...4).contains(part.count), let group = NumberText.hexadecimal(part) else { return nil }
            octets += [UInt8(truncatingIfNeeded: group >> 8), UInt8(truncatingIfNeeded: group)]
        }
        return octets
    }

    /// The canonical text of RFC 5952 §4 and, for IPv4-mapped addresses, §5; nil unless there are 16 octets.
    public static func text(ipv6 octets: [UInt8]) -> String? {
        guard octets.count == 16 else { return nil }
        if octets[..<10].allSatisfy({ $0 == 0 }), octets[10] == 0xff, octets[11] == 0xff, let mapped = text(ipv4: Array(octets[12...])) {
            return "::ffff:" + mapped
        }
        let groups = (0..<8).map { UInt16(octets[$0 * 2]) << 8 | UInt16(octets[$0 * 2 + 1]) }
        let gap = longestZeros(groups)
        guard gap.count >= 2 else { return joined(groups[...]) }
        return joined(groups[..<gap.lowerBound]) + "::" + joined(groups[gap.upperBound...])
    }

    private static func joined(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    /// The longest run of zero groups, the first of equals.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start > longest.count { longest = start..<index }
            start = index + 1
        }
        return longest
    }

    /// Address octets and prefix length from `address/length`; without a length, the whole address. Nil when it is neither.
    public static func prefix(_ text: some StringProtocol, octets: Int) -> (address: [UInt8], length: Int)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first else { return nil }
        guard let address = octets == 4 ? ipv4(first) : ipv6(first) else { return nil }
        guard parts.count == 2 else { return (address, octets * 8) }
        guard let length = NumberText.decimal(parts[1].utf8), length <= octets * 8 else { return nil }
        return (address, Int(length))
    }

    /// Whether every bit of `address` beyond `length` is zero (RFC 8044 §3.10, §3.11).
    public static func hasZeroHostBits(_ address: [UInt8], length: Int) -> Bool {
        for (index, octet) in address.enumerated() where index * 8 + 8 > length {
            let kept = max(0, length - index * 8)
            if octet & (0xff >> UInt8(kept)) != 0 { return false }
        }
        return true
    }
}
