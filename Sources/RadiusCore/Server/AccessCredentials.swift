/// Which proof of a password an Access-Request carries, and where.
struct AccessCredentials {
    /// Microsoft's Private Enterprise Number (RFC 2548).
    static let microsoft: UInt32 = 311
    private static let msCHAPResponse: UInt8 = 1
    private static let msCHAPChallenge: UInt8 = 11
    private static let msCHAP2Response: UInt8 = 25

    var password: Range<Int>?
    var chapPassword: Range<Int>?
    /// nil means that the Request Authenticator is the challenge (RFC 2865 §5.3).
    var chapChallenge: Range<Int>?
    var msResponse: Range<Int>?
    var ms2Response: Range<Int>?
    var msChallenge: Range<Int>?
    var hasEAP: Bool

    init(_ request: RequestAttributes) {
        password = request.first(.userPassword)
        chapPassword = request.first(.chapPassword)
        chapChallenge = request.first(.chapChallenge)
        hasEAP = request.contains(.eapMessage)
        var next = request.first(.vendorSpecific)
        while let attribute = next {
            readVendor(attribute, request)
            next = request.next(.vendorSpecific, after: attribute)
        }
    }

    private mutating func readVendor(_ attribute: Range<Int>, _ request: RequestAttributes) {
        guard attribute.count > 4, Self.vendor(request.packet + attribute.lowerBound) == Self.microsoft else { return }
        var offset = attribute.lowerBound + 4
        // What does not parse is opaque (RFC 2865 §5.26).
        while attribute.upperBound - offset >= 2 {
            let length = Int(request.packet[offset + 1])
            guard length >= 2, length <= attribute.upperBound - offset else { return }
            let value = offset + 2..<offset + length
            switch request.packet[offset] {
            case Self.msCHAPResponse: msResponse = msResponse ?? value
            case Self.msCHAP2Response: ms2Response = ms2Response ?? value
            case Self.msCHAPChallenge: msChallenge = msChallenge ?? value
            default: break
            }
            offset += length
        }
    }

    private static func vendor(_ octets: UnsafePointer<UInt8>) -> UInt32 {
        UInt32(bigEndian: UnsafeRawPointer(octets).loadUnaligned(as: UInt32.self))
    }

    var isMSCHAP: Bool { msResponse != nil || ms2Response != nil }

    /// How many proofs of a password stand side by side, EAP left aside; only one may (RFC 2865 §4.1), and beside EAP none.
    var count: Int {
        (password == nil ? 0 : 1) + (chapPassword == nil ? 0 : 1) + (msResponse == nil ? 0 : 1) + (ms2Response == nil ? 0 : 1)
    }

    var method: AuthenticationMethod {
        if hasEAP { return .eap }
        if ms2Response != nil { return .msCHAPv2 }
        if msResponse != nil { return .msCHAP }
        if chapPassword != nil { return .chap }
        return password != nil ? .pap : .none
    }
}
