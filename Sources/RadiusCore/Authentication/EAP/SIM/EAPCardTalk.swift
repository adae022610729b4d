/// What EAP-SIM, EAP-AKA and EAP-AKA' have in common: packets that are numbered, and how a conversation ends.
struct EAPCardTalk {
    enum Subtype {
        static let challenge: UInt8 = 1
        static let authenticationReject: UInt8 = 2
        static let synchronizationFailure: UInt8 = 4
        static let identity: UInt8 = 5
        static let simStart: UInt8 = 10
        static let simChallenge: UInt8 = 11
        static let notification: UInt8 = 12
        static let clientError: UInt8 = 14
    }

    /// AT_NOTIFICATION (RFC 4186 §10.18, RFC 4187 §10.19): without the bit 4000, behind a proof, and with a code.
    enum Notice: Int {
        case failureAfterProof = 0
        case temporarilyDenied = 1026
        case failure = 16384
        case success = 32768
    }

    /// How the conversation ends once the peer has answered a notification.
    enum End {
        case proven(EAPKeys, as: [UInt8])
        case turnedAway(AccessReason, as: [UInt8])
        case refused(AccessReason)
    }

    let type: EAPType
    /// Of the last Request.
    private(set) var identifier: UInt8
    private var end: End?
    private var keys: SIMKeys?

    init(_ type: EAPType, identifier: UInt8) {
        self.type = type
        self.identifier = identifier
    }

    var isEnding: Bool { end != nil }

    /// Why the peer will be refused, whatever it says now; nil while that is open.
    var verdict: AccessReason? {
        switch end {
        case .refused(let reason), .turnedAway(let reason, _): reason
        case .proven, nil: nil
        }
    }

    /// The next Request will have the next identifier.
    mutating func advance() { identifier &+= 1 }

    /// Says why, and ends whatever the peer says to that (RFC 4186 §6.2, RFC 4187 §6.2). Nothing was proven.
    mutating func fail(_ reason: AccessReason) -> EAPStep {
        advance()
        end = .refused(reason)
        return .request(notice(.failure, nil))
    }

    /// The card has proven itself; with `asksForResult` both sides want the result to be protected (RFC 4187 §6.2).
    mutating func succeed(_ keys: SIMKeys, _ account: EAPAccount, as name: [UInt8], asksForResult: Bool) -> EAPStep {
        guard let refusal = account.refusal else {
            guard asksForResult else { return .proven(keys.keys, as: name) }
            return notify(.success, keys, .proven(keys.keys, as: name))
        }
        return notify(.temporarilyDenied, keys, .turnedAway(refusal, as: name))
    }

    private mutating func notify(_ notice: Notice, _ keys: SIMKeys, _ end: End) -> EAPStep {
        advance()
        self.end = end
        self.keys = keys
        return .request(self.notice(notice, keys))
    }

    private func notice(_ notice: Notice, _ keys: SIMKeys?) -> [UInt8] {
        var writer = SIMAttributes.Writer(subtype: Subtype.notification)
        writer.append(.notification, number: notice.rawValue)
        guard let keys else { return writer.data }
        writer.reserveCode()
        return writer.coded(keys, type, identifier: identifier)
    }

    /// Takes the answer to a notification.
    func conclude(_ data: [UInt8]) -> EAPStep {
        switch end {
        case .refused(let reason): return .refused(reason)
        case .turnedAway(let reason, let name): return .turnedAway(reason, as: name)
        case .proven(let proven, let name):
            guard let attributes = try? SIMAttributes(data), attributes.subtype == Subtype.notification else { return .invalid }
            guard let keys, keys.verify(data, attributes, type, identifier: identifier) else { return .refused(.cardAnswerWrong) }
            return .proven(proven, as: name)
        case nil: return .invalid
        }
    }
}
