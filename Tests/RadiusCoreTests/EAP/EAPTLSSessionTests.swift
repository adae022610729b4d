import Support
import Testing

@testable import RadiusCore

/// Whose TLS session may be taken up: only where a log-in would end the same way.
@Suite struct EAPTLSSessionTests {
    private static let nemo = EAPAccount(.clearText(Array("arctangent".utf8)))

    /// Logs in by `type`, with a session of before or without.
    private static func logIn(
        _ type: EAPType, _ context: TLSContext, _ desk: EAPDesk, resuming session: TLSSession? = nil, password: String = "arctangent"
    ) throws -> (action: EAPSession.Action, peer: EAPTLSPeer, session: EAPSession) {
        let peer = try EAPTLSPeer(type, context, resuming: session)
        switch type {
        case .peap: peer.talkPEAP(EAPPeerScript(password: password))
        case .teap: EAPTEAPTalk(peer).user = EAPPeerScript(password: password)
        default: peer.talk = { _ in EAPTLSPeer.pap("nemo", password) }
        }
        var session = EAPSession()
        let action = try peer.run(&session, desk)
        return (action, peer, session)
    }

    private static func with(
        _ version: TLSSettings.Version, _ body: (TestAuthority, TLSContext, EAPDesk) async throws -> Void
    ) async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("nemo", usage: "clientAuth")
            let client = try authority.client("nemo") { $0.allow(only: version) }
            try await body(authority, client, try EAPOverTLSTests.desk(authority))
        }
    }

    private static let methods = [EAPType.tls, .ttls, .peap, .teap]

    @Test(arguments: methods, TLSSettings.Version.allCases)
    func aSessionIsTakenUpAsOftenAsTheDeviceLikes(type: EAPType, version: TLSSettings.Version) async throws {
        try await Self.with(version) { _, client, desk in
            var last = try Self.logIn(type, client, desk)
            for _ in 0..<3 {
                #expect(last.action.isSuccess)
                last = try Self.logIn(type, client, desk, resuming: last.peer.conversation.session)
                #expect(last.peer.conversation.isResumed && last.session.proven == Array("nemo".utf8))
                // Rules see what was proven, not that it was taken up.
                #expect(last.session.inner == [EAPType.ttls: .pap, .peap: .eapMSCHAPv2, .teap: .eapMSCHAPv2][type])
            }
            #expect(last.action.isSuccess)
        }
    }

    @Test(arguments: methods, TLSSettings.Version.allCases)
    func whoMayNotBeOnlineAnyMoreIsTurnedAwayAndTheSessionForgotten(type: EAPType, version: TLSSettings.Version) async throws {
        try await Self.with(version) { _, client, desk in
            let changes: [(EAPAccount?, AccessReason)] = [
                (EAPAccount(.clearText(Array("arctangent".utf8)), refusal: .locked), .locked), (nil, .unknownSubscriber),
            ]
            for (account, reason) in changes {
                desk.accounts["nemo"] = Self.nemo
                let first = try Self.logIn(type, client, desk)
                desk.accounts["nemo"] = account
                let second = try Self.logIn(type, client, desk, resuming: first.peer.conversation.session)
                #expect(second.peer.conversation.isResumed && second.action.reason == reason)
                #expect(second.session.claimed == Array("nemo".utf8))
                desk.accounts["nemo"] = Self.nemo
                let third = try Self.logIn(type, client, desk, resuming: first.peer.conversation.session)
                #expect(third.action.isSuccess && !third.peer.conversation.isResumed)
            }
        }
    }

    @Test(arguments: [EAPType.ttls, .peap, .teap], TLSSettings.Version.allCases)
    func aNewPasswordEndsSessionsOfTheOldOne(type: EAPType, version: TLSSettings.Version) async throws {
        try await Self.with(version) { _, client, desk in
            let first = try Self.logIn(type, client, desk)
            desk.accounts["nemo"] = EAPAccount(.clearText(Array("secant".utf8)))
            let second = try Self.logIn(type, client, desk, resuming: first.peer.conversation.session)
            #expect(second.action.reason == .tlsSessionVoid)
            let third = try Self.logIn(type, client, desk, resuming: first.peer.conversation.session, password: "secant")
            #expect(third.action.isSuccess && !third.peer.conversation.isResumed)
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func aSessionCountsForItsOwnMethodAndTenant(version: TLSSettings.Version) async throws {
        try await Self.with(version) { _, client, desk in
            let first = try Self.logIn(.ttls, client, desk)
            #expect(try Self.logIn(.peap, client, desk, resuming: first.peer.conversation.session).action.reason == .tlsSessionVoid)
            let second = try Self.logIn(.ttls, client, desk)
            desk.tls?.tenant = 2
            #expect(try Self.logIn(.ttls, client, desk, resuming: second.peer.conversation.session).action.reason == .tlsSessionVoid)
            // Certificates have a context of their own, so that a session without one is none there.
            let third = try Self.logIn(.ttls, client, desk)
            let fourth = try Self.logIn(.tls, client, desk, resuming: third.peer.conversation.session)
            #expect(fourth.action.isSuccess && !fourth.peer.conversation.isResumed)
        }
    }

    @Test(arguments: [EAPType.ttls, .peap, .teap], TLSSettings.Version.allCases)
    func aWrongPasswordLeavesNoSession(type: EAPType, version: TLSSettings.Version) async throws {
        try await Self.with(version) { _, client, desk in
            let first = try Self.logIn(type, client, desk, password: "secant")
            #expect(first.action.reason == .wrongPassword && desk.tls?.tunnel?.sessionCount == 0)
            let second = try Self.logIn(type, client, desk, resuming: first.peer.conversation.session)
            #expect(second.action.isSuccess && !second.peer.conversation.isResumed)
            #expect(desk.tls?.tunnel?.sessionCount == 1)
        }
    }

    @Test func aRefusedPeerOfEAPTLSLeavesNoSession() async throws {
        try await Self.with(.tls13) { _, client, desk in
            desk.accounts["nemo"] = EAPAccount(.none, refusal: .locked)
            let first = try Self.logIn(.tls, client, desk)
            #expect(first.action.reason == .locked && first.session.proven == Array("nemo".utf8))
            #expect(desk.tls?.certificate?.sessionCount == 0)
        }
    }

    @Test func whatASessionRemembersIsReadAsItWasWritten() {
        for inner in EAPInnerMethod.allCases.map(Optional.some) + [nil] {
            let memory = EAPSessionMemory(.peap, inner, tenant: -5, identity: Array("nemo".utf8), Self.nemo)
            #expect(EAPSessionMemory(memory.octets) == memory)
        }
        let two = EAPSessionMemory(
            .teap, .pap, tenant: 7, identity: Array("nemo".utf8), Self.nemo, companion: (Array("host/pc".utf8), EAPAccount(.none)))
        #expect(EAPSessionMemory(two.octets) == two && two.companion == Array("host/pc".utf8))
        let memory = EAPSessionMemory(.peap, .eapGTC, tenant: -5, identity: Array("nemo".utf8), Self.nemo)
        #expect(EAPSessionMemory(Array(memory.octets.dropLast(4))) == nil && EAPSessionMemory([]) == nil)
        let other = EAPSessionMemory(.peap, .eapGTC, tenant: -5, identity: Array("nemo".utf8), EAPAccount(.hash(Array("arctangent".utf8))))
        #expect(other != memory)
        #expect(memory.octets.count <= TLSConversation.rememberLimit)
    }
}
