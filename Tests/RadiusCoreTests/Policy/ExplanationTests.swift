import Testing

@testable import RadiusCore

@Suite struct ExplanationTests {
    @Test func nobodyIsNotExplained() throws {
        var desk = PolicyDesk()
        desk.subscribers = [PolicyDesk.subscriber("alice")]
        #expect(try desk.explain("bob") == nil)
        #expect(try desk.explain("Alice") == nil)
        #expect(try desk.explain("") == nil)
    }

    @Test(arguments: [
        (CredentialKind.none, "" as String), (.clearText, "pap chap mschap mschapv2"), (.ntHash, "pap mschap mschapv2"), (.hash, "pap"),
    ])
    func theCredentialSaysWhichMethodsWork(kind: CredentialKind, methods: String) throws {
        var desk = PolicyDesk()
        var entry = PolicyDesk.subscriber("alice")
        entry.credentialKind = kind
        entry.credential = [1, 2, 3]
        desk.subscribers = [entry]
        let explanation = try #require(try desk.explain("alice"))
        #expect(explanation.credential == kind)
        #expect(explanation.methods.map(\.name).joined(separator: " ") == methods)
    }

    @Test func whatANASCannotBeToldOfAQuotaIsAWarning() throws {
        var desk = PolicyDesk()
        desk.subscribers = [PolicyDesk.subscriber("alice")]
        #expect(try desk.explain("alice", vendor: .cisco)?.quotaWarning == nil)
        desk.subscribers[0].quotaLimit = QuotaLimit(
            octets: 1 << 32, laterOctets: 1 << 33, untilSeconds: .max, laterUntilSeconds: .max, direction: .download, shrinks: false)
        #expect(try desk.explain("alice")?.quotaWarning == nil)
        #expect(try desk.explain("alice")?.lines.contains("Mikrotik-Xmit-Limit-Gigawords = 1") == true)
        let without = try #require(try desk.explain("alice", vendor: .cisco)?.quotaWarning)
        #expect(without.hasPrefix("No attribute of this vendor is known that limits a session's octets of the download,"))
        #expect(without.hasSuffix(" Session-Timeout ends the session with the quota's window."))
        desk.subscribers[0].quotaLimit?.direction = .both
        let tooMuch = try #require(try desk.explain("alice", vendor: .pfsense)?.quotaWarning)
        #expect(tooMuch.hasPrefix("4294967296 octets of the quota are left, and this vendor's attribute says 4294967295 at most."))
        desk.subscribers[0].quotaLimit?.untilSeconds = 1
        #expect(try desk.explain("alice", vendor: .cisco)?.quotaWarning?.hasSuffix(" with the quota's window.") == true)
        desk.subscribers[0].quotaLimit?.laterUntilSeconds = 2
        #expect(try desk.explain("alice", vendor: .cisco)?.quotaWarning?.hasSuffix("so Session-Timeout does not end it either.") == true)
        desk.subscribers[0].status = .quarantined
        #expect(try desk.explain("alice", vendor: .cisco)?.quotaWarning == nil)
    }

    @Test func theDerivationIsWhole() throws {
        var desk = PolicyDesk()
        var entry = PolicyDesk.subscriber("alice", status: .quarantined)
        entry.locks.insert(.overdue, at: .captive)
        entry.identity = [8, 6, 203, 0, 113, 9]
        entry.service = [22, 3, 0x72]
        desk.subscribers = [entry]
        let explanation = try #require(try desk.explain("alice", vendor: .juniper))
        #expect(explanation.status == .quarantined && explanation.level == .captive && explanation.reason == .acceptedCaptive)
        #expect(explanation.locks.map(\.reason) == [.overdue])
        #expect(explanation.nas == "core1" && explanation.vendor == .juniper)
        #expect(explanation.profile?.name == "garden" && explanation.profile?.id == PolicyDesk.garden)
        // The address follows into the garden, the route does not.
        #expect(explanation.lines.first == "Framed-IP-Address = 203.0.113.9")
        #expect(!explanation.lines.contains { $0.hasPrefix("Framed-Route") })
    }

    @Test func hiddenValuesOfProfileAndSubscriberAreRevealedBehindTheRest() throws {
        var desk = PolicyDesk()
        desk.profiles[0] = PolicyDesk.profile(
            PolicyDesk.plan, "home50", 50, 10,
            keyed: { $0 == .mikrotik ? [ReplyAttribute(name: "Tunnel-Password:1", value: "of-profile")] : [] })
        var entry = PolicyDesk.subscriber("alice")
        entry.hasKeyedAttributes = true
        desk.subscribers = [entry]
        desk.keyed = [42: [ReplyAttribute(name: "Tunnel-Password:2", value: "of-alice")]]
        let explanation = try #require(try desk.explain("alice"))
        #expect(explanation.lines.suffix(2) == ["Tunnel-Password:1 = of-profile", "Tunnel-Password:2 = of-alice"])
        #expect(explanation.attributes.suffix(2).allSatisfy { $0.isSecret })
        #expect(try desk.explain("alice", vendor: .juniper)?.lines.last == "Tunnel-Password:2 = of-alice")
        // The subscriber's own belongs to the full service.
        desk.subscribers[0].status = .quarantined
        #expect(try desk.explain("alice")?.lines.contains { $0.hasPrefix("Tunnel-Password") } == false)
    }

    /// 4048 octets of messages, 15 of rate, 6 of interval: with header and Message-Authenticator 11 too many.
    @Test func aReplyThatFitsNoPacketIsARejectWithItsReason() throws {
        var desk = PolicyDesk()
        let filler = [[UInt8]](repeating: [18, 253] + [UInt8](repeating: 0x61, count: 251), count: 16).flatMap { $0 }
        var entry = PolicyDesk.subscriber("alice")
        entry.service = filler
        desk.subscribers = [entry]
        let explanation = try #require(try desk.explain("alice"))
        #expect(explanation.reason == .replyTooLarge && !explanation.isAccepted && explanation.encoded.isEmpty)
        #expect(explanation.attributes.isEmpty)
        #expect(explanation.profile?.name == "home50")
        desk.subscribers[0].service.removeFirst(253)
        #expect(try desk.explain("alice")?.reason == .accepted)
    }

    @Test func whatTheVendorCannotBeToldIsAnAlarm() throws {
        var desk = PolicyDesk()
        desk.subscribers = [PolicyDesk.subscriber("alice")]
        #expect(try desk.explain("alice")?.alarms.isEmpty == true)
        #expect(try desk.explain("alice", vendor: .ciscoASR9000)?.alarms.isEmpty == false)
    }

    /// As the packet path does, which looks at the proof first.
    @Test(arguments: [(SubscriberStatus.active, AccessReason.accepted), (.suspended, .statusSuspended)])
    func withoutAPasswordOnlyWhatNeedsNoneGetsIn(_ status: SubscriberStatus, _ otherwise: AccessReason) throws {
        var desk = RuleDesk()
        #expect(try desk.explain(method: .pap).isAccepted)
        desk.desk.subscribers[0].status = status
        desk.desk.subscribers[0].credentialKind = .none
        desk.desk.subscribers[0].credential = []
        for method in [AuthenticationMethod.pap, .chap, .msCHAPv2, .eapPEAPMSCHAPv2] {
            let refused = try desk.explain(method: method)
            #expect(refused.reason == .noPasswordSet && !refused.isAccepted && refused.attributes.isEmpty)
            #expect(
                refused.sentence.contains("PAP, CHAP, MS-CHAP") && refused.sentence.contains("by eap-tls, eap-sim, eap-aka, eap-aka-prime:")
            )
        }
        #expect(try desk.explain(method: .eapTLS).reason == otherwise)
        #expect(try desk.explain(method: .eapSIM).reason == otherwise)
        desk.desk.subscribers[0].authenticatesByMAC = true
        #expect(try desk.explain(method: .pap).reason == otherwise)
        #expect(try desk.explain(method: .msCHAPv2).reason == .methodNeedsClearText)
        #expect(try desk.explain(method: .eapMD5).reason == .noPasswordSet)
    }

    private static let misfits: [(CredentialKind, [AuthenticationMethod], AccessReason)] = [
        (.hash, [.chap, .eapTTLSCHAP], .methodNeedsClearText), (.ntHash, [.chap, .eapTTLSCHAP], .methodNeedsClearText),
        (.hash, [.msCHAP, .msCHAPv2, .eapTTLSMSCHAP, .eapTTLSMSCHAPv2], .methodNeedsNTHash),
        (.hash, [.eapMD5, .eapMSCHAPv2, .eapPWD, .eapPEAPMSCHAPv2, .eapTTLSEAPMD5, .eapTEAPMSCHAPv2], .eapMethodNeedsPassword),
        (.ntHash, [.eapMD5, .eapTTLSEAPMD5], .eapMethodNeedsPassword),
        (
            .hash, [.pap, .eapGTC, .eapTLS, .eapTTLSPAP, .eapPEAPGTC, .eapTTLSEAPTLS, .eapTEAPPassword, .eapTTLS, .eapSIM],
            .accepted
        ),
        (.ntHash, [.pap, .msCHAP, .msCHAPv2, .eapMSCHAPv2, .eapPWD, .eapTTLSMSCHAPv2, .eapPEAPMSCHAPv2], .accepted),
    ]

    @Test(arguments: misfits)
    func aMethodThatWhatIsStoredCannotServeIsRefused(kind: CredentialKind, methods: [AuthenticationMethod], reason: AccessReason) throws {
        var desk = RuleDesk()
        desk.desk.subscribers[0].credentialKind = kind
        desk.desk.subscribers[0].credential = [UInt8](repeating: 1, count: 16)
        for method in methods { #expect(try desk.explain(method: method).reason == reason, "\(method.name)") }
    }

    @Test func withoutACardNoMethodOfCardsGetsIn() throws {
        var desk = RuleDesk()
        desk.desk.subscribers[0].card = []
        for method in [AuthenticationMethod.eapSIM, .eapAKA, .eapAKAPrime] {
            let refused = try desk.explain(method: method)
            #expect(refused.reason == .cardMissing && !refused.isAccepted)
        }
    }
}
