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
    private var session = EAPSession()
    private var phase = Phase.waiting

    var hasBegun: Bool { if case .waiting = phase { false } else { true } }

    /// Asks who is there.
    mutating func begin() -> [UInt8] {
        phase = .conversing
        return Self.withoutHeader(session.start().packet)
    }

    /// All was proven in the session that is taken up, by `name`.
    mutating func beginResumed(as name: [UInt8]) -> [UInt8] {
        identity = name
        phase = .concluding(nil)
        return result(Result.success)
    }

    /// Octets that the peer wrote into the tunnel, of any length and content.
    mutating func receive(_ octets: [UInt8], _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings) -> EAPInsideStep {
        switch phase {
        case .waiting: return .refused(.eapUnexpected)
        case .conversing: return converse(octets, surroundings, tls)
        case .concluding(let reason?): return .refused(reason)
        case .concluding(nil): return Self.isSuccess(octets) ? .proven : .refused(.eapPeerRefused)
        }
    }

    private mutating func converse(_ octets: [UInt8], _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings) -> EAPInsideStep {
        let data = Self.isWhole(octets) ? octets.dropFirst(EAPPacket.headerCount) : octets[...]
        guard data.count <= Int(UInt16.max) - EAPPacket.headerCount else { return .refused(.tunnelMalformed) }
        let count = data.count + EAPPacket.headerCount
        let header = [EAPPacket.Code.response.rawValue, session.identifier, UInt8(count >> 8), UInt8(count & 0xff)]
        let action = session.receive(header + data, surroundings.inside(methods: tls.peapMethods))
        identity = session.proven.isEmpty ? session.identity : session.proven
        method = EAPInnerMethod(session.method)
        switch action {
        case .request(let packet), .again(let packet): return .answer(Self.withoutHeader(packet))
        case .success: return conclude(nil)
        case .failure(_, .eapNoCommonMethod): return conclude(.tunnelMethodRefused)
        case .failure(_, let reason): return conclude(reason)
        }
    }

    private mutating func conclude(_ reason: AccessReason?) -> EAPInsideStep {
        phase = .concluding(reason)
        return .answer(result(reason == nil ? Result.success : Result.failure))
    }

    /// A Request with the Result alone, status in its last octet.
    private func result(_ status: UInt8) -> [UInt8] {
        let value = [Result.type, Result.flag, UInt8(Result.number), 0, 2, 0, status]
        return [EAPPacket.Code.request.rawValue, session.identifier &+ 1, 0, UInt8(EAPPacket.headerCount + value.count)] + value
    }

    /// Whether a Response says success, among whatever else it says.
    private static func isSuccess(_ octets: [UInt8]) -> Bool {
        let data = isWhole(octets) ? octets.dropFirst(EAPPacket.headerCount) : octets[...]
        guard data.first == Result.type else { return false }
        var rest = data.dropFirst()
        while rest.count >= 4 {
            let head = Array(rest.prefix(4))
            let (type, count) = (Int(head[0] & 0x3f) << 8 | Int(head[1]), Int(head[2]) << 8 | Int(head[3]))
            let value = rest.dropFirst(4).prefix(count)
            guard value.count == count else { return false }
            if type == Result.number { return Array(value) == [0, Result.success] }
            rest = rest.dropFirst(4 + count)
        }
        return false
    }

    /// Whether there is a header, as results have and as some peers put on everything.
    private static func isWhole(_ octets: [UInt8]) -> Bool {
        octets.count > EAPPacket.headerCount && octets[0] == EAPPacket.Code.response.rawValue
            && Int(octets[2]) << 8 | Int(octets[3]) == octets.count
    }

    private static func withoutHeader(_ packet: [UInt8]) -> [UInt8] { Array(packet.dropFirst(EAPPacket.headerCount)) }
}
