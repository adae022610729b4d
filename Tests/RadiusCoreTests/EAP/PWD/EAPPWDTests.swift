import COpenSSL
import Testing

@testable import RadiusCore

/// EAP-pwd against a peer that is made of the same arithmetic, and against one that cheats.
@Suite struct EAPPWDTests {
    private static let suite: [UInt8] = [0, 19, 1, 1]

    /// The peer's half of RFC 5931.
    private struct Peer {
        var name = Array("nemo".utf8)
        var password = Array("arctangent".utf8)
        let curve: PWDCurve
        private var counter: UInt8 = 100
        private(set) var own: (secret: [UInt8], scalar: [UInt8], element: [UInt8])?
        private var passwordElement: [UInt8] = []

        init() throws { curve = try #require(PWDCurve()) }

        mutating func identify(_ request: [UInt8]) throws -> [UInt8] {
            let base = Array(request[5..<9]) + name + request[10...] + password
            var drawn = counter
            let random: () -> Digest16 = {
                drawn &+= 1
                return Digest16(repeating: drawn)
            }
            passwordElement = try #require(
                curve.passwordElement(
                    seed: { EAPPWD.hash(base + [$0]) },
                    value: { EAPPWD.expand($0, Array("EAP-pwd Hunting And Pecking".utf8), bits: 256) }, random: random))
            own = curve.commitment(element: passwordElement, random: random)
            counter = drawn
            return Array(request.prefix(10)) + name
        }

        func commit() throws -> [UInt8] {
            let own = try #require(own)
            return [2] + own.element + own.scalar
        }

        /// The confirmation, and whether the server's is right.
        func confirm(_ commit: [UInt8], _ request: [UInt8]) throws -> (data: [UInt8], isRight: Bool) {
            let own = try #require(own)
            let (element, scalar) = (Array(commit[1..<65]), Array(commit[65..<97]))
            let key = try #require(
                curve.sharedKey(secret: own.secret, passwordElement: passwordElement, scalar: scalar, element: element))
            let server = EAPPWD.hash(key + element + scalar + own.element + own.scalar + suite)
            return ([3] + EAPPWD.hash(key + own.element + own.scalar + element + scalar + suite), Array(request.dropFirst()) == server)
        }
    }

    private static func data(_ step: EAPStep) throws -> [UInt8] {
        guard case .request(let data) = step else { throw Unexpected(step: "\(step)") }
        return data
    }

    private struct Unexpected: Error { let step: String }

    private static func isInvalid(_ step: EAPStep) -> Bool { if case .invalid = step { true } else { false } }
    private static func reason(_ step: EAPStep) -> AccessReason? { if case .refused(let reason) = step { reason } else { nil } }

    @Test func bothSidesAgree() throws {
        let desk = EAPDesk()
        var (method, data) = EAPPWD.begin(identity: Array("nemo".utf8), desk.surroundings)
        #expect(data.prefix(5) == [1, 0, 19, 1, 1] && data[9] == 0 && Array(data[10...]) == Array("lastmile".utf8))
        var peer = try Peer()
        let commit = try Self.data(method.receive(peer.identify(data), desk.surroundings))
        let confirm = try Self.data(method.receive(peer.commit(), desk.surroundings))
        let said = try peer.confirm(commit, confirm)
        #expect(said.isRight)
        guard case .proven(let keys?, let name) = method.receive(said.data, desk.surroundings) else {
            Issue.record("not proven")
            return
        }
        #expect(keys.send.count == 32 && keys.receive.count == 32 && keys.send != keys.receive && name == Array("nemo".utf8))
    }

    @Test func refusesWhoDoesNotKnowThePasswordAndSaysWhy() throws {
        let computed = MSCHAP.ntHash(ofUTF8: Array("arctangent".utf8).span)
        let hash = try #require(computed)
        let accounts: [(EAPAccount?, AccessReason)] = [
            (EAPAccount(.clearText(Array("other".utf8))), .wrongPassword), (nil, .unknownSubscriber), (EAPAccount(.none), .noPasswordSet),
            (EAPAccount(.hash([36])), .eapMethodNeedsPassword), (EAPAccount(.ntHash(hash)), .eapMethodNeedsPassword),
        ]
        for (account, expected) in accounts {
            let desk = EAPDesk(account.map { ["nemo": $0] } ?? [:])
            var (method, data) = EAPPWD.begin(identity: Array("anonymous".utf8), desk.surroundings)
            var peer = try Peer()
            let commit = try Self.data(method.receive(peer.identify(data), desk.surroundings))
            let confirm = try Self.data(method.receive(peer.commit(), desk.surroundings))
            let said = try peer.confirm(commit, confirm)
            #expect(!said.isRight)
            #expect(Self.reason(method.receive(said.data, desk.surroundings)) == expected)
        }
    }

    @Test func refusesPointsAndNumbersThatAreNone() throws {
        let desk = EAPDesk()
        var (begun, data) = EAPPWD.begin(identity: Array("nemo".utf8), desk.surroundings)
        var peer = try Peer()
        let commit = try Self.data(begun.receive(peer.identify(data), desk.surroundings))
        let honest = try peer.commit()
        let order: [UInt8] = [
            0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e,
            0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
        ]
        let zero = [UInt8](repeating: 0, count: 32)
        var bent = honest
        bent[40] ^= 1
        let (point, scalar) = (Array(honest.prefix(65)), Array(honest.suffix(32)))
        // Our own words, in whole and in parts; no point; the point at infinity; numbers out of range.
        var cheats: [[UInt8]] = [commit, bent]
        cheats.append(Array(commit.prefix(65)) + scalar)
        cheats.append(point + commit.suffix(32))
        cheats.append([2] + zero + zero + scalar)
        cheats.append([2] + [UInt8](repeating: 0xff, count: 64) + scalar)
        cheats += [point + zero, point + zero.dropLast() + [1], point + order]
        for cheat in cheats {
            var method = begun
            #expect(Self.reason(method.receive(cheat, desk.surroundings)) == .eapPeerRefused)
            // TLS on the same thread would take it for its own.
            #expect(ERR_peek_error() == 0)
        }
        let shorts: [[UInt8]] = [[], [2], Array(honest.dropLast()), honest + [0], [3] + honest.dropFirst(), [1] + honest.dropFirst()]
        for short in shorts {
            var method = begun
            #expect(Self.isInvalid(method.receive(short, desk.surroundings)))
        }
    }

    @Test func fragmentsAreJoinedAndBounded() throws {
        let desk = EAPDesk()
        var (method, data) = EAPPWD.begin(identity: Array("nemo".utf8), desk.surroundings)
        var peer = try Peer()
        let whole = try peer.identify(data)
        let body = Array(whole.dropFirst())
        #expect(try Self.data(method.receive([0xc1, 0, UInt8(body.count)] + body.prefix(3), desk.surroundings)) == [1])
        #expect(try Self.data(method.receive([0x41] + body[3..<6], desk.surroundings)) == [1])
        #expect(Self.isInvalid(method.receive([0x41], desk.surroundings)))
        #expect(try Self.data(method.receive([0x01] + body[6...], desk.surroundings)).first == 2)
        let refused: [([[UInt8]], AccessReason)] = [
            ([[0xc1, 0xff, 0xff, 1]], .eapTooLong), ([[0x81, 0, 9] + body], .eapMalformed),
            ([[0x41] + [UInt8](repeating: 0, count: 1024), [0x41, 1]], .eapTooLong),
        ]
        for (packets, reason) in refused {
            var (method, _) = EAPPWD.begin(identity: Array("nemo".utf8), desk.surroundings)
            var step = EAPStep.invalid
            for packet in packets { step = method.receive(packet, desk.surroundings) }
            #expect(Self.reason(step) == reason)
        }
    }
}
