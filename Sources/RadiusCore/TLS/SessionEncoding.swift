internal import COpenSSL

/// A session as octets, without the peer's certificate: OpenSSL 3.0 takes five times as long to decode one as all the rest of a resumption.
enum SessionEncoding {
    /// The field `peer` of OpenSSL's own ASN.1 structure.
    private static let peerTag: UInt8 = 0xa3
    private static let sequenceTag: UInt8 = 0x30

    /// DER of `session` (an `SSL_SESSION *`); nil when OpenSSL cannot encode it.
    static func octets(of session: OpaquePointer) -> [UInt8]? {
        let count = Int(i2d_SSL_SESSION(session, nil))
        guard count > 0 else { return nil }
        let octets = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            var end = buffer.baseAddress
            filled = max(0, Int(i2d_SSL_SESSION(session, &end)))
        }
        return withoutPeer(octets)
    }

    /// The sequence without its field `peer`; nil when it is not as OpenSSL writes it.
    static func withoutPeer(_ octets: [UInt8]) -> [UInt8]? {
        guard octets.first == sequenceTag, let whole = content(of: octets, at: 0), whole.upperBound == octets.count else { return nil }
        var kept: [UInt8] = []
        var position = whole.lowerBound
        while position < whole.upperBound {
            guard let field = content(of: octets, at: position) else { return nil }
            if octets[position] != peerTag { kept += octets[position..<field.upperBound] }
            position = field.upperBound
        }
        return [sequenceTag] + length(kept.count) + kept
    }

    /// Where the content of the element at `position` is (X.690 §8.1, definite lengths, one octet of tag).
    private static func content(of octets: [UInt8], at position: Int) -> Range<Int>? {
        guard position + 2 <= octets.count else { return nil }
        let first = Int(octets[position + 1])
        guard first >= 0x80 else {
            let end = position + 2 + first
            return end <= octets.count ? position + 2..<end : nil
        }
        let digits = first & 0x7f
        guard (1...4).contains(digits), position + 2 + digits <= octets.count else { return nil }
        let start = position + 2 + digits
        let count = octets[position + 2..<start].reduce(0) { $0 << 8 | Int($1) }
        return start + count <= octets.count ? start..<start + count : nil
    }

    private static func length(_ count: Int) -> [UInt8] {
        if count < 0x80 { return [UInt8(count)] }
        if count < 0x100 { return [0x81, UInt8(count)] }
        if count < 0x10000 { return [0x82, UInt8(count >> 8), UInt8(count & 0xff)] }
        return [0x83, UInt8(truncatingIfNeeded: count >> 16), UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
    }
}
