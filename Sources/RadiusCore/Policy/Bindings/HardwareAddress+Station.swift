extension HardwareAddress {
    /// The hardware address that a Calling-Station-Id tells, however the NAS spells it; nil where it tells none, such as a telephone
    /// number, a line's name, or zeros.
    ///
    /// Twelve digits in groups of two, four, six or all (`00:53:00:12:34:56`, `0053.0012.3456`, `005300-123456`); groups of two may lack
    /// a leading zero (`0:53:0:12:34:56`); a DHCP client identifier has `1:` or `01` in front (RFC 2132 §9.14); six octets may come as they
    /// are, unless they read as text. White space and zeros around it count for nothing.
    init?(station packet: UnsafePointer<UInt8>, _ range: Range<Int>) {
        if range.count == 6, range.contains(where: { !(0x20...0x7e).contains(packet[$0]) }) {
            let value = range.reduce(UInt64(0)) { $0 << 8 | UInt64(packet[$1]) }
            guard value != 0 else { return nil }
            self.init(value: value)
            return
        }
        var digits = StationDigits()
        for position in BoundOctets.trimmed(packet, range, .mac) {
            guard digits.take(packet[position]) else { return nil }
        }
        guard let value = digits.value, value != 0 else { return nil }
        self.init(value: value)
    }

    /// The same of a text.
    init?(station text: String) {
        var text = text
        let found = text.withUTF8 { octets in
            octets.baseAddress.flatMap { HardwareAddress(station: $0, 0..<octets.count) }
        }
        guard let found else { return nil }
        self = found
    }

    init(value: UInt64) { self.value = value }
}

/// A hardware address that is read digit by digit.
private struct StationDigits {
    private var read: UInt64 = 0
    private var total = 0
    private var groups = 0
    private var group: UInt64 = 0
    private var count = 0
    private var shortest = Int.max
    private var longest = 0
    private var first: UInt64 = 0

    /// Whether the address can go on like that.
    mutating func take(_ octet: UInt8) -> Bool {
        if let digit = Hexadecimal.digit(octet) {
            group = group << 4 | UInt64(digit)
            count &+= 1
            total &+= 1
            return total <= 14
        }
        guard octet == UInt8(ascii: ":") || octet == UInt8(ascii: "-") || octet == UInt8(ascii: ".") || octet == UInt8(ascii: " "),
            count > 0, groups < 6
        else { return false }
        endGroup()
        return true
    }

    private mutating func endGroup() {
        if groups == 0 { first = group }
        // A group of one or two digits is an octet.
        read = read << UInt64(count <= 2 ? 8 : 4 &* count) | group
        shortest = min(shortest, count)
        longest = max(longest, count)
        groups &+= 1
        (group, count) = (0, 0)
    }

    /// What was read; nil unless it is an address.
    var value: UInt64? {
        var whole = self
        guard count > 0 else { return nil }
        whole.endGroup()
        let address = whole.read & 0xffff_ffff_ffff
        switch (whole.groups, whole.shortest, whole.longest) {
        case (1, 12, 12), (2, 6, 6), (3, 4, 4), (6, _, 1...2): return address
        case (1, 14, 14): return whole.read >> 48 == 1 ? address : nil
        case (7, _, 1...2): return whole.first == 1 ? address : nil
        default: return nil
        }
    }
}
