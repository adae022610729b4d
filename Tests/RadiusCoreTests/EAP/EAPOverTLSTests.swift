import Support
import Testing

@testable import RadiusCore

/// Methods over TLS as values: what peers that break rules come to, and what conversations take.
@Suite struct EAPOverTLSTests {
    /// A desk with the authority's contexts.
    static func desk(_ authority: TestAuthority, resumes: Bool = true) throws -> EAPDesk {
        let desk = EAPDesk()
        let resumption = resumes ? TLSSettings.Resumption() : nil
        desk.tls = EAPTLSSurroundings(
            certificate: try authority.server {
                $0.resumption = resumption
                $0.asksForStatus = true
            },
            tunnel: try authority.server {
                $0.peerCertificate = .none
                $0.resumption = resumption
            }, tenant: 1)
        return desk
    }

    private static func with(_ body: (TestAuthority, EAPDesk) async throws -> Void) async throws {
        try await TestAuthority.withPair { authority in try await body(authority, try desk(authority)) }
    }

    private static func version(_ version: TLSSettings.Version) -> (inout TLSSettings) -> Void { { $0.allow(only: version) } }

    @Test(arguments: TLSSettings.Version.allCases)
    func ttlsTakesWhatTheDeviceSaysWithTheEndOfItsHandshake(version: TLSSettings.Version) async throws {
        try await Self.with { authority, desk in
            let peer = try EAPTLSPeer(.ttls, authority.client(nil, Self.version(version)))
            peer.talk = { _ in EAPTLSPeer.pap() }
            var session = EAPSession()
            guard case .success(_, let keys?) = try peer.run(&session, desk) else {
                Issue.record("no success")
                return
            }
            let expected = try #require(peer.conversation.eapKeys(type: 21)).masterSessionKey
            #expect(keys.receive + keys.send == expected && keys.send.count == 32)
            #expect(session.proven == Array("nemo".utf8) && session.identity == Array("anonymous".utf8) && session.inner == .pap)
        }
    }

    @Test func aConversationIsCountedWithItsMemoryFromTheFirstOctetsOn() async throws {
        try await Self.with { authority, desk in
            let peer = try EAPTLSPeer(.peap, authority.client(nil))
            peer.talkPEAP()
            var session = EAPSession()
            let first = session.receive(EAPPeerScript.response(7, .identity, Array("anonymous".utf8)), desk.surroundings)
            // A beginning, of which there may be a flood, has no engine yet.
            #expect(session.memoryOctets < 4096)
            let second = session.receive(try peer.answer(first.packet), desk.surroundings)
            #expect(session.memoryOctets > 46_000)
            var action = second
            while !session.hasEnded { action = session.receive(try peer.answer(action.packet), desk.surroundings) }
            #expect(action.isSuccess && session.memoryOctets < 4096)
        }
    }

    @Test func aPacketThatComesAgainGetsTheSameAnswerAndDoesNothing() async throws {
        try await Self.with { authority, desk in
            let peer = try EAPTLSPeer(.ttls, authority.client(nil), fragment: 100)
            peer.talk = { _ in EAPTLSPeer.pap() }
            var session = EAPSession()
            var action = session.receive(EAPPeerScript.response(7, .identity, Array("anonymous".utf8)), desk.surroundings)
            while !session.hasEnded {
                let answer = try peer.answer(action.packet)
                action = session.receive(answer, desk.surroundings)
                for _ in 0..<2 { #expect(session.receive(answer, desk.surroundings) == action) }
            }
            #expect(action.isSuccess)
        }
    }

    /// Runs until `step` packets went well, then answers `data`.
    private static func breakOff(_ step: Int, _ data: [UInt8], _ authority: TestAuthority, _ desk: EAPDesk) throws -> EAPSession.Action {
        let peer = try EAPTLSPeer(.peap, authority.client(nil), fragment: 100)
        var session = EAPSession()
        var action = session.receive(EAPPeerScript.response(7, .identity, Array("anonymous".utf8)), desk.surroundings)
        for _ in 0..<step { action = session.receive(try peer.answer(action.packet), desk.surroundings) }
        action = session.receive(EAPPeerScript.response(action.packet[1], .peap, data), desk.surroundings)
        // An alert wants an answer.
        if case .request(let packet) = action { action = session.receive(try peer.answer(packet), desk.surroundings) }
        return action
    }

    @Test(arguments: [
        // Fewer octets than announced, a second length, no octets although more are announced, and no handshake at all.
        (1, [0x80, 0, 0, 0, 9, 1], AccessReason.tlsMalformed), (1, [0xc0, 0, 0], .tlsMalformed), (1, [0x40], .tlsMalformed),
        (1, [0xc0, 0xff, 0xff, 0xff, 0xff, 1], .eapTooLong), (1, [0x20], .tlsMalformed), (0, [0], .eapUnexpected),
        (0, [0, 22, 3, 3, 0, 2, 1, 0], .eapUnexpected), (0, [0, 71, 69, 84, 32, 47, 32], .tlsMalformed),
    ])
    func aBrokenHandshakeIsRefused(step: Int, data: [UInt8], reason: AccessReason) async throws {
        try await Self.with { authority, desk in
            let action = try Self.breakOff(step, data, authority, desk)
            #expect(action.reason == reason)
        }
    }

    @Test(arguments: [
        ([1, 2, 3], AccessReason.tunnelMalformed),
        // A length beyond the octets, one below the header, and User-Name twice.
        ([0, 0, 0, 1, 0x40, 0, 0, 99, 110], .tunnelMalformed), ([0, 0, 0, 1, 0x40, 0, 0, 7, 110, 101, 109], .tunnelMalformed),
        (EAPTTLSAttributes.attribute(1, vendor: nil, [110]) + EAPTTLSAttributes.attribute(1, vendor: nil, [110]), .tunnelMalformed),
        // Mandatory and unknown; unknown alone; nothing to log in with.
        (EAPTTLSAttributes.attribute(7, vendor: 9, [1]) + EAPTLSPeer.pap(), .tunnelMalformed),
        (EAPTTLSAttributes.attribute(1, vendor: nil, Array("nemo".utf8)), .tunnelEmpty),
        (EAPTLSPeer.pap() + EAPTTLSAttributes.attribute(3, vendor: nil, [UInt8](repeating: 1, count: 17)), .conflictingCredentials),
        (EAPTTLSAttributes.attribute(2, vendor: nil, [97]), .userNameMissing),
        (EAPTLSPeer.pap(String(repeating: "a", count: 254)), .tunnelMalformed),
        (EAPTLSPeer.pap("stranger"), .unknownSubscriber), (EAPTLSPeer.pap("nemo", "secant"), .wrongPassword),
        (EAPTTLSAttributes.attribute(79, vendor: nil, [2, 1]), .eapMalformed),
    ])
    func whatIsWrongInTheTunnelHasItsReason(octets: [UInt8], reason: AccessReason) async throws {
        try await Self.with { authority, desk in
            let peer = try EAPTLSPeer(.ttls, authority.client(nil))
            peer.talk = { _ in octets }
            var session = EAPSession()
            #expect(try peer.run(&session, desk).reason == reason)
        }
    }

    @Test func attributesOfRADIUSThatAreNotLookedAtDoNoHarm() async throws {
        try await Self.with { authority, desk in
            let peer = try EAPTLSPeer(.ttls, authority.client(nil))
            // NAS-Port, mandatory; another vendor's, which is not.
            let optional: [UInt8] = [0, 0, 0, 7, 0x80, 0, 0, 13, 0, 0, 0, 9, 1, 0, 0, 0]
            peer.talk = { _ in EAPTTLSAttributes.attribute(5, vendor: nil, [0, 0, 0, 1]) + optional + EAPTLSPeer.pap() }
            var session = EAPSession()
            #expect(try peer.run(&session, desk).isSuccess)
        }
    }

    @Test func aDeviceThatSaysNothingInTheTunnelIsRefused() async throws {
        try await Self.with { authority, desk in
            for type in [EAPType.ttls, .peap] {
                let peer = try EAPTLSPeer(type, authority.client(nil))
                var session = EAPSession()
                #expect(try peer.run(&session, desk).reason == .tunnelEmpty)
            }
        }
    }

    @Test func peapGoesByTheResultOfBothSides() async throws {
        try await Self.with { authority, desk in
            for (password, result, reason) in [
                ("arctangent", UInt8(2), AccessReason.eapPeerRefused), ("secant", 2, .wrongPassword), ("secant", 1, .wrongPassword),
            ] {
                let peer = try EAPTLSPeer(.peap, authority.client(nil))
                peer.talkPEAP(EAPPeerScript(password: password), result: result)
                var session = EAPSession()
                #expect(try peer.run(&session, desk).reason == reason)
                #expect(session.claimed == Array("nemo".utf8))
            }
        }
    }

    @Test func aBindingThatIsNoneIsRefused() async throws {
        try await Self.with { authority, desk in
            for (binding, isRequired) in [([UInt8](repeating: 7, count: 56), false), ([1, 2], false), ([], true)] {
                desk.tls?.peapBinding = isRequired ? .required : .yes
                let peer = try EAPTLSPeer(.peap, authority.client(nil))
                peer.talkPEAP()
                let honest = peer.talk
                peer.talk = { read in
                    let answer = honest(read)
                    guard answer.count > 4, answer[4] == 33, !binding.isEmpty else { return answer }
                    let tlvs = answer.dropFirst(4) + [0, 12, 0, UInt8(binding.count)] + binding
                    return [2, answer[1], 0, UInt8(tlvs.count + 4)] + tlvs
                }
                var session = EAPSession()
                #expect(try peer.run(&session, desk).reason == .tunnelUnbound)
            }
        }
    }

    @Test func theFirstNameOfACertificateThatIsASubscribersCounts() async throws {
        try await Self.with { authority, desk in
            let reasons: [([EAPCertificateName], String?, AccessReason?)] = [
                ([.email, .commonName], "alice@example.net", nil), ([.email, .commonName], "alice", nil),
                ([.email], "alice", .unknownSubscriber), ([.userPrincipalName, .dns], "alice", .certificateWithoutName),
            ]
            for (names, account, reason) in reasons {
                desk.accounts = account.map { [$0: EAPAccount(.none)] } ?? [:]
                desk.tls?.names = names
                let peer = try EAPTLSPeer(.tls, authority.client())
                var session = EAPSession()
                let action = try peer.run(&session, desk)
                #expect(action.reason == reason)
                if reason == nil { #expect(action.isSuccess && session.proven == Array((account ?? "").utf8)) }
            }
            #expect(desk.tls?.certificate?.sessionCount == 2)
        }
    }

    @Test func withoutACertificateOfTheServerOnlyOtherMethodsAreProposed() async throws {
        let desk = EAPDesk()
        let identity = EAPPeerScript.response(7, .identity, Array("anonymous".utf8))
        var session = EAPSession()
        #expect(session.receive(identity, desk.surroundings).packet[4] == 26)
        desk.methods = [.peap, .tls]
        var other = EAPSession()
        #expect(other.receive(identity, desk.surroundings).reason == .tlsUnavailable)
        // As inside a tunnel that allows nothing of EAP.
        desk.methods = []
        var empty = EAPSession()
        #expect(empty.receive(identity, desk.surroundings).reason == .eapNoCommonMethod)
    }
}
