/// The inside of a tunnel of PEAP version 0 (draft-kamath-pppext-peapv0): a conversation of EAP whose packets have no headers, and at its end a
/// packet of result on either side, which has one.
struct EAPPEAPInside: Sendable {
    private enum Phase {
        case waiting
        case conversing
        /// The peer has to say the same result; nil is success.
        case concluding(AccessReason?)
    }

    /// EAP-TLV, of which only Result is spoken.
    private enum Result {
        static let type: UInt8 = 33
        static let number = 3
        static let success: UInt8 = 1
        static let failure: UInt8 = 2
        /// Mandatory.
        static let flag: UInt8 = 0x80
    }

    /// Who the peer says to be.
    private(set) var identity: [UInt8] = []
    private(set) var method: EAPInnerMethod?
    /// The MSK, once the peer has bound itself; nil: the tunnel's own counts.
    private(set) var masterSessionKey: [UInt8]?
    private var session = EAPSession()
    private var phase = Phase.waiting
    /// Of the result that is out.
    private var binding: EAPPEAPBinding?

    var memoryOctets: Int { session.memoryOctets }

    /// Why the peer will be refused, whatever it says now; nil while that is open.
    var verdict: AccessReason? { if case .concluding(let reason) = phase { reason } else { session.verdict } }

    var hasBegun: Bool { if case .waiting = phase { false } else { true } }

    /// Asks who is there.
    mutating func begin() -> [UInt8] {
        phase = .conversing
        return Self.withoutHeader(session.start().packet)
    }

    /// All was proven in the session that is taken up, by `name`.
    mutating func beginResumed(
        as name: [UInt8], _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> [UInt8] {
        identity = name
        return succeed(innerKey: nil, conversation, surroundings, tls)
    }

    /// Octets that the peer wrote into the tunnel, of any length and content.
    mutating func receive(
        _ octets: [UInt8], _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPInsideStep {
        switch phase {
        case .waiting: return .refused(.eapUnexpected)
        case .conversing: return converse(octets, conversation, surroundings, tls)
        case .concluding(let reason?): return .refused(reason)
        case .concluding(nil): return judge(octets, tls)
        }
    }

    /// The peer's result, and what binds it.
    private mutating func judge(_ octets: [UInt8], _ tls: EAPTLSSurroundings) -> EAPInsideStep {
        let results = Self.results(octets)
        guard let status = results[Result.number], status.dropFirst(4).elementsEqual([0, Result.success]) else {
            return .refused(.eapPeerRefused)
        }
        guard let binding else { return .proven }
        guard let tlv = results[EAPPEAPBinding.type] else { return tls.peapBinding == .required ? .refused(.tunnelUnbound) : .proven }
        guard binding.isBound(tlv) else { return .refused(.tunnelUnbound) }
        masterSessionKey = binding.masterSessionKey
        return .proven
    }

    private mutating func converse(
        _ octets: [UInt8], _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPInsideStep {
        let data = Self.isWhole(octets) ? octets.dropFirst(EAPPacket.headerCount) : octets[...]
        guard data.count <= Int(UInt16.max) - EAPPacket.headerCount else { return .refused(.tunnelMalformed) }
        let count = data.count + EAPPacket.headerCount
        let header = [EAPPacket.Code.response.rawValue, session.identifier, UInt8(count >> 8), UInt8(count & 0xff)]
        let action = session.receive(header + data, surroundings.inside(methods: tls.peapMethods))
        return follow(action, conversation, surroundings, tls)
    }

    /// Goes on after `waiting`.
    mutating func goOn(
        _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPInsideStep {
        let action = session.goOn(surroundings.inside(methods: tls.peapMethods))
        return follow(action, conversation, surroundings, tls)
    }

    private mutating func follow(
        _ action: EAPSession.Action, _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPInsideStep {
        identity = [session.proven, session.claimed].first { !$0.isEmpty } ?? session.identity
        method = EAPInnerMethod(session.method)
        switch action {
        case .request(let packet), .again(let packet): return .answer(Self.withoutHeader(packet))
        case .wait(let inquiry): return .waiting(inquiry)
        case .success(_, let keys):
            return .answer(succeed(innerKey: (keys?.receive ?? []) + (keys?.send ?? []), conversation, surroundings, tls))
        case .failure(_, .eapNoCommonMethod): return fail(.tunnelMethodRefused)
        case .failure(_, let reason): return fail(reason)
        }
    }

    private mutating func fail(_ reason: AccessReason) -> EAPInsideStep {
        phase = .concluding(reason)
        return .answer(result(Result.failure))
    }

    private mutating func succeed(
        innerKey: [UInt8]?, _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> [UInt8] {
        phase = .concluding(nil)
        guard tls.peapBinding != .no, let keys = conversation.eapKeys(type: UInt8(EAPType.peap.number)) else {
            return result(Result.success)
        }
        let binding = EAPPEAPBinding(tunnelKey: keys.masterSessionKey, innerKey: innerKey)
        self.binding = binding
        let (first, second) = (surroundings.random(), surroundings.random())
        return result(Result.success, binding.request(nonce: first.indices.map { first[$0] } + second.indices.map { second[$0] }))
    }

    /// A Request with a Result, and what stands behind it.
    private func result(_ status: UInt8, _ rest: [UInt8] = []) -> [UInt8] {
        let value = [Result.type, Result.flag, UInt8(Result.number), 0, 2, 0, status] + rest
        return [EAPPacket.Code.request.rawValue, session.identifier &+ 1, 0, UInt8(EAPPacket.headerCount + value.count)] + value
    }

    /// The TLVs of a Response, their headers included, by number; none when they do not add up.
    private static func results(_ octets: [UInt8]) -> [Int: [UInt8]] {
        let data = isWhole(octets) ? octets.dropFirst(EAPPacket.headerCount) : octets[...]
        guard data.first == Result.type else { return [:] }
        var rest = data.dropFirst()
        var found: [Int: [UInt8]] = [:]
        while rest.count >= 4 {
            let head = Array(rest.prefix(4))
            let (type, count) = (Int(head[0] & 0x3f) << 8 | Int(head[1]), 4 + (Int(head[2]) << 8 | Int(head[3])))
            guard count <= rest.count, found[type] == nil else { return [:] }
            found[type] = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return found
    }

    /// Whether there is a header, as results have and as some peers put on everything.
    private static func isWhole(_ octets: [UInt8]) -> Bool {
        octets.count > EAPPacket.headerCount && octets[0] == EAPPacket.Code.response.rawValue
            && Int(octets[2]) << 8 | Int(octets[3]) == octets.count
    }

    private static func withoutHeader(_ packet: [UInt8]) -> [UInt8] { Array(packet.dropFirst(EAPPacket.headerCount)) }
}
