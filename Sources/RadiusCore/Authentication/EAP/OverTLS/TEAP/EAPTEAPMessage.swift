/// What is said in a tunnel of TEAP: TLVs, one after the other (RFC 9930 §4.2).
struct EAPTEAPMessage: Equatable {
    enum Number {
        static let authority = 1
        static let identityType = 2
        static let result = 3
        static let nak = 4
        static let error = 5
        static let channelBinding = 6
        static let vendor = 7
        static let requestAction = 8
        static let payload = 9
        static let intermediateResult = 10
        static let accessCredential = 11
        static let binding = 12
        static let passwordRequest = 13
        static let passwordResponse = 14
        /// PKCS#7, PKCS#10, Trusted-Server-Root, CSR-Attributes, Identity-Hint: always optional, and not looked at.
        static let unused = 15...19
    }

    enum Status: UInt16 {
        case success = 1
        case failure = 2
    }

    struct Credentials: Equatable {
        let name: [UInt8]
        let password: [UInt8]
    }

    /// A TLV that has to be understood and is not.
    struct Unknown: Equatable {
        let vendor: [UInt8]
        let number: Int
    }

    private static let headerCount = 4
    private static let mandatory: UInt8 = 0x80
    /// TLVs of one message.
    private static let limit = 32

    /// 1 for a user, 2 for a machine, or anything.
    var identityType: UInt16?
    var result: Status?
    var intermediateResult: Status?
    /// The most severe.
    var error: UInt32?
    /// What the peer does not know.
    var refused: [Int] = []
    /// What shall come of each Request-Action that is not granted (§4.2.9).
    var actions: [UInt8] = []
    /// An EAP packet.
    var payload: [UInt8]?
    /// Its header included.
    var binding: [UInt8]?
    var credentials: Credentials?
    var unknown: [Unknown] = []
    private var asksForPAC = false

    /// Reads a message; octets may be anything. A TLV of a known kind with a length that it cannot have is passed over (§4.2.1).
    ///
    /// Nil when lengths do not add up, or TLVs are together that may not be: the conversation cannot go on then.
    ///
    /// - Parameters:
    ///   - octets: of the message.
    ///   - passesOverPAC: a wish for a PAC counts for nothing, as RFC 7170 allows; RFC 9930 §4.2.12 ends the conversation.
    init?(_ octets: [UInt8], passesOverPAC: Bool = false) {
        var rest = octets[...]
        var count = 0
        while !rest.isEmpty {
            count += 1
            guard count <= Self.limit, rest.count >= Self.headerCount else { return nil }
            let head = Array(rest.prefix(Self.headerCount))
            let length = Int(head[2]) << 8 | Int(head[3])
            guard rest.count >= Self.headerCount + length else { return nil }
            let whole = Array(rest.prefix(Self.headerCount + length))
            rest = rest.dropFirst(whole.count)
            let number = Int(head[0] & 0x3f) << 8 | Int(head[1])
            guard take(number, whole, isMandatory: head[0] & Self.mandatory != 0) else { return nil }
        }
        guard payload == nil || credentials == nil, !asksForPAC || passesOverPAC else { return nil }
        // The Request-Action beside it is about it.
        if asksForPAC { actions = [] }
    }

    private mutating func take(_ number: Int, _ whole: [UInt8], isMandatory: Bool) -> Bool {
        let value = Array(whole.dropFirst(Self.headerCount))
        switch number {
        case Number.identityType: return value.count != 2 || Self.set(&identityType, Self.short(value))
        case Number.result: return value.count != 2 || Self.set(&result, Status(rawValue: Self.short(value)))
        // Others may stand behind its status.
        case Number.intermediateResult: return value.count < 2 || Self.set(&intermediateResult, Status(rawValue: Self.short(value)))
        case Number.nak: if value.count >= 6 { refused.append(Int(Self.short(Array(value[4..<6])))) }
        case Number.error: if value.count == 4 { error = max(error ?? 0, value.reduce(0) { $0 << 8 | UInt32($1) }) }
        case Number.requestAction: if value.count >= 2 { actions.append(value[0]) }
        case Number.payload: return Self.set(&payload, value)
        case Number.binding: return value.count != EAPTEAPBinding.valueCount || Self.set(&binding, whole)
        case Number.passwordResponse: return Self.credentials(value).map { Self.set(&credentials, $0) } ?? true
        case Number.accessCredential: asksForPAC = true
        case Number.authority, Number.channelBinding, Number.unused: break
        default:
            guard isMandatory else { break }
            let vendor = number == Number.vendor && value.count >= 4 ? Array(value[..<4]) : [0, 0, 0, 0]
            unknown.append(Unknown(vendor: vendor, number: number))
        }
        return true
    }

    private static func set<Value>(_ place: inout Value?, _ value: Value?) -> Bool {
        guard place == nil, let value else { return false }
        place = value
        return true
    }

    private static func short(_ octets: [UInt8]) -> UInt16 { UInt16(octets[0]) << 8 | UInt16(octets[1]) }

    /// Two texts with their lengths in front, neither of them empty.
    private static func credentials(_ value: [UInt8]) -> Credentials? {
        guard let nameCount = value.first.map(Int.init), nameCount > 0, value.count > nameCount + 1 else { return nil }
        let passwordCount = Int(value[nameCount + 1])
        guard passwordCount > 0, value.count == nameCount + 2 + passwordCount else { return nil }
        return Credentials(name: Array(value[1...nameCount]), password: Array(value[(nameCount + 2)...]))
    }

    // MARK: Writing

    /// One TLV; `value` has less than 64 KB.
    static func tlv(_ number: Int, _ value: [UInt8], isMandatory: Bool = true) -> [UInt8] {
        [(isMandatory ? mandatory : 0) | UInt8(number >> 8), UInt8(number & 0xff), UInt8(value.count >> 8), UInt8(value.count & 0xff)]
            + value
    }

    static func result(_ status: Status) -> [UInt8] { tlv(Number.result, [0, UInt8(status.rawValue)]) }

    static func intermediateResult(_ status: Status) -> [UInt8] { tlv(Number.intermediateResult, [0, UInt8(status.rawValue)]) }

    static func error(_ error: EAPTEAPError) -> [UInt8] {
        tlv(Number.error, [0, 0, UInt8(error.rawValue >> 8), UInt8(error.rawValue & 0xff)])
    }

    static func nak(_ unknown: Unknown) -> [UInt8] {
        tlv(Number.nak, unknown.vendor + [UInt8(unknown.number >> 8), UInt8(unknown.number & 0xff)])
    }
}

/// What a peer is told of a failure (RFC 9930 §4.2.6). None tells whether the name exists.
enum EAPTEAPError: UInt16 {
    case authenticationFailed = 1003
    case authorizationFailed = 1004
    case certificateMissing = 1019
    case certificateRejected = 1020
    case methodNotSupported = 1032
    case tunnelCompromised = 2001
    case unexpected = 2002
    case bindingInvalid = 2003
    case bindingWithoutMSK = 2004
    case bindingOfMSKWrong = 2005
    case bindingOfEMSKWrong = 2007

    /// For a method inside that failed.
    init(_ reason: AccessReason) {
        self =
            switch reason {
            case .certificateMissing: .certificateMissing
            case .certificateExpired, .certificateNotYetValid, .certificateRevoked, .certificateUnknownAuthority, .certificateWrongPurpose,
                .certificateRefused, .certificateWithoutName, .certificateStatusUnknown:
                .certificateRejected
            case .tunnelMethodRefused: .methodNotSupported
            default: .authenticationFailed
            }
    }
}
