/// What is known of a login before anything inside of EAP is: what the rules about versions of TLS make of it, and whether EAP is offered
/// at all as the login wants it.
public struct HandshakeReport: Sendable {
    /// What each rule about versions of TLS makes of the login, as if it came by EAP over TLS; empty without such rules.
    public let rules: PolicyReport
    /// Why the login's method is refused, whoever it is; nil where it is not, or where it is not known what is offered.
    public let refusal: AccessReason?
    /// The methods that the login's may become, where it stands for several; without those that are refused.
    public let inside: [AuthenticationMethod]

    /// - Parameters:
    ///   - request: the login.
    ///   - client: the NAS that asks.
    ///   - snapshot: in force.
    ///   - offer: of EAP; nil where it is not known.
    public init(_ request: PolicyRequest, _ client: NASClient, in snapshot: Snapshot, offer: EAPOffer?) {
        var report = PolicyReport.none
        var chosen: TLSSettings.Versions?
        if let program = snapshot.handshakes[client.tenant] {
            var scratch = PolicyScratch()
            (chosen, report) = request.withLogin(of: nil, UnsafeRawBufferPointer(start: nil, count: 0), .active, at: client) { login in
                let versions = scratch.versions(program, login)
                return (versions, PolicyReport(program, scratch, .versions(offer?.versions)))
            }
        }
        let versions = chosen
        rules = report
        refusal = request.method == .none ? .noCredentials : offer?.refusal(of: request.method, leaving: versions)
        inside = request.method.inside.filter { offer?.refusal(of: $0, leaving: versions) == nil }
    }
}
