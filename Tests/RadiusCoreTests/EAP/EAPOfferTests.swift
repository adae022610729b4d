import Testing

@testable import RadiusCore

/// What a trial of policy rules says of methods of EAP that are not offered here.
@Suite struct EAPOfferTests {
    private static let both = TLSSettings.Version.tls12...TLSSettings.Version.tls13
    private static let newest = TLSSettings.Version.tls13...TLSSettings.Version.tls13

    private static func offer(
        hasTunnel: Bool = true, asksForCertificate: Bool = true, _ adjust: (inout EAPService.Settings) -> Void = { _ in }
    ) -> EAPOffer {
        var settings = EAPService.Settings()
        adjust(&settings)
        return EAPOffer(settings: settings, hasTunnel: hasTunnel, asksForCertificate: asksForCertificate, versions: both)
    }

    @Test(arguments: AuthenticationMethod.allCases) func whatIsOfferedIsNotRefused(method: AuthenticationMethod) {
        let offer = Self.offer { $0.teap.methods = EAPInnerMethod.allCases }
        #expect(offer.refusal(of: method, leaving: nil) == nil && offer.refusal(of: method, leaving: Self.newest) == nil)
    }

    @Test(arguments: AuthenticationMethod.allCases) func aMethodIsMadeOfItsSteps(method: AuthenticationMethod) {
        let steps = method.steps
        #expect((steps == nil) == (!method.isOfEAP || method == .eap))
        if let steps { #expect(AuthenticationMethod(steps.type, steps.inner) == method) }
    }

    @Test func whatSettingsDoNotOfferIsRefusedAsOnTheWire() {
        let offer = Self.offer { settings in
            settings.methods = [.ttls, .peap, .msCHAPv2]
            settings.ttlsMethods = [.pap]
            settings.peapMethods = [.tls]
        }
        let refusals: [(AuthenticationMethod, AccessReason?)] = [
            (.eapTLS, .eapNoCommonMethod), (.eapTEAP, .eapNoCommonMethod), (.eapMD5, .eapNoCommonMethod), (.eapMSCHAPv2, nil),
            (.eapTTLSPAP, nil), (.eapTTLSCHAP, .tunnelMethodRefused), (.eapTTLSEAPTLS, .tunnelMethodRefused), (.eapTTLS, nil),
            (.eapPEAPTLS, nil), (.eapPEAPMSCHAPv2, .tunnelMethodRefused), (.eap, nil), (.pap, nil), (.msCHAPv2, nil),
        ]
        for (method, reason) in refusals { #expect(offer.refusal(of: method, leaving: nil) == reason, "\(method.name)") }
    }

    @Test func withoutCertificateOrAuthorityWhatNeedsThemIsRefused() {
        let none = Self.offer(hasTunnel: false, asksForCertificate: false)
        #expect(none.refusal(of: .eapTTLS, leaving: nil) == .eapNoCommonMethod && none.refusal(of: .eap, leaving: nil) == nil)
        let only = Self.offer(hasTunnel: false, asksForCertificate: false) { $0.methods = [.ttls, .tls] }
        #expect(only.refusal(of: .eapTTLSPAP, leaving: nil) == .tlsUnavailable && only.refusal(of: .eap, leaving: nil) == .tlsUnavailable)
        let tunnels = Self.offer(asksForCertificate: false) { $0.peapMethods = [.tls] }
        #expect(tunnels.refusal(of: .eapTLS, leaving: nil) == .eapNoCommonMethod)
        #expect(tunnels.refusal(of: .eapTTLSEAPTLS, leaving: nil) == .tunnelMethodRefused)
        #expect(tunnels.refusal(of: .eapPEAPTLS, leaving: nil) == .tlsUnavailable)
        #expect(tunnels.refusal(of: .eapPEAP, leaving: nil) == .tlsUnavailable)
    }

    /// A rule has TLS 1.2 only, and settings 1.3 at least.
    @Test func aTrialRefusesWhereNoVersionIsLeft() throws {
        let offer = EAPOffer(settings: EAPService.Settings(), hasTunnel: true, asksForCertificate: true, versions: Self.newest)
        let dictionary = try ShippedDictionaries.loaded.get()
        let rule = RuleDesk.rule("") { $0.tlsVersions = ["1.2"] }
        let program = try #require(PolicyCompiler.compile([rule], at: .handshake, dictionary: dictionary).program)
        let snapshot = try RuleDesk().desk.snapshot(handshakes: [1: program])
        let name = "alice@home.example"
        for method in AuthenticationMethod.proofs {
            let request = try PolicyRequest(userName: name, dictionary: dictionary, method: method, seconds: RuleDesk.noon)
            let handshake = HandshakeReport(request, PolicyDesk.client(), in: snapshot, offer: offer)
            let isRefused = method.mayBeOverTLS && method != .eap
            #expect(handshake.refusal == (isRefused ? .tlsNoSharedVersion : nil), "\(method.name)")
            #expect(handshake.inside.allSatisfy { !$0.mayBeOverTLS } && handshake.rules.lines.map(\.result) == [.holds])
            guard method.inside.isEmpty else { continue }
            let explanation = try #require(
                Explanation(userName: name, tenant: 1, client: PolicyDesk.client(), in: snapshot, request: request, offer: offer))
            #expect(explanation.isAccepted == !isRefused && (explanation.reason == .tlsNoSharedVersion) == isRefused, "\(method.name)")
            // Where nobody knows the settings, nothing is made up.
            let elsewhere = HandshakeReport(request, PolicyDesk.client(), in: snapshot, offer: nil)
            #expect(elsewhere.refusal == nil)
        }
    }
}
