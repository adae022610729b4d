/// What conversations offer to devices at one moment, for whoever wants to know that without one.
public struct EAPOffer: Sendable {
    let settings: EAPService.Settings
    /// There is a certificate to show: TTLS, PEAP and TEAP.
    let hasTunnel: Bool
    /// There is an authority to trust, too: EAP-TLS, also inside a tunnel.
    let asksForCertificate: Bool
    /// The versions of TLS that settings leave to policy rules.
    let versions: TLSSettings.Versions

    /// Why a login by `method` is refused, whoever it is; nil where it is not.
    ///
    /// - Parameters:
    ///   - method: where it stands for several, all of them have to be refused.
    ///   - chosen: the versions of TLS that a policy rule leaves; nil for all.
    /// - Returns: what conversations would say.
    func refusal(of method: AuthenticationMethod, leaving chosen: TLSSettings.Versions?) -> AccessReason? {
        let inside = method.inside
        guard inside.isEmpty else {
            let reasons = inside.compactMap { refusal(of: $0, leaving: chosen) }
            guard reasons.count == inside.count else { return nil }
            return reasons.first { $0 != .eapNoCommonMethod } ?? .eapNoCommonMethod
        }
        guard let (type, inner) = method.steps else { return nil }
        let available = settings.methods.filter { $0 == .tls ? asksForCertificate : !$0.isOverTLS || hasTunnel }
        guard available.contains(type) else {
            return available.isEmpty && !settings.methods.isEmpty ? .tlsUnavailable : .eapNoCommonMethod
        }
        guard type.isOverTLS else { return nil }
        if let chosen, !chosen.overlaps(versions) { return .tlsNoSharedVersion }
        return inner.flatMap { refusal(of: $0, in: type) }
    }

    private func refusal(of inner: EAPInnerMethod, in tunnel: EAPType) -> AccessReason? {
        let allowed: [EAPInnerMethod] =
            switch tunnel {
            case .ttls: settings.ttlsMethods
            case .peap: settings.peapMethods.compactMap { EAPInnerMethod($0) }
            default: settings.teap.methods
            }
        let usable = allowed.filter { $0 != .eapTLS || asksForCertificate }
        if usable.contains(inner) { return nil }
        let isWithoutEAP = !usable.contains { $0.type != nil }
        return inner.type != nil && isWithoutEAP && allowed.contains(.eapTLS) ? .tlsUnavailable : .tunnelMethodRefused
    }
}

extension AuthenticationMethod {
    /// The method of EAP, and what is done in its tunnel; nil for what is none of EAP, and before one was agreed on.
    var steps: (type: EAPType, inner: EAPInnerMethod?)? {
        let inners: [EAPInnerMethod?] = [nil] + EAPInnerMethod.allCases.map { Optional($0) }
        for type in EAPType.served {
            for inner in inners where AuthenticationMethod(type, inner) == self { return (type, inner) }
        }
        return nil
    }
}
