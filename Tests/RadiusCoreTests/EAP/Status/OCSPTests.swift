import Support
import Synchronization
import Testing

@testable import RadiusCore

/// Whether a device's certificate is still good, asked of `openssl ocsp`; the devices are eapol_test.
@Suite struct OCSPTests {
    private typealias Server = EAPOverTLSServerTests

    /// Ways that show a certificate, outside or inside a tunnel.
    private static let ways = Server.ways.filter { !$0.hasPassword }

    private static func asking(_ url: String?, required: Bool = true, seconds: Int = 20) -> EAPCertificates.Settings {
        var status = OCSPService.Settings()
        status.responder = url
        status.isRequired = required
        status.timeoutSeconds = seconds
        var settings = EAPCertificates.Settings()
        settings.status = status
        return settings
    }

    private static func withAuthority(_ body: (TestAuthority) async throws -> Void) async throws {
        try await TestAuthority.withPair { authority in
            // Only certificates that `openssl ca` made stand in its index.
            for name in ["nemo", "lost"] { try await authority.issue(name, from: "20200101000000Z", to: "20990101000000Z") }
            try await body(authority)
        }
    }

    private static func with(_ body: (TestAuthority, TestResponder) async throws -> Void) async throws {
        try await withAuthority { authority in
            try await TestResponder.with(authority) { try await body(authority, $0) }
        }
    }

    @Test(arguments: EAPOLTest.TLSVersion.allCases)
    func whoIsVouchedForLogsInAndNobodyElse(version: EAPOLTest.TLSVersion) async throws {
        try await Self.with { authority, responder in
            try await authority.issue("stranger", usage: "clientAuth")
            try await authority.revoke("lost")
            let host = try Server.host(authority, tls: Self.asking(responder.url))
            for way in Self.ways {
                let good = try await Server.peer(host, authority, way, version).run()
                #expect(good.isSuccess && good.keysMatched == 1, "\(way.name): \(good.transcript)")
                for name in ["lost", "stranger"] {
                    let bad = try await Server.peer(host, authority, way, version, certificate: name).run()
                    #expect(!bad.isSuccess && bad.replies.last == "Access-Reject", "\(way.name) \(name): \(bad.transcript)")
                }
            }
            let count = UInt64(Self.ways.count)
            #expect(host.count(.accepted as AccessReason) == count)
            #expect(host.count(.certificateRevoked as AccessReason) == count)
            #expect(host.count(.certificateStatusUnknown as AccessReason) == count)
            let statistics = try #require(host.server.environment.eap?.certificates?.status?.statistics)
            // What it said once of the first two still counts.
            #expect(statistics.good == 1 && statistics.revoked == 1 && statistics.waiting == 0 && statistics.failure == nil)
        }
    }

    @Test func nobodyWaitsForAnotherOnesResponder() async throws {
        try await Self.with { authority, responder in
            responder.behave(.silent)
            let host = try Server.host(authority, tls: Self.asking(responder.url, seconds: 30))
            let waiting = Server.peer(host, authority, Server.ways[0], .tls13)
            async let late = waiting.run()
            try await Support.eventually { responder.asked == 1 }
            // One thread works on EAP.
            #expect(host.server.environment.eap?.settings.threads == 1)
            let quick = try await Server.peer(host, authority, Server.ways[1], .tls13).run()
            #expect(quick.isSuccess, "\(quick.transcript)")
            #expect(host.count(.accepted as AccessReason) == 1)
            responder.behave(.honest)
            let outcome = try await late
            #expect(outcome.isSuccess, "\(outcome.transcript)")
            #expect(responder.asked == 1)
        }
    }

    @Test(arguments: [true, false])
    func withoutAResponderItDependsOnTheSetting(required: Bool) async throws {
        try await Self.withAuthority { authority in
            let closed = try LoopbackSocket.listen()
            closed.end()
            for url in ["http://127.0.0.1:\(closed.port)/", nil] {
                let host = try Server.host(authority, tls: Self.asking(url, required: required))
                for way in Self.ways {
                    let outcome = try await Server.peer(host, authority, way, .tls13).run()
                    #expect(outcome.isSuccess == !required, "\(way.name): \(outcome.transcript)")
                }
                let reason = required ? AccessReason.certificateStatusUnknown : .accepted
                #expect(host.count(reason) == UInt64(Self.ways.count))
                let statistics = try #require(host.server.environment.eap?.certificates?.status?.statistics)
                #expect(statistics.unreachable >= 1 && statistics.good == 0)
                // Not that time is over: who refuses is not asked again and again.
                let expected = url == nil ? "names no OCSP responder" : "Connection refused"
                #expect(statistics.failure?.contains(expected) == true, "\(statistics.failure ?? "none")")
            }
        }
    }

    /// Who may sign: the authority, or whom it appointed (RFC 6960 §4.2.2.2).
    @Test func answersOfOthersDoNotCount() async throws {
        try await Self.withAuthority { authority in
            try await authority.issue("appointed", usage: "OCSPSigning")
            try await authority.issue("clerk", usage: "clientAuth")
            try await authority.makeAuthority("other")
            for (signer, isGood) in [("appointed", true), ("clerk", false), ("other", false)] {
                try await TestResponder.with(authority, signer: authority.path + "/" + signer) { responder in
                    let host = try Server.host(authority, tls: Self.asking(responder.url))
                    let outcome = try await Server.peer(host, authority, Server.ways[0], .tls13).run()
                    #expect(outcome.isSuccess == isGood, "\(signer): \(outcome.transcript)")
                    #expect(responder.asked == 1)
                    let failure = host.server.environment.eap?.certificates?.status?.statistics.failure
                    #expect((failure == nil) == isGood, "\(signer): \(failure ?? "")")
                }
            }
        }
    }

    @Test(arguments: [TestResponder.Manner.garbled, .repeating])
    func whatIsNoAnswerToTheQuestionDoesNotCount(manner: TestResponder.Manner) async throws {
        try await Self.with { authority, responder in
            let before = try Server.host(authority, tls: Self.asking(responder.url))
            #expect(try await Server.peer(before, authority, Server.ways[0], .tls13).run().isSuccess)
            responder.behave(manner)
            let host = try Server.host(authority, tls: Self.asking(responder.url))
            let outcome = try await Server.peer(host, authority, Server.ways[0], .tls13).run()
            #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
            #expect(host.count(.certificateStatusUnknown as AccessReason) == 1)
        }
    }

    /// What a responder says of one certificate does not open the door to the next.
    @Test func anAnswerThatDoesNotCountIsNoReasonNotToAskAboutOthers() async throws {
        try await Self.with { authority, responder in
            try await authority.revoke("lost")
            let host = try Server.host(authority, tls: Self.asking(responder.url, required: false))
            responder.behave(.garbled)
            let first = try await Server.peer(host, authority, Server.ways[0], .tls13).run()
            #expect(first.isSuccess, "\(first.transcript)")
            responder.behave(.honest)
            let second = try await Server.peer(host, authority, Server.ways[0], .tls13, certificate: "lost").run()
            #expect(!second.isSuccess && second.replies.last == "Access-Reject", "\(second.transcript)")
            #expect(host.count(.certificateRevoked as AccessReason) == 1 && responder.asked == 2)
        }
    }

    /// A service whose clock is the test's.
    private final class Watch: Sendable {
        private final class Hand: Sendable { let nanoseconds = Mutex(UInt64(1)) }

        let service: OCSPService
        private let hand = Hand()

        init(_ url: String, required: Bool = false) {
            var settings = OCSPService.Settings()
            settings.responder = url
            settings.isRequired = required
            settings.keptSeconds = 600
            settings.timeoutSeconds = 20
            service = OCSPService(settings) { [hand] in hand.nanoseconds.withLock { $0 } }
        }

        deinit { service.shutdown() }

        func pass(seconds: UInt64) { hand.nanoseconds.withLock { $0 += seconds * 1_000_000_000 } }
    }

    @Test func whoIsRevokedStaysSoWhileTheResponderIsAway() async throws {
        try await Self.with { authority, responder in
            try await authority.revoke("lost")
            let watch = Watch(responder.url)
            let desk = try EAPOverTLSTests.desk(authority)
            desk.tls?.status = watch.service
            let client = try authority.client("lost")
            for manner in [TestResponder.Manner.honest, .garbled, .garbled] {
                responder.behave(manner)
                let attempt = try await Self.logIn(client, desk)
                #expect(attempt.action.reason == .certificateRevoked, "\(manner)")
                watch.pass(seconds: 601)
            }
            #expect(responder.asked == 3)
            let other = try await Self.logIn(try authority.client("nemo"), desk)
            #expect(other.action.isSuccess)
        }
    }

    // MARK: Sessions

    /// Who is let in unasked has a session like everybody.
    @Test(arguments: TLSSettings.Version.allCases)
    func sessionsOfWhoWasNotAskedAboutAreTakenUp(version: TLSSettings.Version) async throws {
        try await Self.withAuthority { authority in
            let closed = try LoopbackSocket.listen()
            closed.end()
            let watch = Watch("http://127.0.0.1:\(closed.port)/")
            let desk = try EAPOverTLSTests.desk(authority)
            desk.tls?.status = watch.service
            // One is asked about in vain, and nobody for a while then.
            let stranger = try await Self.logIn(try authority.client("lost"), desk)
            #expect(stranger.action.reason == .unknownSubscriber && watch.service.statistics.failure != nil)
            let client = try authority.client("nemo") { $0.allow(only: version) }
            let first = try await Self.logIn(client, desk)
            #expect(first.action.isSuccess && !first.isResumed)
            let second = try await Self.logIn(client, desk, resuming: first.session)
            #expect(second.action.isSuccess && second.isResumed)
        }
    }

    /// A device that takes its session up shows no certificate, and is asked about all the same.
    @Test(arguments: TLSSettings.Version.allCases)
    func sessionsAreAskedAboutOnceTheAnswerIsOld(version: TLSSettings.Version) async throws {
        try await Self.with { authority, responder in
            let watch = Watch(responder.url, required: true)
            let desk = try EAPOverTLSTests.desk(authority)
            desk.tls?.status = watch.service
            let client = try authority.client("nemo") { $0.allow(only: version) }
            var last = try await Self.logIn(client, desk)
            #expect(last.action.isSuccess && responder.asked == 1)
            for asked in [1, 2, 2] {
                last = try await Self.logIn(client, desk, resuming: last.session)
                #expect(last.action.isSuccess && last.isResumed && responder.asked == asked)
                if asked == 1 { watch.pass(seconds: 601) }
            }
            try await authority.revoke("nemo")
            watch.pass(seconds: 601)
            let refused = try await Self.logIn(client, desk, resuming: last.session)
            #expect(refused.isResumed && refused.action.reason == .certificateRevoked && responder.asked == 3)
            let again = try await Self.logIn(client, desk, resuming: last.session)
            #expect(!again.isResumed && again.action.reason == .certificateRevoked && responder.asked == 3)
        }
    }

    @Test func aSessionOfWhichNobodyKnowsTheCertificateIsVoid() async throws {
        try await Self.with { authority, responder in
            let desk = try EAPOverTLSTests.desk(authority)
            let client = try authority.client("nemo")
            let before = try await Self.logIn(client, desk)
            #expect(before.action.isSuccess)
            let service = OCSPService(OCSPService.Settings())
            defer { service.shutdown() }
            desk.tls?.status = service
            let after = try await Self.logIn(client, desk, resuming: before.session)
            #expect(after.isResumed && after.action.reason == .tlsSessionVoid && responder.asked == 0)
        }
    }

    private struct LogIn {
        let action: EAPSession.Action
        let session: TLSSession?
        let isResumed: Bool
    }

    private static func logIn(_ client: TLSContext, _ desk: EAPDesk, resuming session: TLSSession? = nil) async throws -> LogIn {
        let peer = try EAPTLSPeer(.tls, client, resuming: session)
        var conversation = EAPSession()
        var action = conversation.receive(EAPPeerScript.response(7, .identity, Array("anonymous".utf8)), desk.surroundings)
        while !conversation.hasEnded, peer.packets < 200 {
            if case .wait(let inquiry) = action {
                #expect(conversation.isWaiting)
                let isDone = Flag()
                #expect(inquiry.whenDone { isDone.raise() })
                try await Support.eventually { isDone.isRaised }
                action = conversation.goOn(desk.surroundings)
            } else {
                action = conversation.receive(try peer.answer(action.packet), desk.surroundings)
            }
        }
        return LogIn(action: action, session: peer.conversation.session, isResumed: peer.conversation.isResumed)
    }

    private final class Flag: Sendable {
        private let value = Mutex(false)
        var isRaised: Bool { value.withLock { $0 } }
        func raise() { value.withLock { $0 = true } }
    }
}
