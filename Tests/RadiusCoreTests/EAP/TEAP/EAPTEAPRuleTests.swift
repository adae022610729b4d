import Testing

@testable import RadiusCore

/// Messages of TEAP that are not as they should be, outside the tunnel and inside.
@Suite struct EAPTEAPRuleTests {
    // MARK: Outside

    private static let client: [UInt8] = [22, 3, 1, 0, 2, 1, 0]

    @Test func tlvsOutsideTheTunnelAreKeptAndTakenAway() throws {
        let vendor: [UInt8] = [0, 7, 0, 4, 0, 0, 0, 9]
        let authority: [UInt8] = [0, 1, 0, 2, 104, 105]
        // With the message's length, which may count the TLVs or not, and without.
        for head in [[0x11], [0x91, 0, 0, 0, 7], [0x91, 0, 0, 0, 19], [0xd1, 0, 0, 1, 0]] as [[UInt8]] {
            var outer = EAPTEAPOuter(authority: Array("hi".utf8))
            #expect(outer.start == [0x31, 0, 0, 0, 6] + authority)
            let stripped = outer.strip(head + [0, 0, 0, 8] + Self.client + vendor)
            #expect(stripped == [head[0] & 0x41] + Self.client && outer.octets == authority + vendor)
            // Later ones mean nothing.
            #expect(outer.strip([0x11, 0, 0, 0, 2] + Self.client + [1, 2]) == [1] + Self.client)
            #expect(outer.octets == authority + vendor)
        }
    }

    @Test func lengthsAndVersionsThatCannotBeAreRefused() {
        for packet in [
            [0x10], [0x11, 0, 0, 0], [0x11, 0, 0, 0, 1], [0x11, 0xff, 0xff, 0xff, 0xff, 1], [0x91, 0, 0, 0, 1, 0, 0, 0], [0], [2, 22], [7],
            [0x11, 0, 0, 2, 1] + [UInt8](repeating: 0, count: 0x201),
        ] as [[UInt8]] {
            var outer = EAPTEAPOuter(authority: [97])
            #expect(outer.strip(packet) == nil, "\(packet)")
        }
        var outer = EAPTEAPOuter(authority: [UInt8](repeating: 97, count: 300))
        #expect(outer.start.count == 73 && outer.strip([]) == [] && outer.strip([1, 5]) == [1, 5] && outer.strip([0]) == [0])
    }

    @Test(arguments: TLSSettings.Version.allCases, [64, 100, 1000])
    func aDeviceMaySaySomethingOutsideInFragmentsOfAnySize(version: TLSSettings.Version, fragment: Int) async throws {
        try await EAPTEAPTests.with(version) { desk, context in
            desk.tls?.packetOctets = 128
            let outcome = try EAPTEAPTests.run(desk, context, fragment: fragment) { peer, _ in peer.outer = [0, 2, 0, 2, 0, 1] }
            #expect(outcome.action.isSuccess && outcome.keys == outcome.talk.key && outcome.talk.isBound)
        }
    }

    @Test func whatIsChangedOutsideTheTunnelIsNoticed() async throws {
        try await EAPTEAPTests.with { desk, context in
            let peer = try EAPTLSPeer(.teap, context)
            let talk = EAPTEAPTalk(peer)
            var session = EAPSession()
            var action = session.receive(EAPPeerScript.response(7, .identity, Array("anonymous".utf8)), desk.surroundings)
            while !session.hasEnded {
                var packet = action.packet
                // The server's name, on its way to the device.
                if packet.count > 20, packet[4] == 55, packet[5] & 0x20 != 0 { packet[packet.count - 1] ^= 1 }
                action = session.receive(try peer.answer(packet), desk.surroundings)
            }
            #expect(action.reason == .tunnelUnbound && !talk.isBound && talk.errors == [2005])
        }
    }

    // MARK: Messages

    @Test func messagesAreReadAsFarAsTheyMakeSense() throws {
        let tlv = EAPTEAPTalk.tlv
        for octets in [
            [1], [0x80, 3, 0], [0x80, 3, 0, 3, 0, 1], tlv(3, [0, 3]), tlv(10, [0, 0]), tlv(3, [0, 1]) + tlv(3, [0, 1]),
            tlv(9, [1]) + tlv(9, [1]), tlv(9, [1]) + tlv(14, [1, 97, 1, 97]), tlv(2, [0, 1]) + tlv(2, [0, 1]), tlv(11, [0, 1]),
            [[UInt8]](repeating: tlv(19, [97, 98]), count: 33).flatMap { $0 },
        ] as [[UInt8]] { #expect(EAPTEAPMessage(octets) == nil, "\(octets)") }
        // Lengths that a kind cannot have; kinds that are always optional; a reserved bit.
        for octets in [
            tlv(3, [1]), tlv(2, [1]), tlv(5, [1]), tlv(4, [1]), tlv(8, [1]), tlv(12, [1]), tlv(14, [0]), tlv(14, [0, 1, 97]),
            tlv(14, [1, 97, 0]), tlv(14, [1, 97, 2, 97]), tlv(14, [1, 97, 1, 97, 97]), tlv(6, [1]), tlv(15, [1]), tlv(16, [1]),
            tlv(17, [1]), tlv(18, [1]), tlv(19, [1]), [0, 99, 0, 1, 1],
        ] as [[UInt8]] {
            let message = try #require(EAPTEAPMessage(octets))
            #expect(message == EAPTEAPMessage([]), "\(octets)")
        }
        let all = try #require(
            EAPTEAPMessage(
                [
                    tlv(2, [0, 7]), tlv(3, [0, 1]), tlv(10, [0, 2, 0, 9, 0, 0]), tlv(5, [0, 0, 3, 233]), tlv(5, [0, 0, 7, 209]),
                    tlv(4, [0, 0, 0, 0, 0, 13]), tlv(8, [2, 1]), tlv(14, [1, 97, 2, 98, 99]), tlv(99, []), tlv(7, [0, 0, 1, 55, 1]),
                ].flatMap { $0 }))
        #expect(all.identityType == 7 && all.result == .success && all.intermediateResult == .failure && all.error == 2001)
        #expect(all.refused == [13] && all.actions == [2])
        #expect(all.credentials == EAPTEAPMessage.Credentials(name: [97], password: [98, 99]))
        #expect(all.unknown.map { EAPTEAPMessage.nak($0) } == [[0x80, 4, 0, 6, 0, 0, 0, 0, 0, 99], [0x80, 4, 0, 6, 0, 0, 1, 55, 0, 7]])
    }

    /// What the first answer in the tunnel comes to, and the server's error.
    private static let mistakes: [([UInt8], AccessReason, Int?)] = [
        ([1, 2, 3], .tunnelMalformed, 2002), (EAPTEAPTalk.tlv(11, [0, 1]), .tunnelMalformed, 2002),
        // Done before it began; a binding that nobody asked for; a wish in the middle; nothing of use; a password that nobody asked for.
        (EAPTEAPTalk.tlv(3, [0, 1]), .eapUnexpected, 2002),
        (EAPTEAPTalk.tlv(12, [UInt8](repeating: 1, count: 76)), .tunnelMalformed, 2002),
        (EAPTEAPTalk.tlv(8, [1, 1]), .eapUnexpected, 2002), (EAPTEAPTalk.tlv(6, [1]), .tunnelEmpty, 2002),
        (EAPTEAPTalk.tlv(14, [4] + Array("nemo".utf8) + [10] + Array("arctangent".utf8)), .eapUnexpected, 2002),
        // What is not known and has to be, together with a result.
        (EAPTEAPTalk.tlv(99, [1]) + EAPTEAPTalk.tlv(3, [0, 1]), .tunnelMalformed, 2002),
        (EAPTEAPTalk.tlv(10, [0, 2]), .eapPeerRefused, 1003), (EAPTEAPTalk.tlv(2, [0, 3]), .tunnelIdentityRefused, 1003),
        // The device's own ends need no answer.
        (EAPTEAPTalk.tlv(3, [0, 2]), .eapPeerRefused, nil), (EAPTEAPTalk.tlv(5, [0, 0, 7, 210]), .eapPeerRefused, nil),
        (EAPTEAPTalk.tlv(3, [0, 2]) + EAPTEAPTalk.tlv(5, [0, 0, 7, 209]), .tunnelUnbound, nil),
    ]

    @Test func whatCannotBeEndsTheConversationWithItsReason() async throws {
        try await EAPTEAPTests.with { desk, context in
            for (octets, reason, error) in Self.mistakes {
                let outcome = try EAPTEAPTests.run(desk, context) { _, talk in
                    talk.twist = { read, answer in read[3] == nil ? octets : answer }
                }
                #expect(outcome.action.reason == reason, "\(octets)")
                #expect(outcome.talk.errors == (error.map { [$0] } ?? []), "\(octets)")
                #expect(desk.tls?.tunnel?.sessionCount == 0)
            }
        }
    }

    @Test func whatHasToBeKnownAndIsNotIsNamed() async throws {
        try await EAPTEAPTests.with { desk, context in
            for (times, isSuccess) in [(1, true), (3, true), (4, false)] {
                var (left, last) = (times, [UInt8]())
                let outcome = try EAPTEAPTests.run(desk, context) { _, talk in
                    talk.twist = { read, answer in
                        // What counted for nothing is said once more.
                        let honest = read[4] == nil ? answer : last
                        guard left > 0, read[3] == nil else { return honest }
                        (left, last) = (left - 1, honest)
                        return honest + EAPTEAPTalk.tlv(100, [1]) + EAPTEAPTalk.tlv(7, [0, 0, 0, 9, 1])
                    }
                }
                #expect(outcome.action.isSuccess == isSuccess)
                #expect(outcome.talk.heard.count { $0[4] != nil } == min(times, 3))
                if !isSuccess { #expect(outcome.action.reason == .tunnelMalformed && outcome.talk.errors == [2002]) }
            }
        }
    }

    @Test func whatNeedNotBeKnownIsPassedOver() async throws {
        try await EAPTEAPTests.with { desk, context in
            let outcome = try EAPTEAPTests.run(desk, context) { _, talk in
                talk.twist = { _, answer in answer + [0, 100, 0, 1, 9, 0, 19, 0, 4] + Array("nemo".utf8) }
            }
            #expect(outcome.action.isSuccess && outcome.keys == outcome.talk.key)
        }
    }

    /// wpa_supplicant says so with its last answer, and again with each.
    @Test(arguments: EAPTEAPSchedule.allCases)
    func aWishForAPACIsPassedOverAsFarAsRFC7170Goes(schedule: EAPTEAPSchedule) async throws {
        try await EAPTEAPTests.with(.tls12, EAPTEAPSettings(schedule: schedule)) { desk, context in
            let wish = EAPTEAPTalk.tlv(8, [1, 1]) + EAPTEAPTalk.tlv(11, [0, 10, 0, 2, 0, 1])
            let outcome = try EAPTEAPTests.run(desk, context) { _, talk in
                talk.twist = { read, answer in read[3] == [0, 1] ? answer + wish : answer }
            }
            #expect(outcome.action.isSuccess == (schedule == .rfc7170))
            if schedule != .rfc7170 { #expect(outcome.action.reason == .tunnelMalformed && outcome.talk.errors == [2002]) }
        }
    }

    // MARK: The end

    /// Changes the device's last answer, which has its binding and its results.
    private static func end(_ desk: EAPDesk, _ context: TLSContext, _ change: @escaping ([UInt8]) -> [UInt8]) throws -> EAPTEAPTests.Outcome
    {
        try EAPTEAPTests.run(desk, context) { _, talk in
            talk.twist = { read, answer in read[12] != nil ? change(answer) : answer }
        }
    }

    @Test func aBindingThatIsMissingOrWrongIsRefused() async throws {
        try await EAPTEAPTests.with { desk, context in
            let cases: [(([UInt8]) -> [UInt8], Int)] = [
                ({ Array($0.dropFirst(80)) }, 2001), ({ $0.enumerated().map { $0.offset == 70 ? $0.element ^ 1 : $0.element } }, 2005),
                ({ $0.enumerated().map { $0.offset == 6 ? 2 : $0.element } }, 2003),
                ({ $0.enumerated().map { $0.offset == 7 ? 0x11 : $0.element } }, 2004),
            ]
            for (change, error) in cases {
                let outcome = try Self.end(desk, context, change)
                #expect(outcome.action.reason == .tunnelUnbound && outcome.talk.errors == [error])
                #expect(outcome.talk.heard.last?[3] == [0, 2])
            }
        }
    }

    @Test func bothResultsBelongToTheEnd() async throws {
        try await EAPTEAPTests.with { desk, context in
            // Without the intermediate result, without the result, and with a failure of either.
            let cases: [(([UInt8]) -> [UInt8], AccessReason)] = [
                ({ Array($0[..<80]) + Array($0[86...]) }, .tunnelMalformed), ({ Array($0[..<86]) }, .tunnelMalformed),
                ({ Array($0[..<80]) + EAPTEAPTalk.tlv(10, [0, 2]) }, .eapPeerRefused),
                ({ Array($0[..<86]) + EAPTEAPTalk.tlv(3, [0, 2]) }, .eapPeerRefused),
            ]
            for (change, reason) in cases {
                let outcome = try Self.end(desk, context, change)
                #expect(outcome.action.reason == reason)
            }
        }
    }

    @Test func aWishAtTheEndIsNotGranted() async throws {
        try await EAPTEAPTests.with { desk, context in
            for (status, times, reason) in [
                (UInt8(1), 1, nil), (1, 3, nil), (1, 4, .tunnelMalformed), (2, 1, .eapPeerRefused), (7, 1, .tunnelMalformed),
            ] as [(UInt8, Int, AccessReason?)] {
                var left = times
                let outcome = try EAPTEAPTests.run(desk, context) { _, talk in
                    talk.twist = { read, answer in
                        guard read[3] == [0, 1], left > 0 else { return answer }
                        left -= 1
                        return (read[12] == nil ? [] : Array(answer.prefix(86))) + EAPTEAPTalk.tlv(8, [status, 1, 0, 16, 0, 0])
                    }
                }
                #expect(outcome.action.reason == reason, "\(status), \(times)")
                if reason == nil { #expect(outcome.keys == outcome.talk.key) }
            }
        }
    }
}
