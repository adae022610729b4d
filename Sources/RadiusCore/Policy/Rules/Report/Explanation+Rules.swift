import Glibc

/// One login run through the rules of its tenant, off the packet path.
struct PolicyRun {
    let report: PolicyReport
    let decision: AccessDecision
    /// The reply's attributes in wire form; nil when they do not fit one packet.
    let reply: [UInt8]?
    /// What pools would give.
    private(set) var addresses: [AddressPreview] = []
    /// Why a pool would have the log-in refused.
    private(set) var poolFault: AccessReason?
    /// Reply-Message of the rule that refused.
    let refusal: [UInt8]
    /// What the subscriber is bound to.
    let bindings: BindingReport

    /// - Parameters:
    ///   - request: nil leaves the rules out.
    ///   - subscriber: of `snapshot`.
    ///   - client: the NAS that asks.
    ///   - snapshot: in force.
    ///   - early: why the request's method is refused, whoever logs in; nil where it is not.
    init(
        _ request: PolicyRequest?, _ subscriber: SubscriberRecord, _ client: NASClient, _ snapshot: Snapshot, refusal early: AccessReason?
    ) {
        let seconds = request?.seconds ?? Int64(time(nil))
        bindings = BindingReport(subscriber, request)
        var verdict = bindings.apply(to: AccessVerdict(subscriber, in: snapshot, at: UInt32(clamping: seconds)))
        // The proof comes before status, locks, bindings and rules.
        if let reason = early ?? request?.method.refusal(by: subscriber, in: snapshot) { verdict = verdict.refused(reason) }
        guard let request, verdict.isOpenToRules, let program = snapshot.programs[client.tenant] else {
            report = .none
            decision = AccessDecision(verdict)
            reply = Self.encode(decision, subscriber, client, snapshot, &addresses, &poolFault) { _, _ in }
            refusal = []
            return
        }
        var scratch = PolicyScratch()
        let own = snapshot.profiles[subscriber.profile]?.wire.name ?? UnsafeRawBufferPointer(start: nil, count: 0)
        let (report, settled) = request.withLogin(of: subscriber, own, verdict.level, at: client) { login in
            scratch.run(program, login)
            return (PolicyReport(program, scratch, .profiles(snapshot.profiles)), scratch.outcome.settle(verdict, in: snapshot))
        }
        self.report = report
        decision = AccessDecision(settled)
        reply = Self.encode(decision, subscriber, client, snapshot, &addresses, &poolFault) { start, writer in
            if scratch.outcome.hasEdits { PolicyScratch.edit(program, scratch.fired, from: start, &writer) }
        }
        refusal = scratch.outcome.last >= 0 && !settled.isAccepted ? program.compiled[scratch.outcome.last].message : []
    }

    private static func encode(
        _ decision: AccessDecision, _ subscriber: SubscriberRecord, _ client: NASClient, _ snapshot: Snapshot,
        _ addresses: inout [AddressPreview], _ poolFault: inout AccessReason?, _ edit: (Int, inout PacketWriter) -> Void
    ) -> [UInt8]? {
        guard decision.isAccepted else { return [] }
        var octets = [UInt8](repeating: 0, count: PacketHeader.maximumLength)
        var writer = PacketWriter(octets.mutableSpan, code: .accessAccept, identifier: 0)
        // It takes room in the packet, too.
        if client.sendsMessageAuthenticator { writer.reserveMessageAuthenticator() }
        let start = writer.count
        let complete = AcceptAttributes.append(
            decision, of: subscriber, to: client.vendor, in: snapshot, secret: client.secret,
            authenticator: Digest16(repeating: 0), writer: &writer)
        if let profile = decision.profile, !profile.pools.isEmpty {
            let claimant = AddressClaimant(subscriber: subscriber.id, station: 0)
            (poolFault, addresses) = AcceptAttributes.appendPreview(profile, claimant, from: start, writer: &writer)
        }
        edit(start, &writer)
        AcceptAttributes.boundSession(decision.verdict, of: subscriber, to: client.vendor, from: start, writer: &writer)
        let fits = complete && !writer.overflowed
        let finished = writer.finish()
        return fits ? Array(octets[start..<finished.count]) : nil
    }
}
