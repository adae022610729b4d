import Synchronization

@testable import RadiusCore

/// A conversation's surroundings with subscribers that a test names, and random numbers that it chooses.
final class EAPDesk {
    var accounts: [String: EAPAccount] = [:]
    var methods = EAPType.served
    var serverName = "lastmile"
    var notifiesRefused = false
    var octetLimit = 65_536
    var tls: EAPTLSSurroundings?
    var card: EAPCardSurroundings?
    /// Random octets that are still to be drawn; counted up when there are none left.
    var random: [UInt8] = []
    private var drawn: UInt8 = 0

    init(_ accounts: [String: EAPAccount] = ["nemo": EAPAccount(.clearText(Array("arctangent".utf8)))]) {
        self.accounts = accounts
    }

    var surroundings: EAPSurroundings {
        EAPSurroundings(
            methods: methods, serverName: Array(serverName.utf8), notifiesRefused: notifiesRefused, octetLimit: octetLimit,
            account: { [self] in accounts[String(decoding: $0, as: UTF8.self)] },
            random: { [self] in
                let next = random.prefix(16)
                random.removeFirst(next.count)
                drawn &+= 1
                return next.count == 16 ? digest16(next) : Digest16(repeating: drawn)
            }, tls: tls, card: card)
    }
}

/// A peer that answers as it should, or as a test wants.
struct EAPPeerScript {
    var user = "nemo"
    var password = "arctangent"
    /// As wpa_supplicant does behind MD5-Challenge only.
    var readsNotifications = true

    static func response(_ identifier: UInt8, _ type: EAPType, _ data: [UInt8] = []) -> [UInt8] {
        EAPPacket.octets(.response, identifier, type, data)
    }

    func identity(_ identifier: UInt8 = 7) -> [UInt8] { Self.response(identifier, .identity, Array(user.utf8)) }

    static func nak(_ request: [UInt8], _ types: UInt8...) -> [UInt8] { response(request[1], .nak, types) }

    /// The answer to any of the server's Requests; empty where there is nothing to answer.
    func answer(_ request: [UInt8]) -> [UInt8] {
        guard let packet = try? EAPPacket(request.span), packet.code == .request, let type = packet.type else { return [] }
        switch type {
        case .identity: return identity(packet.identifier)
        case .notification: return readsNotifications ? Self.response(packet.identifier, .notification) : []
        case .gtc: return Self.response(packet.identifier, .gtc, Array(password.utf8))
        case .md5Challenge:
            let challenge = Array(packet.data[1..<17])
            let response = CHAP.response(identifier: packet.identifier, challenge: challenge.span, password: Array(password.utf8).span)
            return Self.response(packet.identifier, .md5Challenge, [16] + octets(response).dropFirst())
        case .msCHAPv2: return Self.response(packet.identifier, .msCHAPv2, msCHAPv2(packet.data))
        default: return []
        }
    }

    private func msCHAPv2(_ data: [UInt8]) -> [UInt8] {
        guard data[0] == 1, let hash = MSCHAP.ntHash(ofUTF8: Array(password.utf8).span) else { return [data[0]] }
        let challenge = Array(data[5..<21])
        let response = octets(
            MSCHAP.V2.response(
                identifier: data[1], challenge: challenge.span, peerChallenge: Digest16 { UInt8($0 + 40) }, ntHash: hash,
                userName: Array(user.utf8).span))
        let value = Array(response[2...]) + [0]
        let count = 5 + value.count + user.utf8.count
        return [2, data[1], UInt8(count >> 8), UInt8(count & 255), 49] + value + Array(user.utf8)
    }
}

extension EAPSession {
    /// Goes on until Success or Failure, or the peer has nothing to say.
    mutating func run(_ peer: EAPPeerScript, _ desk: EAPDesk, first: [UInt8]? = nil) -> Action {
        var action = receive(first ?? peer.identity(), desk.surroundings)
        for _ in 0..<20 where !hasEnded {
            let answer = peer.answer(action.packet)
            if answer.isEmpty { return action }
            action = receive(answer, desk.surroundings)
        }
        return action
    }
}
