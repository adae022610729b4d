@testable import RadiusCore

/// What an honest device says in a tunnel of TEAP, and what a test has it say instead.
final class EAPTEAPTalk {
    /// TLVs of a message, by number.
    typealias Message = [Int: [UInt8]]

    private let peer: EAPTLSPeer
    private let schedule: EAPTEAPSchedule
    /// The peer as a user, and as a machine; nil where it is none.
    var user: EAPPeerScript? = EAPPeerScript()
    var machine: EAPPeerScript?
    /// Whether it says which of them it is.
    var saysType = true
    /// Takes the honest answer, and gives what is said instead.
    var twist: (_ read: Message, _ answer: [UInt8]) -> [UInt8] = { _, answer in answer }
    /// All that the server said.
    private(set) var heard: [Message] = []
    /// The server's bindings were right.
    private(set) var isBound = true
    private var keys: EAPTEAPKeys?
    private var current: EAPPeerScript?
    private var inner = EAPTEAPKeys.Inner.nothing
    private var usesEMSK = false

    init(_ peer: EAPTLSPeer, _ schedule: EAPTEAPSchedule = .rfc9930) {
        (self.peer, self.schedule) = (peer, schedule)
        peer.talk = { [self] in answer($0) }
    }

    /// What the device takes for the keys of the NAS.
    var key: [UInt8]? { keys?.masterSessionKey(usesEMSK: usesEMSK) }

    /// The codes of the server's errors.
    var errors: [Int] { heard.compactMap { $0[5].map { Int($0[2]) << 8 | Int($0[3]) } } }

    static func read(_ octets: [UInt8]) -> Message {
        var (message, rest) = (Message(), octets[...])
        while rest.count >= 4 {
            let head = Array(rest.prefix(4))
            let count = Int(head[2]) << 8 | Int(head[3])
            message[Int(head[0] & 0x3f) << 8 | Int(head[1])] = Array(rest.dropFirst(4).prefix(count))
            rest = rest.dropFirst(4 + count)
        }
        return message
    }

    static func tlv(_ number: Int, _ value: [UInt8]) -> [UInt8] { EAPTEAPMessage.tlv(number, value) }

    private func answer(_ octets: [UInt8]) -> [UInt8] {
        let message = Self.read(octets)
        heard.append(message)
        return twist(message, honest(message))
    }

    private func honest(_ message: Message) -> [UInt8] {
        if message[3] == [0, 2] { return Self.tlv(3, [0, 2]) }
        var answer: [UInt8] = []
        if let binding = message[12] { answer += bind(binding) }
        if message[10] != nil { answer += Self.tlv(10, [0, 1]) }
        if let result = message[3] { answer += Self.tlv(3, result) }
        if let type = message[2] { answer += choose(type) } else if current == nil { current = user ?? machine }
        if let packet = message[9] { answer += Self.tlv(9, converse(packet)) }
        if message[13] != nil, let current {
            inner = .password
            let (name, password) = (Array(current.user.utf8), Array(current.password.utf8))
            answer += Self.tlv(14, [UInt8(name.count)] + name + [UInt8(password.count)] + password)
        }
        return answer
    }

    private func choose(_ type: [UInt8]) -> [UInt8] {
        let wanted = type == [0, 2] ? machine : user
        current = wanted ?? user ?? machine
        let isMachine = wanted == nil ? user == nil : type == [0, 2]
        return saysType ? Self.tlv(2, [0, isMachine ? 2 : 1]) : []
    }

    private func converse(_ packet: [UInt8]) -> [UInt8] {
        guard let current, packet.count > 4 else { return [] }
        let answer = current.answer(packet)
        switch packet[4] {
        case 4: inner = .method(.md5Challenge, nil)
        case 6: inner = .method(.gtc, nil)
        case 26 where packet[5] == 1: inner = .method(.msCHAPv2, Self.keys(of: answer, current.password))
        default: break
        }
        return answer
    }

    /// Both sides' keys of MSCHAPv2, as the server names them.
    private static func keys(of answer: [UInt8], _ password: String) -> EAPKeys? {
        guard answer.count >= 59, let hash = MSCHAP.ntHash(ofUTF8: Array(password.utf8).span) else { return nil }
        let response = [answer[6], 0] + answer[10..<58]
        guard let keys = try? MSCHAP.V2.mppeKeys(response: response.span, ntHash: hash) else { return nil }
        return EAPKeys(receive: octets(keys.receive), send: octets(keys.send))
    }

    private func bind(_ value: [UInt8]) -> [UInt8] {
        var keys =
            self.keys
            ?? EAPTEAPKeys(
                seed: peer.conversation.exportKeyingMaterial(label: EAPTEAPKeys.seedLabel, count: 40) ?? [],
                digest: peer.conversation.keyDigest, macDigest: peer.conversation.macDigest, schedule: schedule)
        keys.add(inner)
        inner = .nothing
        self.keys = keys
        let outer = peer.serverOuter + peer.outer
        let request = EAPTEAPBinding(keys: keys, nonce: Array(value[4..<36]), outer: outer).request
        if request != Self.tlv(12, value) { isBound = false }
        usesEMSK = value[3] & 0x10 != 0
        let nonce = Array(value[4..<35]) + [value[35] | 1]
        let none = [UInt8](repeating: 0, count: 20)
        let head = Self.tlv(12, [0, 1, 1, value[3] | 1] + nonce + none + none)
        let macs = keys.macs(over: head + [55] + outer)
        return Array(head.prefix(40)) + (macs.ofEMSK ?? none) + macs.ofMSK
    }
}
