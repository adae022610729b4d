internal import RadiusCore

/// Percent-encoding (RFC 3986 §2.1).
enum Percent {
    /// The text that `encoded` stands for.
    ///
    /// - Parameters:
    ///   - encoded: a segment of a path, or a name or value of a query.
    ///   - plusIsSpace: as in the query of a form.
    /// - Returns: nil for a broken escape, for octets that are not UTF-8 and for U+0000.
    static func decode(_ encoded: Substring, plusIsSpace: Bool = false) -> String? {
        var octets: [UInt8] = []
        var rest = encoded.utf8.makeIterator()
        while let octet = rest.next() {
            switch octet {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(Hexadecimal.digit), let low = rest.next().flatMap(Hexadecimal.digit) else {
                    return nil
                }
                octets.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: octets.append(0x20)
            default: octets.append(octet)
            }
        }
        guard !octets.contains(0) else { return nil }
        return String(validating: octets, as: UTF8.self)
    }

    /// `text` with all but unreserved characters escaped.
    static func encode(_ text: String) -> String {
        var output: [UInt8] = []
        for octet in text.utf8 {
            if isUnreserved(octet) {
                output.append(octet)
            } else {
                output.append(contentsOf: [UInt8(ascii: "%"), hexadecimal[Int(octet >> 4)], hexadecimal[Int(octet & 15)]])
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static let hexadecimal = [UInt8]("0123456789ABCDEF".utf8)

    private static func isUnreserved(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }
}
