extension PolicyReport {
    /// What the rules about versions of TLS would make of a login, if it came by EAP over TLS; empty without such rules.
    ///
    /// - Parameters:
    ///   - request: the login.
    ///   - client: the NAS that asks.
    ///   - snapshot: in force.
    ///   - allowed: the versions that the settings of EAP leave to rules; nil where they are not known.
    public init(versionsFor request: PolicyRequest, _ client: NASClient, in snapshot: Snapshot, allowed: TLSSettings.Versions?) {
        guard let program = snapshot.handshakes[client.tenant] else {
            self = .none
            return
        }
        var scratch = PolicyScratch()
        self = request.withLogin(of: nil, UnsafeRawBufferPointer(start: nil, count: 0), .active, at: client) { login in
            _ = scratch.versions(program, login)
            return PolicyReport(program, scratch, .versions(allowed))
        }
    }
}
