import Support
import Testing

@testable import RadiusCore

/// What conversations make of the versions of TLS that a policy rule leaves them.
@Suite struct EAPTLSVersionTests {
    private static let methods = [EAPType.tls, .ttls, .peap, .teap]

    private static func logIn(
        _ type: EAPType, _ context: TLSContext, _ desk: EAPDesk, resuming session: TLSSession? = nil
    ) throws -> (action: EAPSession.Action, device: TLSConversation) {
        let peer = try EAPTLSPeer(type, context, resuming: session)
        switch type {
        case .peap: peer.talkPEAP()
        case .teap: EAPTEAPTalk(peer).user = EAPPeerScript()
        default: peer.talk = { _ in EAPTLSPeer.pap() }
        }
        var session = EAPSession()
        let action = try peer.run(&session, desk)
        return (action, peer.conversation)
    }

    private static func with(_ body: (TestAuthority, EAPDesk) async throws -> Void) async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("nemo", usage: "clientAuth")
            try await body(authority, try EAPOverTLSTests.desk(authority))
        }
    }

    private static func other(than version: TLSSettings.Version) -> TLSSettings.Version { version == .tls12 ? .tls13 : .tls12 }

    @Test(arguments: methods, TLSSettings.Version.allCases)
    func aDeviceThatHasAllGetsTheOneThatIsLeft(type: EAPType, version: TLSSettings.Version) async throws {
        try await Self.with { authority, desk in
            desk.tls?.versions = { version...version }
            let login = try Self.logIn(type, authority.client("nemo"), desk)
            #expect(login.action.isSuccess && login.device.protocolVersion == version)
        }
    }

    @Test(arguments: methods, TLSSettings.Version.allCases)
    func aDeviceThatHasOnlyAnotherIsRefused(type: EAPType, version: TLSSettings.Version) async throws {
        try await Self.with { authority, desk in
            let device = try authority.client("nemo") { $0.allow(only: Self.other(than: version)) }
            desk.tls?.versions = { version...version }
            #expect(try Self.logIn(type, device, desk).action.reason == .tlsNoSharedVersion)
            desk.tls?.versions = { nil }
            #expect(try Self.logIn(type, device, desk).action.isSuccess)
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func whatSettingsForbidStaysForbidden(version: TLSSettings.Version) async throws {
        try await Self.with { authority, desk in
            let other = Self.other(than: version)
            desk.tls?.tunnel = try authority.server {
                $0.peerCertificate = .none
                $0.allow(only: version)
            }
            desk.tls?.versions = { other...other }
            #expect(try Self.logIn(.ttls, authority.client(nil), desk).action.reason == .tlsNoSharedVersion)
            desk.tls?.versions = { min(version, other)...max(version, other) }
            let login = try Self.logIn(.ttls, authority.client(nil), desk)
            #expect(login.action.isSuccess && login.device.protocolVersion == version)
        }
    }

    @Test(arguments: methods, TLSSettings.Version.allCases)
    func aSessionOfAnotherVersionIsNotTakenUp(type: EAPType, version: TLSSettings.Version) async throws {
        try await Self.with { authority, desk in
            let (context, other) = (try authority.client("nemo"), Self.other(than: version))
            desk.tls?.versions = { other...other }
            let first = try Self.logIn(type, context, desk)
            #expect(first.action.isSuccess && first.device.session != nil)
            desk.tls?.versions = { version...version }
            let second = try Self.logIn(type, context, desk, resuming: first.device.session)
            #expect(second.action.isSuccess && !second.device.isResumed && second.device.protocolVersion == version)
            let third = try Self.logIn(type, context, desk, resuming: second.device.session)
            #expect(third.action.isSuccess && third.device.isResumed)
        }
    }

    /// The rules may be others by the time when the tunnel stands.
    @Test(arguments: TLSSettings.Version.allCases)
    func aMethodInATunnelHasTheVersionsOfTheTunnel(version: TLSSettings.Version) async throws {
        try await Self.with { authority, desk in
            let other = Self.other(than: version)
            var asked = 0
            desk.tls?.versions = {
                asked += 1
                return asked == 1 ? version...version : other...other
            }
            desk.tls?.peapMethods = [.tls]
            let tunnel = try EAPTLSPeer(.peap, authority.client(nil))
            let inside = try EAPTLSPeer(.tls, authority.client("nemo"))
            tunnel.talk = { read in
                if read.count > 4, read[0] == 1, read[4] == 33 { return [2, read[1], 0, 11, 33, 0x80, 3, 0, 2, 0, 1] }
                let count = read.count + 4
                let request = [1, 9, UInt8(count >> 8), UInt8(count & 0xff)] + read
                return Array(((try? inside.answer(request)) ?? []).dropFirst(4))
            }
            var session = EAPSession()
            let action = try tunnel.run(&session, desk)
            #expect(action.isSuccess && session.proven == Array("nemo".utf8) && session.inner == .eapTLS)
            #expect(tunnel.conversation.protocolVersion == version && inside.conversation.protocolVersion == version && asked == 1)
        }
    }
}
