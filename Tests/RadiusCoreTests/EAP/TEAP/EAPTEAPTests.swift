import Support
import Testing

@testable import RadiusCore

/// TEAP as a value: methods and chains of them, and what devices that break rules come to.
@Suite struct EAPTEAPTests {
    private static let nemo = EAPAccount(.clearText(Array("arctangent".utf8)))
    private static let computer = EAPPeerScript(user: "host/pc", password: "secant")

    /// A desk that knows a user and a machine, and a device without a certificate.
    static func with(
        _ version: TLSSettings.Version = .tls13, _ settings: EAPTEAPSettings = EAPTEAPSettings(),
        _ body: (EAPDesk, TLSContext) async throws -> Void
    ) async throws {
        try await TestAuthority.withPair { authority in
            let desk = try EAPOverTLSTests.desk(authority)
            desk.accounts = ["nemo": nemo, "host/pc": EAPAccount(.clearText(Array("secant".utf8)))]
            desk.tls?.teap = settings
            try await body(desk, try authority.client(nil) { $0.allow(only: version) })
        }
    }

    /// What came of a device.
    struct Outcome {
        let action: EAPSession.Action
        let session: EAPSession
        let peer: EAPTLSPeer
        let talk: EAPTEAPTalk

        var keys: [UInt8]? { if case .success(_, let keys?) = action { keys.receive + keys.send } else { nil } }
        var proven: String { String(decoding: session.proven, as: UTF8.self) }
    }

    static func run(
        _ desk: EAPDesk, _ context: TLSContext, resuming session: TLSSession? = nil, fragment: Int = 1000,
        _ prepare: (EAPTLSPeer, EAPTEAPTalk) -> Void = { _, _ in }
    ) throws -> Outcome {
        let peer = try EAPTLSPeer(.teap, context, resuming: session, fragment: fragment)
        let talk = EAPTEAPTalk(peer, desk.tls?.teap.schedule ?? .rfc9930)
        prepare(peer, talk)
        var session = EAPSession()
        let action = try peer.run(&session, desk)
        return Outcome(action: action, session: session, peer: peer, talk: talk)
    }

    // MARK: Success

    @Test(arguments: TLSSettings.Version.allCases, EAPTEAPSchedule.allCases)
    func eachMethodSucceedsWithTheKeysOfBothSides(version: TLSSettings.Version, schedule: EAPTEAPSchedule) async throws {
        for method in [EAPInnerMethod.eapMSCHAPv2, .eapGTC, .eapMD5, .pap] {
            try await Self.with(version, EAPTEAPSettings(methods: [method], schedule: schedule)) { desk, context in
                let outcome = try Self.run(desk, context)
                #expect(outcome.keys != nil && outcome.keys == outcome.talk.key && outcome.talk.isBound, "\(method)")
                #expect(outcome.proven == "nemo" && outcome.session.inner == method)
                #expect(outcome.session.identity == Array("anonymous".utf8))
                #expect(Array(outcome.peer.serverOuter) == [0, 1, 0, 8] + Array("lastmile".utf8))
            }
        }
    }

    @Test func aDeviceChoosesAmongTheMethods() async throws {
        // What is stored does not do for the first.
        let digest = MSCHAP.ntHash(ofUTF8: Array("arctangent".utf8).span)
        let hash = try #require(digest)
        for methods in [[EAPInnerMethod.eapMD5, .pap], [.eapMD5, .eapMSCHAPv2], [.eapMD5]] {
            try await Self.with(.tls13, EAPTEAPSettings(methods: methods)) { desk, context in
                desk.accounts["nemo"] = EAPAccount(.ntHash(hash))
                let outcome = try Self.run(desk, context)
                if methods.count == 2 {
                    #expect(outcome.action.isSuccess && outcome.session.inner == methods[1] && outcome.keys == outcome.talk.key)
                } else {
                    #expect(outcome.action.reason == .eapMethodNeedsPassword)
                }
            }
        }
        // A password is asked for, and the device wants a method of EAP.
        try await Self.with(.tls13, EAPTEAPSettings(methods: [.pap, .eapMSCHAPv2])) { desk, context in
            let outcome = try Self.run(desk, context) { _, talk in
                talk.twist = { read, answer in read[13] == nil ? answer : EAPTEAPTalk.tlv(4, [0, 0, 0, 0, 0, 13]) }
            }
            #expect(outcome.action.isSuccess && outcome.session.inner == .eapMSCHAPv2 && outcome.keys == outcome.talk.key)
        }
        try await Self.with(.tls13, EAPTEAPSettings(methods: [.pap])) { desk, context in
            let outcome = try Self.run(desk, context) { _, talk in
                talk.twist = { read, answer in read[13] == nil ? answer : EAPTEAPTalk.tlv(4, [0, 0, 0, 0, 0, 13]) }
            }
            #expect(outcome.action.reason == .tunnelMethodRefused && outcome.talk.errors == [1032])
        }
    }

    @Test(arguments: EAPTEAPSchedule.allCases)
    func aMachineAndItsUserProveThemselves(schedule: EAPTEAPSchedule) async throws {
        for methods in [[EAPInnerMethod.eapMSCHAPv2], [.pap]] {
            let settings = EAPTEAPSettings(methods: methods, identities: .machineAndUser, schedule: schedule)
            try await Self.with(.tls13, settings) { desk, context in
                let outcome = try Self.run(desk, context) { _, talk in talk.machine = Self.computer }
                #expect(outcome.keys != nil && outcome.keys == outcome.talk.key && outcome.talk.isBound)
                // The user's session; each was asked for by its type.
                #expect(outcome.proven == "nemo")
                #expect(outcome.talk.heard.compactMap { $0[2] } == [[0, 2], [0, 1]])
                #expect(outcome.talk.heard.count { $0[12] != nil } == 2)
            }
        }
    }

    @Test func aMachineWithoutAUserIsEnoughWhereThatIsAllowed() async throws {
        for identities in [EAPTEAPSettings.Identities.machineThenUser, .machineAndUser] {
            try await Self.with(.tls13, EAPTEAPSettings(identities: identities)) { desk, context in
                let outcome = try Self.run(desk, context) { _, talk in
                    talk.machine = Self.computer
                    talk.user = EAPPeerScript(user: "")
                }
                #expect(outcome.action.isSuccess == (identities == .machineThenUser))
                if outcome.action.isSuccess {
                    #expect(outcome.proven == "host/pc" && outcome.keys == outcome.talk.key)
                } else {
                    #expect(outcome.action.reason == .userNameMissing)
                }
                // With a user both count.
                let both = try Self.run(desk, context) { _, talk in talk.machine = Self.computer }
                #expect(both.proven == "nemo" && both.keys == both.talk.key)
            }
        }
    }

    // MARK: Sessions

    @Test(arguments: TLSSettings.Version.allCases)
    func aSessionOfTwoIsForBothOfThem(version: TLSSettings.Version) async throws {
        try await Self.with(version, EAPTEAPSettings(identities: .machineAndUser)) { desk, context in
            let changes: [(EAPAccount?, AccessReason)] = [
                (EAPAccount(.clearText(Array("secant".utf8)), refusal: .locked), .locked), (nil, .tlsSessionVoid),
                (EAPAccount(.clearText(Array("cosecant".utf8))), .tlsSessionVoid),
            ]
            for (account, reason) in changes {
                desk.accounts["host/pc"] = EAPAccount(.clearText(Array("secant".utf8)))
                let first = try Self.run(desk, context) { _, talk in talk.machine = Self.computer }
                #expect(first.action.isSuccess)
                let second = try Self.run(desk, context, resuming: first.peer.conversation.session)
                #expect(second.peer.conversation.isResumed && second.proven == "nemo")
                #expect(second.keys != nil && second.keys == second.talk.key && second.talk.isBound)
                // No method runs, so that there is a result, and no intermediate one.
                #expect(second.talk.heard.count == 1 && second.talk.heard[0][10] == nil && second.talk.heard[0][12] != nil)
                desk.accounts["host/pc"] = account
                let third = try Self.run(desk, context, resuming: second.peer.conversation.session)
                #expect(third.peer.conversation.isResumed && third.action.reason == reason)
            }
        }
    }

    /// Else nobody would ask who has logged on since.
    @Test(arguments: TLSSettings.Version.allCases)
    func aSessionOfTheMachineAloneIsNotTakenUp(version: TLSSettings.Version) async throws {
        try await Self.with(version, EAPTEAPSettings(identities: .machineThenUser)) { desk, context in
            let first = try Self.run(desk, context) { _, talk in
                talk.machine = Self.computer
                talk.user = EAPPeerScript(user: "")
            }
            #expect(first.action.isSuccess && first.proven == "host/pc" && desk.tls?.tunnel?.sessionCount == 0)
            let second = try Self.run(desk, context, resuming: first.peer.conversation.session) { _, talk in talk.machine = Self.computer }
            #expect(second.action.isSuccess && second.proven == "nemo" && !second.peer.conversation.isResumed)
            let third = try Self.run(desk, context, resuming: second.peer.conversation.session)
            #expect(third.action.isSuccess && third.proven == "nemo" && third.peer.conversation.isResumed)
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func noSessionIsTakenUpWhereNoneMayBe(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            try await authority.issue("nemo", usage: "clientAuth")
            let desk = try EAPOverTLSTests.desk(authority)
            desk.accounts["nemo"] = EAPAccount(.none)
            let context = try authority.client("nemo") { $0.allow(only: version) }
            func logIn(_ session: TLSSession?) throws -> EAPTLSPeer {
                let peer = try EAPTLSPeer(.tls, context, resuming: session)
                var session = EAPSession()
                #expect(try peer.run(&session, desk).isSuccess)
                return peer
            }
            let first = try logIn(nil)
            #expect(try logIn(first.conversation.session).conversation.isResumed)
            let again = try logIn(nil)
            desk.tls?.resumes = false
            let count = desk.tls?.certificate?.sessionCount
            #expect(try !logIn(again.conversation.session).conversation.isResumed)
            #expect(desk.tls?.certificate?.sessionCount == count)
        }
    }

    // MARK: Refusals

    @Test func whoIsWrongUnknownOrLockedIsToldSoInTheTunnel() async throws {
        let cases: [(EAPAccount?, String, AccessReason, Int)] = [
            (Self.nemo, "secant", .wrongPassword, 1003), (nil, "arctangent", .unknownSubscriber, 1003),
            (EAPAccount(.clearText(Array("arctangent".utf8)), refusal: .locked), "arctangent", .locked, 1004),
        ]
        for method in [EAPInnerMethod.eapMSCHAPv2, .pap] {
            try await Self.with(.tls13, EAPTEAPSettings(methods: [method])) { desk, context in
                for (account, password, reason, error) in cases {
                    desk.accounts["nemo"] = account
                    let outcome = try Self.run(desk, context) { _, talk in talk.user = EAPPeerScript(password: password) }
                    #expect(outcome.action.reason == reason && outcome.talk.errors == [error])
                    let last = try #require(outcome.talk.heard.last)
                    #expect(last[3] == [0, 2] && last[10] == [0, 2] && last[12] == nil)
                    #expect(outcome.session.claimed == Array("nemo".utf8) && outcome.session.inner == method)
                    #expect(desk.tls?.tunnel?.sessionCount == 0)
                }
            }
        }
    }

    @Test func aMachineThatIsLockedMeanwhileEndsTheLogIn() async throws {
        try await Self.with(.tls13, EAPTEAPSettings(identities: .machineAndUser)) { desk, context in
            let outcome = try Self.run(desk, context) { _, talk in
                talk.machine = Self.computer
                talk.twist = { read, answer in
                    if read[3] == [0, 1] { desk.accounts["host/pc"] = EAPAccount(.clearText(Array("secant".utf8)), refusal: .locked) }
                    return answer
                }
            }
            #expect(outcome.action.reason == .locked && desk.tls?.tunnel?.sessionCount == 0)
        }
    }

    @Test func theReasonStaysWhateverTheDeviceSaysToIt() async throws {
        try await Self.with { desk, context in
            for last in [[], [9], EAPTEAPTalk.tlv(3, [0, 1])] as [[UInt8]] {
                let outcome = try Self.run(desk, context) { _, talk in
                    talk.user = EAPPeerScript(password: "secant")
                    talk.twist = { read, answer in read[3] == nil ? answer : last }
                }
                #expect(outcome.action.reason == .wrongPassword)
            }
        }
    }

    @Test func onlyWhoIsAskedForMayProveItself() async throws {
        let machine = Self.computer
        let cases: [(EAPTEAPSettings.Identities, EAPPeerScript?, EAPPeerScript?, AccessReason?)] = [
            (.user, EAPPeerScript(), nil, nil), (.user, nil, machine, .tunnelIdentityRefused), (.machine, nil, machine, nil),
            (.machine, EAPPeerScript(), nil, .tunnelIdentityRefused), (.any, nil, machine, nil),
            // Each of them once: the user cannot be the machine, too.
            (.machineAndUser, EAPPeerScript(), nil, .tunnelIdentityRefused),
        ]
        for (identities, user, machine, reason) in cases {
            try await Self.with(.tls13, EAPTEAPSettings(identities: identities)) { desk, context in
                let outcome = try Self.run(desk, context) { _, talk in (talk.user, talk.machine) = (user, machine) }
                #expect(outcome.action.reason == reason, "\(identities)")
                if reason != nil { #expect(outcome.talk.heard.last?[3] == [0, 2]) }
            }
        }
    }

    /// What the device calls it does not make another of it.
    @Test(arguments: [EAPTEAPSettings.Identities.machineAndUser, .machineThenUser], [true, false])
    func oneAccountIsNotBothMachineAndUser(identities: EAPTEAPSettings.Identities, saysType: Bool) async throws {
        for method in [EAPInnerMethod.eapMSCHAPv2, .pap] {
            for schedule in EAPTEAPSchedule.allCases {
                let settings = EAPTEAPSettings(methods: [method], identities: identities, schedule: schedule)
                try await Self.with(.tls13, settings) { desk, context in
                    let outcome = try Self.run(desk, context) { _, talk in
                        (talk.machine, talk.saysType) = (EAPPeerScript(), saysType)
                    }
                    #expect(outcome.action.reason == .tunnelIdentityRefused && outcome.talk.errors == [1003])
                    #expect(outcome.talk.heard.compactMap { $0[2] } == [[0, 2], [0, 1]] && outcome.talk.heard.last?[3] == [0, 2])
                    #expect(desk.tls?.tunnel?.sessionCount == 0)
                }
            }
        }
    }

    @Test func aDeviceThatDoesNotSayWhatItIsCountsAsWhatWasAskedFor() async throws {
        try await Self.with(.tls13, EAPTEAPSettings(identities: .machineAndUser)) { desk, context in
            let outcome = try Self.run(desk, context) { _, talk in
                talk.machine = Self.computer
                talk.saysType = false
            }
            #expect(outcome.proven == "nemo" && outcome.keys == outcome.talk.key)
        }
    }
}
