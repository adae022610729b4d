/// The octets by which lines are compared: those on the wire without what NASes put around them.
///
/// - The header of the DHCP sub-option, where it came along (RFC 3046 §2.0: number, then length of the rest), goes.
/// - Text loses white space and zeros at its ends. Text is what is printable ASCII then.
/// - Anything else is binary and stays as it is. Nothing is folded: case matters.
enum BoundOctets {
    /// The part of `range` that counts.
    static func trimmed(_ packet: UnsafePointer<UInt8>, _ range: Range<Int>, _ kind: BindingKind) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        // As often as there is one: what is left shall read the same again.
        while end &- start > 2, packet[start] == subOption(kind), Int(packet[start &+ 1]) == end &- start &- 2 { start &+= 2 }
        let whole = start..<end
        while start < end, isPadding(packet[start]) { start &+= 1 }
        while start < end, isPadding(packet[end &- 1]) { end &-= 1 }
        for position in start..<end where packet[position] < 0x20 || packet[position] > 0x7e { return whole }
        return start..<end
    }

    /// The same for octets that stand by themselves.
    static func trimmed(_ octets: [UInt8], _ kind: BindingKind) -> [UInt8] {
        octets.withUnsafeBufferPointer { octets in
            guard let start = octets.baseAddress else { return [] }
            return Array(octets[trimmed(start, 0..<octets.count, kind)])
        }
    }

    /// What an operator wrote: `0x` and digits are octets, anything else is text. Nil for digits that are none, and for nothing at all.
    static func octets(_ text: String, _ kind: BindingKind) -> [UInt8]? {
        let octets = text.hasPrefix("0x") ? OctetText.octets(hexadecimal: text) : Array(text.utf8)
        guard let octets else { return nil }
        let kept = trimmed(octets, kind)
        return kept.isEmpty ? nil : kept
    }

    /// The opposite: what `octets` reads as the same.
    static func text(_ octets: [UInt8]) -> String {
        let isPlain = octets.allSatisfy { (0x20...0x7e).contains($0) } && !octets.starts(with: "0x".utf8)
        return isPlain ? String(decoding: octets, as: UTF8.self) : OctetText.hexadecimal(octets)
    }

    private static func isPadding(_ octet: UInt8) -> Bool { octet == 0 || octet == 0x20 || (0x09...0x0d).contains(octet) }

    private static func subOption(_ kind: BindingKind) -> UInt8 {
        switch kind {
        case .circuit: 1
        case .remote: 2
        case .mac, .port: 0
        }
    }
}
