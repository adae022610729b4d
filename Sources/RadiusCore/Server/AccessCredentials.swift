/// Which proof of a password an Access-Request carries, and where.
struct AccessCredentials {
    /// Microsoft's Private Enterprise Number (RFC 2548).
    static let microsoft: UInt32 = 311
    private static let msCHAPResponse: UInt32 = 1
    private static let msCHAPChallenge: UInt32 = 11
    private static let msCHAP2Response: UInt32 = 25

    var password: Range<Int>?
    var chapPassword: Range<Int>?
    /// nil means that the Request Authenticator is the challenge (RFC 2865 §5.3).
    var chapChallenge: Range<Int>?
    var msResponse: Range<Int>?
    var ms2Response: Range<Int>?
    var msChallenge: Range<Int>?
    var hasEAP: Bool

    init(_ packet: Span<UInt8>, _ index: borrowing AttributeIndex) {
        password = index.first(AttributeNumber.userPassword)?.range
        chapPassword = index.first(AttributeNumber.chapPassword)?.range
        chapChallenge = index.first(AttributeNumber.chapChallenge)?.range
        hasEAP = index.contains(AttributeNumber.eapMessage)
        var next = 0
        while let position = index.position(of: AttributeNumber.vendorSpecific, from: next) {
            readVendor(index[position], packet)
            next = position + 1
        }
    }

    private mutating func readVendor(_ attribute: AttributeLocation, _ packet: Span<UInt8>) {
        guard attribute.count > 4, Self.vendor(of: attribute, packet) == Self.microsoft else { return }
        var cursor = AttributeCursor(attribute.offset + 4..<attribute.range.upperBound)
        while let member = cursor.next(in: packet) {
            switch member.type {
            case Self.msCHAPResponse: msResponse = msResponse ?? member.range
            case Self.msCHAP2Response: ms2Response = ms2Response ?? member.range
            case Self.msCHAPChallenge: msChallenge = msChallenge ?? member.range
            default: break
            }
        }
    }

    private static func vendor(of attribute: AttributeLocation, _ packet: Span<UInt8>) -> UInt32 {
        var number: UInt32 = 0
        for offset in 0..<4 { number = number << 8 | UInt32(packet[attribute.offset + offset]) }
        return number
    }

    /// How many methods stand side by side; only one may (RFC 2865 §4.1).
    var count: Int {
        (password == nil ? 0 : 1) + (chapPassword == nil ? 0 : 1) + (msResponse == nil ? 0 : 1) + (ms2Response == nil ? 0 : 1)
            + (hasEAP ? 1 : 0)
    }

    var method: AuthenticationMethod {
        if hasEAP { return .eap }
        if ms2Response != nil { return .msCHAPv2 }
        if msResponse != nil { return .msCHAP }
        if chapPassword != nil { return .chap }
        return password != nil ? .pap : .none
    }
}
