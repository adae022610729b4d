@testable import RadiusCore

/// A device that speaks one method over TLS as it should, and says in the tunnel what a test wants.
final class EAPTLSPeer {
    let type: EAPType
    let conversation: TLSConversation
    var identity = "anonymous"
    /// What is written into the tunnel, given what was read from it; nothing was read where the device begins. Empty: says nothing.
    var talk: (_ read: [UInt8]) -> [UInt8] = { _ in [] }
    /// What it says outside the tunnel of TEAP with its first message, and what the server said there.
    var outer: [UInt8] = []
    private(set) var serverOuter: [UInt8] = []
    private(set) var packets = 0
    private var fragments: EAPTLSFragments
    private var hasSpoken = false

    init(_ type: EAPType, _ context: TLSContext, resuming session: TLSSession? = nil, fragment: Int = 1000) throws {
        self.type = type
        conversation = try TLSConversation(context, resuming: session)
        fragments = EAPTLSFragments(fragmentLimit: fragment, version: type == .teap ? 1 : 0)
    }

    /// The answer to a Request; empty where there is none.
    func answer(_ request: [UInt8]) throws -> [UInt8] {
        packets += 1
        let packet = try EAPPacket(request.span)
        switch packet.type {
        case EAPType.identity?: return EAPPeerScript.response(packet.identifier, .identity, Array(identity.utf8))
        case EAPType.notification?: return EAPPeerScript.response(packet.identifier, .notification)
        case type?: return EAPPeerScript.response(packet.identifier, type, try answer(data: packet.data))
        case nil: return []
        default: return EAPPeerScript.nak(request, UInt8(type.number))
        }
    }

    private func answer(data: [UInt8]) throws -> [UInt8] {
        if type == .teap, data[0] & 0x20 != 0 { return begin(data) }
        switch try fragments.receive(data.span) {
        case .fragment: return fragments.acknowledgement
        case .acknowledgement:
            if let next = fragments.nextFragment() { return next }
        case .start: conversation.start()
        case .message(let message): conversation.receive(message.span)
        }
        speak()
        return fragments.send(conversation.takeOutput())
    }

    /// TEAP's beginning has TLVs behind their length, and its answer may have.
    private func begin(_ data: [UInt8]) -> [UInt8] {
        serverOuter = Array(data.dropFirst(5))
        conversation.start()
        let packet = fragments.send(conversation.takeOutput())
        guard !outer.isEmpty else { return packet }
        let head = packet[0] & 0x80 == 0 ? 1 : 5
        return [packet[0] | 0x10] + packet[1..<head] + [0, 0, UInt8(outer.count >> 8), UInt8(outer.count & 0xff)] + packet[head...] + outer
    }

    private func speak() {
        guard conversation.state == .established else { return }
        let clear = conversation.read()
        // In TLS 1.3 a single zero says that all is well.
        guard clear != [0], !clear.isEmpty || (type == .ttls && !hasSpoken && !conversation.isResumed) else { return }
        hasSpoken = true
        conversation.write(talk(clear))
    }

    /// Goes on until Success or Failure; what a session says first is the answer to the device's name.
    func run(_ session: inout EAPSession, _ desk: EAPDesk) throws -> EAPSession.Action {
        var action = session.receive(EAPPeerScript.response(7, .identity, Array(identity.utf8)), desk.surroundings)
        while !session.hasEnded, packets < 200 {
            let answer = try answer(action.packet)
            if answer.isEmpty { return action }
            action = session.receive(answer, desk.surroundings)
        }
        return action
    }

    // MARK: What is said inside

    /// User-Name and User-Password, as TTLS carries them.
    static func pap(_ user: String = "nemo", _ password: String = "arctangent") -> [UInt8] {
        let padded = Array(password.utf8) + [UInt8](repeating: 0, count: 16 - password.utf8.count % 16)
        return EAPTTLSAttributes.attribute(1, vendor: nil, Array(user.utf8)) + EAPTTLSAttributes.attribute(2, vendor: nil, padded)
    }

    /// Has it answer in PEAP as `script` does, and the server's result with `result`.
    func talkPEAP(_ script: EAPPeerScript = EAPPeerScript(), result: UInt8 = 1) {
        talk = { read in
            // A result has a header; the rest begins with its type.
            if read.count > 4, read[0] == 1, read[4] == 33 { return [2, read[1], 0, 11, 33, 0x80, 3, 0, 2, 0, result] }
            let request = [1, 9, 0, UInt8(read.count + 4)] + read
            return Array(script.answer(request).dropFirst(4))
        }
    }
}

extension EAPSession.Action {
    /// Why it failed; nil when it did not.
    var reason: AccessReason? { if case .failure(_, let reason) = self { reason } else { nil } }

    var isSuccess: Bool { if case .success = self { true } else { false } }
}
