/// EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2; the proofs are RFC 2759's): peer and server prove that they know the password.
///
/// Each packet: OpCode, MS-CHAPv2-ID, MS-Length over all of these, and what the OpCode says. The answer to a Success or a Failure is the
/// OpCode alone.
struct EAPMSCHAPv2 {
    private enum OpCode {
        static let challenge: UInt8 = 1
        static let response: UInt8 = 2
        static let success: UInt8 = 3
        static let failure: UInt8 = 4
    }

    private enum Phase {
        case challenged
        /// The server's proof is out; the peer has to be content with it.
        case succeeding(EAPKeys)
        case failing(AccessReason)
    }

    private static let headerCount = 4
    /// Peer challenge 16, reserved 8, NT response 24, flags 1.
    private static let valueCount = 49

    private let identifier: UInt8
    private let challenge: Digest16
    private var phase = Phase.challenged

    init(identifier: UInt8, challenge: Digest16) {
        self.identifier = identifier
        self.challenge = challenge
    }

    /// Why the peer failed, once it was told that it did.
    var verdict: AccessReason? { if case .failing(let reason) = phase { reason } else { nil } }

    /// The Challenge.
    func request(serverName: [UInt8]) -> [UInt8] {
        packet(OpCode.challenge, [16] + challenge.indices.map { challenge[$0] } + serverName)
    }

    private func packet(_ code: UInt8, _ body: [UInt8]) -> [UInt8] {
        let count = Self.headerCount + body.count
        return [code, identifier, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)] + body
    }

    mutating func receive(_ data: [UInt8], from peer: EAPPeer, _ surroundings: EAPSurroundings) -> EAPStep {
        switch (phase, data.first) {
        case (.challenged, OpCode.response):
            return answer(data, from: peer, surroundings)
        case (.succeeding(let keys), OpCode.success):
            return .proven(keys)
        case (.succeeding, OpCode.failure):
            return .refused(.eapPeerRefused)
        case (.failing(let reason), .some):
            // Whatever the peer answers, a new password too: it was said that it must not try again.
            return .refused(reason)
        default:
            return .invalid
        }
    }

    private mutating func answer(_ data: [UInt8], from peer: EAPPeer, _ surroundings: EAPSurroundings) -> EAPStep {
        let start = Self.headerCount + 1
        guard data.count >= start + Self.valueCount, data[1] == identifier, Int(data[4]) == Self.valueCount else { return .invalid }
        let count = Int(data[2]) << 8 | Int(data[3])
        guard count >= start + Self.valueCount, count <= data.count else { return .invalid }
        let value = data[start..<start + Self.valueCount]
        let name = Array(data[(start + Self.valueCount)..<count])
        guard Self.withoutDomain(name) == Self.withoutDomain(peer.identity) else { return fail(.eapIdentityMismatch, surroundings) }
        // As MS-CHAP2-Response has it: identifier and flags in front (RFC 2548 §2.3.2).
        return prove([identifier, value[value.endIndex - 1]] + value.dropLast(), name, peer.account, surroundings)
    }

    private mutating func prove(_ response: [UInt8], _ name: [UInt8], _ account: EAPAccount?, _ surroundings: EAPSurroundings) -> EAPStep {
        guard let account else { return fail(.unknownSubscriber, surroundings) }
        switch account.credential {
        case .none: return fail(.noPasswordSet, surroundings)
        case .hash: return fail(.methodNeedsNTHash, surroundings)
        case .clearText, .ntHash: break
        }
        guard let hash = account.ntHash else { return fail(.malformedCredentials, surroundings) }
        let challenges = MSCHAP.V2.challengeHash(response: response.span, challenge: challenge.span, userName: name.span)
        guard MSCHAP.V2.verify(response: response.span, challengeHash: challenges, ntHash: hash) else {
            return fail(.wrongPassword, surroundings)
        }
        return succeed(response, challenges, MSCHAP.hash(ofNTHash: hash))
    }

    private mutating func succeed(_ response: [UInt8], _ challenges: InlineArray<8, UInt8>, _ hashHash: Digest16) -> EAPStep {
        let proof = MSCHAP.V2.authenticatorResponse(response: response.span, challengeHash: challenges, hashHash: hashHash)
        let keys = MSCHAP.V2.mppeKeys(response: response.span, hashHash: hashHash)
        phase = .succeeding(
            EAPKeys(receive: keys.receive.indices.map { keys.receive[$0] }, send: keys.send.indices.map { keys.send[$0] }))
        return .request(packet(OpCode.success, proof.indices.map { proof[$0] }))
    }

    /// Says that the peer failed and may not try again (RFC 2759 §6), and waits for its acknowledgement.
    private mutating func fail(_ reason: AccessReason, _ surroundings: EAPSurroundings) -> EAPStep {
        phase = .failing(reason)
        let fresh = surroundings.random()
        var text = [UInt8](repeating: 0, count: 80)
        var out = text.mutableSpan
        // The same to every peer: a name that does not exist looks like a wrong password.
        let count = MSCHAP.writeFailure(
            identifier: identifier, reason: .authenticationFailure, retry: false, challenge: fresh.span, message: Span(), into: &out)
        return .request(packet(OpCode.failure, Array(text[1..<count])))
    }

    private static func withoutDomain(_ name: [UInt8]) -> ArraySlice<UInt8> {
        name[(name.firstIndex(of: 0x5c).map { $0 + 1 } ?? 0)...]
    }
}
