/// What a peer says in a tunnel of TTLS: attributes in Diameter's form (RFC 5281 §10.1), those that log somebody in.
struct EAPTTLSAttributes: Equatable {
    /// The numbers of RADIUS and of RFC 2548.
    private enum Code {
        static let userName: UInt32 = 1
        static let userPassword: UInt32 = 2
        static let chapPassword: UInt32 = 3
        static let chapChallenge: UInt32 = 60
        static let eapMessage: UInt32 = 79
        static let msCHAPResponse: UInt32 = 1
        static let msCHAPChallenge: UInt32 = 11
        static let msCHAP2Response: UInt32 = 25
        static let msCHAP2Success: UInt32 = 26
    }

    private enum Flag {
        static let vendor: UInt8 = 0x80
        static let mandatory: UInt8 = 0x40
    }

    private static let microsoft: UInt32 = 311
    /// Codes below are RADIUS's; one that is not looked at, such as NAS-Port, changes nothing.
    private static let radiusCodes: UInt32 = 256

    var userName: [UInt8]?
    var password: [UInt8]?
    var chapPassword: [UInt8]?
    var chapChallenge: [UInt8]?
    var msCHAPChallenge: [UInt8]?
    var msCHAPResponse: [UInt8]?
    var msCHAP2Response: [UInt8]?
    /// Joined, should there be several.
    var eapMessage: [UInt8]?

    /// Reads all attributes; octets may be anything.
    ///
    /// Nil when one has an impossible length, comes twice, or is mandatory and not known here.
    init?(_ octets: [UInt8]) {
        var position = 0
        while position < octets.count {
            guard octets.count - position >= 8 else { return nil }
            let flags = octets[position + 4]
            let header = flags & Flag.vendor == 0 ? 8 : 12
            let length = Int(Self.number(octets, position + 4) & 0xff_ffff)
            guard length >= header, length <= octets.count - position else { return nil }
            let vendor = header == 12 ? Self.number(octets, position + 8) : 0
            let value = Array(octets[position + header..<position + length])
            guard take(Self.number(octets, position), vendor, value, isMandatory: flags & Flag.mandatory != 0) else { return nil }
            // The last one's padding may be left out.
            position += (length + 3) & ~3
        }
    }

    private mutating func take(_ code: UInt32, _ vendor: UInt32, _ value: [UInt8], isMandatory: Bool) -> Bool {
        switch (vendor, code) {
        case (0, Code.userName): return Self.set(&userName, value)
        case (0, Code.userPassword): return Self.set(&password, value)
        case (0, Code.chapPassword): return Self.set(&chapPassword, value)
        case (0, Code.chapChallenge): return Self.set(&chapChallenge, value)
        case (0, Code.eapMessage): eapMessage = (eapMessage ?? []) + value
        case (Self.microsoft, Code.msCHAPResponse): return Self.set(&msCHAPResponse, value)
        case (Self.microsoft, Code.msCHAPChallenge): return Self.set(&msCHAPChallenge, value)
        case (Self.microsoft, Code.msCHAP2Response): return Self.set(&msCHAP2Response, value)
        default: return !isMandatory || (vendor == 0 && code < Self.radiusCodes)
        }
        return true
    }

    private static func set(_ place: inout [UInt8]?, _ value: [UInt8]) -> Bool {
        guard place == nil else { return false }
        place = value
        return true
    }

    private static func number(_ octets: [UInt8], _ position: Int) -> UInt32 {
        octets[position..<position + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The ways to log in that the peer goes at once; one is right.
    var methods: [EAPInnerMethod?] {
        var methods: [EAPInnerMethod?] = []
        if password != nil { methods.append(.pap) }
        if chapPassword != nil { methods.append(.chap) }
        if msCHAPResponse != nil { methods.append(.msCHAP) }
        if msCHAP2Response != nil { methods.append(.msCHAPv2) }
        // Which one is found out inside.
        if eapMessage != nil { methods.append(nil) }
        return methods
    }

    // MARK: Answers

    static func eapMessage(_ packet: [UInt8]) -> [UInt8] { attribute(Code.eapMessage, vendor: nil, packet) }

    static func msCHAP2Success(_ value: [UInt8]) -> [UInt8] { attribute(Code.msCHAP2Success, vendor: microsoft, value) }

    /// One attribute, mandatory, with its padding; `value` has less than 16 MB.
    static func attribute(_ code: UInt32, vendor: UInt32?, _ value: [UInt8]) -> [UInt8] {
        let length = UInt32((vendor == nil ? 8 : 12) + value.count)
        let flags = UInt32(Flag.mandatory | (vendor == nil ? 0 : Flag.vendor))
        let head = [code, flags << 24 | length] + (vendor.map { [$0] } ?? [])
        let octets = head.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * UInt32($0))) } } + value
        return octets + [UInt8](repeating: 0, count: (4 - octets.count & 3) & 3)
    }
}
